"""What `pv falsify` says of a trial: the counts, the smallest case as code, and what to do next."""

from __future__ import annotations

from typing import Any

import pytest
from receipts import NONE, receipt_value, strata, stratum, tooth

from pv.contract.model import Contract, Equation, FalsificationTest, Holds, Invariant
from pv.finding import Place
from pv.report.trials import campaign_summary, failure_text, smallest_slack, trial_line

HERE = Place("contracts/double-v1.yaml", 3, 5)
TWICE = Invariant("double", "twice", Place("contracts/double-v1.yaml", 15, 9), "it is twice the argument", Holds.EXACT)
TEST = FalsificationTest("FALSIFY-D-001", HERE, ("double/twice",), "rule", "prediction", "look at\n the factor")
CONTRACT = Contract("double-v1", "contracts/double-v1.yaml", HERE, "1.0.0", "",
                    (Equation("double", HERE, "2x", "d", "c", invariants=(TWICE,)),), (TEST,))  # fmt: skip
BROKEN = {
    "invariant": "double/twice", "stratum": "x.ordinary", "arguments": {"x": 18, "y": {"float": (0.5).hex()}}, "digest": NONE,
    "observed": "37", "expected": "36", "message": "differs", "at": "falsifiers/double.py:9",
}  # fmt: skip


def residual(residual: float, bound: float, dtype: str = "float32") -> dict[str, str]:
    return {"invariant": "double/twice", "dtype": dtype, "residual": residual.hex(), "bound": bound.hex()}


@pytest.mark.parametrize(("changes", "tail"), [
    ({}, "200 cases, 220 checks, 1 of 1 fault caught"),
    ({"cases": strata(stratum("a", 1, exhausted=True)), "checks": 1}, "1 case (all there are), 1 check, 1 of 1 fault caught"),
    ({"cases": strata(stratum("a", 1, exhausted=True), stratum("b", 9))}, "10 cases, 220 checks, 1 of 1 fault caught"),
    ({"residuals": [residual(0.5, 8.0), residual(0.0, 1.0)]}, "200 cases, 220 checks, 1 of 1 fault caught, slack 16"),
    ({"residuals": [residual(0.0, 1.0)]}, "200 cases, 220 checks, 1 of 1 fault caught"),
])  # fmt: skip
def test_a_line_says_what_was_counted(changes: dict[str, Any], tail: str) -> None:
    line = trial_line(receipt_value(**changes), TEST)
    assert line == f"FALSIFY-D-001  held          {'double/twice':34}  {tail}"


def test_a_line_of_a_trial_that_did_not_hold_counts_what_there_was() -> None:
    vacuous = receipt_value(verdict="vacuous", reason="x", teeth=[tooth("double/twice", caught=False)])
    assert trial_line(vacuous, TEST).split("  ")[1:2] == ["vacuous"]
    assert trial_line(vacuous, TEST).endswith("220 checks, 0 of 1 fault caught")
    falsified = receipt_value(verdict="falsified", counterexample=BROKEN, teeth=[], residuals=[residual(9.0, 1.0)])
    assert trial_line(falsified, TEST).endswith("200 cases, 220 checks")


def test_the_smallest_slack_is_over_all_dtypes_and_none_where_nothing_differed() -> None:
    assert smallest_slack([residual(0.5, 8.0), residual(0.25, 1.0, "float64"), residual(0.0, 1.0)]) == 4.0
    assert smallest_slack([residual(0.0, 1.0)]) is None
    assert smallest_slack([]) is None


def test_a_falsified_trial_is_told_in_full() -> None:
    text = failure_text(
        receipt_value(verdict="falsified", counterexample=BROKEN), CONTRACT, TEST, Place("kernels/double.py", 5)
    )
    assert text.splitlines() == [
        "FALSIFY-D-001 falsified: double/twice",
        "  contracts/double-v1.yaml:15:9: it is twice the argument",
        "  smallest case found (stratum x.ordinary):",
        "      x = 18",
        "      y = 0.5",
        "  observed 37, expected 36: differs",
        "  checked at falsifiers/double.py:9",
        "  if this fails: look at the factor",
        "  subject: kernels.double:double  kernels/double.py:5",
        "  next: mend the subject, then pv falsify --id FALSIFY-D-001",
    ]


@pytest.mark.parametrize(("arguments", "line"), [(None, "(too large to keep)"), ({}, "(no arguments)")])
def test_a_case_without_arguments_is_not_called_too_large(arguments: Any, line: str) -> None:
    text = failure_text(
        receipt_value(verdict="falsified", counterexample={**BROKEN, "arguments": arguments}), CONTRACT, TEST, None
    )
    assert text.splitlines()[3] == f"      {line}"


@pytest.mark.parametrize(("verdict", "next_"), [
    ("vacuous", "mend the falsifier or what it calls, then pv falsify --id FALSIFY-D-001"),
    ("errored", "mend the falsifier or what it calls, then pv falsify --id FALSIFY-D-001"),
    ("not_measured", "widen the cases, or pv falsify --id FALSIFY-D-001 --examples 1000"),
])  # fmt: skip
def test_a_trial_that_shows_nothing_says_why_and_what_to_do(verdict: str, next_: str) -> None:
    text = failure_text(receipt_value(verdict=verdict, reason="the reason"), CONTRACT, TEST, None)
    assert text.splitlines() == [
        f"FALSIFY-D-001 {verdict.replace('_', ' ')}: the reason",
        "  contracts/double-v1.yaml:15:9: it is twice the argument",
        "  subject: kernels.double:double",
        f"  next: {next_}",
    ]


def test_the_summary_has_its_denominator() -> None:
    rows = [receipt_value(verdict=verdict) for verdict in ("falsified", "held", "not_measured", "held")]
    assert campaign_summary(rows, 0, 4) == "4 tests run: 2 held, 1 falsified, 1 not measured"
    assert campaign_summary(rows[:1], 30, 3) == "3 tests run: 1 falsified, 2 not run; 30 fresh already"
    assert campaign_summary([], 31, 0) == "nothing to run; 31 fresh already"
