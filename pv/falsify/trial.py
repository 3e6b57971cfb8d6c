"""One falsifier against one subject: cases are drawn, checks counted, and an outcome results.

Nothing here believes a falsifier. A case without an executed check, a stratum that was hardly visited and a changed argument
each keep the outcome from being `held`, with the reason; `pv.falsify.teeth` adds the faults that it must catch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from pv.falsify.cases import Case, Region
from pv.falsify.check import Check, Falsified
from pv.falsify.encode import fingerprint
from pv.falsify.explore import Unsatisfiable, UnsatisfiedAssumption, explore, within
from pv.falsify.judge import SilentCase, Tally, Trial, arguments_of, judge_of, why
from pv.falsify.outcome import CAPTURED, PINNED, Counterexample, Outcome, Unit, join
from pv.falsify.work import UNIT, Plan
from pv.finding import PvError
from pv.verdict import Verdict

SIMPLE_EXAMPLES = 200
RECORDED = 20
LOOK = 4
"""Cases of each region that come before all others."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """The part of a region that is one unit: so many cases, drawn from a seed of their own."""

    index: int
    region: Region | None
    chunk: int
    cases: int


def attack(trial: Trial, plan: Plan, *, shrink: bool = True) -> Outcome:
    """Attack the subject and leave the faults alone: `held` says nothing about whether the falsifier could fail.

    With `shrink`, a counterexample is made as small as can be. Exceptions of the falsifier, of the subject and of the
    case strategies become the outcome's reason; only KeyboardInterrupt comes out.
    """
    try:
        return join(list(run_units(trial, plan, shrink=shrink)), plan)
    except PvError as error:  # the strata cannot be made
        return Outcome(Verdict.ERRORED, error.told)


def run_units(
    trial: Trial,
    plan: Plan,
    *,
    part: int = 0,
    parts: int = 1,
    shrink: bool = True,
    progress: Callable[[], None] = lambda: None,
) -> Iterator[Unit]:
    """The units of this part, in order, up to the first that does not hold; `progress` is called after every case.

    Raises PvError when the declared strata cannot be made.
    """
    shares = shares_of(trial, plan)
    recorded = -(-RECORDED // max(len(shares), 1))
    for share in shares:
        if share.index % parts != part:
            continue
        keep = frozenset(share.cases * place // recorded for place in range(recorded))
        unit = _run_unit(trial, share, Tally(Check(trial.invariants), keep), plan, shrink=shrink, progress=progress)
        yield unit
        if unit.verdict is not Verdict.HELD:
            return


def shares_of(trial: Trial, plan: Plan) -> tuple[Share, ...]:
    """Every unit of a trial: the pinned cases, a first look at each region, then the regions, the large ones cut into chunks.

    Where a subject is wrong it is often wrong in one region only: without the look, those before it would all come first.
    Captured cases are one unit, and all there are.
    """
    if trial.captured is not None:
        return (Share(0, None, 0, len(trial.captured)),)
    found = [Share(0, None, 0, len(trial.pins))] if trial.pins else []
    every = trial.regions()
    whole = plan.share(len(every))
    if len(every) > 1 and whole > LOOK:
        found += [Share(len(found) + place, region, -1, LOOK) for place, region in enumerate(every)]
    for region in every:
        for chunk, done in enumerate(range(0, whole, UNIT)):
            found.append(Share(len(found), region, chunk, min(UNIT, whole - done)))
    return tuple(found)


def _run_unit(
    trial: Trial, share: Share, tally: Tally, plan: Plan, *, shrink: bool, progress: Callable[[], None]
) -> Unit:
    exhausted, verdict, reason, counterexample = False, Verdict.HELD, "", None
    try:
        exhausted = _judge_share(trial, share, tally, plan, shrink=shrink, progress=progress)
    except Falsified as failed:
        verdict, reason, counterexample = Verdict.FALSIFIED, str(failed), _counterexample(trial, tally, share)
        if tally.last is not None:
            reason = tally.last[1].message
    except SilentCase as silent:
        verdict, reason = Verdict.VACUOUS, str(silent)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, pytest's skip and their like are no verdict either
        verdict, reason = Verdict.ERRORED, why(error)
    return Unit(
        index=share.index,
        region=_name(trial, share),
        share=share.cases,
        verdict=verdict,
        reason=reason,
        seen=tuple(sorted(case[:8].hex() for case in tally.seen)),
        offered=len(tally.offered),
        exhausted=exhausted,
        checks=tally.check.count,
        valid=tally.valid,
        digest=tally.digest.hexdigest(),
        nearest=tuple(sorted(tally.check.nearest.items())),
        dtypes=tuple(sorted(tally.dtypes)),
        recorded=tuple(tally.recorded),
        counterexample=counterexample,
    )


def _judge_share(
    trial: Trial, share: Share, tally: Tally, plan: Plan, *, shrink: bool, progress: Callable[[], None]
) -> bool:
    """Judge the cases of `share`; whether its region holds no others."""
    if trial.captured is not None:
        within(lambda: _judge_captured(trial, tally, progress))
        return True
    if share.region is None:
        within(lambda: _judge_pins(trial, tally, progress))
        return False
    exhausted = _visit(trial, share.region, share, tally, plan, shrink=shrink, progress=progress)
    _require_accepted(tally, share)
    if not trial.falsifier.because:
        _require_reached(tally, share.region)
    return exhausted


def _name(trial: Trial, share: Share) -> str:
    if share.region is not None:
        return share.region.name
    return PINNED if trial.captured is None else CAPTURED


def _judge_captured(trial: Trial, tally: Tally, progress: Callable[[], None]) -> None:
    judge = judge_of(trial, None, tally, trial.subject, progress)
    for case in trial.captured or ():
        with suppress(UnsatisfiedAssumption):  # the falsifier turns it away
            judge(case)


def _judge_pins(trial: Trial, tally: Tally, progress: Callable[[], None]) -> None:
    judge = judge_of(trial, None, tally, trial.subject, progress)
    for case in trial.pins:
        judge(case)


def _visit(
    trial: Trial,
    region: Region,
    share: Share,
    tally: Tally,
    plan: Plan,
    *,
    shrink: bool,
    progress: Callable[[], None],
) -> bool:
    """Draw cases of a region until enough distinct ones were judged; True when it seems to hold no others.

    That is so when Hypothesis ran out, or when many more draws than there are cases brought no new one.
    """
    judge = judge_of(trial, region, tally, trial.subject, progress)

    def enough(case: Case) -> None:
        try:
            judge(case)
        except UnsatisfiedAssumption:
            if len(tally.offered) > 5 * share.cases and 2 * len(tally.seen) < len(tally.offered):
                raise _EnoughError from None  # the falsifier turns nearly everything away: see `_require_accepted`
            raise
        if len(tally.seen) >= share.cases:
            raise _EnoughError

    for round_ in range(_ROUNDS):
        had, offered = len(tally.seen), len(tally.offered)
        missing = share.cases - had
        examples = max(2 * missing, 8 * had) + 8  # far more than are missing: it ends as soon as there are enough
        seed = seed_of(trial.test, region.name, plan.seed, share.chunk, round_)
        try:
            if explore(region, enough, examples=examples, seed=seed, shrink=shrink):
                return True
        except _EnoughError:
            return False
        except Unsatisfiable:
            return False
        except Falsified:
            if shrink and region.simple is not None:
                _look_for_a_simpler_one(trial, replace(region, strategy=region.simple), tally, seed)
            raise
        if round_ and had and len(tally.offered) == offered:
            return True
    return False


class _EnoughError(BaseException):
    """There were cases enough: no Exception, which Hypothesis would take for a failure and shrink."""


def _require_accepted(tally: Tally, share: Share) -> None:
    """A falsifier may turn cases away, as long as enough are left: otherwise it is about something else than it says."""
    judged, offered = len(tally.seen), len(tally.offered)
    if judged < share.cases and 2 * judged < offered:
        raise SilentCase(f"the falsifier turned away {offered - judged} of {offered} cases")


def _require_reached(tally: Tally, region: Region) -> None:
    """A stratum is visited by the subject and not by the falsifier alone, which may change what it was given."""
    if tally.seen and not tally.reached:
        raise SilentCase(f"the subject was given no case of {region.name}: the falsifier makes others of them")


def _look_for_a_simpler_one(trial: Trial, region: Region, tally: Tally, seed: int) -> None:
    """A case made from a seed shrinks badly: try for one that breaks the invariant and that a person can read."""
    again = Tally(Check(trial.invariants))
    try:
        explore(region, judge_of(trial, region, again, trial.subject), examples=SIMPLE_EXAMPLES, seed=seed, shrink=True)
    except Falsified:
        if again.last is not None and tally.last is not None and _size(again.last[0]) <= _size(tally.last[0]):
            tally.last = again.last
    except KeyboardInterrupt:
        raise
    except BaseException:
        return  # the case that was found stands


def _size(case: Case) -> int:
    return sum(value.numel() if hasattr(value, "numel") else 1 for value in case)


def _counterexample(trial: Trial, tally: Tally, share: Share) -> Counterexample | None:
    if tally.last is None:
        return None
    case, failure = tally.last
    return Counterexample(arguments_of(case), fingerprint(case.values).hex(), _name(trial, share), failure)


def seed_of(test: str, region: str, seed: int, chunk: int, round_: int) -> int:
    """A seed of its own for each region, chunk and round, the same everywhere."""
    text = f"{test}|{region}|{seed}|{chunk}|{round_}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
