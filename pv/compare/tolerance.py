"""How far apart two values may be: |Δ| ≤ atol + rtol · |a|, by dtype where nobody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pv.finding import PvError


class Tolerance(NamedTuple):
    """`rtol` counts times the reference's magnitude, `atol` by itself."""

    rtol: float
    atol: float

    def __str__(self) -> str:
        return f"rtol {self.rtol:g}, atol {self.atol:g}"


EXACT = Tolerance(0.0, 0.0)

# As torch.testing.assert_close has them (_comparison.py, _DTYPE_PRECISIONS); what it has not is compared exactly.
DEFAULTS: Mapping[str, Tolerance] = {
    "float16": Tolerance(1e-3, 1e-5),
    "bfloat16": Tolerance(1.6e-2, 1e-5),
    "float32": Tolerance(1.3e-6, 1e-5),
    "float64": Tolerance(1e-7, 1e-7),
}


def tolerance_of(one: str, other: str) -> Tolerance:
    """The looser of what the two dtypes are held to."""
    first, second = (DEFAULTS.get(dtype, EXACT) for dtype in (one, other))
    return Tolerance(max(first.rtol, second.rtol), max(first.atol, second.atol))


def asked(rtol: float | None, atol: float | None) -> Tolerance | None:
    """What somebody asked for; None where nobody did. Raises PvError for half of it, and for what is no tolerance."""
    if rtol is None and atol is None:
        return None
    if rtol is None or atol is None:
        seen, missing = ("--atol", "--rtol") if rtol is None else ("--rtol", "--atol")
        raise PvError(f"{seen} without {missing}: a tolerance is both", hint=f"{missing} 0 leaves it out")
    for name, value in (("--rtol", rtol), ("--atol", atol)):
        if not 0 <= value < float("inf"):
            raise PvError(
                f"{name} {value} is no tolerance: a finite number from 0 on is", hint="0 asks for the same bits"
            )
    return Tolerance(rtol, atol)
