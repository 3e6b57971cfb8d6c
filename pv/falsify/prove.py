"""After a trial held: are its cases answered the same way in another process, and could its falsifier have failed?"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pv.falsify.check import Check, Falsified
from pv.falsify.explore import within
from pv.falsify.judge import Tally, Trial, attempt, why
from pv.falsify.mutation import Smoke, damaged, edited, edits_of, killed_by, own_reference, shuffled, smoked, unmasked
from pv.falsify.stage import case_of
from pv.falsify.subject import Subject
from pv.falsify.teeth import Corpus, bite
from pv.falsify.work import Functions, Task
from pv.verdict import Verdict

_MOST = 100
_SECONDS = 10.0  # at least, for one mutant: one that loops is given up
_TIMES = 3  # as long as the recorded cases took, for one mutant

Say = Callable[[Mapping[str, Any]], None]


def prove(task: Task, trial: Trial, say: Say) -> dict[str, Any]:
    """The recorded cases once more, then the faults, then mutants until one is killed: {verdict, reason, teeth, mutants}."""
    begun = time.monotonic()
    reason = _not_again(task, trial)
    patience = max(_SECONDS, _TIMES * (time.monotonic() - begun))
    if reason:
        return {"verdict": Verdict.ERRORED.value, "reason": reason, "teeth": [], "mutants": None}
    say({"alive": "faults"})
    corpus = Corpus(trial)
    verdict, reason, teeth = bite(trial, corpus)
    bitten = None
    if verdict is Verdict.HELD:
        say({"alive": "mutants"})
        bitten = _first_kill(trial, task.functions, _Score(trial, corpus, say, patience), task.mutants)
        reason = bitten.pop("reason")
        verdict = Verdict.VACUOUS if reason else verdict
    rows = [[tooth.invariant, tooth.fault, tooth.caught, tooth.seeds] for tooth in teeth]
    return {"verdict": verdict.value, "reason": reason, "teeth": rows, "mutants": bitten}


def _not_again(task: Task, trial: Trial) -> str:
    """Which of the recorded cases is answered in another way here; empty when none is."""
    for arguments, before in task.cases:
        outputs, error = _again(trial, arguments)
        if error or outputs != before:
            seen = error or "the subject returned something else"
            return f"not reproducible: in another process, for a case that held, {seen}"
    return ""


def _first_kill(trial: Trial, functions: Functions, score: _Score, lost: Collection[str]) -> dict[str, Any]:
    """A mutant of the subject that gets past the smoke check and no further; `reason` says why there is none.

    Mutants are tried in a mixed order, without those in which a process was `lost` before. Where none is killed, or the
    subject has no source to edit, its output is damaged instead: unless its falsifier can only crash. Where nothing gets past
    the smoke check, or the test is about what that looks at, the faults are all there is.
    """
    masked = unmasked(trial, functions, score.corpus)
    itself = own_reference(trial, functions, score.corpus)
    if masked or itself:
        looks = f"it looks at the code and not at what that computes: recompiled, {masked}"
        compares = f"it calls {itself} itself, which the subject runs: what is compared with itself always agrees"
        return {"tried": 0, "past": 0, "killed": "", "reason": looks if masked else compares}
    edits = shuffled(list(edits_of(functions)))[:_MOST]
    score.until_killed((edit.mutant.id, edited(trial.subject, edit)) for edit in edits if edit.mutant.id not in lost)
    if not score.crashed or score.past:
        faults = damaged(trial, score.corpus).items()
        score.until_killed((name, subject) for name, (_, subject) in faults if name not in lost)
    reason = ""
    if not score.killed and smoked(trial) and (score.past or score.crashed):
        crashed = f", {score.crashed} more crashed it" if score.crashed else ""
        seen = f"the {score.past} mutants of its subject that the smoke check lets live{crashed}"
        reason = f"it killed none of {seen}"
    return {"tried": score.tried, "past": score.past, "killed": score.killed, "reason": reason}


@dataclass(slots=True, eq=False)
class _Score:
    """How a falsifier does against one altered subject after another, each given up after `patience` seconds."""

    trial: Trial
    corpus: Corpus
    say: Say
    patience: float
    tried: int = 0
    past: int = 0
    crashed: int = 0
    killed: str = ""
    smoke: Smoke | None = field(init=False)

    def __post_init__(self) -> None:
        self.smoke = Smoke(self.trial.subject, self.corpus) if smoked(self.trial) else None

    def until_killed(self, altered: Iterable[tuple[str, Subject]]) -> None:
        """Try each that the smoke check lets live, up to the first that is killed."""
        for name, subject in altered:
            if self.killed:
                return
            self.say({"alive": name, "mutant": name, "within": self.patience})
            self.tried += 1
            if self.smoke is not None and self.smoke.catches(subject):
                continue
            answer = killed_by(self.corpus, subject)
            self.crashed += bool(answer.error)
            self.past += not answer.error
            self.killed = name if answer.invariant else ""


def rerun(task: Task, trial: Trial, say: Say) -> dict[str, Any]:
    """Each of the task's cases once: {rows: [[fixed | still fails | error, what was seen]]}."""
    rows: list[list[str]] = []
    for arguments, _ in task.cases:
        tally = Tally(Check(trial.invariants))
        error = _run(trial, trial.subject, arguments, tally)
        if tally.last is not None:
            failure = tally.last[1]
            seen = f"{failure.invariant}: {failure.message}: observed {failure.observed}, expected {failure.expected}"
            rows.append(["still fails", seen])
        else:
            rows.append(["error", error] if error else ["fixed", ""])
    return {"rows": rows}


def _again(trial: Trial, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """The digest of what the subject returned while the falsifier ran, and what went wrong instead."""
    trial.subject.listen()
    error = _run(trial, trial.subject, arguments, Tally(Check(trial.invariants)))
    return trial.subject.heard(), error


def _run(trial: Trial, subject: Subject, arguments: Mapping[str, Any], tally: Tally) -> str:
    said: list[str] = []

    def once() -> None:
        try:
            attempt(trial, subject, case_of(dict(arguments)), tally)
        except Falsified as failed:
            said.append(str(failed))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            said.append(why(error))

    within(once)
    return said[0] if said else ""
