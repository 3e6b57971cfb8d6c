"""`pv tensors`: every tensor, its statistics when asked, by name, by pattern, in narrow and wide terminals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Ran
from model_files import apr_bytes, floats, gguf_bytes, gguf_tensor
from safetensors.numpy import save_file
from small_gpt import SHAPES, write_small_gpt

Pv = Callable[..., Ran]
KEYS = ["model", "format", "tensor_count", "element_count", "total_size_bytes", "dtypes", "problems", "tensors"]
ROW = ["name", "dtype", "shape", "elements", "size_bytes", "file", "offset", "statistics", "unmeasured"]
STATISTICS = ["count", "mean", "std", "min", "max", "max_abs", "l2", "nan", "inf", "zero"]


def value(pv: Pv, *arguments: object) -> Any:
    """The same as JSON."""
    ran = pv("tensors", *arguments, "--format", "json")
    assert ran.exit == 0, ran.said
    return json.loads(ran.out)


def test_every_number_is_that_of_the_file(tmp_path: Path, pv: Pv) -> None:
    weights = write_small_gpt(tmp_path / "m")
    seen = value(pv, tmp_path / "m", "--stats")
    assert list(seen) == KEYS
    assert (seen["tensor_count"], seen["element_count"]) == (9, sum(w.size for w in weights.values()))
    assert (seen["total_size_bytes"], seen["dtypes"]) == (4 * seen["element_count"], {"F32": 9})
    by_name = {row["name"]: row for row in seen["tensors"]}
    for name, shape in SHAPES.items():
        row, weight = by_name[name], weights[name].astype(np.float64)
        assert list(row) == ROW
        assert list(row["statistics"]) == STATISTICS
        assert (row["shape"], row["elements"], row["dtype"]) == (list(shape), weight.size, "F32")
        assert row["statistics"]["mean"] == pytest.approx(weight.mean(), rel=1e-12)
        assert row["statistics"]["std"] == pytest.approx(weight.std(), rel=1e-12)
    ran = pv("tensors", tmp_path / "m", "--stats")
    assert (ran.exit, f"{weights['wq'].astype(np.float64).std():.6g}" in ran.out, "3×12×4" in ran.out) == (
        0,
        True,
        True,
    )


def test_a_named_model_is_made_fresh_of_its_seed(pv: Pv) -> None:
    one, same, other = (value(pv, "microgpt", "--stats", "--seed", seed) for seed in (1, 1, 2))
    assert one["tensor_count"] == 9
    assert one == same
    assert one["tensors"][0]["statistics"]["mean"] != other["tensors"][0]["statistics"]["mean"]


def test_filters_by_part_and_by_pattern_and_limits(tmp_path: Path, pv: Pv) -> None:
    write_small_gpt(tmp_path)

    def names(*more: str) -> list[str]:
        return sorted(row["name"] for row in value(pv, tmp_path, *more)["tensors"])

    assert names("--filter", "fc") == ["w_fc1", "w_fc2"]
    assert names("--filter", "w?") == ["wk", "wo", "wq", "wv"]
    assert names("--filter", "w_*") == ["w_fc1", "w_fc2", "w_lm"]
    limited = value(pv, tmp_path, "--filter", "w_*", "--limit", "2")
    assert (limited["tensor_count"], len(limited["tensors"])) == (3, 2)  # the count is of all that match
    assert "3 tensors" in pv("tensors", tmp_path, "--filter", "w_*", "--limit", "2").out
    assert "2 shown" in pv("tensors", tmp_path, "--filter", "w_*", "--limit", "2").out


@pytest.mark.parametrize(("arguments", "message", "hint"), [
    (("m", "--filter", "w_fcc1"), "no tensor of 9 has a name like 'w_fcc1'", "did you mean 'w_fc1'?"),
    (("microgtp",), "there is no model 'microgtp'", "did you mean 'microgpt'?"),
    (("m", "--seed", "1"), "--seed makes a fresh model", "leave --seed out"),
])  # fmt: skip
def test_what_is_not_there_is_answered_with_the_nearest(
    tmp_path: Path, pv: Pv, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    write_small_gpt(tmp_path / "m")
    ran = pv("tensors", *(tmp_path / word if word == "m" else word for word in arguments))
    assert (ran.exit, ran.out) == (2, "")
    assert message in ran.err
    assert hint in ran.err


def test_nan_and_infinity_and_constants_are_said(tmp_path: Path, pv: Pv) -> None:
    odd = {"a": np.array([1, np.nan, np.inf, -np.inf, 3], np.float32), "b": np.zeros(4, np.float32),
           "c": np.full(3, 2.5, np.float32), "d": np.arange(3, dtype=np.float32),
           "e": np.full(2, np.nan, np.float32)}  # fmt: skip
    save_file(odd, tmp_path / "m.safetensors")
    ran = pv("tensors", tmp_path / "m.safetensors", "--stats")
    assert ran.exit == 0
    assert "a: 1 of 5 values are NaN, 2 of 5 values are infinite" in ran.out
    assert ("b: every value is 0" in ran.out, "c: every value is 2.5" in ran.out, "  d: " in ran.out) == (
        True,
        True,
        False,
    )
    seen = {row["name"]: row["statistics"] for row in value(pv, tmp_path / "m.safetensors", "--stats")["tensors"]}
    assert (seen["a"]["nan"], seen["a"]["inf"], seen["a"]["mean"]) == (1, 2, 2.0)
    assert seen["e"]["mean"] is None  # JSON has no NaN


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_no_number_is_cut_or_folded_however_narrow_it_is(
    tmp_path: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    weights = write_small_gpt(tmp_path)
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = pv("tensors", tmp_path, "--stats")
    assert max(map(len, ran.out.splitlines())) <= columns
    for weight in weights.values():
        wide = weight.astype(np.float64)
        for number in (wide.mean(), wide.std(), wide.min(), wide.max()):
            assert f"{number:.6g}" in re.split(r"\s+", ran.out)


def test_a_long_name_is_shown_whole(tmp_path: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "model.layers.0." + "very_" * 20 + "long"
    save_file({name: np.ones(3, np.float32)}, tmp_path / "m.safetensors")
    monkeypatch.setenv("COLUMNS", "60")
    assert name in pv("tensors", tmp_path / "m.safetensors").out.splitlines()


def test_what_a_file_says_does_not_steer_the_terminal(tmp_path: Path, pv: Pv) -> None:
    save_file({"a\x1b[2Jb\nc": np.ones(3, np.float32)}, tmp_path / "m.safetensors", metadata={"k\x1b": "\x1b[31m"})
    for command in ("tensors", "inspect"):
        ran = pv(command, tmp_path / "m.safetensors")
        assert (ran.exit, "\x1b" in ran.out, "a\ufffd[2Jb\ufffdc" in ran.out) == (0, False, True)


def test_a_tensor_that_cannot_be_measured_is_not_passed(tmp_path: Path, pv: Pv) -> None:
    tensors = [gguf_tensor("new", [8], 99, 0), gguf_tensor("old", [8], 0, 32)]
    (tmp_path / "m.gguf").write_bytes(gguf_bytes([], tensors, bytes(32) + floats(*range(8))))
    assert pv("tensors", tmp_path / "m.gguf").exit == 0
    ran = pv("tensors", tmp_path / "m.gguf", "--stats")
    assert (ran.exit, "new: not measured: values of type 99 are not decoded here" in ran.out) == (3, True)
    assert "3.5" in ran.out
    assert pv("tensors", tmp_path / "m.gguf", "--stats", "--filter", "old").exit == 0


def test_a_file_that_must_not_be_believed_is_shown_and_exits_one(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "m.apr").write_bytes(apr_bytes([("a", 0, [2], floats(1, 2))], checksum=7))
    ran = pv("tensors", tmp_path / "m.apr")
    assert (ran.exit, "problem: the header's checksum is 0x00000007" in ran.out) == (1, True)


def test_a_file_that_cannot_be_read_is_the_askers_business(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"\xff" * 100)
    ran = pv("tensors", tmp_path / "m.safetensors")
    assert (ran.exit, ran.out, "this is no safetensors, GGUF or APR file" in ran.err) == (2, "", True)


def test_an_empty_file_of_tensors(tmp_path: Path, pv: Pv) -> None:
    save_file({}, tmp_path / "m.safetensors")
    assert value(pv, tmp_path / "m.safetensors")["tensor_count"] == 0
    assert pv("tensors", tmp_path / "m.safetensors", "--stats").out.startswith("0 tensors, 0 elements")


@pytest.mark.parametrize(("flag", "name"), [(0x1, "LZ4"), (0x2, "ZSTD"), (0x4, "ENCRYPTED")])
@pytest.mark.parametrize("elements", [4, 400])
def test_bytes_that_are_no_values_are_not_measured(tmp_path: Path, pv: Pv, flag: int, name: str, elements: int) -> None:
    row = ("a", 0, [elements], floats(1, 2, 3, 4)[:13])
    (tmp_path / "m.apr").write_bytes(apr_bytes([row], flags=0x400 | flag))
    ran = pv("tensors", tmp_path / "m.apr", "--stats")
    assert (ran.exit, f"a: not measured: {name}, which is not decoded here" in ran.out) == (3, True), ran.said
    ran = pv("inspect", tmp_path / "m.apr")
    assert (ran.exit, f"values are not read: {name}, which is" in ran.out) == (0, True), ran.said
    (tmp_path / "m.apr").write_bytes(apr_bytes([("a", 0, [4], floats(1, 2, 3, 4))]))
    ran = pv("tensors", tmp_path / "m.apr", "--stats")
    assert (ran.exit, "2.5" in ran.out, "not measured" in ran.out) == (0, True, False)


def test_of_many_tensors_inspect_reads_no_value_and_tensors_does(tmp_path: Path, pv: Pv) -> None:
    for count, read in ((1000, True), (1001, False)):
        save_file({f"t{n}": np.full(2, n, np.float32) for n in range(count)}, tmp_path / "m.safetensors")
        ran = pv("inspect", tmp_path / "m.safetensors")
        assert (ran.exit, "mean" in ran.out, "at most 16 MiB and 1,000 tensors" in ran.out) == (0, read, not read)
    assert "mean" in pv("tensors", tmp_path / "m.safetensors", "--stats", "--limit", "1").out


@pytest.mark.parametrize("command", ["inspect", "tensors", "explain"])
@pytest.mark.parametrize("word", ["", "x" * 300])
def test_no_name_and_one_too_long_are_names_of_nothing(pv: Pv, command: str, word: str) -> None:
    ran = pv(command, word)
    assert (ran.exit, ran.out) == (2, "")
    assert f"there is no model '{word[:59]}" in ran.err
    assert "known: microgpt" in ran.err
