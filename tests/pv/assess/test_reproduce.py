"""A run made again against its receipt: equal in everything, or told in what not; elsewhere only what held has to hold."""

from __future__ import annotations

from typing import Any

import pytest
from receipts import receipt_value, strata, stratum, tooth

from pv.assess.reproduce import compare

SCOPE = receipt_value()["scope"]
TOOL = {"pv": "0.1.0", "hypothesis": "6.100.0"}


def run(**changes: Any) -> dict[str, Any]:
    return receipt_value(**{"tool": TOOL, **changes})


def test_an_equal_run_reproduces() -> None:
    seen = compare(run(), run())
    assert (seen.differs, seen.elsewhere) == ((), "")


@pytest.mark.parametrize(("changes", "said"), [
    ({"verdict": "falsified", "reason": "x"}, "verdict (recorded held, now falsified: x)"),
    ({"verdict": "not_measured", "reason": "too few"}, "verdict (recorded held, now not_measured: too few)"),
    ({"checks": 221}, "checks (recorded 220, now 221)"),
    ({"cases": strata(stratum("x.ordinary", 199))}, "cases (strata)"),
    ({"teeth": [tooth("double/twice", caught=False)]}, "teeth"),
    ({"mutants": {"tried": 2, "past": 1, "killed": ""}}, "mutants (killed)"),
    ({"residuals": [{"invariant": "i", "dtype": "float32", "residual": "0x1.0p-1", "bound": "0x1.0p+0"}]}, "residuals"),
    ({"depends": {**receipt_value()["depends"], "subject": [{"path": "a.py", "name": "f", "digest": "0" * 64}]}},
     "depends (subject)"),
    ({"scope": {**SCOPE, "dtypes": ["float32"]}}, "dtypes"),
])  # fmt: skip
def test_what_is_not_the_same_is_named(changes: dict[str, Any], said: str) -> None:
    assert compare(run(), run(**changes)).differs == (said,)


def test_with_other_threads_rounding_may_differ_and_nothing_else() -> None:
    differs = [{"invariant": "i", "dtype": "float32", "residual": "0x1.0p-1", "bound": "0x1.0p+0"}]
    scope = {**SCOPE, "threads": ["8"]}
    assert compare(run(), run(scope=scope, residuals=differs)).differs == ()
    assert compare(run(), run(scope=scope, residuals=differs, checks=1)).differs == ("checks (recorded 220, now 1)",)


@pytest.mark.parametrize(("changes", "why"), [
    ({"scope": {**SCOPE, "torch": ["2.14.0"]}}, "made with torch 2.13.0, here 2.14.0"),
    ({"scope": {**SCOPE, "device": ["cuda"]}}, "made with device cpu, here cuda"),
    ({"tool": {**TOOL, "hypothesis": "6.101.0"}}, "made with hypothesis 6.100.0, here 6.101.0"),
])  # fmt: skip
def test_elsewhere_other_cases_are_drawn_and_what_held_has_to_hold(changes: dict[str, Any], why: str) -> None:
    seen = compare(run(), run(**changes, checks=999))
    assert (seen.differs, seen.elsewhere) == ((), why)
    short = compare(run(), run(**changes, verdict="not_measured", reason="too few"))
    assert (short.differs, short.elsewhere) == ((), why)
    broken = compare(run(), run(**changes, verdict="falsified", reason="x"))
    assert broken.differs == ("verdict (recorded held, now falsified: x)",)


def test_what_could_not_be_run_at_all_says_nothing_against_a_receipt() -> None:
    seen = compare(run(), run(scope={}, verdict="not_measured", reason="needs c++, which is not installed"))
    assert (seen.differs, seen.elsewhere) == ((), "needs c++, which is not installed")
