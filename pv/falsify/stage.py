"""From a task to a trial that can be run: the falsifier, its faults, the pinned cases and the subject, imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pv.falsify.adapters import adapted
from pv.falsify.casefile import read_case
from pv.falsify.cases import Case
from pv.falsify.declare import falsifier_in, fault_in, stratum_in
from pv.falsify.encode import decode, fingerprint
from pv.falsify.judge import Trial
from pv.falsify.load import Loader
from pv.falsify.strata import with_own
from pv.falsify.subject import Subject
from pv.falsify.trace import Tracer
from pv.falsify.work import Task
from pv.finding import Exit, PvError


def trial_of(task: Task, loader: Loader, tracer: Tracer) -> Trial:
    """The trial of `task`; raises PvError for whatever of it cannot be found or imported."""
    contract, test, site = task.work.contract, task.work.test, task.site
    equation = contract.equation(test.equation)
    invariants = tuple(found for name in test.binds_to if (found := contract.invariant(name)) is not None)
    if equation is None or len(invariants) != len(test.binds_to):
        raise PvError(f"{test.id} binds to something that {contract.name} does not have", exit=Exit.MEND)
    function = adapted(task.work.binding, equation, loader)
    names = tuple(argument.name for argument in equation.arguments)
    return Trial(
        test=test.id,
        equation=equation,
        invariants=invariants,
        falsifier=falsifier_in(loader.module(site.falsifier[0]), site.falsifier[1]),
        faults=tuple(fault_in(loader.module(module), name) for module, name in site.faults),
        subject=Subject(function, names, tracer),
        pins=tuple(pinned(path) for path in site.pins),
        strata=with_own(stratum_in(loader.module(module), name) for module, name in site.strata),
    )


def pinned(path: Path) -> Case:
    """The case kept at `path`; raises PvError when it is not what its digest says."""
    value = read_case(path)
    case = case_of(value["arguments"])
    if fingerprint(case.values).hex() != value["digest"]:
        raise PvError(f"{path.name} was changed: its arguments are not those of its digest", exit=Exit.MEND)
    return case


def case_of(arguments: dict[str, Any]) -> Case:
    """A case from encoded arguments."""
    return Case({name: decode(value) for name, value in arguments.items()})
