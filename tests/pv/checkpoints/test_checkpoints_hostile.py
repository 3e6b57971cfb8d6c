"""Files that mean harm, or were damaged: each is one clear error, in little memory, and nothing hangs."""

from __future__ import annotations

import os
import random
import resource
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import (
    apr_bytes,
    floats,
    gguf_bytes,
    gguf_key,
    gguf_tensor,
    gguf_text,
    safetensors_bytes,
)

from pv.checkpoints import Checkpoint, read_checkpoint
from pv.finding import Exit, PvError

MEMORY = 100 * 2**20
HUGE = 2**63
_F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def _u64(number: int) -> bytes:
    return struct.pack("<Q", number)


SAFETENSORS = {
    "header of 2^63": (
        safetensors_bytes({"a": _F32}, bytes(8), HUGE),
        "its header would have 9,223,372,036,854,775,808",
    ),
    "header of 2^64 - 1": (safetensors_bytes({}, b"", 2**64 - 1), "its header would have"),
    "truncated length": (b"\x08\0\0\0\0", "this is no safetensors"),
    "truncated header": (safetensors_bytes({"a": _F32})[:30], "its header would have"),
    "truncated values": (safetensors_bytes({"a": _F32}, bytes(7)), "would be bytes"),
    "too many values": (safetensors_bytes({"a": _F32}, bytes(9)), "the last ones, belong to no tensor"),
    "header too large": (safetensors_bytes(b"{" + b" " * 2**24 + b"}"), "at most 16,777,216 are read"),
    "deep": (safetensors_bytes(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "nests deeper than 64"),
    "many values": (safetensors_bytes(b'{"a":[' + b"0," * 4_000_000 + b"0]}"), "more than 300,000 values"),
    "many texts": (safetensors_bytes(b'{"a":' + b'""' * 4_000_000 + b"}"), "more than 300,000 values"),
    "wide text": (safetensors_bytes(b'{"a":"' + b"\\ud83d\\ude00" * 700_000 + b'"}'), "wide characters"),
    "never closed": (safetensors_bytes(b'{"' + b'\\"' * 4_000_000), "more than 300,000 values"),
    "never closed, short": (safetensors_bytes(b'{"' + b'\\"' * 500_000), "brackets do not match"),
    "many keys": (safetensors_bytes(b"{" + b",".join(b'"%d":0' % n for n in range(299_000)) + b"}"), "at most 65,536"),
    "same key twice": (safetensors_bytes(b'{"a":{},"a":{}}'), "has the key 'a' twice"),
    "same field twice": (safetensors_bytes(b'{"a":{"dtype":"F32","dtype":"F64"}}'), "has the key 'dtype' twice"),
    "not UTF-8": (safetensors_bytes(b'{"\xff":0}'), "is not UTF-8 (byte 2 of it)"),
    "no object": (safetensors_bytes(b"{]"), "brackets do not match"),
    "a number too long": (safetensors_bytes(b'{"a":' + b"9" * 100_000 + b"}"), "is not JSON"),
    "no JSON": (safetensors_bytes(b"{nonsense}"), "is not JSON"),
    "no mapping": (safetensors_bytes({"a": 3}), "the tensor 'a' is no JSON object"),
    "metadata that is no text": (safetensors_bytes({"__metadata__": {"a": 1}}), "that are no texts"),
    "unknown dtype": (safetensors_bytes({"a": {**_F32, "dtype": "F31"}}, bytes(8)), "'F31'; did you mean"),
    "no dtype": (safetensors_bytes({"a": {}}), "has the dtype empty (null)"),
    "shape of 2^63": (safetensors_bytes({"a": {**_F32, "shape": [HUGE]}}, bytes(8)), "no shape that can be"),
    "product of 2^80": (safetensors_bytes({"a": {**_F32, "shape": [2**40, 2**40]}}, bytes(8)), "no shape that can be"),
    "zero hides an overflow": (safetensors_bytes({"a": {**_F32, "shape": [2**40, 2**40, 0]}}, bytes(8)), "no shape"),
    "a size below 0": (safetensors_bytes({"a": {**_F32, "shape": [-2]}}, bytes(8)), "no shape that can be"),
    "a size that is true": (safetensors_bytes({"a": {**_F32, "shape": [True]}}, bytes(8)), "no shape that can be"),
    "a size that is 2.0": (safetensors_bytes({"a": {**_F32, "shape": [2.0]}}, bytes(8)), "no shape that can be"),
    "ends before it begins": (safetensors_bytes({"a": {**_F32, "data_offsets": [8, 0]}}, bytes(8)), "no data_offsets"),
    "three offsets": (safetensors_bytes({"a": {**_F32, "data_offsets": [0, 8, 9]}}, bytes(8)), "no data_offsets"),
    "past the end": (
        safetensors_bytes({"a": {**_F32, "data_offsets": [2**40, 2**40 + 8]}}, bytes(8)),
        "would be bytes",
    ),
    "size of another shape": (safetensors_bytes({"a": {**_F32, "shape": [3]}}, bytes(8)), "takes 8 bytes; 3 elements"),
    "overlap": (
        safetensors_bytes({"a": _F32, "b": {**_F32, "data_offsets": [4, 12]}}, bytes(12)),
        "the tensors 'a' and 'b' overlap",
    ),
    "a hole": (safetensors_bytes({"a": {**_F32, "data_offsets": [4, 12]}}, bytes(12)), "belong to no tensor"),
}

GGUF = {
    "only a magic": (b"GGUF", "the version has 4 bytes; 0 are left"),
    "version 1": (gguf_bytes(version=1), "GGUF, version 1;"),
    "big-endian": (gguf_bytes(version=3 << 24), "big-endian, version 3"),
    "a billion tensors": (gguf_bytes(counts=(10**9, 0)), "declares 1,000,000,000 tensors; the file has room for"),
    "2^63 keys": (gguf_bytes(counts=(0, HUGE)), "declares 9,223,372,036,854,775,808 keys; the file has room for"),
    "many tensors that fit": (gguf_bytes(counts=(70_000, 0), data=bytes(2**21)), "at most 65,536 are read"),
    "key of 2^63": (gguf_bytes([_u64(HUGE) + bytes(64)]), "9,223,372,036,854,775,808 bytes"),
    "text of 2^63": (gguf_bytes([gguf_key("k", 8, _u64(HUGE))], data=bytes(64)), "the key 'k' has"),
    "key that is not UTF-8": (gguf_bytes([gguf_key(b"\xff", 0, b"\0")]), "is not UTF-8"),
    "text that is not UTF-8": (gguf_bytes([gguf_key("k", 8, gguf_text(b"ab\xff"))]), "'k' is not UTF-8 (byte 2"),
    "same key twice": (gguf_bytes(2 * [gguf_key("k", 0, b"\0")]), "the key 'k' occurs twice"),
    "type that is none": (gguf_bytes([gguf_key("k", 77, bytes(8))]), "'k' has the type 77"),
    "array of 10^9": (gguf_bytes([gguf_key("k", 9, struct.pack("<IQ", 0, 10**9))]), "'k' has 1,000,000,000 bytes"),
    "array of 2^63 texts": (gguf_bytes([gguf_key("k", 9, struct.pack("<IQ", 8, HUGE))]), "'k' has 73,786,976"),
    "array of many texts": (
        gguf_bytes([gguf_key("k", 9, struct.pack("<IQ", 8, 3_000_000))], data=bytes(8 * 3_000_001)),
        "more than 1,500,000 values",
    ),
    "array of no type": (gguf_bytes([gguf_key("k", 9, struct.pack("<IQ", 55, 1))], data=bytes(64)), "has the type 55"),
    "empty array of no type": (gguf_bytes([gguf_key("k", 9, struct.pack("<IQ", 55, 0))]), "has the type 55"),
    "many keys": (gguf_bytes(counts=(0, 10_001), data=bytes(2**18)), "declares 10,001 keys; at most 10,000 are read"),
    "many arrays in an array": (
        gguf_bytes([gguf_key("k", 9, struct.pack("<IQ", 9, 50_001) + struct.pack("<IQ", 4, 0) * 50_001)]),
        "or arrays that take as long",
    ),
    "deep arrays": (gguf_bytes([gguf_key("k", 9, struct.pack("<IQ", 9, 1) * 1000)]), "nests arrays deeper than 4"),
    "much text": (
        gguf_bytes([gguf_key(f"k{n}", 8, gguf_text("x" * 1_000_000)) for n in range(9)]),
        "may hold 8,388,608 bytes of text",
    ),
    "truncated in a key": (
        gguf_bytes([gguf_key("k", 4, b"")], counts=(0, 1))[:37],
        "the key 'k' has 4 bytes; 0 are left",
    ),
    "alignment 0": (gguf_bytes([gguf_key("general.alignment", 4, bytes(4))]), "general.alignment is 0"),
    "alignment 12": (gguf_bytes([gguf_key("general.alignment", 0, b"\x0c")]), "general.alignment is 12"),
    "alignment 2^31": (gguf_bytes([gguf_key("general.alignment", 4, struct.pack("<I", 2**31))]), "is 2147483648"),
    "alignment of text": (gguf_bytes([gguf_key("general.alignment", 8, gguf_text("x"))]), "general.alignment is 'x'"),
    "2^32 dimensions": (
        gguf_bytes([], [gguf_text("w") + struct.pack("<I", 2**32 - 1) + bytes(64)]),
        "4,294,967,295 dim",
    ),
    "size of 2^63": (gguf_bytes([], [gguf_tensor("w", [HUGE], 0, 0)], bytes(64)), "no shape that can be"),
    "product of 2^80": (gguf_bytes([], [gguf_tensor("w", [2**40, 2**40], 0, 0)], bytes(64)), "no shape that can be"),
    "half a block": (
        gguf_bytes([], [gguf_tensor("w", [100], 12, 0)], bytes(512)),
        "rows of 100; Q4_K has blocks of 256",
    ),
    "offset that is not aligned": (gguf_bytes([], [gguf_tensor("w", [2], 0, 4)], bytes(64)), "no multiple of 32"),
    "offset past the end": (gguf_bytes([], [gguf_tensor("w", [2], 0, 2**40)], bytes(64)), "would be bytes"),
    "offset of 2^64 - 32": (gguf_bytes([], [gguf_tensor("w", [2], 0, 2**64 - 32)], bytes(64)), "would be bytes"),
    "truncated values": (gguf_bytes([], [gguf_tensor("w", [64], 0, 0)], bytes(64)), "would be bytes"),
    "overlap": (
        gguf_bytes([], [gguf_tensor("a", [16], 0, 0), gguf_tensor("b", [16], 0, 32)], bytes(128)),
        "the tensors 'a' and 'b' overlap",
    ),
    "same tensor twice": (
        gguf_bytes([], [gguf_tensor("a", [8], 0, 0), gguf_tensor("a", [8], 0, 32)], bytes(64)),
        "the tensor 'a' occurs twice",
    ),
    "name that is not UTF-8": (gguf_bytes([], [gguf_tensor(b"\xc3", [8], 0, 0)], bytes(64)), "is not UTF-8"),
}

_ROWS = [("a", 0, [2], floats(1, 2))]
APR = {
    "only a magic": (b"APR\0", "the header would be bytes 0 to 64"),
    "version 3": (apr_bytes(_ROWS, version=(3, 0)), "this is APR, version 3.0"),
    "column-major": (apr_bytes(_ROWS, flags=0x800), "LAYOUT_COLUMN_MAJOR is set"),
    "a billion tensors": (apr_bytes(_ROWS, count=10**9), "declares 1,000,000,000 tensors"),
    "2^32 - 1 bytes of metadata": (apr_bytes(_ROWS, size=2**32 - 1), "tensor_index_offset is"),
    "metadata in the header": (apr_bytes(_ROWS, meta=8), "metadata_offset is 8, where 64 or more"),
    "metadata at 2^63": (apr_bytes(_ROWS, meta=HUGE), "where 9,223,"),
    "index at 2^63": (apr_bytes(_ROWS, index=HUGE), "data_offset is"),
    "data at 2^63": (apr_bytes(_ROWS, data=HUGE), "the end of the data is"),
    "index before the metadata": (apr_bytes(_ROWS, index=0), "tensor_index_offset is 0"),
    "much metadata": (apr_bytes(_ROWS, b"{}" + b" " * 2**24), "at most 16,777,216 are read"),
    "deep metadata": (apr_bytes(_ROWS, b'{"a":' + b"[" * 10**6 + b"]" * 10**6 + b"}"), "more than 300,000 values"),
    "metadata that nests": (apr_bytes(_ROWS, b'{"a":' + b"[" * 10**5 + b"]" * 10**5 + b"}"), "nests deeper than 64"),
    "metadata that is not UTF-8": (apr_bytes(_ROWS, b'{"a":"\xff"}'), "is not UTF-8"),
    "metadata that is no object": (apr_bytes(_ROWS, b"[]"), "is no JSON object"),
    "no metadata": (apr_bytes(_ROWS, b""), "is not JSON"),
    "same tensor twice": (apr_bytes([*_ROWS, ("a", 0, [0], b"")]), "the tensor 'a' occurs twice"),
    "long name": (apr_bytes([("n" * 257, 0, [1], floats(1))]), "has 257 bytes; APR v2 has names of at most 256"),
    "nine dimensions": (apr_bytes([("a", 0, [1] * 9, floats(1))]), "has 9 dimensions"),
    "size of 2^63": (apr_bytes([("a", 0, [HUGE], floats(1))]), "no shape that can be"),
    "product of 2^80": (apr_bytes([("a", 0, [2**40, 2**40], floats(1))]), "no shape that can be"),
    "size of another shape": (apr_bytes([("a", 0, [3], floats(1))]), "takes 4 bytes; 3 elements of F32 are 12"),
    "truncated": (apr_bytes(_ROWS)[:-6], "would be bytes"),
    "truncated in the index": (apr_bytes(_ROWS)[:90], "the end of the data is 86"),
    "truncated by two bytes": (apr_bytes(_ROWS)[:-2], "would be bytes 192 to 200; tensors are bytes 192 to 198"),
    "truncated by its last checksum": (apr_bytes(_ROWS)[:-4], "tensors are bytes 192 to 196"),
    "a tensor over the last checksum": (
        apr_bytes([("a", 0, [3], floats(1, 2, 3))])[:-4],
        "tensors are bytes 192 to 200",
    ),
    "no room for its last checksum": (apr_bytes([])[:-2], "the end of the data is 126, where 128 or more"),
}


def _cases() -> Iterator[tuple[str, bytes, str]]:
    for form, files in (("safetensors", SAFETENSORS), ("gguf", GGUF), ("apr", APR)):
        yield from ((f"{form}: {name}", data, message) for name, (data, message) in files.items())


@pytest.mark.parametrize(
    ("name", "data", "message"), list(_cases()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_it_is_refused_for_what_is_wrong_with_it(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(data)
    with pytest.raises(PvError) as raised:
        read_checkpoint(path)
    assert message in raised.value.message
    assert raised.value.message.startswith(str(path))
    assert (raised.value.exit, len(raised.value.message) < 400 + len(str(path))) == (Exit.ASK, True)


_READ_ALL = """
import sys
from pathlib import Path
from pv.checkpoints import read_checkpoint
from pv.finding import PvError
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read_checkpoint(path)
    except PvError:
        print(path.name)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory that hold are Linux's")
def test_all_of_them_take_less_than_a_hundred_megabytes_and_one_that_takes_more_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for name, data, _ in _cases():
        (tmp_path / "files" / name.replace("/", "_")).write_bytes(data)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY, 2 * MEMORY))  # half of it is Python itself, mapped
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (120, 120))

    def run(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(tmp_path / "files")]
        return subprocess.run(command, preexec_fn=limited, capture_output=True, text=True, check=False)

    done = run(_READ_ALL)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(list(_cases()))
    assert "MemoryError" in run("x = bytearray(100 * 2**20)").stderr


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "empty").touch()
    for name, message in [("fifo", "no regular file"), ("loop", "cannot be read"), ("dangling", "No such file"),
                          ("empty", "it is empty"), ("a\0b", "cannot be read"), ("x" * 5000, "cannot be read")]:  # fmt: skip
        with pytest.raises(PvError, match=message):
            read_checkpoint(tmp_path / name)
    with pytest.raises(PvError, match="no regular file"):
        read_checkpoint(Path("/dev/zero"))


def test_fifos_and_loops_inside_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(PvError, match="no regular file"):
        read_checkpoint(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors").write_bytes(safetensors_bytes({}))
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(PvError, match=r"config\.json is no regular file"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize(("data", "message"), [
    (b"PK\x03\x04rest", "a zip archive, as torch.save writes"), (b"\x80\x02}q\x00.", "a pickle"),
    (b"\x93NUMPY\x01\x00", "a numpy array"), (b"APRT" + bytes(8), "an APRT file"),
    (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"), (b"hello", "it begins with b'hello'"),
])  # fmt: skip
def test_other_files_are_called_by_their_name(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "model").write_bytes(data)
    with pytest.raises(PvError, match=message):
        read_checkpoint(tmp_path / "model")


VALID = (
    safetensors_bytes({"__metadata__": {"k": "v"}, "a": _F32, "b": {**_F32, "data_offsets": [8, 16]}}, floats(1, 2, 3, 4)),
    gguf_bytes(
        [gguf_key("k", 8, gguf_text("v")), gguf_key("l", 9, struct.pack("<IQ", 8, 2) + gguf_text("x") + gguf_text("y"))],
        [gguf_tensor("a", [2, 2], 0, 0), gguf_tensor("b", [32], 8, 32)], floats(1, 2, 3, 4) + bytes(16) + bytes(34),
    ),
    apr_bytes([("a", 0, [2], floats(1, 2)), ("b", 1, [3], bytes(6))], {"architecture": "x"}),
)  # fmt: skip


def read_or_refuse(path: Path, data: bytes) -> Checkpoint | None:
    """What is read, or None where it was refused; anything else gets out."""
    path.write_bytes(data)
    try:
        return read_checkpoint(path)
    except PvError:
        return None


def require_sound(found: Checkpoint | None) -> None:
    """What was read lies in the file, apart."""
    at = 0
    for entry in sorted(found.tensors if found else (), key=lambda row: (row.offset, row.size)):
        assert found is not None
        assert at <= entry.offset
        assert entry.offset + entry.size <= found.size
        at = entry.offset + entry.size


@pytest.mark.parametrize("valid", VALID, ids=["safetensors", "gguf", "apr"])
def test_valid_files_are_read_and_every_truncation_is_refused_or_sound(tmp_path: Path, valid: bytes) -> None:
    whole = read_or_refuse(tmp_path / "f", valid)
    assert whole is not None
    assert [entry.name for entry in whole.tensors] == ["a", "b"]
    for length in range(len(valid)):
        require_sound(read_or_refuse(tmp_path / "f", valid[:length]))


@pytest.mark.parametrize("valid", VALID, ids=["safetensors", "gguf", "apr"])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_valid_files_with_other_bytes_are_read_or_refused(tmp_path: Path, valid: bytes, data: st.DataObject) -> None:
    changed = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(valid) - 1))
        changed[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8) | st.just(b"\xff" * 8))
    require_sound(read_or_refuse(tmp_path / "f", bytes(changed)))


@pytest.mark.fuzz
@pytest.mark.parametrize("valid", VALID, ids=["safetensors", "gguf", "apr"])
def test_many_random_changes(tmp_path: Path, valid: bytes) -> None:
    draw = random.Random(7)
    refused = 0
    for _ in range(10_000):
        changed = bytearray(valid)
        for _ in range(draw.randint(1, 8)):
            changed[draw.randrange(min(len(valid), 400))] = draw.randrange(256)
        found = read_or_refuse(tmp_path / "f", bytes(changed))
        require_sound(found)
        refused += found is None
    assert 0 < refused < 10_000
