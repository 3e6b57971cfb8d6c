"""`pv trace`: every stage of a forward pass, and a skeleton that makes nothing up."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Ran, edit
from test_cli_explain import OTHER, checkpoint, llama_file

from implementations.microgpt.checkpoint import save_model
from implementations.microgpt.model import MicroGPT
from pv.families.sizes import Size
from pv.finding import PvError
from pv.introspect.load import Tokenizer
from pv.introspect.tokens import read_text

Pv = Callable[..., Ran]


@pytest.fixture
def pv(pv: Pv, standing: Path) -> Pv:
    """In a copy of this project, unless a test says where."""
    return partial(pv, cwd=standing)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of the day are of any length: where lines break is asked where a width is chosen."""
    monkeypatch.setenv("COLUMNS", "200")


def traced(pv: Pv, *arguments: object, **where: Path) -> Any:
    ran = pv("trace", *arguments, "--format", "json", **where)
    assert ran.exit == 0, ran.said
    return json.loads(ran.out)


def test_the_four_parts_with_every_stage_and_the_predictions(pv: Pv) -> None:
    ran = pv("trace", "microgpt", "--text", "emma", "-v")
    assert ran.exit == 0, ran.said
    for expected in (
        "1  Embedding", "2  Attention", "3  MLP", "4  Logits", "head_3 @ wo[3]", "fc1", "ReLU", "5×64", "P(target)",
        "BOS (0), 'e' (5), 'm' (13), 'm' (13), 'a' (1)", "std", "q @ kᵀ / √D",
    ):  # fmt: skip
        assert expected in ran.out


def test_the_numbers_are_those_of_the_model(pv: Pv) -> None:
    value = traced(pv, "microgpt", "--text", "emma", "--seed", 3)
    with torch.no_grad():
        logits = MicroGPT(seed=3)(torch.tensor([0, 5, 13, 13, 1])).double()
    found = {row["what"]: row for row in value["stages"]}
    head = found["logits"]
    assert head["l2"] == pytest.approx(logits.norm().item(), rel=1e-12)
    assert (head["min"], head["max"]) == (logits.min().item(), logits.max().item())
    assert head["mean"] == pytest.approx(logits.mean().item(), rel=1e-9)
    assert head["std"] == pytest.approx(logits.std(correction=0).item(), rel=1e-12)
    chances = torch.softmax(logits, dim=-1)
    targets = [5, 13, 13, 1, 0]
    assert [row["target"] for row in value["predictions"]] == targets
    assert [row["p_target"] for row in value["predictions"]] == pytest.approx(
        [chances[at, target].item() for at, target in enumerate(targets)]
    )
    assert [row["predicted"] for row in value["predictions"]] == logits.argmax(dim=-1).tolist()
    assert found["norm before attention"]["l2"] == pytest.approx(math.sqrt(5 * 16), rel=1e-3)
    assert found["ReLU"]["zero"] > 0
    assert found["head_0 @ wo[0]"]["shape"] == [5, 16]


def test_another_size_is_followed_everywhere(tmp_path: Path, pv: Pv) -> None:
    value = traced(pv, checkpoint(tmp_path), "--tokens", "0,5,13")
    shapes = {row["stage"]: row["shape"] for row in value["stages"]}
    assert (shapes["q"], shapes["ffn_up"], shapes["lm_head"], shapes["embedding"]) == (
        [3, 3, 5],
        [3, 20],
        [3, 27],
        [3, 12],
    )
    assert sum(row["stage"] == "attn_heads" for row in value["stages"]) == OTHER.n_head
    assert [row["target"] for row in value["predictions"]] == [5, 13, None]
    assert value["predictions"][2]["p_target"] is None
    assert value["not_reached"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tokens", "0,27"], "token 27 is outside 0 … 26"),
        (["--tokens", "0,-1"], "'-1' is no token id"),
        (["--tokens", ""], "'' is no token id"),
        (["--tokens", "0," * 16 + "0"], "17 tokens; the model reads at most 16"),
        (["--text", "abcdefghijklmnop"], "17 tokens; the model reads at most 16"),
        (["--text", "Emma!"], "no 'E!'"),
        (["--text", "a", "--tokens", "0"], "give one"),
    ],
)
def test_what_the_model_cannot_read_is_refused(pv: Pv, arguments: list[str], said: str) -> None:
    ran = pv("trace", "microgpt", *arguments)
    assert (ran.exit, said in ran.err) == (2, True), ran.said


def test_bounds_are_those_of_the_checkpoint(tmp_path: Path, pv: Pv) -> None:
    folder = checkpoint(tmp_path)
    assert pv("trace", folder, "--text", "a" * 8).exit == 0
    ran = pv("trace", folder, "--text", "a" * 9)
    assert (ran.exit, "10 tokens; the model reads at most 9" in ran.err) == (2, True)


def test_a_token_without_a_text_is_shown_by_its_id(tmp_path: Path, pv: Pv) -> None:
    """The tokenizer knows 27 tokens, the model 40; of two that only it knows, one is always the likeliest."""
    config = replace(OTHER, vocab_size=40)
    folder, model = checkpoint(tmp_path, config), MicroGPT(seed=5, config=config)
    with torch.no_grad():
        model.w_lm.zero_()
        model.w_lm[:, 35], model.w_lm[:, 36] = 1, -1
    save_model(folder, model)
    ran = pv("trace", folder, "--tokens", "0,35,1")
    assert (ran.exit, "reads  BOS (0), 35, 'a' (1)" in ran.out) == (0, True), ran.said
    for command in ("trace", "explain", "inspect"):
        ran = pv(command, folder, "--text", "zed")
        assert ran.exit == 0, ran.said
    assert json.loads(pv("inspect", folder, "--text", "zed", "--format", "json").out)["forward"]["next_label"] in (
        "35",
        "36",
    )


def test_a_text_beyond_the_vocabulary_is_refused(tmp_path: Path, pv: Pv) -> None:
    folder = checkpoint(tmp_path, replace(OTHER, vocab_size=10))
    ran = pv("trace", folder, "--text", "maria")
    assert (ran.exit, "token 13 is outside 0 … 9" in ran.err) == (2, True), ran.said
    assert pv("trace", folder, "--text", "abi").exit == 0


def test_what_is_to_be_predicted_is_a_token_of_the_model_too() -> None:
    """A tokenizer that ends a text with a token of its own, 9."""
    tokenizer = Tokenizer(lambda text: [0, *map(int, text), 9], lambda tokens: "".join(map(str, tokens[1:-1])))
    assert read_text("31", tokenizer, {"vocab_size": Size(10, "config")}).targets == (3, 1, 9)
    with pytest.raises(PvError, match="token 9 is outside 0 … 8"):
        read_text("31", tokenizer, {"vocab_size": Size(9, "config")})


def test_logits_that_are_no_numbers_predict_nothing(tmp_path: Path, pv: Pv) -> None:
    folder, model = checkpoint(tmp_path), MicroGPT(seed=5, config=OTHER)
    with torch.no_grad():
        model.w_lm.fill_(3e38)
    save_model(folder, model)
    ran = pv("trace", folder, "--text", "ab", "--format", "json")
    assert "NaN" not in ran.out
    assert [(row["predicted"], row["p_target"]) for row in json.loads(ran.out)["predictions"]] == [(None, None)] * 3
    value = json.loads(pv("inspect", folder, "--text", "ab", "--format", "json").out)["forward"]
    assert (value["next_token"], value["next_label"]) == (None, None)
    assert "none: its logits are no numbers" in pv("inspect", folder, "--text", "ab").out


def test_an_empty_text_is_the_begin_of_one(pv: Pv) -> None:
    value = traced(pv, "microgpt", "--text", "")
    assert (value["tokens"], value["predictions"][0]["target"]) == ([0], 0)


def test_without_a_text_nothing_is_measured(pv: Pv, tmp_path: Path) -> None:
    value = traced(pv, checkpoint(tmp_path))
    assert value["measured"] is False
    assert [row["name"] for row in value["layers"]] == ["embedding", "block 0", "head"]
    assert sum(row["parameters"] for row in value["layers"]) == OTHER.parameter_count
    assert not {"l2", "mean"} & {key for row in value["stages"] for key in row}
    assert {"attn_softmax", "ffn_act", "lm_head"} <= {row["stage"] for row in value["stages"]}
    ran = pv("trace", "microgpt")
    assert (ran.exit, "nothing was run" in ran.out) == (0, True)


def test_layers_of_a_file_are_counted_by_their_numbers(tmp_path: Path, pv: Pv) -> None:
    path = llama_file(tmp_path / "model.safetensors")
    value = traced(pv, path)
    assert [row["name"] for row in value["layers"]] == ["block 0", "block 1", "others"]
    assert value["stages"] == []
    ran = pv("trace", path, "--tokens", "0")
    assert (ran.exit, "cannot run" in ran.err) == (2, True)


def test_a_seed_of_a_checkpoint_is_refused(tmp_path: Path, pv: Pv) -> None:
    ran = pv("trace", checkpoint(tmp_path), "--seed", 1)
    assert (ran.exit, "leave --seed out" in ran.err) == (2, True)


def test_a_stage_that_is_not_reached_is_no_pass(scratch: Path, pv: Pv) -> None:
    """The model computes its MLP elsewhere: the stages in it are not measured, and the command says so."""
    edit(
        scratch / "implementations/microgpt/model.py",
        "    ffn_out_ne = mlp(weights, ffn_norm_ne)\n",
        '    ffn_out_ne = torch.relu(ffn_norm_ne @ weights["w_fc1"]) @ weights["w_fc2"]\n',
    )
    ran = pv("trace", "microgpt", "--text", "emma", cwd=scratch)
    assert (ran.exit, "not reached, and not measured: ffn_up, ffn_act" in ran.out) == (3, True), ran.said


def test_reading_leaves_nothing_behind(scratch: Path, pv: Pv) -> None:
    before = sorted(path.as_posix() for path in scratch.rglob("*"))
    pv("trace", "microgpt", "--text", "emma", cwd=scratch)
    pv("explain", "microgpt", cwd=scratch)
    assert sorted(path.as_posix() for path in scratch.rglob("*")) == before
