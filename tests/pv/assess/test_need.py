"""What needs running most comes first."""

from __future__ import annotations

from receipts import receipt, stratum

from pv.assess.freshness import Cause
from pv.assess.levels import Assessment
from pv.assess.need import Need, need_of
from pv.ledger.receipt import Receipt
from pv.level import Level

STALE = (Cause("subject", "kernels.py: double", "changed"),)


def row(found: Receipt | None, *stale: Cause, level: Level = Level.NO_EVIDENCE) -> Assessment:
    return Assessment("double-v1", "FALSIFY-D-001", "double", "plain", level, level, stale, found, ())


def with_strata(*distinct: int, exhausted: bool = False) -> Receipt:
    rows = [stratum(f"x.{index}", count, exhausted=exhausted) for index, count in enumerate(distinct)]
    return receipt(cases={"seed": 0, "requested": 200, "valid": 220, "digest": "0" * 64, "strata": rows})


def test_falsified_before_stale_before_unknown_before_thin_before_shown() -> None:
    falsified = receipt(verdict="falsified", counterexample=None)
    rows = [
        row(falsified, *STALE),
        row(falsified, level=Level.FALSIFIED),
        row(receipt(), *STALE),
        row(None),
        row(receipt(verdict="errored", reason="it crashed")),
        row(with_strata(30)),
        row(with_strata(200), level=Level.PARTIAL_ALGORITHM_LEVEL),
    ]
    needs = [need_of(one)[0] for one in rows]
    assert needs == [
        Need.FALSIFIED, Need.FALSIFIED, Need.STALE, Need.NO_EVIDENCE, Need.NO_EVIDENCE, Need.THIN, Need.SHOWN,
    ]  # fmt: skip
    assert needs == sorted(needs)


def test_among_equals_the_one_with_the_thinnest_stratum_comes_first() -> None:
    held = Level.PARTIAL_ALGORITHM_LEVEL
    thin, thick = row(with_strata(20, 900), level=held), row(with_strata(100, 100), level=held)
    assert need_of(thin) < need_of(thick)
    assert need_of(row(with_strata(7, exhausted=True), level=held))[1] == 0, "there are no more than these"
