"""Tensors that are no capture of their stage are named, and a fault of the model is not taken for one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from opaque_pair import MAP, Fault, Pair, captured, side

from pv.bisect.integrity import checksum
from pv.bisect.judge import bisect
from pv.bisect.result import Bisection, Label, Verdict
from pv.tensors.place import Place


def invalid(found: Bisection) -> str:
    assert found.verdict is Verdict.INVALID_CAPTURE
    assert not found.at
    return found.notes[0]


def test_an_all_zero_stage_is_a_buffer_and_no_fault() -> None:
    pair = Pair.of()
    pair.other[Place("ffn_out", 1)] = torch.zeros_like(pair.other[Place("ffn_out", 1)])
    assert "candidate: layer 1 ffn_out is all zero" in invalid(pair.bisected())


def test_a_constant_stage_is_named_on_either_side() -> None:
    pair = Pair.of()
    pair.one[Place("ffn_up", 2)] = torch.full_like(pair.one[Place("ffn_up", 2)], 0.5)
    assert "reference: layer 2 ffn_up is 0.5 everywhere" in invalid(pair.bisected())


def test_a_stage_that_is_constant_on_both_sides_is_what_the_model_does() -> None:
    pair = Pair.of()
    with torch.no_grad():
        for each in (pair.one, pair.other):
            each[Place("v", 0)] = torch.zeros_like(each[Place("v", 0)])
    found = pair.bisected()
    assert found.verdict is not Verdict.INVALID_CAPTURE


def test_two_stages_with_the_same_bytes_are_one_buffer_seen_twice() -> None:
    pair = Pair.of()
    pair.other[Place("attn_norm", 2)] = pair.other[Place("attn_norm", 1)].clone()
    assert "candidate: layer 2 attn_norm has the bytes of layer 1 attn_norm" in invalid(pair.bisected())


def test_what_its_own_map_declares_and_the_pass_did_not_reach_is_missing() -> None:
    pair = Pair.of()
    one, other = side(pair.one), replace(side(pair.other), missing=(Place("ffn_up", 1),))
    found = bisect(one, other, MAP, pair.model, pair.tokens)
    assert "candidate: layer 1 ffn_up is in its own map, and its forward pass did not come by" in invalid(found)


def test_a_tensor_that_changed_after_it_was_captured_is_named() -> None:
    pair = Pair.of()
    value = pair.other[Place("ffn_up", 1)]
    before = checksum(value)
    assert checksum(value.clone()) == before
    value[3, 3] += 1
    assert checksum(value) != before
    found = bisect(
        side(pair.one), replace(side(pair.other), changed=(Place("ffn_up", 1),)), MAP, pair.model, pair.tokens
    )
    assert "candidate: layer 1 ffn_up was changed after it was captured" in invalid(found)


def test_a_tensor_overwritten_in_place_after_it_was_read_is_seen_by_what_followed_from_it() -> None:
    pair = Pair.of()
    place = Place("post_attn_residual", 1)
    pair.other[place] = pair.other[place] + 0.1 * pair.other[place].roll(1, 0)
    said = invalid(pair.bisected())
    assert said.startswith("candidate: layer 1 post_attn_residual is not what the model went on with: layer 1 ffn_norm")


def test_layers_that_return_the_branch_without_the_residual_are_another_convention() -> None:
    pair = Pair.of()
    for layer in range(3):
        pair.other[Place("post_ffn_residual", layer)] = pair.other[Place("ffn_out", layer)].clone()
    said = invalid(pair.bisected())
    assert "layer 0 post_ffn_residual (and 2 more) is not what the model went on with" in said
    assert said.endswith("it is layer 0 ffn_out alone, without the residual")


def test_a_model_that_really_leaves_the_residual_out_has_diverged() -> None:
    pair = Pair.of()
    branch = pair.one[Place("ffn_out", 1)]
    handle = pair.model.layers[1].register_forward_hook(lambda module, inputs, output: branch)
    wrong = captured(pair.model, pair.tokens, MAP)
    handle.remove()
    values = {place: wrong[place] for place in wrong.places if place in pair.other}
    values[Place("post_ffn_residual", 1)] = branch.clone()
    found = bisect(side(pair.one), side(values), MAP, pair.model, pair.tokens)
    assert found.verdict is Verdict.DIVERGED
    assert found.at == (Place("post_ffn_residual", 1),)
    assert "without post_attn_residual" in found.causes[0].text


def test_a_bias_that_is_dropped_where_both_stages_show_is_a_fault_and_no_twin() -> None:
    pair = Pair.of()
    block = pair.model.layers[1]
    kept = [each.bias.data for each in (block.q, block.k, block.v)]
    for each in (block.q, block.k, block.v):
        each.bias.data = torch.zeros_like(each.bias)
    stages = [stage.name for stage in MAP.stages]
    wrong = captured(pair.model, pair.tokens, MAP, stages)
    for each, bias in zip((block.q, block.k, block.v), kept, strict=True):
        each.bias.data = bias
    right = captured(pair.model, pair.tokens, MAP, stages)
    found = bisect(right, wrong, MAP, pair.model, pair.tokens)
    assert (found.verdict, found.at) == (Verdict.DIVERGED, (Place("qkv_bias", 1),))


def test_another_shape_is_refused_before_any_value() -> None:
    pair = Pair.of()
    pair.other[Place("ffn_up", 0)] = pair.other[Place("ffn_up", 0)][:, :-1]
    assert "layer 0 ffn_up has the shape [24, 351] in the candidate and [24, 352]" in invalid(pair.bisected())


@pytest.mark.parametrize(("stage", "split"), [("attention", True), ("v", False)])
def test_heads_side_by_side_are_judged_as_those_apart(stage: str, split: bool) -> None:
    for fault in (None, Fault("token of v", 1, 0.5), Fault("head map", 1, 0.5)):
        pair = Pair.of(fault)
        before = pair.bisected()
        for layer in range(3):
            value = pair.other[Place(stage, layer)]
            pair.other[Place(stage, layer)] = value.unflatten(-1, (4, 32)) if split else value.flatten(1)
        found = pair.bisected()
        assert (found.verdict, found.at) == (before.verdict, before.at)
        assert [each.label for each in found.stages] == [each.label for each in before.stages]


def test_a_padded_vocabulary_is_left_out_and_said() -> None:
    pair = Pair.of()
    logits = pair.other[Place("lm_head", None)]
    pair.other[Place("lm_head", None)] = torch.cat([logits, torch.zeros(24, 8)], dim=1)
    found = pair.bisected()
    assert found.verdict is Verdict.WITHIN_FLOOR
    assert found.notes == ("the candidate's vocabulary is padded: 8 more at lm_head, left out",)


def test_logits_of_the_last_token_alone_are_judged_as_such() -> None:
    pair = Pair.of()
    for values in (pair.one, pair.other):
        values[Place("lm_head", None)] = values[Place("lm_head", None)][-1]
    found = pair.bisected()
    assert found.verdict is Verdict.WITHIN_FLOOR
    assert {each.place.stage: each.label for each in found.stages}["lm_head"] is Label.CLEAN


def test_a_fault_with_sound_captures_is_never_called_invalid() -> None:
    for name in ("channel", "token of v", "v bias"):
        assert Pair.of(Fault(name, 1, 0.4)).bisected().verdict is Verdict.DIVERGED
