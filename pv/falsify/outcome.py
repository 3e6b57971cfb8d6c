"""What a trial came to, as plain values that travel between processes; importing this needs neither torch nor hypothesis."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pv.falsify.work import Plan
from pv.ledger.receipt import Stratum, Tooth
from pv.verdict import Verdict

NO_CASES = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed check saw. `at` is `path:line` of the check in the falsifier."""

    invariant: str
    message: str
    observed: str
    expected: str
    at: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The comparison with the largest residual-to-bound ratio so far."""

    residual: float
    bound: float


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest case found that breaks an invariant (its arguments encoded), and what the failed check saw."""

    arguments: Mapping[str, Any]
    digest: str
    stratum: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class Recorded:
    """A case that held, kept to be run again: its arguments encoded, and the digest of what the subject returned for it."""

    stratum: str
    arguments: Mapping[str, Any]
    outputs: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A share of one region's cases, run without interruption.

    `index` orders the units of a trial. `seen` holds eight bytes of each distinct case's digest, in hexadecimal, so that
    units of one region can be joined; `offered` counts the distinct cases that reached the falsifier, `exhausted` says that
    the region holds no others.
    """

    index: int
    region: str
    share: int
    verdict: Verdict
    reason: str = ""
    seen: tuple[str, ...] = ()
    offered: int = 0
    exhausted: bool = False
    checks: int = 0
    valid: int = 0
    digest: str = NO_CASES
    nearest: tuple[tuple[tuple[str, str], Nearest], ...] = ()
    dtypes: tuple[str, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    counterexample: Counterexample | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to, with its denominators."""

    verdict: Verdict
    reason: str
    strata: tuple[Stratum, ...] = ()
    valid: int = 0
    checks: int = 0
    cases_digest: str = NO_CASES
    nearest: tuple[tuple[tuple[str, str], Nearest], ...] = ()
    dtypes: tuple[str, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    teeth: tuple[Tooth, ...] = ()
    counterexample: Counterexample | None = None
    mutants: Mapping[str, Any] | None = None
    scope: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def join(units: Sequence[Unit], plan: Plan) -> Outcome:
    """The units of a trial as one outcome; what came after the first that did not hold is left out.

    The result does not depend on which process ran which unit, nor on when it was done.
    """
    ordered = sorted(units, key=lambda unit: unit.index)
    broken = next((unit for unit in ordered if unit.verdict is not Verdict.HELD), None)
    if broken is not None:
        ordered = [unit for unit in ordered if unit.index <= broken.index]
    strata = tuple(_stratum(name, [unit for unit in ordered if unit.region == name]) for name in _regions(ordered))
    verdict, reason = (broken.verdict, broken.reason) if broken else _enough(strata, ordered, plan)
    digest = hashlib.sha256("".join(unit.digest for unit in ordered).encode()).hexdigest()
    return Outcome(
        verdict=verdict,
        reason=reason,
        strata=strata,
        valid=sum(unit.valid for unit in ordered),
        checks=sum(unit.checks for unit in ordered),
        cases_digest=digest,
        nearest=_nearest(ordered),
        dtypes=tuple(sorted({dtype for unit in ordered for dtype in unit.dtypes})),
        recorded=tuple(case for unit in ordered for case in unit.recorded),
        counterexample=broken.counterexample if broken else None,
    )


def nearer(one: Nearest | None, other: Nearest) -> Nearest:
    """The one of two comparisons that came nearer to its bound."""
    return other if one is None or other.residual * one.bound > one.residual * other.bound else one


def _regions(units: Sequence[Unit]) -> list[str]:
    return list(dict.fromkeys(unit.region for unit in units if unit.region != PINNED))


def _stratum(name: str, units: Sequence[Unit]) -> Stratum:
    """One region's units joined; a falsifier that turned most cases away has not seen all there are."""
    distinct = len({case for unit in units for case in unit.seen})
    turned_away = any(2 * len(unit.seen) < unit.offered for unit in units)
    return Stratum(name, distinct, any(unit.exhausted for unit in units) and not turned_away)


def _enough(strata: Sequence[Stratum], units: Sequence[Unit], plan: Plan) -> tuple[Verdict, str]:
    """Held, unless some strata saw too little: their share is asked of each, or all there is.

    Units of one region draw without knowing of each other, so that some cases may be the same: what each of them saw is
    counted here, while the stratum says how many cases are distinct.
    """
    share = plan.share(len(strata))
    judged = {row.name: sum(len(unit.seen) for unit in units if unit.region == row.name) for row in strata}
    short = [row for row in strata if (not row.distinct if row.exhausted else judged[row.name] < share)]
    if strata and not short:
        return Verdict.HELD, ""
    seen = ", ".join(f"{row.name} {row.distinct}" for row in short) or "no stratum at all"
    return Verdict.NOT_MEASURED, f"too few distinct cases: {seen}; {share} are needed in each stratum"


def _nearest(units: Sequence[Unit]) -> tuple[tuple[tuple[str, str], Nearest], ...]:
    found: dict[tuple[str, str], Nearest] = {}
    for unit in units:
        for key, row in unit.nearest:
            found[key] = nearer(found.get(key), row)
    return tuple(sorted(found.items()))


PINNED = "pinned"
CAPTURED = "captured"
