"""What a comparison of two tensors came to. `a` is the reference, `b` what is held against it; Δ = b − a."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pv.compare.tolerance import Tolerance
from pv.finding import Exit

Location = tuple[tuple[str, int], ...]
"""An index with its axes named: (("token", 5), ("head", 3), ("dim", 7))."""


class Agreement(Enum):
    """What is to be said of two tensors, in one word."""

    IDENTICAL = "identical"
    """Bit by bit."""
    WITHIN = "within tolerance"
    DIFFERS = "differs"
    UNMEASURED = "unmeasured"
    UNVERIFIED = "inconclusive: layout unverified"
    """Of all tensors, whatever their numbers are: which axis is which is what somebody said of files without a manifest."""

    @property
    def exit(self) -> Exit:
        """Whose turn it is; see DESIGN.md, "Exit codes"."""
        return {Agreement.DIFFERS: Exit.MEND, Agreement.UNMEASURED: Exit.RUN, Agreement.UNVERIFIED: Exit.RUN}.get(
            self, Exit.OK
        )


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its index in row-major order, the same with named axes, and both values, which are ints of indices."""

    index: int
    at: Location
    a: float
    b: float

    @property
    def distance(self) -> float:
        """|Δ|."""
        return abs(self.b - self.a)


@dataclass(frozen=True, slots=True)
class Worst:
    """The slice of the largest squared error among all of its kind: one token, one head, one channel.

    `rms` is that of its own elements, `share` its part of the whole squared error.
    """

    at: Location
    rms: float
    share: float


@dataclass(frozen=True, slots=True)
class Ulps:
    """Distances in units in the last place of `dtype`, the coarser of both; ±0 are 0 apart. Of finite elements."""

    dtype: str
    max: int
    differing: int
    over_one: int


@dataclass(frozen=True, slots=True)
class NonFinite:
    """NaN and infinity on each side, and where one side has what the other has not: payloads of NaN do not count."""

    nan_a: int = 0
    nan_b: int = 0
    inf_a: int = 0
    inf_b: int = 0
    mismatched: int = 0
    first: Element | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two tensors of one shape, element by element.

    `max` is the element of the largest |Δ| (the first of them), `rms` is √(mean Δ²), `relative_l2` is ‖Δ‖ / ‖a‖,
    `cosine` that of both as vectors (1 where both are 0), each in float64 over the `finite` elements: those that are
    finite on both sides. `concentration` is the part of the squared error that the worst 0.1 % of them have. `exceeding`
    counts elements beyond the tolerance and non-finite ones that do not match. `rounded` says that one side is the
    other, rounded: "B is A rounded to bfloat16". What has no meaning for the dtype (a cosine of indices) is None.
    """

    shape: tuple[int, ...]
    count: int
    finite: int
    agreement: Agreement
    tolerance: Tolerance
    exceeding: int
    max: Element | None
    rms: float | None
    relative_l2: float | None
    cosine: float | None
    ulps: Ulps | None
    worst: tuple[Worst, ...]
    top: tuple[Element, ...]
    concentration: float | None
    nonfinite: NonFinite
    rounded: str = ""
