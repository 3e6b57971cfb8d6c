"""One trial under way: what its processes have said so far, and what it comes to, whichever of them ran which unit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pv.campaign.order import Order
from pv.falsify.outcome import Outcome, Unit, join
from pv.falsify.work import Action, Proof, Site, Task
from pv.finding import Exit
from pv.ledger.receipt import Tooth
from pv.verdict import Verdict

Answer = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Part:
    """One of the processes that share a trial's cases: the units it ran, what it saw up to each, and how it ended.

    `lost` is the cause where it ended without an answer.
    """

    index: int
    units: list[tuple[Unit, Answer]] = field(default_factory=list)
    answer: Answer | None = None
    lost: str = ""
    cases: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.answer is not None or bool(self.lost)


@dataclass(slots=True, eq=False)
class Trial:
    """A trial and what is known of it: `outcome` once its cases were judged, `seen` by whom those were that count."""

    order: Order
    site: Site
    memory: int
    parts: list[Part] = field(init=False)
    outcome: Outcome | None = None
    seen: Sequence[Answer] = ()
    printed: str = ""
    mutant: str = ""
    """Which mutant its proof is at; the process may end by it, which says nothing of the subject."""
    proof: Answer = field(default_factory=dict)
    """What its proof had come to before that mutant."""

    def __post_init__(self) -> None:
        self.parts = [Part(index) for index in range(self.order.parts)]

    def task(self, action: Action, **more: Any) -> Task:
        """What a process is to do for this trial."""
        order = self.order
        return Task(action, order.work, self.site, order.plan, order.timeout, self.memory, **more)

    def without_mutant(self) -> Proof:
        """Its proof, to go on after the mutant that ended it."""
        rows = tuple((invariant, fault, caught, seeds) for invariant, fault, caught, seeds in self.proof["teeth"])
        done, self.mutant = (*self.proof["done"], self.mutant), ""
        return Proof(**{**self.proof, "teeth": rows, "done": done})

    def attacks(self) -> Iterator[Task]:
        """The attack, a task for each part."""
        for part in self.parts:
            yield self.task(Action.ATTACK, part=part.index, parts=len(self.parts))


def judged(trial: Trial) -> Outcome | None:
    """What the attack came to, as soon as nothing that may follow can change it; None until then.

    The result is that of one process running every unit in order: what came after the first unit that did not hold, or
    after the unit in which a process was lost, counts for nothing. Sets `seen` of the trial.
    """
    failed = next((part.answer["failed"] for part in trial.parts if part.answer and "failed" in part.answer), None)
    if failed is not None:
        return failed_outcome(failed)
    units = [row for part in trial.parts for row in part.units]
    broken = min((unit.index for unit, _ in units if unit.verdict is not Verdict.HELD), default=math.inf)
    if not all(part.ended or _next(part, trial) > broken for part in trial.parts):
        return None
    # A process that is gone tells nobody what it changed before: its end is what one process would be blamed for.
    for where in (_lost, _touched):
        place, cause = min((where(part, trial) for part in trial.parts), key=lambda row: row[0])
        if cause and place <= broken:
            return Outcome(Verdict.ERRORED, cause)
    owner = next((part for part in trial.parts if _owns(part, broken)), trial.parts[0])
    if owner.answer is None:
        return None  # what it was run with comes with its answer
    trial.seen = [row for part in trial.parts if (row := _seen(part, broken)) is not None]
    return replace(join([unit for unit, _ in units], trial.order.plan), scope=owner.answer["scope"])


def _owns(part: Part, index: float) -> bool:
    return any(unit.index == index for unit, _ in part.units)


def _next(part: Part, trial: Trial) -> int:
    """The unit that this part is at, unless it has run its last."""
    return part.units[-1][0].index + len(trial.parts) if part.units else part.index


def _lost(part: Part, trial: Trial) -> tuple[float, str]:
    """The unit in which this part was lost, and how; never and nothing where it was not."""
    return (_reached(part, trial), part.lost) if part.lost else (math.inf, "")


def _touched(part: Part, trial: Trial) -> tuple[float, str]:
    """The unit in which this part changed what it must not, and what; never and nothing where it did not."""
    for unit, seen in part.units:
        if seen.get("tampered"):
            return unit.index, f"the trial is void: {seen['tampered']}"
    if part.answer is not None and part.answer["tampered"]:
        return _reached(part, trial), f"the trial is void: {part.answer['tampered']}"
    return math.inf, ""


def _reached(part: Part, trial: Trial) -> int:
    """The unit that a part ended in: its last when that did not hold, otherwise the one after."""
    stopped = bool(part.units) and part.units[-1][0].verdict is not Verdict.HELD
    return part.units[-1][0].index if stopped else _next(part, trial)


def _seen(part: Part, broken: float) -> Answer | None:
    """What a part saw up to the unit that ended the trial; None when that was nothing."""
    within = [seen for unit, seen in part.units if unit.index <= broken]
    if part.answer is not None and (len(within) == len(part.units) or not within):
        return part.answer if within or math.isinf(broken) else None
    return {**within[-1], "loaded": part.answer["loaded"] if part.answer else {}} if within else None


def proved(outcome: Outcome, answer: Answer) -> Outcome:
    """A trial that held, once its falsifier has (or has not) shown teeth."""
    teeth = tuple(Tooth(*row) for row in answer["teeth"])
    verdict = Verdict(answer["verdict"])
    return replace(outcome, verdict=verdict, reason=answer["reason"], teeth=teeth, mutants=answer["mutants"])


def confirmed(outcome: Outcome, answer: Answer) -> Outcome:
    """A trial that was falsified, when its counterexample fails in another process too."""
    [[again, seen]] = answer["rows"]
    if again == "still fails":
        return outcome
    return errored(outcome, f"not reproducible: in another process the case that failed {seen or 'holds'}")


def failed_outcome(failed: Answer) -> Outcome:
    """A trial that could not be made: what is missing here is not measured, what is wrong is to be mended."""
    reason = "; ".join(part for part in (failed["reason"], failed["hint"]) if part)
    return Outcome(verdict_of(Exit(failed["exit"])), reason)


def errored(outcome: Outcome, reason: str) -> Outcome:
    """An outcome that something put an end to."""
    return replace(outcome, verdict=Verdict.ERRORED, reason=reason, counterexample=None)


def verdict_of(exit: Exit) -> Verdict:
    """What is missing here is not measured; what is wrong is to be mended."""
    return Verdict.NOT_MEASURED if exit is Exit.RUN else Verdict.ERRORED
