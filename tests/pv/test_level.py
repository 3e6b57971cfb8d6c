"""Levels: their order, their names, and which of them somebody may promise."""

from __future__ import annotations

import pytest

from pv.finding import Exit
from pv.level import PROMISABLE, Level, read_level
from pv.verdict import Verdict


def test_levels_are_ordered_from_falsified_up() -> None:
    assert [level.short for level in sorted(Level)] == [
        "NOT APPLICABLE", "FALSIFIED", "NO CHECK", "NO EVIDENCE", "PARTIAL", "FUNCTIONAL", "DISCHARGED",
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "level"), [
    ("PARTIAL", Level.PARTIAL_ALGORITHM_LEVEL),
    ("partial algorithm level", Level.PARTIAL_ALGORITHM_LEVEL),
    ("PARTIAL_ALGORITHM_LEVEL", Level.PARTIAL_ALGORITHM_LEVEL),
    (" functional ", Level.FUNCTIONAL),
    ("Discharged", Level.DISCHARGED),
    ("NO EVIDENCE", None),
    ("NO_CHECK", None),
    ("FALSIFIED", None),
    ("", None),
    ("PART", None),
])  # fmt: skip
def test_only_what_can_be_promised_is_read(text: str, level: Level | None) -> None:
    assert read_level(text) is level


def test_every_promisable_level_reads_back_by_both_names() -> None:
    assert [(read_level(level.name), read_level(level.short)) for level in PROMISABLE] == [
        (row, row) for row in PROMISABLE
    ]


def test_a_verdict_says_whose_turn_it_is() -> None:
    assert {verdict.label: verdict.exit for verdict in Verdict} == {
        "held": Exit.OK,
        "falsified": Exit.MEND,
        "vacuous": Exit.MEND,
        "errored": Exit.MEND,
        "not measured": Exit.RUN,
    }
