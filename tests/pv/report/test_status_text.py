"""Levels as people read them: never an average, every stale cause, and the denominators."""

from __future__ import annotations

import json
from typing import Any

import pytest
from receipts import receipt, strata, stratum

from pv.assess.freshness import Cause
from pv.assess.levels import Assessment
from pv.level import Level
from pv.report.status import (
    assessment_value,
    counts_text,
    freshness,
    print_status,
    summary_counts,
    totals,
    totals_value,
    vectors,
)

PARTIAL = Level.PARTIAL_ALGORITHM_LEVEL
CHANGED = Cause("subject", "kernels/double.py: double", "changed")


def row(
    level: Level = PARTIAL, *stale: Cause, was: Level | None = None, contract: str = "double-v1", **changes: Any
) -> Assessment:
    run = None if level is Level.NO_CHECK else receipt("a" * 64, **changes)
    return Assessment(contract, "FALSIFY-D-001", "double", "plain", level, was or level, stale, run, ("more",))


def other(level: Level = PARTIAL, not_applicable: str = "") -> Assessment:
    """Of a subject that has to be named to be meant."""
    run = None if not_applicable else receipt("a" * 64)
    return row(level)._replace(subject="numpy", default=False, not_applicable=not_applicable, receipt=run)


def test_a_vector_counts_each_level_highest_first_for_each_contract() -> None:
    rows = [row(), row(), row(Level.NO_CHECK), row(Level.FALSIFIED), row(Level.DISCHARGED), row(contract="other-v1")]
    assert vectors(rows) == {
        "double-v1": "DISCHARGED 1 · PARTIAL 2 · NO CHECK 1 · FALSIFIED 1",
        "other-v1": "PARTIAL 1",
    }


def test_freshness_names_the_causes_and_what_was() -> None:
    assert freshness(row(Level.NO_CHECK)) == "never run"
    assert freshness(row()) == "fresh"
    assert freshness(row(Level.NO_EVIDENCE, CHANGED)) == "stale: subject changed (kernels/double.py: double)"
    many = [Cause("clause", f"c{n}", "new") for n in range(5)]
    assert freshness(row(Level.NO_EVIDENCE, *many, was=PARTIAL)) == (
        "stale (was PARTIAL): clause new (c0); clause new (c1); clause new (c2) and 2 more"
    )


def test_the_counts_of_a_gate_are_of_what_is_fresh() -> None:
    rows = [
        row(),
        row(Level.FALSIFIED, verdict="falsified"),
        row(Level.NO_EVIDENCE, verdict="vacuous"),
        row(Level.NO_EVIDENCE, verdict="errored"),
        row(Level.NO_EVIDENCE, verdict="not_measured"),
        row(Level.NO_EVIDENCE, CHANGED),
        row(Level.NO_CHECK),
    ]
    counts = summary_counts(rows)
    assert counts == {"selected": 7, "measured": 3, "held": 1, "stale": 1, "toothless": 1, "not_applicable": 0}
    assert counts_text(counts) == "7 tests selected: 3 measured, 1 held, 1 stale, 1 toothless"
    assert counts_text(summary_counts([])) == "0 tests selected: 0 measured, 0 held, 0 stale, 0 toothless"


def test_an_assessment_as_json_is_whole() -> None:
    differs = [{"invariant": "i", "dtype": "float32", "residual": (0.0).hex(), "bound": (1.0).hex()}]
    value = assessment_value(row(Level.NO_EVIDENCE, CHANGED, was=PARTIAL, residuals=differs))
    assert json.loads(json.dumps(value, allow_nan=False)) == {
        "contract": "double-v1", "test": "FALSIFY-D-001", "equation": "double", "subject": "plain", "default": True,
        "level": "NO_EVIDENCE", "not_applicable": None, "fresh": False,
        "stale": [{"cause": "subject", "what": "kernels/double.py: double", "how": "changed"}],
        "outside": None, "was": "PARTIAL_ALGORITHM_LEVEL",
        "verdict": "held", "reason": "", "cases": 200, "checks": 220, "slack": None,
        "receipt": "a" * 64, "receipts": [], "kinds": [], "lacking": ["more"], "next": "pv falsify --id FALSIFY-D-001",
    }  # fmt: skip
    assert assessment_value(row())["next"] is None
    assert assessment_value(row(Level.NO_CHECK))["fresh"] is False


def test_the_table_has_a_row_for_each_test_and_the_vector_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    whole = strata(stratum("a", 3, exhausted=True))
    residual = [{"invariant": "i", "dtype": "float32", "residual": (0.5).hex(), "bound": (1.0).hex()}]
    print_status([row(cases=whole, residuals=residual), row(Level.NO_CHECK)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert ["FALSIFY-D-001", "double,", "plain", "PARTIAL", "fresh", "held", "3", "(all)", "220", "2"] in lines
    assert ["FALSIFY-D-001", "double,", "plain", "NO", "CHECK", "never", "run"] in lines
    assert lines[-2] == ["double-v1:", "PARTIAL", "1", "·", "NO", "CHECK", "1"]
    assert " ".join(lines[-1]) == "2 tests selected: 1 measured, 1 held, 0 stale, 0 toothless"


# --- several subjects


def test_default_subjects_decide_a_contracts_vector_and_others_have_one_of_their_own() -> None:
    rows = [row(), other(), row(Level.NO_EVIDENCE), other(Level.NOT_APPLICABLE, "no autograd")]
    assert totals(rows) == [
        "double-v1: PARTIAL 1 · NO EVIDENCE 1",
        "  plain: PARTIAL 1 · NO EVIDENCE 1",
        "  numpy: PARTIAL 1 · NOT APPLICABLE 1",
        "2 tests selected: 2 measured, 2 held, 0 stale, 0 toothless",
        "2 more on other subjects: 1 measured, 1 held, 0 stale, 0 toothless, 1 not applicable",
    ]
    value = totals_value(rows)
    assert value["vectors"] == {"double-v1": "PARTIAL 1 · NO EVIDENCE 1"}
    assert value["subjects"]["double-v1"]["numpy"] == "PARTIAL 1 · NOT APPLICABLE 1"
    assert (value["counts"]["selected"], value["others"]["selected"], value["others"]["not_applicable"]) == (2, 2, 1)


def test_a_contract_with_one_subject_says_it_once() -> None:
    assert totals([row()]) == ["double-v1: PARTIAL 1", "1 test selected: 1 measured, 1 held, 0 stale, 0 toothless"]


def test_what_does_not_apply_shows_its_reason_and_asks_nothing_of_anybody() -> None:
    excused = other(Level.NOT_APPLICABLE, "no autograd")
    assert freshness(excused) == "no autograd"
    value = assessment_value(excused)
    assert (value["level"], value["not_applicable"], value["next"]) == ("NOT_APPLICABLE", "no autograd", None)


def test_what_does_not_apply_to_the_default_subject_is_a_hole_and_counted() -> None:
    bare = other(Level.NOT_APPLICABLE, "no autograd")._replace(default=True)
    assert assessment_value(bare)["next"] == "bind double to a default subject that FALSIFY-D-001 applies to"
    assert totals([bare])[-1] == "1 test selected: 0 measured, 0 held, 0 stale, 0 toothless, 1 not applicable"
