"""What all falsifiers of an equation together make of its subject with one edit: killed, or how it got away.

First comes the smoke check: a mutant that raises, or returns another type, shape or dtype or what is not finite, would be
found by anybody. Then the falsifiers, the last that killed one first, each on a few cases and then on all, under three
seeds. What none of them kills is held against the subject itself, bit for bit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from pv.falsify.answers import Answered, answer_to, farthest, wants_gradients
from pv.falsify.cases import Case
from pv.falsify.explore import within
from pv.falsify.judge import Trial
from pv.falsify.mutation import Edit, Smoke, damaged, edited, named_edits, unmasked, untouched
from pv.falsify.subject import Call, Subject
from pv.falsify.teeth import TEETH_EXAMPLES, TEETH_FEW, TEETH_SEEDS, Answer, Corpus, Pile, ask_inside
from pv.falsify.work import Functions, Task
from pv.mutants.output import OutputFault

Say = Callable[[Mapping[str, Any]], None]

_CANARIES: Mapping[str, Callable[[Any], Any]] = {
    "zeros": lambda tensor: tensor * 0,
    "NaN": lambda tensor: tensor * float("nan"),
    "a constant": lambda tensor: tensor * 0 + 1,
}


@dataclass(slots=True, eq=False)
class Falsifiers:
    """All trials on one subject. `held` remembers on which cases the subject itself was found to hold."""

    trials: tuple[Trial, ...]
    corpora: tuple[Corpus, ...] = ()
    held: dict[tuple[int, int, int], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pile: Pile = {}
        self.corpora = tuple(Corpus(trial, pile) for trial in self.trials)

    @property
    def subject(self) -> Subject:
        """The code under test."""
        return self.trials[0].subject

    def judge(self, which: int, subject: Subject, examples: int) -> Answer:
        """The answer of the first seed under which falsifier number `which` does not kill, or of the last seed."""
        for seed in range(TEETH_SEEDS):
            answer = ask_inside(self.trials[which], subject, self.corpora[which].cases(seed, examples))
            if answer.invariant and not self._holds(which, seed, examples):
                return Answer(error="it fails on the subject itself for these cases")
            if not answer.invariant:
                break
        return answer

    def announce(self, subject: Subject, name: str, say: Say) -> None:
        """Of a slow subject each call has a time of its own."""
        if any(trial.falsifier.slow for trial in self.trials):
            subject.announce(lambda: say({"alive": name}))

    def domain(self, seed: int, examples: int) -> tuple[Case, ...]:
        """Cases of the equation itself."""
        return self.corpora[0].domain().cases(seed, examples)

    def all_cases(self, seed: int, examples: int) -> Iterator[Case]:
        """Cases of the equation and, where they are arguments of it too, those that its falsifiers bring."""
        names = [argument.name for argument in self.trials[0].equation.arguments]
        yield from self.domain(seed, examples)
        for trial, corpus in zip(self.trials, self.corpora, strict=True):
            if trial.falsifier.cases:
                yield from (case for case in corpus.cases(seed, examples) if list(case.values) == names)

    def _holds(self, which: int, seed: int, examples: int) -> bool:
        key = (which, seed, examples)
        if key not in self.held:
            cases = self.corpora[which].cases(seed, examples)
            self.held[key] = not ask_inside(self.trials[which], untouched(self.subject), cases).decided
        return self.held[key]


def survey(task: Task, trials: Sequence[Trial], say: Say) -> dict[str, Any]:
    """The subject as it is: {controls: [[test, problem]], lines: [[path, line]], canaries: [[test, canary]]}.

    `lines` were executed by some case; a control has a problem when the falsifier fails on the subject itself.
    """
    every = Falsifiers(tuple(trials))
    for trial in trials:
        every.announce(trial.subject, trial.test, say)
    controls: list[list[str]] = []
    lines: set[tuple[str, int]] = set()
    for trial, corpus in zip(trials, every.corpora, strict=True):
        say({"alive": trial.test})
        answer = corpus.ask(_lined(trial, f"{task.site.root}/", lines), 0)
        said = answer.gross or answer.error or (f"a check of {answer.invariant} failed" if answer.invariant else "")
        controls.append([trial.test, said])
    canaries = []
    for trial, corpus in zip(trials, every.corpora, strict=True):
        say({"alive": trial.test})
        found = [name for name, make in _CANARIES.items() if not corpus.ask_few(_canary(trial, make), 0).decided]
        canaries += [[trial.test, name] for name in found]
    return {"controls": controls, "lines": sorted(map(list, lines)), "canaries": canaries}


def mutate(task: Task, trials: Sequence[Trial], say: Say) -> dict[str, Any]:
    """Judge the task's mutants, or its part of all there are.

    Says first {mutants: […], masked: [[test, why]]}, then {row: …} for each as soon as it is done. A falsifier is masked when
    it fails on the subject's own code compiled anew: it looks at the code, and judges nothing.
    """
    edits = named_edits(task.functions)
    every = Falsifiers(tuple(trials))
    faults = {} if edits else damaged(every.trials[0], every.corpora[0])
    described = _described(edits, faults)
    masked = _masked(every, task.functions, say)
    say({"mutants": described, "masked": masked})
    names = task.mutants or [row["id"] for row in described][task.part :: task.parts]
    order = [which for which, trial in enumerate(trials) if trial.test not in dict(masked)]
    smoke = Smoke(every.subject, every.corpora[0])

    def judge() -> None:
        for name in names:
            say({"alive": name})
            subject = edited(every.subject, edits[name]) if edits else faults[name][1]
            every.announce(subject, name, say)
            say({"row": {"id": name, **_judged(subject, every, smoke, order, every_one=task.every)}})

    within(judge)
    return {}


def _judged(subject: Subject, every: Falsifiers, smoke: Smoke, order: list[int], *, every_one: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"state": "survived", "by": [], "why": "", "difference": None}
    if seen := smoke.catches(subject):
        return {**row, "state": "smoke", "why": seen}
    crashed = ""
    for examples in (TEETH_FEW, TEETH_EXAMPLES):
        for which in [which for which in order if every.trials[which].test not in row["by"]]:
            answer = every.judge(which, subject, examples)
            crashed = crashed or answer.error
            if answer.invariant:
                row["by"].append(every.trials[which].test)
                order.remove(which)
                order.insert(0, which)
                if not every_one:
                    break
        if row["by"] and not every_one:
            break
    if row["by"]:
        return {**row, "state": "killed", "by": sorted(row["by"])}
    if crashed:
        return {**row, "state": "crashed", "why": crashed}
    return {**row, "difference": _difference(subject, every)}


def _difference(subject: Subject, every: Falsifiers) -> dict[str, Any]:
    """How far what it answers is from what the subject does: {cases, other, residual, magnitude, dtype, seen}."""
    plain, gradients = untouched(every.subject), wants_gradients(every.trials[0].equation)
    found: dict[str, Any] = {"cases": 0, "other": 0, "residual": 0.0, "magnitude": 0.0, "dtype": "", "seen": ""}
    for case in every.all_cases(0, TEETH_EXAMPLES):
        right, wrong = (answer_to(one, case, gradients=gradients) for one in (plain, subject))
        found["cases"] += 1
        if right.bits != wrong.bits:
            found["other"] += 1
            _note(found, case, right, wrong)
    return found


def _note(found: dict[str, Any], case: Case, right: Answered, wrong: Answered) -> None:
    if right.kind != wrong.kind:
        found["seen"] = found["seen"] or f"{wrong.kind} where the subject: {right.kind}; for {case!r:.120}"
        return
    away, size = farthest(right, wrong)
    if not found["dtype"] or away * found["magnitude"] > found["residual"] * size:
        dtype = next((str(value.dtype).removeprefix("torch.") for value in case if hasattr(value, "dtype")), "float64")
        found.update(residual=away, magnitude=size, dtype=dtype)


def _described(edits: Mapping[str, Edit], faults: Mapping[str, tuple[OutputFault, Subject]]) -> list[dict[str, Any]]:
    """The mutants as JSON; where the subject has no source to edit, the faults of its output."""
    names = ("path", "function", "line", "diff", "digest")
    if edits:
        return [{"id": name, **{key: getattr(edit.mutant, key) for key in names}} for name, edit in edits.items()]
    nowhere = {"path": "", "function": "", "line": 0, "digest": ""}
    return [{"id": name, **nowhere, "diff": fault.description} for name, (fault, _) in faults.items()]


def _masked(every: Falsifiers, functions: Functions, say: Say) -> list[list[str]]:
    found = []
    for trial, corpus in zip(every.trials, every.corpora, strict=True):
        say({"alive": trial.test})
        reason = unmasked(trial, functions, corpus)
        if reason:
            found.append([trial.test, reason])
    return found


def _canary(trial: Trial, make: Callable[[Any], Any]) -> Subject:
    """The subject with every float of its output replaced; what holds none stays as it is, and raises."""

    def wrong(plain: Call, again: Call, case: Case) -> Any:
        return _replaced(again(), make)

    return trial.subject.altered(wrong, smoke=False)


def _replaced(output: Any, make: Callable[[Any], Any]) -> Any:
    if isinstance(output, (list, tuple)):
        return type(output)(_replaced(item, make) for item in output)
    if isinstance(output, (str, bytes)) or not hasattr(output, "__mul__"):
        raise ValueError("a canary replaces numbers")
    return make(output)


def _lined(trial: Trial, root: str, lines: set[tuple[str, int]]) -> Subject:
    """The subject itself, which adds (path, line) of every line below `root` that it executes to `lines`."""

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        lines.add((frame.f_code.co_filename.removeprefix(root), frame.f_lineno))
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(root) else None

    def traced(*values: Any, **named: Any) -> Any:
        before = sys.gettrace()
        sys.settrace(call)
        try:
            return trial.subject(*values, **named)
        finally:
            sys.settrace(before)

    return Subject(traced, [argument.name for argument in trial.equation.arguments])
