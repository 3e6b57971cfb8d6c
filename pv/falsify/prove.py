"""After a trial held: are its cases answered the same way in another process, and could its falsifier have failed?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pv.falsify.check import Check, Falsified
from pv.falsify.explore import within
from pv.falsify.judge import Tally, Trial, attempt, why
from pv.falsify.mutation import Smoke, damaged, edited, edits_of, killed_by, own_reference, shuffled, smoked, unmasked
from pv.falsify.patience import Patience
from pv.falsify.stage import case_of
from pv.falsify.subject import Subject
from pv.falsify.teeth import Corpus, bite
from pv.falsify.work import Functions, Proof, Task
from pv.verdict import Verdict

_MOST = 200

Say = Callable[[Mapping[str, Any]], None]


def prove(task: Task, trial: Trial, say: Say) -> dict[str, Any]:
    """The recorded cases once more, then the faults, then mutants until one is killed: {verdict, reason, teeth, mutants}.

    Where a mutant ended the process of the proof, what is left of it is done.
    """
    corpus = Corpus(trial)
    proof = task.proof or _begun(task, trial, corpus, say)
    verdict, reason, bitten = Verdict(proof.verdict), proof.reason, None
    if verdict is Verdict.HELD:
        say({"alive": "mutants"})
        reason = "" if task.proof else _looks_at_the_code(trial, task.functions, corpus)
        score = _Score(trial, corpus, say, proof)
        bitten = _first_kill(trial, task.functions, score) if not reason else score.told()
        reason = reason or _why_toothless(score)
        verdict = Verdict.VACUOUS if reason else verdict
    return {"verdict": verdict.value, "reason": reason, "teeth": [list(row) for row in proof.teeth], "mutants": bitten}


def _begun(task: Task, trial: Trial, corpus: Corpus, say: Say) -> Proof:
    """What comes before the mutants: are the recorded cases answered again as they were, and is each fault caught?"""
    slowest, reason = _again_and_how_fast(task, trial)
    if reason:
        return Proof(Verdict.ERRORED.value, reason)
    say({"alive": "faults"})
    verdict, reason, teeth = bite(trial, corpus)
    rows = tuple((tooth.invariant, tooth.fault, tooth.caught, tooth.seeds) for tooth in teeth)
    return Proof(verdict.value, reason, rows, slowest)


def _again_and_how_fast(task: Task, trial: Trial) -> tuple[float, str]:
    """The seconds that the slowest recorded case takes, and which is answered in another way here (empty: none)."""
    slowest = 0.0
    for arguments, before in task.cases:
        begun = time.monotonic()
        outputs, error = _again(trial, arguments)
        slowest = max(slowest, time.monotonic() - begun)
        if error or outputs != before:
            seen = error or "the subject returned something else"
            return slowest, f"not reproducible: in another process, for a case that held, {seen}"
    return slowest, ""


def _looks_at_the_code(trial: Trial, functions: Functions, corpus: Corpus) -> str:
    """Why no mutant can be judged: the falsifier looks at the code, or runs it itself; empty when neither is so."""
    masked = unmasked(trial, functions, corpus)
    if masked:
        return f"it looks at the code and not at what that computes: recompiled, {masked}"
    itself = own_reference(trial, functions, corpus)
    return (
        f"it calls {itself} itself, which the subject runs: what is compared with itself always agrees"
        if itself
        else ""
    )


def _first_kill(trial: Trial, functions: Functions, score: _Score) -> dict[str, Any]:
    """A mutant of the subject that gets past the smoke check and no further, and how many were tried.

    Mutants are tried in a mixed order, without those that were done before. Where none is killed, or the subject has no source
    to edit, its output is damaged instead: unless its falsifier can only crash.
    """
    edits = shuffled(list(edits_of(functions)))[:_MOST]
    score.until_killed((edit.mutant.id, edited(trial.subject, edit)) for edit in edits)
    if not score.killed and (score.past or not score.crashed):
        score.say({"alive": "output"})
        faults = damaged(trial, score.corpus).items()
        score.until_killed((name, subject) for name, (_, subject) in faults)
    return score.told()


def _why_toothless(score: _Score) -> str:
    """Why no kill is a fault of the falsifier. Where nothing gets past the smoke check, or the test is about what that looks
    at, the faults are all there is."""
    if score.killed or not smoked(score.trial) or not (score.past or score.crashed):
        return ""
    crashed = f", {score.crashed} more crashed it" if score.crashed else ""
    return f"it killed none of the {score.past} mutants of its subject that the smoke check lets live{crashed}"


@dataclass(slots=True, eq=False)
class _Score:
    """How a falsifier does against one altered subject after another; it goes on where the `proof` was ended."""

    trial: Trial
    corpus: Corpus
    say: Say
    proof: Proof
    killed: str = ""
    smoke: Smoke | None = field(init=False)
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.smoke = Smoke(self.trial.subject, self.corpus) if smoked(self.trial) else None
        self.patience = Patience(self.say, self.proof.slowest, self.corpus.most)

    @property
    def past(self) -> int:
        """How many the smoke check let live."""
        return self.proof.past

    @property
    def crashed(self) -> int:
        """How many made the falsifier raise something."""
        return self.proof.crashed

    def told(self) -> dict[str, Any]:
        """What a receipt says of it."""
        return {"tried": self.proof.tried, "past": self.past, "killed": self.killed}

    def until_killed(self, altered: Iterable[tuple[str, Subject]]) -> None:
        """Try each that was not done before and that the smoke check lets live, up to the first that is killed."""
        for name, subject in altered:
            if self.killed:
                return
            if name in self.proof.done:
                continue
            self.patience.begin(name, asdict(self.proof))
            subject.announce(self.patience.beat)
            before, error, past = self.proof, False, False
            if self.smoke is None or not self.smoke.catches(subject):
                answer = killed_by(self.corpus, subject)
                error, past = bool(answer.error), not answer.error
                self.killed = name if answer.invariant else ""
            self.proof = replace(
                before,
                done=(*before.done, name),
                tried=before.tried + 1,
                past=before.past + past,
                crashed=before.crashed + error,
            )


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
