"""Wider dtypes tell what is computed otherwise from what is rounded otherwise."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from opaque_pair import MAP, PORT_MAP, SUBTLE, Candidate, Fault, Pair, captured

from pv.bisect.judge import bisect
from pv.bisect.ladder import climb
from pv.bisect.result import Bisection, Ladder, Meaning, Verdict
from pv.finding import PvError
from pv.tensors.place import Place

Again = Callable[[torch.dtype], Bisection]


def repeated(pair: Pair, fault: Fault | None) -> Again:
    """Both sides in a wider dtype, with the same rounded weights."""

    def again(dtype: torch.dtype) -> Bisection:
        wide = copy.deepcopy(pair.model).to(dtype)
        sides = captured(wide, pair.tokens, MAP), captured(Candidate(wide, fault), pair.tokens, PORT_MAP)
        return bisect(*sides, MAP, wide, pair.tokens)

    return again


def climbed(fault: Fault | None, dtype: torch.dtype = torch.bfloat16) -> tuple[Bisection, Ladder]:
    pair = Pair.of(fault, dtype=dtype)
    first = pair.bisected()
    return first, climb(first, dtype, repeated(pair, fault))


def test_what_rounding_hides_is_found_at_its_stage() -> None:
    for name in SUBTLE:
        fault = Fault(name, 1, 0.7)
        first, ladder = climbed(fault)
        assert first.verdict is Verdict.WITHIN_FLOOR, name
        assert ladder.meaning is Meaning.SEMANTICS
        assert ladder.at == tuple(Place(stage, 1) for stage in fault.truth)
        assert [rung.dtype for rung in ladder.rungs] == ["float32", "float64"]
        assert "they compute something else" in ladder.said
    assert ladder.rungs[-1].causes[0].said == "with eps = 1e-05"


def test_a_correct_port_differs_by_rounding() -> None:
    first, ladder = climbed(None)
    assert first.verdict is Verdict.WITHIN_FLOOR
    assert (ladder.meaning, ladder.at) == (Meaning.ROUNDING, ())


def test_a_port_that_keeps_float32_inside_has_another_policy_and_not_another_meaning() -> None:
    pair = Pair.of(dtype=torch.float64)
    place = Place("attn_norm", 1)
    pair.other[place] = pair.other[place].float().double()
    del pair.other[Place("qkv_bias", 1)], pair.other[Place("v", 1)], pair.other[Place("q_post_rope", 1)]
    del pair.other[Place("k_post_rope", 1)], pair.other[Place("attention", 1)]
    del pair.other[Place("post_attn_residual", 1)], pair.other[Place("post_ffn_residual", 1)]
    found = pair.bisected()
    assert found.at[0] == place
    ladder = climb(found, torch.float32, lambda dtype: found)
    assert ladder.meaning is Meaning.DTYPE_POLICY
    assert "rounding to float32" in ladder.said


def test_float32_kept_inside_hides_nothing_that_is_really_wrong() -> None:
    pair = Pair.of(Fault("gelu tanh", 1, 0.5), dtype=torch.float64)
    inside = Place("attention", 0)
    pair.other[inside] = pair.other[inside].float().double()
    del pair.other[Place("post_attn_residual", 0)], pair.other[Place("ffn_norm", 0)]
    found = pair.bisected()
    assert found.at == (Place("ffn_swigl", 1),)
    assert inside in {place for group in found.more for place in group}


def test_what_is_gone_in_float32_was_rounded_more_often_than_need_be() -> None:
    pair = Pair.of(dtype=torch.bfloat16)
    place = Place("lm_head", None)
    pair.other[place] = (pair.other[place].float() * 64).to(torch.float8_e4m3fn).to(torch.bfloat16) / 64
    first = pair.bisected()
    assert first.at == (place,)
    ladder = climb(first, torch.bfloat16, repeated(pair, None))
    assert (ladder.meaning, ladder.at) == (Meaning.DTYPE_POLICY, (place,))


def test_a_side_that_does_not_run_in_a_dtype_says_so_and_the_other_rungs_count() -> None:
    pair = Pair.of(Fault("gelu tanh", 0, 0.5), dtype=torch.bfloat16)
    again = repeated(pair, Fault("gelu tanh", 0, 0.5))

    def only_float32(dtype: torch.dtype) -> Bisection:
        if dtype is torch.float64:
            raise RuntimeError("no kernel for Double")
        return again(dtype)

    ladder = climb(pair.bisected(), torch.bfloat16, only_float32)
    assert ladder.meaning is Meaning.SEMANTICS
    assert (ladder.rungs[1].verdict, ladder.rungs[1].said) == (None, "RuntimeError: no kernel for Double")


def test_no_rung_is_no_answer() -> None:
    def never(dtype: torch.dtype) -> Bisection:
        raise PvError("captures cannot be run again", hint="name the models")

    found = Bisection(Verdict.WITHIN_FLOOR)
    assert climb(found, torch.float64, never).meaning is Meaning.NONE
    ladder = climb(found, torch.bfloat16, never)
    assert (ladder.meaning, len(ladder.rungs)) == (Meaning.NONE, 2)
