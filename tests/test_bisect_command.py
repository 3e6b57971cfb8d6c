"""`pv bisect` on real models of transformers: the right port, the exact stage of a fault, and what it refuses to blame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bisect_project import TOKENS, write_llamas
from conftest import Ran

Pv = Callable[..., Ran]
pytest.importorskip("transformers")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of tests have long names: where lines break is asked where a width is chosen."""
    monkeypatch.setenv("COLUMNS", "250")


@pytest.fixture(scope="module")
def llamas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llamas(tmp_path_factory.mktemp("llamas"))


def bisected(pv: Pv, root: Path, *arguments: object, exit: int) -> Any:
    ran = pv("bisect", *arguments, "--tokens", TOKENS, "--format", "json", cwd=root)
    assert ran.exit == exit, ran.said
    value = json.loads(ran.out)
    assert value["exit"] == exit
    return value


def labels(value: Any) -> dict[tuple[str, int | None], str]:
    return {(row["stage"], row["layer"]): row["label"] for row in value["stages"]}


def test_the_same_model_twice_is_identical(pv: Pv, llamas: Path) -> None:
    value = bisected(pv, llamas, "right", "right", exit=0)
    assert (value["verdict"], value["at"], value["weights"]["relation"]) == ("identical", [], "same")
    assert [ran["attention"] for ran in value["paths"]] == ["sdpa", "sdpa"]
    assert set(labels(value).values()) == {"clean", "not_visible"}
    assert value["symptom"]["outputs"]["flips"] == []
    assert value["symptom"]["candidate"]["repeated"]["identical"]
    assert len(value["symptom"]["candidate"]["generated"]["tokens"]) == 16


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ("turned", [("q_post_rope", 1), ("k_post_rope", 1)]),
        ("epsilon", [("attn_norm", 2)]),
        ("one_weight", [("ffn_out", 1)]),
    ],
)
def test_a_fault_is_found_at_its_stage_and_nowhere_before(
    pv: Pv, llamas: Path, wrong: str, at: list[tuple[str, int]]
) -> None:
    value = bisected(pv, llamas, "right", wrong, exit=1)
    assert value["verdict"] == "diverged"
    assert [(row["stage"], row["layer"]) for row in value["at"]] == at
    assert value["more"] == []
    found = labels(value)
    assert [place for place, label in found.items() if label == "source"] == at
    before = list(found)[: list(found).index(at[0])]
    assert {found[place] for place in before} <= {"clean", "not_visible"}
    assert value["next"] == [f"pv bisect right {wrong} --tokens {TOKENS} --ladder"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("generating", "generating.generate does not compute what its forward pass does: at new token 2 of 16"),
        ("dropout", "dropout does not repeat itself: two equal passes differ"),
        ("outside", "the error arises after the last of them"),
        (
            "other_weights",
            "23 of 32 weights are different: every stage that has some must differ, and none can be blamed",
        ),
        ("quantised", "23 of 32 weights are quantised"),
    ],
)
def test_no_stage_is_blamed_for_what_the_captured_pass_does_not_show(
    pv: Pv, llamas: Path, wrong: str, said: str
) -> None:
    value = bisected(pv, llamas, "right", wrong, exit=3)
    assert (value["verdict"], value["at"]) == ("inconclusive", [])
    assert said in value["notes"][0]
    assert "source" not in labels(value).values()


def test_weights_and_paths_are_named_before_any_value(pv: Pv, llamas: Path) -> None:
    """The weights that differ are the answer here, whatever the stages say."""
    ran = pv("bisect", "right", "one_weight", "--tokens", TOKENS, cwd=llamas)
    text = ran.out
    assert (
        "weights  different (32 compared by name; not the same, by relative L2: model.layers.1.mlp.down_proj.weight"
        in text
    )
    assert text.index("symptom") < text.index("weights") < text.index("paths") < text.index("Stages:")


def test_two_paths_of_one_model(pv: Pv, llamas: Path, tmp_path: Path) -> None:
    folder = saved(llamas, tmp_path)
    value = bisected(pv, tmp_path, folder, "--path", "attn=eager", "--path", "attn=sdpa,threads=1", exit=0)
    assert value["verdict"] == "within_floor"
    assert [ran["attention"] for ran in value["paths"]] == ["eager", "sdpa"]
    assert value["reference"] == f"{folder} (attn=eager)"
    hidden = {place for place, label in labels(value).items() if label == "not_visible"}
    assert hidden == {(stage, layer) for stage in ("attn_scores", "attn_softmax") for layer in range(3)}


def test_one_path_against_itself_is_identical(pv: Pv, llamas: Path, tmp_path: Path) -> None:
    folder = saved(llamas, tmp_path)
    value = bisected(pv, tmp_path, folder, "--path", "attn=eager", "--path", "attn=eager", exit=0)
    assert (value["verdict"], set(labels(value).values())) == ("identical", {"clean"})


def test_a_rounded_dtype_is_rounding_on_the_ladder(pv: Pv, llamas: Path, tmp_path: Path) -> None:
    folder = saved(llamas, tmp_path)
    paths = ("--path", "dtype=bfloat16", "--path", "dtype=bfloat16,attn=sdpa")
    value = bisected(pv, tmp_path, folder, *paths, "--ladder", exit=0)
    assert (value["verdict"], value["ladder"]["meaning"]) == ("within_floor", "rounding")
    assert [rung["dtype"] for rung in value["ladder"]["rungs"]] == ["float32", "float64"]
    assert value["weights"]["relation"] == "same"


def test_another_epsilon_is_semantics_on_the_ladder(pv: Pv, llamas: Path) -> None:
    value = bisected(pv, llamas, "right", "epsilon", "--ladder", exit=1)
    assert (value["ladder"]["meaning"], value["ladder"]["at"]) == ("semantics", [{"stage": "attn_norm", "layer": 2}])
    assert value["next"] == []


def test_rounded_weights_are_named(pv: Pv, llamas: Path) -> None:
    ran = pv("bisect", "right", "rounded", "--tokens", TOKENS, "--format", "json", cwd=llamas)
    weights = json.loads(ran.out)["weights"]
    assert (weights["relation"], weights["rounded"]) == ("rounded", "the candidate's to bfloat16")


def test_an_attention_that_is_zeroed_after_it_was_computed_is_seen_where_it_is_added(pv: Pv, llamas: Path) -> None:
    value = bisected(pv, llamas, "right", "zeroed", exit=1)
    assert (value["verdict"], value["at"]) == ("diverged", [{"stage": "post_attn_residual", "layer": 0}])


@pytest.mark.parametrize(
    ("arguments", "exit", "said"),
    [
        (["right"], 2, "a reference and a candidate are needed, or one model on two paths"),
        (["right", "right", "right"], 2, "3 operands"),
        (["right", "--path", "attn=eager"], 2, "1 operands and 1 times --path"),
        (
            ["right", "--path", "atn=eager", "--path", "attn=sdpa"],
            2,
            "keys: device, dtype, attn, compile, threads, cache",
        ),
        (["right", "--path", "compile=maybe", "--path", "attn=sdpa"], 2, "compile is on or off, not 'maybe'"),
        (["right", "--path", "device=nowhere", "--path", "device=cpu"], 2, "there is no device 'nowhere'"),
        (["right", "--path", "dtype=int8", "--path", "dtype=float32"], 2, "there is no dtype 'int8'"),
        (["right", "rihgt"], 2, "did you mean 'right'?"),
        (["right", "right", "--weights", "right"], 2, "--weights is for captures"),
        (["right", "right", "--map", "nowhere.yaml"], 2, "there is no stage map nowhere.yaml"),
        (["right", "right", "--plot", "error.pdf"], 2, "a plot is .svg or .png"),
        (["right", "right", "--plot", "nowhere/error.svg"], 2, "nowhere is no folder"),
    ],
)
def test_operands_that_cannot_be_used(pv: Pv, llamas: Path, arguments: list[str], exit: int, said: str) -> None:
    ran = pv("bisect", *arguments, "--tokens", TOKENS, cwd=llamas)
    assert (ran.exit, said in ran.err) == (exit, True), ran.said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a model has to read something"),
        (["--tokens", "64"], "token 64 is outside"),
        (["--tokens", "1", "--text", "a"], "give one"),
        (["--text", "a"], "no tokenizer"),
    ],
)
def test_what_the_models_cannot_read(pv: Pv, llamas: Path, arguments: list[str], said: str) -> None:
    ran = pv("bisect", "right", "right", *arguments, cwd=llamas)
    assert (ran.exit in (1, 2), said in ran.err) == (True, True), ran.said


def saved(llamas: Path, target: Path) -> Path:
    """The right model as a folder of transformers."""
    namespace: dict[str, Any] = {}
    exec(compile((llamas / "models.py").read_text(), "models.py", "exec"), namespace)  # noqa: S102  # our own file
    folder = target / "saved"
    namespace["right"](None, seed=3).save_pretrained(folder)
    return folder
