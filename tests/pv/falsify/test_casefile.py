"""A case is kept in two plain files, whole or not at all, and read only when it is what was kept."""

from __future__ import annotations

import json
import os
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import safetensors.torch
import torch
from held_values import cases, layout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pv.contract.schema import load_schema
from pv.digest import canonical
from pv.falsify import casefile
from pv.falsify.casefile import case_path, keep_counterexample, load_case, read_case, write_case
from pv.falsify.encode import encode, fingerprint
from pv.finding import Exit, PvError

TEST = "FALSIFY-D-001"
SEEN = {"message": "differs", "observed": "3", "expected": "2", "at": "falsifiers/double.py:9"}
VALUES = {
    "x": torch.tensor([[1.0, float("nan")], [-0.0, 2.0]]).t(),
    "weights": {"a": [torch.tensor(3, dtype=torch.bfloat16)], "b": torch.ones(2, requires_grad=True)},
    "big": torch.tensor([1 + 2j], dtype=torch.complex128),
    "n": 3,
}


def case_of(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": "pv/case-v1",
        "contract": "double-v1",
        "test": TEST,
        "equation": "double",
        "invariant": None,
        "stratum": "x.ordinary",
        "subject": None,
        "digest": fingerprint(values).hex(),
        "failure": None,
        "arguments": {name: encode(value) for name, value in values.items()},
    }


def put(folder: Path, values: dict[str, Any] = VALUES) -> Path:
    return write_case(folder / TEST, case_of(values))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases())
def test_a_case_reads_back_with_every_bit_in_its_order(tmp_path: Path, values: dict[str, Any]) -> None:
    path = put(tmp_path, values)
    assert read_case(path) == case_of(values)
    back = load_case(path)
    assert (list(back), fingerprint(back), layout(back)) == (list(values), fingerprint(values), layout(values))


def test_its_files_are_json_by_its_schema_and_safetensors_that_others_can_read(tmp_path: Path) -> None:
    path = put(tmp_path)
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.stem}.safetensors"]
    value = json.loads(path.read_bytes())
    assert path.read_bytes() == canonical(value) + b"\n"
    jsonschema.Draft202012Validator(load_schema("pv/case-v1")).validate(value)
    held = safetensors.torch.load_file(path.with_suffix(".safetensors"))
    assert {name: (row.dtype, list(row.shape)) for name, row in held.items()} == {
        "x": (torch.float32, [2, 2]),
        "weights.0.1.0": (torch.bfloat16, []),
        "weights.1.1": (torch.float32, [2]),
        "big": (torch.uint8, [16]),
    }
    assert fingerprint({"x": held["x"]}) == fingerprint({"x": VALUES["x"]})


def test_no_pickle_is_in_them(tmp_path: Path) -> None:
    def opcodes(data: bytes) -> int:
        return len(list(pickletools.genops(data)))

    torch.save(VALUES, tmp_path / "control.pt", _use_new_zipfile_serialization=False)
    assert opcodes((tmp_path / "control.pt").read_bytes()) > 0
    for file in put(tmp_path).parent.iterdir():
        with pytest.raises(ValueError, match=r"opcode|pickle"):
            opcodes(file.read_bytes())


def test_a_counterexample_lies_under_its_contract_and_test_and_is_the_same_file_again(tmp_path: Path) -> None:
    arguments = {name: encode(value) for name, value in VALUES.items()}
    found = {**SEEN, "invariant": "double/twice", "stratum": "x.huge", "arguments": None,
             "digest": fingerprint(VALUES).hex()}  # fmt: skip
    path = keep_counterexample(tmp_path, "double-v1", TEST, "plain", found, arguments)
    assert path == case_path(tmp_path, "double-v1", TEST, found["digest"])
    assert path == tmp_path / "double-v1" / TEST / f"{found['digest'][:16]}.json"
    seen = read_case(path)
    assert (seen["equation"], seen["invariant"], seen["subject"], seen["failure"]) == (
        "double", "double/twice", "plain", SEEN,
    )  # fmt: skip
    before = path.read_bytes()
    assert keep_counterexample(tmp_path, "double-v1", TEST, "plain", found, arguments) == path
    assert (path.read_bytes(), len(list(path.parent.iterdir()))) == (before, 2)


# --- a file that is not what was kept


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def changed(**keys: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_bytes(canonical({**json.loads(path.read_bytes()), **keys}))

    return change


def without_format(path: Path) -> None:
    value = json.loads(path.read_bytes())
    path.write_bytes(canonical({key: item for key, item in value.items() if key != "format"}))


def tensors(change: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda path: change(path.with_suffix(".safetensors"))


def one_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def with_tensors(edit: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        held = safetensors.torch.load_file(path)
        edit(held)
        safetensors.torch.save_file(held, path)

    return tensors(change)


def huge_header(path: Path) -> None:
    path.write_bytes((2**62).to_bytes(8, "little") + path.read_bytes()[8:])


def argument(**keys: Any) -> Callable[[Path], None]:
    """Changes in how the JSON describes the first argument, which is a tensor."""

    def change(path: Path) -> None:
        value = json.loads(path.read_bytes())
        value["arguments"][0]["value"] |= keys
        path.write_bytes(canonical(value))

    return change


def nested(path: Path) -> None:
    value = json.loads(path.read_bytes())
    deep = '{"list":[' * 5000 + "]}" * 5000
    path.write_text(json.dumps(value).replace('"value": 3', f'"value": {deep}'), encoding="utf-8")


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "gone": (Path.unlink, "is not there"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "is not there"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "is not there"),
    "empty": (lambda path: path.write_bytes(b""), "no case that can be read"),
    "cut short": (cut, "no case that can be read"),
    "not text": (lambda path: path.write_bytes(b"\xff\xfe{}"), "no case that can be read"),
    "another thing": (lambda path: path.write_bytes(b"[1]"), "has the format None"),
    "no format": (without_format, "has the format None"),
    "of a later format": (changed(format="pv/case-v2"), "has the format 'pv/case-v2'"),
    "an unknown key": (changed(extra=1), "does not have the layout of pv/case-v1"),
    "nested": (nested, "no case that can be read"),
    "of another test": (changed(test="FALSIFY-D-002"), "it was renamed or moved"),
    "another digest": (changed(digest="0" * 64), "it was renamed or moved"),
    "other arguments": (changed(arguments=[]), "holds 'big', which is no argument's"),
    "tensors gone": (tensors(Path.unlink), "there is no tensor 'x' beside it"),
    "tensors empty": (tensors(lambda path: path.write_bytes(b"")), "is no safetensors file"),
    "tensors cut short": (tensors(cut), "is no safetensors file"),
    "tensors of a huge header": (tensors(huge_header), "is no safetensors file"),
    "one bit": (tensors(one_bit), "does not hold what its digest says"),
    "a tensor missing": (with_tensors(lambda held: held.pop("x")), "there is no tensor 'x' beside it"),
    "a tensor more": (with_tensors(lambda held: held.update(more=torch.ones(1))), "holds 'more', which is no argument's"),
    "another dtype": (with_tensors(lambda held: held.update(x=held["x"].int())), "not what was kept"),
    "another shape": (with_tensors(lambda held: held.update(x=held["x"].reshape(4))), "not what was kept"),
    "another length": (with_tensors(lambda held: held.update(big=held["big"][:8].clone())), "8 bytes are no complex128"),
    "a dtype that is none": (argument(tensor="float33"), "not what was kept"),
    "strides out of bounds": (argument(strides=[2**40, 1]), "is too large"),
    "a stride too many": (argument(strides=[1, 1, 1]), "do not fit the shape"),
    "a negative shape": (argument(shape=[-2, -2]), "does not have the layout"),
    "the gradient of integers": (
        lambda path: (argument(tensor="int32", requires_grad=True)(path),
                      with_tensors(lambda held: held.update(x=held["x"].int()))(path)),
        "a tensor of int32 has no gradient",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_case_that_is_not_what_was_kept_is_refused_by_name(name: str, tmp_path: Path) -> None:
    path = put(tmp_path)
    breaks, problem = BROKEN[name]
    breaks(path)
    with pytest.raises(PvError) as caught:
        read_case(path)
    assert (problem in caught.value.message, caught.value.exit) == (True, Exit.MEND), caught.value.message
    assert f"{path.parent}/{path.stem}" in caught.value.message
    assert len(caught.value.message) < len(str(path)) + 400


def test_a_case_that_was_renamed_or_moved_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, {"n": 1})
    for target in (path.with_name("0123456789abcdef.json"), tmp_path / path.name):
        target.write_bytes(path.read_bytes())
        with pytest.raises(PvError, match="it was renamed or moved"):
            read_case(target)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_makes_anything_but_the_case_or_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    path = put(tmp_path)
    target = data.draw(st.sampled_from([path, path.with_suffix(".safetensors")]))
    raw = bytearray(target.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    target.write_bytes(raw[: data.draw(st.integers(0, len(raw)) | st.just(len(raw)))])
    try:
        arguments = read_case(path)["arguments"]
    except PvError:
        return
    names = {name: load for name, load in load_case(path).items() if name in arguments}
    assert fingerprint(names) == fingerprint(VALUES)


def test_what_is_too_large_is_refused_before_anything_is_written_or_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path)
    monkeypatch.setattr(casefile, "MAX_TENSORS", 16)
    with pytest.raises(PvError, match="is too large to be kept"):
        put(tmp_path / "other")
    assert not (tmp_path / "other").exists()
    monkeypatch.setattr(casefile, "MAX_JSON", 100)
    with pytest.raises(PvError, match="is larger than 100 bytes"):
        read_case(path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / TEST).write_text("a file", encoding="utf-8")
    with pytest.raises(PvError, match="cannot write"):
        put(tmp_path)


@pytest.mark.parametrize(("in_the_way", "left"), [(".safetensors", []), (".json", [".safetensors"])])
def test_the_json_comes_last_so_that_half_a_case_is_no_case(tmp_path: Path, in_the_way: str, left: list[str]) -> None:
    name = fingerprint(VALUES).hex()[:16]
    (tmp_path / TEST / f"{name}{in_the_way}").mkdir(parents=True)
    with pytest.raises(PvError, match="cannot write"):
        put(tmp_path)
    assert [path.suffix for path in (tmp_path / TEST).iterdir() if path.is_file()] == left
