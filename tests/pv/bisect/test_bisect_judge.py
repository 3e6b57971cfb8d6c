"""The stage that is wrong is named, and no other; a correct port raises no alarm."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from opaque_pair import GROSS, MAP, Fault, Pair, captured, side

from pv.bisect.described import Described
from pv.bisect.judge import bisect
from pv.bisect.result import Label, Verdict
from pv.bisect.side import stored_side
from pv.bisect.thresholds import INHERITED, SOURCE
from pv.tensors.folder import open_capture
from pv.tensors.manifest import Manifest
from pv.tensors.place import Place
from pv.tensors.writer import CaptureWriter

EACH = [(dtype, seed) for dtype in (torch.bfloat16, torch.float32) for seed in (0, 1)]


@pytest.mark.parametrize(("dtype", "seed"), EACH)
def test_a_correct_fused_port_is_within_the_floor_at_every_stage(dtype: torch.dtype, seed: int) -> None:
    found = Pair.of(seed=seed, dtype=dtype).bisected()
    assert found.verdict is Verdict.WITHIN_FLOOR
    assert {each.label for each in found.stages} == {Label.CLEAN, Label.NOT_VISIBLE}
    assert (found.at, found.more, found.notes) == ((), (), ())


@pytest.mark.parametrize(("dtype", "seed"), EACH)
@pytest.mark.parametrize("name", GROSS)
def test_a_fault_is_named_at_its_stage_and_layer_and_nothing_else_is(name: str, dtype: torch.dtype, seed: int) -> None:
    drawn = random.Random(seed)
    fault = Fault(name, drawn.randrange(3), drawn.random())
    found = Pair.of(fault, seed=seed, dtype=dtype).bisected()
    assert found.verdict is Verdict.DIVERGED
    assert set(found.at) == {Place(stage, fault.layer) for stage in fault.truth}
    assert found.more == ()
    first = min(at for at, each in enumerate(found.stages) if each.place in found.at)
    assert {each.label for each in found.stages[:first]} <= {Label.CLEAN, Label.NOT_VISIBLE}


def test_a_reference_against_itself_is_identical() -> None:
    pair = Pair.of()
    found = bisect(side(pair.one), side(dict(pair.one)), MAP, pair.model, pair.tokens)
    assert found.verdict is Verdict.IDENTICAL


def test_what_is_hidden_is_not_visible_and_enclosed_by_the_stage_that_shows_it() -> None:
    found = Pair.of(Fault("mask off by one", 1, 0.5)).bisected()
    assert found.at == (Place("attention", 1),)
    assert found.enclosing == (Place("attn_scores", 1), Place("attn_softmax", 1))
    hidden = {each.place.stage for each in found.stages if each.label is Label.NOT_VISIBLE}
    assert hidden == {"qkv_matmul", "attn_scores", "attn_softmax", "attn_out", "ffn_act"}


def test_a_hidden_stage_that_two_others_show_wrong_is_one_source() -> None:
    pair = Pair.of()
    for values in (pair.one, pair.other):
        for layer in range(3):
            del values[Place("ffn_gate", layer)], values[Place("ffn_norm", layer)]
    changed = pair.model.layers[1].ffn_norm.detach().clone()
    pair.other.update(_again_from(pair, 1, changed * 1.5))
    found = pair.bisected()
    assert found.verdict is Verdict.DIVERGED
    assert found.at == (Place("ffn_up", 1), Place("ffn_swigl", 1))
    assert Place("ffn_norm", 1) in found.enclosing
    assert found.more == ()


def _again_from(pair: Pair, layer: int, weight: torch.Tensor) -> dict[Place, torch.Tensor]:
    """What a reference with another weight of the norm before the MLP makes of the same tokens."""
    pair.model.layers[layer].ffn_norm.data, kept = weight, pair.model.layers[layer].ffn_norm.data
    wrong = captured(pair.model, pair.tokens, MAP)
    pair.model.layers[layer].ffn_norm.data = kept
    return {place: wrong[place] for place in wrong.places if place in pair.other}


def test_errors_after_the_source_are_carried_or_amplified_and_are_no_sources() -> None:
    found = Pair.of(Fault("head map", 0, 0.5)).bisected()
    labels = {each.place: each.label for each in found.stages}
    assert labels[Place("lm_head", None)] in (Label.CARRIER, Label.AMPLIFIER)
    assert labels[Place("post_attn_residual", 0)] in (Label.CARRIER, Label.AMPLIFIER)
    assert [place for place, label in labels.items() if label is Label.SOURCE] == [Place("attention", 0)]
    source = next(each for each in found.stages if each.label is Label.SOURCE)
    assert source.local is not None
    assert source.local.worst > SOURCE
    assert source.worst[0][0] == "token"


def test_an_error_that_no_stage_introduces_is_inconclusive_and_blames_none() -> None:
    pair = Pair.of()
    wrong = Pair.of(Fault("head map", 0, 0.5))
    for layer in range(3):  # only what comes after the fault of layer 0 is shown
        for stage in ("attn_norm", "qkv_bias", "q_post_rope", "k_post_rope", "v", "attention"):
            pair.one.pop(Place(stage, layer))
    first = next(iter(pair.one))
    shown = {place: wrong.other[place] for place in pair.one if place in wrong.other and place.layer != 0}
    found = bisect(side(pair.one), side({first: wrong.other[first], **shown}), MAP, pair.model, pair.tokens)
    assert found.verdict is Verdict.DIVERGED  # everything from the embedding on is one hidden source
    assert Place("attention", 0) in found.enclosing


def test_a_map_that_does_not_describe_the_reference_is_said_by_name_and_nobody_is_blamed() -> None:
    pair = Pair.of()
    wrong = replace(
        MAP,
        stages=tuple(replace(each, operation="silu") if each.name == "ffn_act" else each for each in MAP.stages),
    )
    found = bisect(side(pair.one), side(pair.other), wrong, pair.model, pair.tokens)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert not found.at
    assert "the map does not describe the reference at layer 0 ffn_swigl" in found.notes[0]
    untold = {each.place.stage for each in found.stages if each.label is Label.NOT_MEASURED}
    assert untold == {"ffn_swigl"}


def test_a_stage_without_an_operation_is_not_measured_and_the_verdict_waits() -> None:
    pair = Pair.of()
    without = replace(
        MAP, stages=tuple(replace(each, operation="") if each.name == "ffn_out" else each for each in MAP.stages)
    )
    found = bisect(side(pair.one), side(pair.other), without, pair.model, pair.tokens)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert {each.place.stage for each in found.stages if each.label is Label.NOT_MEASURED} == {"ffn_out"}
    assert "layer 0 ffn_out has no operation" in found.notes[0]


def test_a_not_a_number_is_a_source_where_it_first_appears() -> None:
    pair = Pair.of()
    pair.other[Place("lm_head", None)] = pair.other[Place("lm_head", None)].clone()
    pair.other[Place("lm_head", None)][3, 5] = torch.nan
    found = pair.bisected()
    assert found.at == (Place("lm_head", None),)
    source = next(each for each in found.stages if each.place == found.at[0])
    assert source.hint == "not finite where it should be, in 1 of 24 tokens"
    assert source.worst == (("token", 3), ("logit", 5))


def test_one_token_and_one_channel_are_told_from_each_other() -> None:
    pair = Pair.of(layers=1)
    logits = pair.other[Place("lm_head", None)]
    for index, said in (((7, slice(None)), "token 7: position, or padding"), ((slice(None), 9), "channel 9: a weight")):
        pair.other[Place("lm_head", None)] = logits.clone()
        pair.other[Place("lm_head", None)][index] *= 1.5
        source = next(each for each in pair.bisected().stages if each.label is Label.SOURCE)
        assert said in source.hint


def test_a_power_that_is_printed_is_the_power_that_there_is() -> None:
    pair = Pair.of(dtype=torch.bfloat16, layers=1)
    place = Place("ffn_out", 0)
    power = next(each for each in pair.bisected().stages if each.place == place).power
    assert power is not None
    kept = pair.other
    for size, label in ((3 * power.row, Label.SOURCE), (power.row / 10, Label.CLEAN)):
        values = dict(kept)
        values[place] = kept[place].clone()
        values[place][5] += (size * kept[place][5]).to(torch.bfloat16)
        del values[Place("post_ffn_residual", 0)], values[Place("final_norm", None)], values[Place("lm_head", None)]
        found = bisect(side(pair.one), side(values), MAP, pair.model, pair.tokens)
        assert next(each for each in found.stages if each.place == place).label is label, size


def test_thresholds_lie_above_what_a_correct_port_shows() -> None:
    stages = [
        each for seed in range(3) for each in Pair.of(seed=seed, dtype=torch.bfloat16).bisected().stages if each.local
    ]
    assert max(each.local.worst for each in stages if each.local) < SOURCE
    assert max(each.inherited.worst for each in stages if each.inherited) < INHERITED


def test_a_capture_from_disk_says_the_same_as_the_tensors(tmp_path: Path) -> None:
    pair = Pair.of(Fault("channel", 1, 0.3), dtype=torch.bfloat16)
    for name, values in (("one", pair.one), ("other", pair.other)):
        with CaptureWriter(tmp_path / name) as writer:
            for place, value in values.items():
                writer.add(place, value.float().numpy(), MAP.stage(place.stage).axes, "bfloat16")
            tokens = tuple(pair.tokens.tolist())
            facts = {"device": "cpu", "dtype": "bfloat16", "attention": "eager", "phase": "prefill", "position": "all"}
            writer.finish(Manifest(model=name, family="opaque", digest="0" * 64, tokens=tokens, axes=MAP.axes, **facts))
    sides = [stored_side(open_capture(tmp_path / name), MAP) for name in ("one", "other")]
    assert sides[0][Place("ffn_out", 1)].dtype is torch.bfloat16
    found = bisect(*sides, MAP, pair.model, pair.tokens)
    assert (found.verdict, found.at) == (Verdict.DIVERGED, pair.bisected().at)
    unverified = bisect(sides[0], replace(sides[1], verified=False), MAP, pair.model, pair.tokens)
    assert unverified.verdict is Verdict.INCONCLUSIVE
    assert "layout unverified" in unverified.notes[0]


def test_every_place_of_the_map_is_judged_or_said_not_to_be() -> None:
    pair = Pair.of()
    assert [each.place for each in pair.bisected().stages] == list(Described(MAP, pair.model, pair.tokens).places)
