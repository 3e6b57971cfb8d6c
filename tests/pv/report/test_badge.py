"""The badge: what the levels are, and no green over anything stale, unmeasured or read wrong."""

from __future__ import annotations

import pytest
from receipts import receipt

from pv.assess.levels import Assessment
from pv.assess.policy import Policy
from pv.level import Level
from pv.report.badge import badge_value

PARTIAL = Level.PARTIAL_ALGORITHM_LEVEL


def row(level: Level) -> Assessment:
    run = receipt("a" * 64) if level is not Level.NO_CHECK else None
    return Assessment("double-v1", "FALSIFY-D-001", "double", "plain", level, level, (), run, ())


def test_the_badge_is_what_shields_reads() -> None:
    assert badge_value([row(PARTIAL), row(PARTIAL)], (), ()) == {
        "schemaVersion": 1, "label": "pv", "message": "2 PARTIAL", "color": "yellowgreen",
    }  # fmt: skip


@pytest.mark.parametrize(("levels", "message", "colour"), [
    ([Level.DISCHARGED], "1 DISCHARGED", "brightgreen"),
    ([Level.DISCHARGED, Level.FUNCTIONAL], "1 DISCHARGED · 1 FUNCTIONAL", "green"),
    ([Level.DISCHARGED, Level.NO_EVIDENCE], "1 DISCHARGED · 1 NO EVIDENCE", "orange"),
    ([Level.DISCHARGED, Level.NO_CHECK], "1 DISCHARGED · 1 NO CHECK", "orange"),
    ([Level.DISCHARGED, Level.NOT_APPLICABLE], "1 DISCHARGED · 1 NOT APPLICABLE", "orange"),
    ([Level.DISCHARGED, Level.NO_CHECK, Level.FALSIFIED], "1 DISCHARGED · 1 NO CHECK · 1 FALSIFIED", "red"),
    ([], "nothing measured", "lightgrey"),
])  # fmt: skip
def test_the_lowest_level_has_the_colour(levels: list[Level], message: str, colour: str) -> None:
    value = badge_value([row(level) for level in levels], (), ())
    assert (value["message"], value["color"]) == (message, colour)


def test_other_subjects_count_for_the_colour_unless_the_test_does_not_apply_to_them() -> None:
    stale = row(Level.NO_EVIDENCE)._replace(default=False)
    excused = row(Level.NOT_APPLICABLE)._replace(default=False)
    assert badge_value([row(Level.DISCHARGED), stale], (), ())["color"] == "orange"
    assert badge_value([row(Level.DISCHARGED), excused], (), ())["color"] == "brightgreen"
    assert badge_value([row(Level.DISCHARGED), stale], (), ())["message"] == "1 DISCHARGED"


def test_an_unreadable_contract_or_a_lowered_policy_is_no_green() -> None:
    unread = badge_value([row(Level.DISCHARGED)], ("contracts/x-v1.yaml",), ())
    assert (unread["message"], unread["color"]) == ("1 DISCHARGED · 1 unreadable", "red")
    lowered = badge_value([row(Level.DISCHARGED)], (), Policy(cases=1).lowered)
    assert (lowered["message"], lowered["color"]) == ("1 DISCHARGED · policy lowered", "orange")
    assert badge_value([row(Level.FALSIFIED)], (), Policy(cases=1).lowered)["color"] == "red"
