"""What must hold of every diff: empty against itself, turned round when turned round, nothing overlooked, true witnesses."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from pv.contract.document import parse_document
from pv.contract.model import Equation, Range, Tolerance, ValueSpec
from pv.contract.read import ContractFile, contract_of, read_contract
from pv.finding import Place
from pv.semver.change import Apart, Witness
from pv.semver.compare import compare
from pv.semver.polarity import Move, Role, Step, move_between, weigh
from pv.semver.witness import Sized, ranges_apart, tolerances_apart

CASES = sorted((ROOT / "tests" / "examples" / "diff").iterdir())
MICROGPT = ROOT / "contracts" / "microgpt-v1.yaml"
REVERSED = {
    Move.ADDED: Move.REMOVED, Move.REMOVED: Move.ADDED, Move.WIDENED: Move.NARROWED, Move.NARROWED: Move.WIDENED,
    Move.LOOSENED: Move.TIGHTENED, Move.TIGHTENED: Move.LOOSENED, Move.RAISED: Move.LOWERED, Move.LOWERED: Move.RAISED,
}  # fmt: skip


def read(path: Path) -> ContractFile:
    return read_contract(path, path.name)


@pytest.mark.parametrize("path", [MICROGPT, *(case / "after.yaml" for case in CASES)], ids=str)
def test_a_contract_does_not_differ_from_itself(path: Path) -> None:
    assert compare(read(path), read(path)) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_pair_turned_round_shows_every_change_turned_round(case: Path) -> None:
    before, after = read(case / "before.yaml"), read(case / "after.yaml")
    there, back = ([change for change in compare(*pair) if change.move is not Move.UNGUARDED]
                   for pair in ((before, after), (after, before)))  # fmt: skip
    assert sorted((change.what, REVERSED.get(change.move, change.move).value) for change in there) == sorted(
        (change.what, change.move.value) for change in back
    )


def test_every_weight_turned_round_is_no_weaker_promise_and_no_smaller_demand() -> None:
    """Of two opposite moves of what is asked or promised, exactly one breaks a caller."""
    pairs = [(Role.ASKED, Move.WIDENED), *((Role.PROMISED, move) for move in (Move.TIGHTENED, Move.ADDED, Move.RAISED))]
    for role, move in pairs:
        assert (weigh(role, move)[0], weigh(role, REVERSED[move])[0]) == (Step.MINOR, Step.MAJOR)


bounds = st.sampled_from([0.0, 5e-324, 1e-300, 1e-16, 1e-7, 1e-6, 2e-6, 1.0, 1e30, 1e300]) | st.floats(0, 1e308)
tolerances = st.builds(Tolerance, bounds, bounds, st.just(0.0) | bounds)


@given(tolerances, tolerances)
def test_tightening_a_tolerance_one_way_is_loosening_it_the_other_way(old: Tolerance, new: Tolerance) -> None:
    there, back = tolerances_apart(old, new), tolerances_apart(new, old)
    assert bool(there) is (old != new)
    assert ((there.old is None), (there.new is None)) == ((back.new is None), (back.old is None))
    for witness, ours, theirs in ((there.old, old, new), (there.new, new, old)):
        assert witness is None or (passes(witness, ours), passes(witness, theirs)) in [(True, False), (None, None)]


def passes(witness: Witness, tolerance: Tolerance) -> bool | None:
    """Whether the witness's residual is within the tolerance, in exact arithmetic; None where no double can tell."""
    values = dict(witness.values)
    if isinstance(values["residual"], str):
        return None
    expected = float(values["expected"])
    return Fraction(values["residual"]) <= allowed(tolerance, expected, float(values.get("largest", expected)))


def allowed(tolerance: Tolerance, expected: float, largest: float) -> Fraction:
    absolute, relative, of_largest = map(Fraction, tolerance)
    return absolute + relative * Fraction(expected) + of_largest * Fraction(largest)


@given(tolerances, tolerances, st.floats(0, 1e308), st.booleans())
def test_where_doubles_can_tell_two_tolerances_apart_the_witness_is_of_doubles(
    old: Tolerance, new: Tolerance, largest: float, at_zero: bool
) -> None:
    expected = 0.0 if at_zero and (old.of_largest or new.of_largest) else largest
    least, most = (allowed(tolerance, expected, largest) for tolerance in (old, new))
    gap = most - least
    if gap > 0 and most < Fraction(2) ** 1000 and gap > most / 2**50 > 0:
        witness = tolerances_apart(old, new).new
        assert witness is not None
        assert not isinstance(dict(witness.values)["residual"], str)


ends = st.none() | st.integers(-6, 6)
ranges = st.builds(Range, ends, ends, ends)
lengths = st.builds(Range, st.none() | st.integers(0, 6), st.none() | st.integers(0, 6))


def sized(kind: str, bounds: Range) -> Sized:
    place = Place("c.yaml")
    spec = ValueSpec("v", place, kind, range=bounds)
    return Sized(spec, Equation("f", place, "", "", "", arguments=(spec,)))


def admits(bounds: Range, value: float) -> bool:
    """By the words of the schema, independent of the code under test."""
    assert not isinstance(bounds.below, str)
    return (
        (bounds.min is None or value >= bounds.min)
        and (bounds.max is None or value <= bounds.max)
        and (bounds.below is None or value < bounds.below)
    )


@given(st.sampled_from(["integer", "real"]), ranges, ranges)
def test_ranges_are_told_apart_exactly_when_a_value_tells_them_apart(kind: str, old: Range, new: Range) -> None:
    apart = ranges_apart(sized(kind, old), sized(kind, new))
    probes = [step / (1 if kind == "integer" else 4) for step in range(-40, 41)]
    assert (apart.old is not None) is any(admits(old, value) and not admits(new, value) for value in probes)
    assert (apart.new is not None) is any(admits(new, value) and not admits(old, value) for value in probes)
    for witness, ours, theirs in ((apart.old, old, new), (apart.new, new, old)):
        if witness is not None:
            value = float(dict(witness.values)["value"])
            assert (admits(ours, value), admits(theirs, value)) == (True, False)
            assert kind == "real" or value.is_integer()


@given(lengths, lengths)
def test_widening_a_range_one_way_is_narrowing_it_the_other_way(old: Range, new: Range) -> None:
    there, back = (
        ranges_apart(sized("text", old), sized("text", new)),
        ranges_apart(sized("text", new), sized("text", old)),
    )
    assert (there.old is None, there.new is None) == (back.new is None, back.old is None)
    if there:
        moves = [move_between(Role.ASKED, old_only=bool(one.old), new_only=bool(one.new)) for one in (there, back)]
        assert moves[1] is REVERSED.get(moves[0], moves[0])


def test_the_check_of_a_witness_can_fail() -> None:
    wrong = Witness("new", (("expected", 0.0), ("residual", 2e-6)))
    assert not passes(wrong, Tolerance(1e-6))
    assert passes(wrong, Tolerance(1e-5))
    assert not Apart()


def leaves(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where every scalar of a document stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from leaves(below, (*at, key))
    if not isinstance(value, (dict, list)):
        yield at


RAW = parse_document(MICROGPT.read_bytes(), "microgpt-v1.yaml").value
LEAVES = [at for at in leaves(RAW) if at not in [("schema",), ("metadata", "version")]]


def changed(at: tuple[str | int, ...], edit: str) -> Any:
    """The microGPT contract with one leaf changed, or its place taken out."""
    value = copy.deepcopy(RAW)
    holder = value
    for step in at[:-1]:
        holder = holder[step]
    if edit == "remove":
        del holder[at[-1]]
    else:
        old = holder[at[-1]]
        holder[at[-1]] = old + "x" if isinstance(old, str) else old * 2 + 1
    return value


@cache
def contract_now() -> ContractFile:
    return contract_in(RAW)


def contract_in(value: Any) -> ContractFile:
    return contract_of(parse_document(json.dumps(value, ensure_ascii=False).encode(), "c.yaml"), "microgpt-v1")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(LEAVES), st.sampled_from(["remove", "change"]))
def test_no_edit_of_a_value_is_overlooked(at: tuple[str | int, ...], edit: str) -> None:
    before, after = contract_now(), contract_in(changed(at, edit))
    assert before.contract is not None
    if after.contract is not None:  # many edits are no contract any more; the schema sees those
        found = compare(before, after)
        assert found, at
        assert all(change.step is not Step.NONE for change in found)
