"""Stages are seen where the map says, the first time, and nothing is left behind or changed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import ROOT, edit

from implementations.microgpt import model as microgpt
from pv.finding import Exit, PvError
from pv.stages.capture import capture
from pv.stages.map import StageMap
from pv.stages.read import read_stage_map
from pv.tensors.place import Place

TOKENS = torch.tensor([0, 5, 13, 13, 1])
LM_HEAD = Place("lm_head", None)
NEEDED = ("embedding", "embed_norm", "attn_norm", "q", "k", "v", "attn_scores", "attn_softmax", "attention", "attn_out",
          "post_attn_residual", "ffn_norm", "ffn_up", "ffn_act", "ffn_out", "post_ffn_residual", "lm_head")  # fmt: skip


def stage_map(root: Path = ROOT) -> StageMap:
    found = read_stage_map(root, "microgpt")
    assert found is not None
    return found


def test_every_stage_is_seen_with_its_axes() -> None:
    own, stages = microgpt.MicroGPT(seed=1), stage_map()
    with torch.no_grad(), capture(own, stage_map=stages) as seen:
        own(TOKENS)
    assert set(NEEDED) <= {place.stage for place in seen.places}
    assert seen.missing == ()
    sizes = {"n": 5, "E": 16, "H": 4, "D": 4, "F": 64, "V": 27}
    assert {place: tuple(seen[place].shape) for place in seen.places} == {
        place: tuple(sizes[letter] for letter in seen.axes(place)) for place in seen.wanted
    }
    assert [str(place) for place in seen.places if place.layer is None] == ["lm_head"]


def test_a_stage_is_what_its_formula_says() -> None:
    own = microgpt.MicroGPT(seed=1)
    with torch.no_grad(), capture(own, stage_map=stage_map()) as seen:
        logits = own(TOKENS)
    value, weights = {place.stage: seen[place] for place in seen.places}, dict(own.named_parameters())
    assert torch.equal(value["lm_head"], logits)
    assert torch.equal(value["attn_heads"].sum(dim=0), value["attn_out"])
    assert torch.equal(value["embedding"], value["token_embedding"] + value["position_embedding"])
    assert torch.equal(value["ffn_act"], value["ffn_up"].clamp(min=0))
    assert torch.equal(value["q"], value["attn_norm"] @ weights["wq"])
    assert torch.equal(value["post_ffn_residual"] @ weights["w_lm"], logits)


def test_the_output_and_its_gradients_are_the_same_bits_with_capture() -> None:
    own = microgpt.MicroGPT(seed=2)
    plain = own(TOKENS)
    (plain_gradient,) = torch.autograd.grad(plain.sum(), [own.wte])
    with capture(own, stage_map=stage_map()):
        watched = own(TOKENS)
    (gradient,) = torch.autograd.grad(watched.sum(), [own.wte])
    assert torch.equal(plain, watched)
    assert torch.equal(plain_gradient, gradient)


def test_the_first_forward_pass_is_kept_and_a_later_change_does_not_reach_it() -> None:
    own = microgpt.MicroGPT(seed=1)
    with torch.no_grad(), capture(own, stage_map=stage_map(), stages=["lm_head"]) as seen:
        first = own(TOKENS)
        kept = first.clone()
        own(TOKENS[:2])
        first.zero_()
    assert seen.places == (LM_HEAD,)
    assert torch.equal(seen[LM_HEAD], kept)


def test_hooks_are_gone_whatever_happens() -> None:
    own, before = microgpt.MicroGPT(seed=1), (sys.gettrace(), sys.getprofile())
    with pytest.raises(ValueError, match="tokens"), capture(own, stage_map=stage_map()) as seen:
        own(TOKENS[None])
    assert (sys.gettrace(), sys.getprofile()) == before
    assert seen.values == {}
    own(TOKENS)
    assert seen.values == {}


def test_somebody_elses_profile_goes_on_hearing_and_is_there_afterwards() -> None:
    heard: list[str] = []

    def other(frame: object, event: str, argument: object) -> None:
        heard.append(event)

    own = microgpt.MicroGPT(seed=1)
    sys.setprofile(other)
    try:
        with capture(own, stage_map=stage_map()):
            own(TOKENS)
        assert sys.getprofile() is other
    finally:
        sys.setprofile(None)
    assert "return" in heard


def test_a_stage_that_is_not_reached_is_missing() -> None:
    with capture(None, stage_map=stage_map(), stages=["q", "ffn_act"]) as seen:
        microgpt.mlp({"w_fc1": torch.ones(1, 2), "w_fc2": torch.ones(2, 1)}, torch.ones(1, 1))
    assert (seen.missing, seen.places) == ((Place("q", 0),), (Place("ffn_act", 0),))


def test_a_wrong_name_of_a_stage_tells_the_nearest() -> None:
    with (
        pytest.raises(PvError, match="there is no stage 'attn_softmx'") as error,
        capture(None, stage_map=stage_map(), stages=["attn_softmx"]),
    ):
        pass
    assert error.value.hint.startswith("did you mean 'attn_softmax'? its stages: token_embedding, position_embedding, ")
    assert error.value.hint.endswith(", lm_head")


def test_a_hook_on_what_is_no_function_is_to_be_mended() -> None:
    own = stage_map()
    row = replace(own.stages[0], hook={"local": "implementations.microgpt.model:nothing", "name": "x"})
    broken = replace(own, stages=(row,))
    with pytest.raises(PvError, match="which is no function here") as error, capture(None, stage_map=broken):
        pass
    assert error.value.exit is Exit.MEND


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("stage: position_embedding,", "stage: token_embedding,", "is there twice"),
        ("inputs: [attn_scores, attn_mask]", "inputs: [attn_scores, ffn_up]", "has the input 'ffn_up'"),
        ("V: vocab_size}", "W: vocab_size}", "has the axis 'V'"),
        ("axes: [n, V]", "axes: [n, vocabulary]", "PV112|vocabulary"),
        ("stage: lm_head, part: logits, scope: model", "stage: lm_head, part: logits, scope: whole", "PV112|whole"),
        ("operation: sum_heads", "operation: sum_heads, with: {eps: epsilon}", "is told the parameter 'epsilon'"),
        ("axes: [n, V]", "axes: [n, V], seen: [B, n]", "is seen as"),
        ("V: vocab_size}", "V: vocab_size}\naliases: {logits: lm_haed}", "speaks of 'lm_haed'"),
        ("V: vocab_size}", "V: vocab_size}\naliases: {lm_head: q}", "is there twice"),
    ],
)
def test_a_map_with_one_thing_wrong_is_refused(scratch: Path, before: str, after: str, said: str) -> None:
    edit(scratch / "contracts/stages/microgpt.yaml", before, after)
    with pytest.raises(PvError, match=said):
        stage_map(scratch)


def test_there_is_no_map_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_stage_map(tmp_path, "bert") is None
    assert read_stage_map(None, "bert") is None


def test_a_project_has_the_maps_that_come_with_pv_and_its_own_before_them(scratch: Path, tmp_path: Path) -> None:
    assert read_stage_map(tmp_path / "elsewhere", "llama") == read_stage_map(None, "llama")
    edit(scratch / "contracts/stages/llama.yaml", "about: token embedding", "about: ours")
    own = read_stage_map(scratch, "llama")
    assert own is not None
    assert own.stage("embedding").about == "ours"


def test_a_debuggers_trace_function_is_there_again_afterwards() -> None:
    def other(frame: object, event: str, argument: object) -> None:
        return None

    own, before = microgpt.MicroGPT(seed=1), sys.gettrace()
    sys.settrace(other)
    try:
        with capture(own, stage_map=stage_map()) as seen:
            own(TOKENS)
        assert sys.gettrace() is other
    finally:
        sys.settrace(before)
    assert seen.missing == ()
