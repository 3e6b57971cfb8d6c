"""Which trials need running most: what a budget of time is spent on first."""

from __future__ import annotations

from enum import IntEnum

from pv.assess.levels import Assessment
from pv.ledger.receipt import Stratum
from pv.level import Level
from pv.verdict import Verdict


class Need(IntEnum):
    """From the greatest need to the least."""

    FALSIFIED = 0
    STALE = 1
    NO_EVIDENCE = 2
    THIN = 3
    SHOWN = 4


def need_of(row: Assessment) -> tuple[Need, int]:
    """How much a trial needs running, the smallest first: its need, and the distinct cases of its thinnest stratum."""
    receipt = row.receipt
    if receipt is None:
        return Need.NO_EVIDENCE, 0
    least = thinnest(receipt.strata)
    if receipt.verdict is Verdict.FALSIFIED:
        return Need.FALSIFIED, least
    if row.stale:
        return Need.STALE, least
    if receipt.verdict is not Verdict.HELD:
        return Need.NO_EVIDENCE, least
    return (Need.THIN if row.level < Level.PARTIAL_ALGORITHM_LEVEL else Need.SHOWN), least


def thinnest(strata: tuple[Stratum, ...]) -> int:
    """Distinct cases in the stratum that saw fewest, of those that hold more; 0 when there is none such."""
    return min((row.distinct for row in strata if not row.exhausted), default=0)
