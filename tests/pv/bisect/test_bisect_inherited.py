"""All the error so far over the floor: rows that noise has taken over are no alarm, and hide none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from opaque_pair import MAP, PORT_MAP, Candidate, Fault, Pair, Reference, Sizes, captured
from torch import Tensor

from pv.bisect.described import Described
from pv.bisect.floor import Floor, floors_of, measure
from pv.bisect.judge import bisect, within
from pv.bisect.result import Label, Ratios, Verdict
from pv.bisect.side import Side
from pv.bisect.spread import over_floor, ratios, spread
from pv.bisect.thresholds import INHERITED, INHERITED_ROW
from pv.finding import Exit
from pv.tensors.place import Place

AXES = ("n", "E")
NARROW = Sizes(layers=6, width=32, heads=2, kv_heads=1, head_dim=16, ffn=64)


def _narrow(fault: Fault | None = None) -> tuple[Described, Side, Side, dict[Place, Floor]]:
    """A model in bfloat16 so narrow that the roundings of a few rows grow until nothing of them is left."""
    model = Reference(NARROW, 16, torch.bfloat16)
    tokens = torch.randint(256, (512,), generator=torch.Generator().manual_seed(16))
    one, other = captured(model, tokens, MAP), captured(Candidate(model, fault), tokens, PORT_MAP)
    described = Described(MAP, model, tokens)
    return described, one, other, floors_of(described, one, other)


def test_a_correct_port_is_clean_where_noise_left_little_of_a_row_in_the_reference() -> None:
    described, one, other, floors = _narrow()
    found = bisect(one, other, MAP, described.model, described.tokens, floors)
    assert found.verdict is Verdict.WITHIN_FLOOR
    assert {each.label for each in found.stages} == {Label.CLEAN, Label.NOT_VISIBLE}
    place = Place("ffn_out", 2)
    floor, apart = floors[place].inherited, measure(described, place, other[place], one[place].double())
    assert floor is not None
    assert (
        ratios(apart, [floor], floors[place].unit, inherited=True).row > INHERITED_ROW
    )  # by the reference's own sizes


def test_what_comes_after_a_fault_of_such_a_model_is_still_seen_to_carry_it() -> None:
    described, one, other, floors = _narrow(Fault("rope interleaved", 1, 0.5))
    found = bisect(one, other, MAP, described.model, described.tokens, floors)
    assert found.at == (Place("q_post_rope", 1), Place("k_post_rope", 1))
    labels = [each.label for each in found.stages]
    last = max(at for at, label in enumerate(labels) if label is Label.SOURCE)
    assert {Label.CARRIER, Label.AMPLIFIER} & set(labels[last:])
    assert not {Label.CARRIER, Label.AMPLIFIER} & set(labels[:last])


def _noisy(seed: int) -> tuple[Tensor, Tensor]:
    """What float64 says [64, 32], and a run of it that is a hundredth off."""
    exact = torch.randn(64, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = torch.randn(exact.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return exact, exact + 0.01 * noise


def test_a_row_of_which_the_reference_has_a_fiftieth_left_is_as_wrong_as_the_reference() -> None:
    exact, reference = _noisy(1)
    reference[7] *= 0.02
    candidate = _noisy(2)[1]
    apart, floor = spread(candidate, reference, AXES), spread(reference, exact, AXES)
    assert over_floor(apart, floor, 0.0).row < 1.5
    assert ratios(apart, [floor], 0.0, inherited=True).row > INHERITED_ROW  # by the reference's own sizes


@pytest.mark.parametrize("unit", [1.0, 1.01, 8.0, 1e-3])
def test_a_column_is_held_against_those_of_its_size_in_whatever_unit(unit: float) -> None:
    """The first half of the columns is 400 times as large, and so is its noise."""
    exact, reference = _noisy(1)
    _, candidate = _noisy(2)
    sizes = torch.tensor([400.0] * 16 + [1.0] * 16) * unit
    floor = spread(reference * sizes, exact * sizes, AXES)
    assert ratios(spread(candidate * sizes, exact * sizes, AXES), [floor], 0.0).column < 1.5
    candidate[:, 20] *= 0.5
    apart = spread(candidate * sizes, exact * sizes, AXES)
    assert ratios(apart, [floor], 0.0).column > 10
    assert ratios(apart, [floor], 0.0, inherited=True).column < 1.5  # noise that wandered is that of all


def test_noise_may_take_another_row_in_the_candidate_than_in_the_reference() -> None:
    exact, reference = _noisy(1)
    candidate = _noisy(2)[1]
    reference[7] *= 0.02
    candidate[3] *= 0.02
    apart, floor = spread(candidate, reference, AXES), spread(reference, exact, AXES)
    assert over_floor(apart, floor, 0.0).row < 1.5
    assert ratios(apart, [floor], 0.0).row > INHERITED_ROW  # by what is typical of the rows


@pytest.mark.parametrize("row", [3, 7])
def test_an_error_that_is_larger_than_the_noise_of_any_row_is_over_the_floor_wherever_it_is(row: int) -> None:
    exact, reference = _noisy(1)
    reference[7] *= 0.02
    candidate = _noisy(2)[1]
    candidate[row] *= 40
    assert over_floor(spread(candidate, reference, AXES), spread(reference, exact, AXES), 0.0).row > INHERITED_ROW


def test_noise_where_there_should_be_nothing_excuses_no_other_row() -> None:
    exact, reference = _noisy(1)
    candidate = _noisy(2)[1]
    exact[5] = 0.0
    floor = spread(reference, exact, AXES)
    assert over_floor(spread(candidate, reference, AXES), floor, 0.0).row < INHERITED_ROW
    candidate[3] *= 3
    assert over_floor(spread(candidate, reference, AXES), floor, 0.0).row > INHERITED_ROW


def test_of_one_token_the_distance_is_held_against_the_floor_of_all() -> None:
    exact, reference = _noisy(1)
    floor = spread(reference, exact, AXES)
    last = _noisy(2)[1][-1]
    held = over_floor(spread(last, reference[-1], AXES), floor, 0.0)
    assert 0.5 < held.mean < 2
    assert held.worst < INHERITED
    assert over_floor(spread(last * 2, reference[-1], AXES), floor, 0.0).worst > INHERITED


def _taken_over(*rows: int) -> Ratios:
    """The ratios of noise that has grown in `rows`, and there in two columns alone."""
    exact, reference = _noisy(1)
    candidate = _noisy(2)[1]
    for row in rows:
        candidate[row, :2] = reference[row, :2] + torch.tensor([1.0, -1.0])
    return over_floor(spread(candidate, reference, AXES), spread(reference, exact, AXES), 0.0)


def test_a_row_that_noise_took_over_counts_as_a_row_and_in_no_column() -> None:
    sound, one = _taken_over(), _taken_over(3)
    assert INHERITED < one.row < INHERITED_ROW
    assert (one.mean, one.column) == pytest.approx((sound.mean, sound.column), rel=0.1)
    assert within(one)
    assert not within(_taken_over(3, 9, 40))  # three such rows are no luck


def test_a_column_that_is_wrong_in_every_row_is_not_hidden_by_a_row_that_is_more_wrong() -> None:
    exact, reference = _noisy(1)
    candidate = _noisy(2)[1]
    candidate[:, 5] += 0.2
    candidate[3] += 1.0
    held = over_floor(spread(candidate, reference, AXES), spread(reference, exact, AXES), 0.0)
    assert held.column > INHERITED
    assert held.row > INHERITED_ROW
    candidate[3] = torch.inf
    held = over_floor(spread(candidate, reference, AXES), spread(reference, exact, AXES), 0.0)
    assert held.row == torch.inf
    assert INHERITED < held.column < torch.inf


def test_the_only_row_counts_on_the_whole_and_in_columns() -> None:
    exact, reference = (each[:1] for each in _noisy(1))
    held = over_floor(spread(reference * 1.5, reference, AXES), spread(reference, exact, AXES), 0.0)
    assert min(held.mean, held.row, held.column) > INHERITED


@pytest.mark.parametrize("parts", [("error",), ("rows",), ("columns",)])
def test_two_that_are_apart_where_no_stage_adds_so_much_are_inconclusive(parts: tuple[str, ...]) -> None:
    model = Reference(NARROW, 16, torch.float32)
    tokens = torch.randint(256, (48,), generator=torch.Generator().manual_seed(16))
    one, other = captured(model, tokens, MAP), captured(Candidate(model, None), tokens, PORT_MAP)
    floors = floors_of(Described(MAP, model, tokens), one, other)
    assert bisect(one, other, MAP, model, tokens, floors).verdict is Verdict.WITHIN_FLOOR
    place = Place("post_ffn_residual", 4)
    inherited = floors[place].inherited
    assert inherited is not None
    smaller = replace(inherited, **{part: getattr(inherited, part) / 1000 for part in parts})
    thin = {**floors, place: replace(floors[place], inherited=smaller, unit=0.0)}
    found = bisect(one, other, MAP, model, tokens, thin)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any(f"the two are apart from {place} on" in note for note in found.notes)


def test_what_is_noise_of_a_row_is_more_than_noise_of_the_whole_or_of_a_column() -> None:
    assert within(Ratios(mean=INHERITED, row=INHERITED_ROW, column=INHERITED))
    assert INHERITED_ROW > INHERITED
    for part, limit in (("mean", INHERITED), ("row", INHERITED_ROW), ("column", INHERITED)):
        assert not within(Ratios(**{**dict.fromkeys(("mean", "row", "column"), 1.0), part: limit + 0.1}))
        assert not within(Ratios(**{**dict.fromkeys(("mean", "row", "column"), 1.0), part: float("nan")}))


def test_infinite_over_infinite_is_no_number_and_no_clean_stage() -> None:
    pair, place = Pair.of(), Place("ffn_up", 1)
    for side, at in ((pair.one, 3), (pair.other, 5)):
        side[place] = side[place].clone()
        side[place][at] = torch.inf
    found = pair.bisected()
    judged = next(each for each in found.stages if each.place == place)
    assert judged.label is not Label.CLEAN
    assert found.verdict.exit is not Exit.OK
    assert math.isnan(Ratios(mean=1.0, row=math.nan, column=2.0).worst)
