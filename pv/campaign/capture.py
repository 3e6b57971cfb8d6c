"""The calls that a live command made of one subject: captured once in a campaign, for all trials that judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pv.campaign.pool import Event
from pv.campaign.trial import Answer, Trial, failed_outcome
from pv.falsify.outcome import Outcome
from pv.falsify.work import Action, Task, Work
from pv.verdict import Verdict

Key = tuple[str, str, str]
Cases = tuple[tuple[str, Any], ...]
"""The digest and the encoded arguments of each case."""


def key_of(work: Work) -> Key:
    """(contract, equation, subject): what one capture is about."""
    return work.contract.name, work.binding.equation, work.binding.name


@dataclass(slots=True, eq=False)
class Capture:
    """One capture: the trials that wait for it, and how it ended."""

    waiting: list[Trial] = field(default_factory=list)
    answer: Answer | None = None
    lost: str = ""

    @property
    def ended(self) -> bool:
        """Whether its command has come to an end."""
        return self.answer is not None or bool(self.lost)

    @property
    def seen(self) -> Answer | None:
        """What its process saw; None when it did not run to its end."""
        return None if self.answer is None or "failed" in self.answer else self.answer

    @property
    def cases(self) -> Cases:
        """The cases captured."""
        return tuple((digest, arguments) for digest, arguments in self.seen["cases"]) if self.seen else ()

    @property
    def counts(self) -> Mapping[str, Any] | None:
        """What a receipt says of it; None when it did not run to its end."""
        return {key: self.seen[key] for key in ("calls", "outside", "why")} if self.seen else None

    def wait(self, trial: Trial) -> Iterator[Task]:
        """Make `trial` wait for it; what there is to do first, when it is the first to wait."""
        first = not self.waiting and not self.ended
        self.waiting.append(trial)
        if first:
            yield trial.task(Action.CAPTURE)

    def end(self, event: Event[Any]) -> None:
        """Its process has answered, or is lost."""
        self.answer, self.lost = event.answer, event.lost

    def problem(self, work: Work) -> Outcome | None:
        """What every trial comes to that waited for it; None when there are cases to judge."""
        command = " ".join(work.binding.live)
        if self.lost:
            return Outcome(Verdict.ERRORED, f"the live command {command}: {self.lost}")
        if self.answer is not None and "failed" in self.answer:
            return failed_outcome(self.answer["failed"])
        assert self.answer is not None, "it has ended"
        if not self.answer["calls"]:
            return Outcome(Verdict.NOT_MEASURED, f"the live command {command} never called {work.binding.target}")
        if not self.answer["cases"]:
            seen = f"none of {self.answer['calls']:,} calls is a case of {work.binding.equation}: {self.answer['why']}"
            return Outcome(Verdict.NOT_MEASURED, f"the live command {command}: {seen}")
        return None

    def attack(self, trial: Trial) -> Task:
        """The attack of a trial that waited, on the cases captured."""
        return trial.task(Action.ATTACK, cases=tuple((arguments, "") for _, arguments in self.cases))
