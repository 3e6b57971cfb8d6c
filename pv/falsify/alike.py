"""Mutants that are said to be no different from the subject: held against it on ten thousand inputs, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pv.falsify.answers import answer_to, wants_gradients
from pv.falsify.cases import Case, Region
from pv.falsify.encode import fingerprint
from pv.falsify.explore import Unsatisfiable, explore
from pv.falsify.judge import Trial
from pv.falsify.mutation import edited, named_edits, untouched
from pv.falsify.subject import Subject
from pv.falsify.trial import seed_of
from pv.falsify.work import Task

INPUTS = 10_000
_BATCH = 500
_BEAT = 20  # inputs after which the next ones have a time of their own

Say = Callable[[Mapping[str, Any]], None]


def compare(task: Task, trials: Sequence[Trial], say: Say) -> dict[str, Any]:
    """Each of the task's mutants against the subject: {alike: [[id, inputs, what differed (empty: nothing)]]}.

    The inputs are of every stratum of the equation and of the falsifiers' own; fewer where there are no more.
    """
    trial = trials[0]
    wanted = set(task.mutants)
    edits = {name: edit for name, edit in named_edits(task.functions).items() if name in wanted}
    altered = {name: edited(trial.subject, edit) for name, edit in edits.items()}
    differ = dict.fromkeys(altered, "")
    inputs = 0
    for case in _inputs(trials):
        if inputs % _BEAT == 0:
            say({"alive": f"{inputs} inputs"})
        inputs += 1
        _tell(trial, case, altered, differ)
    return {"alike": [[name, inputs, differ[name]] for name in altered]}


def _tell(trial: Trial, case: Case, altered: Mapping[str, Subject], differ: dict[str, str]) -> None:
    gradients = wants_gradients(trial.equation)
    right = answer_to(untouched(trial.subject), case, gradients=gradients)
    for name, subject in altered.items():
        if not differ[name] and answer_to(subject, case, gradients=gradients).bits != right.bits:
            differ[name] = f"{case!r:.300}"


def _inputs(trials: Sequence[Trial]) -> Iterator[Case]:
    """Distinct cases, the share of each region drawn in batches until it holds no others."""
    trial = trials[0]
    names = [argument.name for argument in trial.equation.arguments]
    regions = list(dict.fromkeys(region for one in _spread(trials) for region in one.regions()))
    share = -(-INPUTS // len(regions))
    for place, region in enumerate(regions):
        seen: set[bytes] = set()
        for batch in range(0, 4 * share, _BATCH):
            seed = seed_of(trial.equation.name, f"{place}|{region.name}", 1, batch, 0)
            drawn, over = _drawn(region, min(_BATCH, share - len(seen)), seed)
            for case in drawn:
                mark = fingerprint(case.values)
                if mark not in seen and list(case.values) == names:
                    seen.add(mark)
                    yield case
            if over or len(seen) >= share:
                break


def _spread(trials: Sequence[Trial]) -> list[Trial]:
    """One trial for the strata of the equation, and each that brings its own."""
    common = replace(trials[0], falsifier=replace(trials[0].falsifier, cases=()))
    return [common, *(trial for trial in trials if trial.falsifier.cases)]


def _drawn(region: Region, count: int, seed: int) -> tuple[list[Case], bool]:
    found: list[Case] = []

    def keep(case: Case) -> None:
        if region.holds(case):
            found.append(case)

    try:
        return found, explore(region, keep, examples=count, seed=seed, shrink=False)
    except Unsatisfiable:
        return found, True
