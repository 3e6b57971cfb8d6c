"""Many trials, one after another: each is loaded, attacked, and turned into a receipt before the next begins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pv.assess.freshness import Today, binding_parts
from pv.falsify.declare import Falsifier, Fault, falsifier_in, fault_in
from pv.falsify.load import Loader
from pv.falsify.record import receipt_value
from pv.falsify.subject import Subject
from pv.falsify.teeth import run_trial
from pv.falsify.trace import Tracer
from pv.falsify.trial import Outcome, Plan, Trial
from pv.falsify.work import Work
from pv.finding import Exit, PvError
from pv.ledger.receipt import Part
from pv.source.parts import Code
from pv.source.target import find_target
from pv.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A trial that ran: what it came to, and its receipt."""

    work: Work
    outcome: Outcome
    receipt: dict[str, Any]


def run_campaign(
    works: Sequence[Work],
    *,
    root: Path,
    sources: Sequence[str],
    today: Today,
    plan: Plan,
    started: Callable[[Work], None] = lambda work: None,
) -> Iterator[Finished]:
    """Run `works` in order, on one torch thread; each result is given as soon as it is there.

    What goes wrong with one trial is that trial's `errored`; only a library that is missing is PvError.
    """
    threads = torch.get_num_threads()
    tracer = Tracer(root)
    loader = Loader(root, sources, tracer)
    tops = _tops(works, root, sources, today)
    loader.fresh(tops)
    torch.set_num_threads(1)
    try:
        with loader.active():
            for work in works:
                started(work)
                # Each trial imports the code anew: what one leaves in a module or a cache must not decide another.
                loader.fresh(tops)
                torch.manual_seed(0)
                yield _run(work, Bench(root, tuple(sources), today, plan, tracer, loader))
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What every trial of a campaign is run with."""

    root: Path
    sources: tuple[str, ...]
    today: Today
    plan: Plan
    tracer: Tracer
    loader: Loader


def _run(work: Work, bench: Bench) -> Finished:
    depends: dict[str, tuple[Part, ...]] = {
        "clause": bench.today.clause(work.contract, work.test),
        "falsifier": bench.today.falsifier(work.contract, work.test),
        "binding": binding_parts(work.binding),
    }
    try:
        trial = _load(work, bench)
        bench.tracer.forget()
        outcome = run_trial(trial, bench.plan)
        entered, opened = bench.tracer.entered(), bench.tracer.opened()
    except PvError as error:
        if error.exit is Exit.RUN:
            raise
        outcome, entered, opened = Outcome(Verdict.ERRORED, error.message), set(), set()
    try:
        depends["subject"] = _subject_parts(work, bench, entered, opened)
    except PvError as error:
        outcome = Outcome(Verdict.ERRORED, error.message)
    if outcome.verdict is Verdict.HELD and not depends.get("subject"):
        # Nothing could ever make it stale.
        outcome = Outcome(
            Verdict.ERRORED, f"{work.binding.target} was run, but its source is not found below the project"
        )
    changed = bench.loader.changed()
    if changed:
        outcome = Outcome(Verdict.ERRORED, f"{changed[0]} was changed while it was being judged: run again")
    value = receipt_value(work.contract.name, work.test, work.binding, outcome, bench.plan, depends, bench.root)
    return Finished(work, outcome, value)


def _subject_parts(work: Work, bench: Bench, entered: set[tuple[str, str]], opened: set[str]) -> tuple[Part, ...]:
    found = find_target(bench.root, bench.sources, work.binding.target)
    if not found.path:
        return ()
    # Digests are of what is on disk now, so they are taken by a reader that has not seen the files before.
    code = Code(bench.root, bench.sources)
    target = (found.path, work.binding.target.partition(":")[2])
    modules = {other for path in (found.path, *(path for path, _ in entered)) for other in code.closure(path)}
    opened |= {path for module, path in bench.loader.opened_at_import if module in modules}
    return code.subject(entered, opened, bench.loader.entered_at_import, target)


def _load(work: Work, bench: Bench) -> Trial:
    contract, test = work.contract, work.test
    equation = contract.equation(test.equation)
    invariants = tuple(found for name in test.binds_to if (found := contract.invariant(name)) is not None)
    if equation is None or len(invariants) != len(test.binds_to):
        raise PvError(f"{test.id} binds to something that {contract.name} does not have", exit=Exit.MEND)
    place = find_target(bench.root, bench.sources, work.binding.target)
    if place.problem:
        raise PvError(place.problem, exit=Exit.MEND, hint=place.hint)
    names = tuple(argument.name for argument in equation.arguments)
    subject = Subject(bench.loader.target(work.binding.target), names, bench.tracer)
    return Trial(test.id, equation, invariants, _falsifier(work, bench), _faults(work, bench), subject)


def _falsifier(work: Work, bench: Bench) -> Falsifier:
    entries = bench.today.index.falsifiers_of(work.contract.name, work.test.id)
    if not entries:
        raise PvError(f"no function is marked @falsifier({work.test.id!r})", exit=Exit.MEND)
    if len(entries) > 1:
        places = ", ".join(f"{entry.path}:{entry.line}" for entry in entries)
        raise PvError(f"{work.test.id} has {len(entries)} falsifiers: {places}", exit=Exit.MEND)
    return falsifier_in(bench.loader.module(_module_of(entries[0].path, bench)), entries[0].function)


def _faults(work: Work, bench: Bench) -> tuple[Fault, ...]:
    wanted = set(work.test.binds_to)
    entries = [entry for entry in bench.today.index.faults_of(work.contract.name) if entry.invariant in wanted]
    modules = [(entry, bench.loader.module(_module_of(entry.path, bench))) for entry in entries]
    return tuple(fault_in(module, entry.function) for entry, module in modules)


def _module_of(path: str, bench: Bench) -> str:
    return bench.today.code.module_name(path)


def _tops(works: Sequence[Work], root: Path, sources: Sequence[str], today: Today) -> list[str]:
    """Top-level names of every module that the trials may import from the project: another one may have the same."""
    files = {find_target(root, sources, work.binding.target).path for work in works} - {""}
    for work in works:
        files |= {entry.path for entry in today.index.falsifiers_of(work.contract.name, work.test.id)}
        files |= {entry.path for entry in today.index.faults_of(work.contract.name)}
    names = {today.code.module_name(path) for file in files for path in (file, *today.code.closure(file))}
    return sorted({name.partition(".")[0] for name in names} - sys.stdlib_module_names)
