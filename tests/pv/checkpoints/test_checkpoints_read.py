"""What the readers of safetensors, GGUF, APR and folders say of files that other programs wrote, or bytes by the tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import apr_bytes, floats, gguf_bytes, gguf_key, gguf_tensor, gguf_text, safetensors_bytes
from safetensors.numpy import save_file

from pv.checkpoints import Array, TensorEntry, read_checkpoint
from pv.finding import Exit, PvError


def rows(path: Path) -> list[tuple[str, str, tuple[int, ...]]]:
    """Name, dtype and shape of every tensor."""
    return [(entry.name, entry.dtype, entry.shape) for entry in read_checkpoint(path).tensors]


def values(entry: TensorEntry, dtype: str) -> Any:
    """The bytes the entry says are its own."""
    assert entry.file is not None
    data = entry.file.read_bytes()[entry.offset : entry.offset + entry.size]
    return np.frombuffer(data, dtype).reshape(entry.shape)


def test_a_safetensors_file_as_its_own_library_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.array(7, np.int64),
        "empty": np.zeros((0, 4), np.float16),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    found = read_checkpoint(path)
    assert (found.format, found.size, dict(found.metadata)) == ("safetensors", path.stat().st_size, {"format": "pt"})
    assert sorted(rows(path)) == [("a", "I64", ()), ("b", "F32", (2, 3)), ("empty", "F16", (0, 4))]
    by_name = {entry.name: entry for entry in found.tensors}
    assert (values(by_name["b"], "<f4") == tensors["b"]).all()
    assert values(by_name["a"], "<i8") == 7
    assert found.parameters == 7


def test_a_config_beside_it_is_read_too(tmp_path: Path) -> None:
    save_file({"a": np.zeros(2, np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    for path in (tmp_path, tmp_path / "model.safetensors"):
        assert read_checkpoint(path).config == {"model_type": "llama"}
    (tmp_path / "config.json").write_text("[1", encoding="utf-8")
    with pytest.raises(PvError, match=r"config\.json.*brackets do not match"):
        read_checkpoint(tmp_path)


def test_a_gguf_file_as_its_own_package_writes_it(tmp_path: Path) -> None:
    from gguf import GGMLQuantizationType, GGUFWriter, quantize

    path = tmp_path / "a.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_token_list([f"t{number}" for number in range(9)])
    writer.add_array("some.floats", [0.5, 1.5])
    weights = np.linspace(-1, 1, 4 * 64, dtype=np.float32).reshape(4, 64)
    writer.add_tensor(
        "blk.0.attn_q.weight", quantize(weights, GGMLQuantizationType.Q8_0), raw_dtype=GGMLQuantizationType.Q8_0
    )
    writer.add_tensor("output.weight", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = read_checkpoint(path)
    assert rows(path) == [("blk.0.attn_q.weight", "Q8_0", (4, 64)), ("output.weight", "F32", (4, 64))]
    assert (found.metadata["general.architecture"], found.metadata["llama.block_count"]) == ("llama", 2)
    assert found.metadata["tokenizer.ggml.tokens"] == Array("text", 9, ("t0", "t1", "t2", "t3", "t4"))
    assert found.metadata["some.floats"] == Array("float32", 2, (0.5, 1.5))
    assert (values(found.tensors[1], "<f4") == weights).all()
    assert found.tensors[0].size == 4 * 2 * 34


def test_gguf_version_two_other_alignment_nested_arrays_and_unknown_types(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    nested = b"".join([  # an array of two arrays of uint8
        (9).to_bytes(4, "little"), (2).to_bytes(8, "little"), *2 * [bytes(4), (3).to_bytes(8, "little"), b"\1\2\3"],
    ])  # fmt: skip
    keys = [gguf_key("general.alignment", 4, (64).to_bytes(4, "little")), gguf_key("nested", 9, nested)]
    tensors = [gguf_tensor("new", [8], 99, 0), gguf_tensor("w", [2, 1], 0, 64)]
    path.write_bytes(gguf_bytes(keys, tensors, bytes(64) + floats(1, 2), version=2, alignment=64))
    found = read_checkpoint(path)
    assert rows(path) == [("new", "type 99", (8,)), ("w", "F32", (1, 2))]
    assert (found.tensors[0].size, values(found.tensors[1], "<f4").tolist()) == (64, [[1.0, 2.0]])
    assert found.metadata["nested"].count == 2
    assert dict(found.facts)["Unknown types"].startswith("type 99")


APR_ROWS = [("a.weight", 0, [2, 2], floats(1, 2, 3, 4)), ("b.weight", 30, [3], bytes(6))]


def test_an_apr_file_by_the_table(tmp_path: Path) -> None:
    path = tmp_path / "a.apr"
    path.write_bytes(apr_bytes(APR_ROWS, b'{"architecture": "qwen2", "license": "x", "license": "MIT"}', flags=0x620))
    found = read_checkpoint(path)
    assert rows(path) == [("a.weight", "F32", (2, 2)), ("b.weight", "BF16", (3,))]
    assert values(found.tensors[0], "<f4").tolist() == [[1, 2], [3, 4]]
    assert (found.metadata["license"], found.problems) == ("MIT", ())  # the last of two counts in this format
    assert dict(found.facts)["Flags"] == "QUANTIZED | HAS_VOCAB | LAYOUT_ROW_MAJOR"
    assert dict(found.facts)["Checksum"].startswith("VALID")


@pytest.mark.parametrize(("changes", "problem"), [
    ({"checksum": 1}, "checksum is 0x00000001"), ({"flags": 0x20}, "LAYOUT_ROW_MAJOR is not set"),
])  # fmt: skip
def test_what_an_apr_file_must_not_be_believed_for(tmp_path: Path, changes: dict[str, int], problem: str) -> None:
    path = tmp_path / "a.apr"
    path.write_bytes(apr_bytes(APR_ROWS, **changes))
    [seen] = read_checkpoint(path).problems
    assert problem in seen


@pytest.mark.parametrize("at", [5, 41, 60])
def test_a_byte_of_the_header_that_is_another_is_seen_by_its_checksum(tmp_path: Path, at: int) -> None:
    data = bytearray(apr_bytes(APR_ROWS))
    path = tmp_path / "a.apr"
    path.write_bytes(data)
    assert read_checkpoint(path).problems == ()
    data[at] ^= 1
    path.write_bytes(data)
    assert len(read_checkpoint(path).problems) == 1


def test_an_index_that_is_not_sorted_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.apr"
    path.write_bytes(apr_bytes(APR_ROWS[::-1]))
    assert read_checkpoint(path).problems == ("the index is not sorted by name, as APR v2 requires",)


@pytest.mark.parametrize("magic", [b"APRN", b"APR1", b"APR2"])
def test_older_apr_formats_are_refused_by_name(tmp_path: Path, magic: bytes) -> None:
    (tmp_path / "a.apr").write_bytes(apr_bytes(APR_ROWS, magic=magic))
    with pytest.raises(PvError, match=f"this is {magic.decode()}, a format before APR v2"):
        read_checkpoint(tmp_path / "a.apr")


def shards(folder: Path, index: dict[str, Any]) -> Path:
    """Two files with a tensor each, and an index."""
    save_file({"a": np.zeros(2, np.float32)}, folder / "model-00001-of-00002.safetensors")
    save_file({"b": np.zeros(3, np.float32)}, folder / "model-00002-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


WHOLE = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}


def test_shards_are_one_checkpoint(tmp_path: Path) -> None:
    found = read_checkpoint(shards(tmp_path, {"metadata": {"total_size": 20}, "weight_map": WHOLE}))
    assert ([entry.name for entry in found.tensors], found.parameters, found.problems) == (["a", "b"], 5, ())
    assert (found.format, found.metadata) == ("safetensors, 2 shards", {"total_size": 20})
    assert [entry.file.name for entry in found.tensors if entry.file] == list(WHOLE.values())


@pytest.mark.parametrize(("weight_map", "problem"), [
    ({**WHOLE, "c": WHOLE["a"]}, "the index says that 'c' is in 'model-00001-of-00002.safetensors'; no shard has it"),
    ({"a": WHOLE["b"], "b": WHOLE["b"], "x": WHOLE["a"]}, "it is in model-00001-of-00002.safetensors"),
    ({"b": WHOLE["b"], "q": WHOLE["a"]}, "'a' is in model-00001-of-00002.safetensors, and the index does not name it"),
])  # fmt: skip
def test_an_index_and_its_shards_that_disagree(tmp_path: Path, weight_map: dict[str, str], problem: str) -> None:
    assert problem in "\n".join(read_checkpoint(shards(tmp_path, {"weight_map": weight_map})).problems)


@pytest.mark.parametrize(("index", "message"), [
    ({"weight_map": {**WHOLE, "c": "missing.safetensors"}}, r"missing\.safetensors cannot be read: No such file"),
    ({"weight_map": {"a": "../a.safetensors"}}, "files elsewhere"),
    ({"weight_map": {"a": 7}}, "files elsewhere"),
    ({"weight_map": {}}, "names no files"),
    ({}, "weight_map is no JSON object"),
])  # fmt: skip
def test_an_index_that_cannot_be_followed(tmp_path: Path, index: dict[str, Any], message: str) -> None:
    with pytest.raises(PvError, match=message) as raised:
        read_checkpoint(shards(tmp_path, index))
    assert raised.value.exit is Exit.ASK


def test_folders_without_one_model(tmp_path: Path) -> None:
    with pytest.raises(PvError, match="it has none"):
        read_checkpoint(tmp_path)
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(gguf_bytes())
    with pytest.raises(PvError, match=r"2 of them, and no index: a\.gguf, b\.gguf"):
        read_checkpoint(tmp_path)
    (tmp_path / "b.gguf").unlink()
    assert read_checkpoint(tmp_path).format == "GGUF"


def test_reading_headers_imports_neither_numpy_nor_torch(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(gguf_bytes([gguf_key("k", 8, gguf_text("v"))]))
    code = (
        "import sys, pathlib, pv.checkpoints as c; c.read_checkpoint(pathlib.Path(sys.argv[1]));"
        "print(sorted({'numpy', 'torch', 'gguf', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.gguf"], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_only_the_header_of_a_large_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    size = 2**40
    with path.open("wb") as stream:  # sparse: none of it is on the disk
        stream.write(safetensors_bytes({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}))
        stream.truncate(stream.tell() + size)
    assert read_checkpoint(path).parameters == size
