"""`pv inspect`: architecture, file, tensors, kernels, roles and a forward pass, every number derived from the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Ran
from model_files import apr_bytes, floats, gguf_bytes, gguf_key, gguf_tensor, gguf_text, safetensors_bytes
from small_gpt import CONTEXT, HEAD_DIM, HEADS, INNER, SHAPES, VOCABULARY, WIDTH, write_small_gpt

Pv = Callable[..., Ran]


@pytest.fixture
def pv(pv: Pv, standing: Path) -> Pv:
    """In a copy of this project, unless a test says where."""
    return partial(pv, cwd=standing)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of the day are of any length: where lines break is asked where a width is chosen."""
    monkeypatch.setenv("COLUMNS", "200")


def value(pv: Pv, *arguments: object) -> Any:
    """The same as JSON."""
    ran = pv("inspect", *arguments, "--format", "json")
    assert ran.exit == 0, ran.said
    return json.loads(ran.out)


def test_all_numbers_follow_a_checkpoint_of_other_sizes(tmp_path: Path, pv: Pv) -> None:
    weights = write_small_gpt(tmp_path / "m")
    seen = value(pv, tmp_path / "m", "--text", "emma")
    sizes = {name: size["value"] for name, size in seen["sizes"].items()}
    assert sizes.items() >= {
        "hidden_size": WIDTH, "heads": HEADS, "head_dim": HEAD_DIM, "ffn_size": INNER, "vocab_size": VOCABULARY,
        "context_length": CONTEXT,
    }.items()  # fmt: skip
    assert (seen["family"], seen["parameters"], seen["notes"]) == ("microgpt", sum(map(np.size, weights.values())), [])
    assert {row["name"]: tuple(row["shape"]) for row in seen["tensors"]} == SHAPES
    assert all(row["role"] for row in seen["tensors"])
    for row in seen["tensors"]:
        assert row["statistics"]["std"] == pytest.approx(weights[row["name"]].astype(np.float64).std(), rel=1e-12)
    assert [row["kernel"] for row in seen["kernels"] if row["op"] == "Attention"] == [
        f"multi-head attention, {HEADS} heads of {HEAD_DIM}"
    ]
    assert seen["forward"]["input_tokens"] == [0, 5, 13, 13, 1]
    assert seen["forward"]["output_shape"] == [5, VOCABULARY]
    assert seen["config"]["training"] == {"steps": 70, "seed": 3}


def test_the_text_says_the_same(tmp_path: Path, pv: Pv) -> None:
    write_small_gpt(tmp_path / "m")
    ran = pv("inspect", tmp_path / "m", "--text", "emma")
    assert ran.exit == 0
    for words in ("Hidden size      12", "Attention heads  3", "Head dimension   4", "FFN size         20",
                  "Context length   9", "Vocabulary       27", "wq     3×12×4", "multi-head attention, 3 heads of 4",
                  "training: steps: 70, seed: 3", "Output shape     [5, 27]", "token embedding"):  # fmt: skip
        assert words in ran.out, words


def test_a_config_that_disagrees_with_the_weights_is_noted(tmp_path: Path, pv: Pv) -> None:
    write_small_gpt(tmp_path / "m", n_embd=16)
    [note] = value(pv, tmp_path / "m")["notes"]
    assert note.startswith("hidden_size is 12 by the shape of ")
    assert note.endswith(" and 16 by n_embd of config.json")
    assert f"note: {note}" in pv("inspect", tmp_path / "m").out


def test_the_named_model_with_its_levels_from_the_ledger(pv: Pv, standing: Path) -> None:
    seen = value(pv, "microgpt", "--seed", "3")
    assert (seen["parameters"], seen["format"]) == (4192, "fresh")
    from pv.project import project_at
    from pv.report.status import vectors

    rows = [row for row in project_at(standing).assessments().values() if row.equation == "softmax" and row.default]
    [level] = [row["level"] for row in seen["kernels"] if row["op"] == "Softmax"]
    assert level == vectors(rows)["microgpt-v1"]
    assert {row["level"] for row in seen["kernels"] if row["contract"] is None} == {None}
    assert seen["forward"]["input_tokens"][0] == 0


def test_keys_of_json(tmp_path: Path, pv: Pv) -> None:
    write_small_gpt(tmp_path)
    assert list(value(pv, tmp_path)) == [
        "model", "format", "family", "family_because", "kernel_class", "parameters", "sizes", "readings", "notes",
        "size_bytes",
        "tensor_count", "dtypes", "dominant_dtype", "facts", "problems", "metadata", "config", "tensors", "kernels", "forward",
    ]  # fmt: skip


def test_a_file_is_inspected_without_torch_and_a_model_that_runs_needs_it(tmp_path: Path, standing: Path) -> None:
    write_small_gpt(tmp_path / "m")
    code = "import sys; from pv.cli import main; code = main(sys.argv[1:]); print(code, 'torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}

    def last_line(*arguments: str) -> str:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, cwd=standing, env=env, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1]

    assert last_line("inspect", str(tmp_path / "m")) == "0 False"
    assert last_line("tensors", str(tmp_path / "m"), "--stats") == "0 False"
    assert last_line("inspect", str(tmp_path / "m"), "--text", "emma") == "0 True"


def gguf(folder: Path) -> Path:
    """A GGUF file with a vocabulary."""
    tokens = (8).to_bytes(4, "little") + (7).to_bytes(8, "little") + b"".join(gguf_text(f"t{n}") for n in range(7))
    keys = [
        gguf_key("general.architecture", 8, gguf_text("llama")), gguf_key("general.file_type", 4, (15).to_bytes(4, "little")),
        gguf_key("llama.embedding_length", 4, (8).to_bytes(4, "little")),
        gguf_key("llama.attention.layer_norm_rms_epsilon", 6, floats(float("nan"))),
        gguf_key("tokenizer.chat_template", 8, gguf_text("long " * 100)), gguf_key("tokenizer.ggml.tokens", 9, tokens),
    ]  # fmt: skip
    tensors = [gguf_tensor(f"blk.{n}.attn_q.weight", [8, 4], 1, 64 * n) for n in range(40)]
    (folder / "m.gguf").write_bytes(gguf_bytes(keys, tensors, bytes(range(64)) * 40))
    return folder / "m.gguf"


def test_a_gguf_file(tmp_path: Path, pv: Pv) -> None:
    ran = pv("inspect", gguf(tmp_path))
    assert ran.exit == 0
    assert "Quantization     Q4_K_M (general.file_type 15)" in ran.out
    assert ("llama.embedding_length: 8" in ran.out, "2 more of the vocabulary: --vocab" in ran.out) == (True, True)
    assert ("blk.9.attn_q.weight" in ran.out, "blk.20.attn_q" in ran.out, "blk.39" in ran.out) == (True, False, True)
    assert "40 tensors, 1,280 elements, 2.5 KiB, mostly F16; 12 shown" in ran.out
    assert "tokenizer" not in ran.out
    vocabulary = pv("inspect", gguf(tmp_path), "--vocab").out
    assert "tokenizer.ggml.tokens: 7 of text ['t0', 't1', 't2', 't3', 't4', …]" in vocabulary
    assert "(500 characters)" in vocabulary
    seen = value(pv, gguf(tmp_path))
    assert seen["metadata"]["tokenizer.ggml.tokens"]["count"] == 7
    assert seen["metadata"]["llama.attention.layer_norm_rms_epsilon"] is None
    assert (seen["family"], len(seen["tensors"])) == ("llama", 40)


def test_an_apr_file_and_its_provenance_which_is_never_left_out(tmp_path: Path, pv: Pv) -> None:
    rows = [("a.weight", 0, [2], floats(1, 2))]
    metadata = {"architecture": "qwen2", "license": "MIT", "name": "small", "hidden_size": 64}
    (tmp_path / "m.apr").write_bytes(apr_bytes(rows, metadata, flags=0x420))
    ran = pv("inspect", tmp_path / "m.apr")
    assert ran.exit == 0
    for words in ("Checksum         VALID", "Flags            QUANTIZED | LAYOUT_ROW_MAJOR", "license          MIT",
                  "data_source      (missing)", "data_license     (missing)", "Name             small",
                  "Hidden size      64"):  # fmt: skip
        assert words in ran.out, words
    assert value(pv, tmp_path / "m.apr")["provenance"] == {"license": "MIT", "data_source": None, "data_license": None}


def test_a_wrong_checksum_is_said_and_exits_one(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "m.apr").write_bytes(apr_bytes([("a", 0, [2], floats(1, 2))], checksum=7))
    ran = pv("inspect", tmp_path / "m.apr")
    assert (ran.exit, "Checksum         INVALID" in ran.out, "problem: the header's checksum" in ran.out) == (
        1,
        True,
        True,
    )
    ran = pv("inspect", tmp_path / "m.apr", "--format", "json")
    assert (ran.exit, len(json.loads(ran.out)["problems"])) == (1, 1)


def test_of_a_large_file_only_the_header_is_read(tmp_path: Path, pv: Pv) -> None:
    path, size = tmp_path / "m.safetensors", 2**40
    with path.open("wb") as stream:  # sparse: a terabyte that nobody could read in the time of a test
        stream.write(safetensors_bytes({"a": {"dtype": "F32", "shape": [2**38], "data_offsets": [0, size]}}))
        stream.truncate(stream.tell() + size)
    ran = pv("inspect", path)
    assert (ran.exit, "1.0 TiB" in ran.out, "pv tensors" in ran.out) == (0, True, True)


@pytest.mark.parametrize("odd", [0, -4, 0.5, 1e308, float("inf"), float("nan"), 2**63, "12", None, [], {"a": 1}, True])
@pytest.mark.parametrize("model_type", ["microgpt", "llama"])
def test_a_config_may_say_what_it_likes(tmp_path: Path, pv: Pv, odd: object, model_type: str) -> None:
    keys = ("n_embd", "n_head", "block_size", "hidden_size", "num_attention_heads", "num_key_value_heads", "rope_theta")
    write_small_gpt(tmp_path, model_type=model_type, architectures=odd, **dict.fromkeys(keys, odd))
    for form in ("text", "json"):
        ran = pv("inspect", tmp_path, "--format", form)
        assert ran.exit == 0, ran.said


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_narrow_and_wide(tmp_path: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    write_small_gpt(tmp_path)
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = pv("inspect", tmp_path)
    tensors = ran.out[ran.out.index("\nTensors\n") : ran.out.index("\nKernel pipeline")]
    assert max(map(len, tensors.splitlines())) <= columns


def test_nothing_is_written(tmp_path: Path, pv: Pv) -> None:
    write_small_gpt(tmp_path)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.rglob("*")}
    pv("inspect", tmp_path)
    pv("tensors", tmp_path, "--stats")
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("arguments", [("microgtp",), ("microgpt", "--text", "zoë"), ("microgpt", "--text", "a" * 99)])
def test_what_cannot_be_asked(pv: Pv, arguments: tuple[str, ...]) -> None:
    ran = pv("inspect", *arguments)
    assert (ran.exit, ran.out, "pv: " in ran.err) == (2, "", True)


def test_what_a_gguf_file_says_does_not_steer_the_terminal(tmp_path: Path, pv: Pv) -> None:
    keys = [
        gguf_key("general.architecture", 8, gguf_text("ev\x1b[31mil")),
        gguf_key("ev\x1b[31mil.embedding_length", 4, (7).to_bytes(4, "little")),
    ]
    (tmp_path / "m.gguf").write_bytes(gguf_bytes(keys))
    for command in ("inspect", "explain"):
        ran = pv(command, tmp_path / "m.gguf", "-v")
        assert (ran.exit, "\x1b" in ran.out, "ev\ufffd[31mil.embedding_length" in ran.out) == (0, False, True)


def test_of_an_apr_file_it_is_said_that_its_last_checksum_is_not_checked(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "m.apr").write_bytes(apr_bytes([("a", 0, [2], floats(1, 2))]))
    assert "Data checksum    not checked" in pv("inspect", tmp_path / "m.apr").out


def test_a_config_that_is_no_json_is_called_that_and_a_folder_is_none(tmp_path: Path, pv: Pv) -> None:
    write_small_gpt(tmp_path)
    (tmp_path / "config.json").write_text("{bad")
    assert "config.json: it is not JSON: its brackets do not match" in pv("inspect", tmp_path).err
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").mkdir()
    assert (value(pv, tmp_path)["config"], value(pv, tmp_path)["tensor_count"]) == ({}, 9)
