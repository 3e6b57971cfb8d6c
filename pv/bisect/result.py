"""What a bisection came to. Plain values: a report renders them, nothing here computes a tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from pv.finding import Exit
from pv.tensors.place import Place


class Verdict(Enum):
    """The five answers of a bisection."""

    IDENTICAL = "identical"
    WITHIN_FLOOR = "within_floor"
    DIVERGED = "diverged"
    INCONCLUSIVE = "inconclusive"
    INVALID_CAPTURE = "invalid_capture"

    @property
    def exit(self) -> Exit:
        """Diverged must be mended; what could not be judged must be run again, another way."""
        return {Verdict.IDENTICAL: Exit.OK, Verdict.WITHIN_FLOOR: Exit.OK, Verdict.DIVERGED: Exit.MEND}.get(
            self, Exit.RUN
        )

    @property
    def label(self) -> str:
        """As tables print it."""
        return self.value.replace("_", " ")


class Label(Enum):
    """What a stage does to the error: introduce it, let it grow, hand it on; or none, or nobody can tell."""

    SOURCE = "source"
    AMPLIFIER = "amplifier"
    CARRIER = "carrier"
    CLEAN = "clean"
    NOT_VISIBLE = "not_visible"
    NOT_MEASURED = "not_measured"

    @property
    def text(self) -> str:
        """As tables print it."""
        return self.value.replace("_", " ")


class Meaning(Enum):
    """What the ladder says of a difference: it stays in a wider dtype, goes away there, or is one side's choice of dtype."""

    SEMANTICS = "semantics"
    ROUNDING = "rounding"
    DTYPE_POLICY = "dtype policy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Ratios:
    """An error over the noise floor: of the whole tensor, of its worst row (a token), of its worst column (a channel)."""

    mean: float
    row: float
    column: float

    @property
    def worst(self) -> float:
        """The largest of the three: the number that is held against the threshold. NaN where one is: infinite over infinite."""
        three = (self.mean, self.row, self.column)
        return math.nan if any(map(math.isnan, three)) else max(three)


@dataclass(frozen=True, slots=True)
class Power:
    """The smallest relative error that would have been seen at a stage: of all of it, in one token, in one channel."""

    mean: float
    row: float
    column: float


@dataclass(frozen=True, slots=True)
class StageJudgement:
    """One stage of one layer.

    `error` is the relative L2 distance of candidate and reference; `floor` that of the reference and float64 from the tokens
    on. `local` is the error that this stage adds over what adding it costs in this dtype; `inherited` is all the error that
    has come up to here, over the floor. `worst` is the element with the largest added error, as (axis, index). None: not
    measured.
    """

    place: Place
    label: Label
    error: float | None = None
    floor: float | None = None
    local: Ratios | None = None
    inherited: Ratios | None = None
    worst: tuple[tuple[str, int], ...] = ()
    power: Power | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes the candidate equal to what it should be at `place`, to within `over` times the floor.

    `narrow`: all that it takes is rounding to a narrower dtype, so nothing else is wrong there.
    """

    place: Place
    said: str
    over: float
    narrow: bool = False

    @property
    def text(self) -> str:
        """As a hint says it."""
        return f"equal within the floor ({self.over:.1f} times) {self.said}"


@dataclass(frozen=True, slots=True)
class Rung:
    """Both sides repeated in `dtype`: what was found there. `verdict` is None where a side does not run in it, `said` why."""

    dtype: str
    verdict: Verdict | None
    at: tuple[Place, ...] = ()
    enclosing: tuple[Place, ...] = ()
    ratio: float | None = None
    causes: tuple[Cause, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """What repeating both sides in wider dtypes says of the difference, and the place it says it of."""

    meaning: Meaning
    rungs: tuple[Rung, ...]
    at: tuple[Place, ...] = ()
    enclosing: tuple[Place, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class Bisection:
    """The verdict, where, and what stands behind it.

    `at` are the places of the first source (two where one equation is wrong in both, as q and k of one rope), `more` those of
    any other source, by source; `enclosing` are the stages within `at` that the candidate does not show, of which each may
    be the one. `symptom`, `weights` and `paths` are sentences of the doors: what was reproduced, how the weights relate,
    which paths were run. `causes` are what would make the two equal at `at`.
    """

    verdict: Verdict
    at: tuple[Place, ...] = ()
    enclosing: tuple[Place, ...] = ()
    more: tuple[tuple[Place, ...], ...] = ()
    causes: tuple[Cause, ...] = ()
    stages: tuple[StageJudgement, ...] = ()
    symptom: tuple[str, ...] = ()
    weights: str = ""
    paths: tuple[str, ...] = ()
    ladder: Ladder | None = None
    notes: tuple[str, ...] = ()
