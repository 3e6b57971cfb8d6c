"""Findings and exit codes: what decides when several apply."""

from __future__ import annotations

from itertools import permutations

from pv.finding import Exit, Place, PvError, Severity, worst


def test_the_exit_that_decides_is_the_first_of_70_2_1_3_0() -> None:
    order = [Exit.INTERRUPTED, Exit.BUG, Exit.ASK, Exit.MEND, Exit.RUN, Exit.OK]
    assert [int(row) for row in order] == [130, 70, 2, 1, 3, 0]
    for at, expected in enumerate(order):
        assert {worst(exits) for exits in permutations(order[at:], min(3, 6 - at)) if expected in exits} == {expected}
    assert worst([]) is Exit.OK


def test_a_severity_asks_for_an_exit() -> None:
    assert {severity: severity.exit for severity in Severity} == {
        Severity.ERROR: Exit.MEND,
        Severity.UNMEASURED: Exit.RUN,
        Severity.WARNING: Exit.OK,
        Severity.NOTE: Exit.OK,
    }


def test_places_are_written_and_sorted_by_path_line_and_column() -> None:
    places = [Place("b.yaml"), Place("a.yaml", 10, 1), Place("a.yaml", 9, 7)]
    assert [str(place) for place in sorted(places)] == ["a.yaml:9:7", "a.yaml:10:1", "b.yaml:1:1"]


def test_an_error_without_more_asks_differently_and_says_what_to_do() -> None:
    error = PvError("no", hint="yes")
    assert (str(error), error.exit, error.hint, error.told) == ("no", Exit.ASK, "yes", "no; yes")
