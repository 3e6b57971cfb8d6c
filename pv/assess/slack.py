"""PV406: a tolerance so far above what was seen that it would let a defect pass."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pv.contract.model import Contract, Tolerance
from pv.finding import Finding, Severity
from pv.ledger.receipt import Residual

WIDE = 100.0
_ROOM = 10.0  # how many times the largest residual a tolerance may well be: other machines round otherwise


def wide_tolerances(contract: Contract, residuals: Iterable[Residual]) -> Iterator[Finding]:
    """PV406 for each invariant and dtype whose largest residual is more than `WIDE` times below its bound.

    Where nothing differed at all there is nothing to say: one case more may differ.
    """
    for row in residuals:
        invariant = contract.invariant(row.invariant)
        tolerance = dict(invariant.tolerances).get(row.dtype) if invariant is not None else None
        if invariant is None or tolerance is None or not WIDE < row.slack < math.inf:
            continue
        seen = (
            f"{row.invariant}: the tolerance for {row.dtype} is {row.slack:.2g} times the largest residual "
            f"({row.residual:.2g}, {row.bound:.2g} was allowed)"
        )
        enough = _text(_narrowed(tolerance, _ROOM * row.residual / row.bound))
        yield Finding("PV406", Severity.WARNING, invariant.place, seen, f"a tolerance of {enough} would do")


def _narrowed(tolerance: Tolerance, factor: float) -> Tolerance:
    return Tolerance(*(_rounded_up(part * factor) for part in tolerance))


def _rounded_up(value: float) -> float:
    """`value` with one digit, no smaller."""
    if value <= 0:
        return 0.0
    exponent = math.floor(math.log10(value))
    digit = math.ceil(value / 10.0**exponent - 1e-9)
    return float(f"{digit}e{exponent}")


def _text(tolerance: Tolerance) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in tolerance._asdict().items() if value) or "0"
