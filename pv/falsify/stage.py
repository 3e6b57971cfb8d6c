"""From a task to a trial that can be run: the falsifier, its faults, the pinned cases and the subject, imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pv.contract.model import Invariant
from pv.falsify.adapters import adapted
from pv.falsify.casefile import read_case
from pv.falsify.cases import Case
from pv.falsify.declare import falsifier_in, fault_in, stratum_in
from pv.falsify.encode import decode, fingerprint
from pv.falsify.judge import Trial
from pv.falsify.load import Loader
from pv.falsify.oracle import Oracle
from pv.falsify.strata import with_own
from pv.falsify.subject import Subject
from pv.falsify.trace import Tracer
from pv.falsify.work import Action, Task, Work
from pv.finding import Exit, PvError
from pv.verdict import Kind


def trial_of(task: Task, loader: Loader, tracer: Tracer, aside: Tracer) -> Trial:
    """The trial of `task`, a reference of which `aside` sees; raises PvError for what cannot be found or imported."""
    contract, test, site = task.work.contract, task.work.test, task.site
    equation = contract.equation(test.equation)
    invariants = tuple(found for name in test.binds_to if (found := contract.invariant(name)) is not None)
    if equation is None or len(invariants) != len(test.binds_to):
        raise PvError(
            f"{test.id} binds to something that {contract.name} does not have", exit=Exit.MEND, hint="pv validate"
        )
    function = adapted(task.work.binding, equation, loader)
    names = tuple(argument.name for argument in equation.arguments)
    falsifier = falsifier_in(loader.module(site.falsifier[0]), site.falsifier[1])
    live = task.work.kind is Kind.LIVE
    if live and falsifier.cases:
        seen = f"the falsifier of {test.id} brings cases of its own: what a command calls is none of them"
        raise PvError(seen, exit=Exit.MEND, hint=f"write `live: {{not_applicable: …}}` in {test.id}")
    given = tuple(case_of(arguments) for arguments, _ in task.cases) if task.action is Action.ATTACK else ()
    return Trial(
        test=test.id,
        equation=equation,
        invariants=invariants,
        falsifier=falsifier,
        faults=tuple(fault_in(loader.module(module), name) for module, name in site.faults),
        subject=Subject(function, names, tracer),
        pins=() if live else tuple(pinned(path, () if falsifier.cases else names) for path in site.pins),
        strata=with_own(stratum_in(loader.module(module), name) for module, name in site.strata),
        oracle=_oracle(task.work, names, invariants[0], loader, aside),
        captured=given if live else None,
    )


def _oracle(work: Work, names: tuple[str, ...], clause: Invariant, loader: Loader, aside: Tracer) -> Oracle | None:
    """What an oracle trial compares with; raises PvError when the contract has no invariant by the name of a bound."""
    binding, equation = work.reference, work.contract.equation(work.test.equation)
    if binding is None or equation is None:
        return None
    bounds = {name: work.contract.invariant(f"{equation.name}/{name}") for name in sorted(binding.within)}
    for name, bound in bounds.items():
        if bound is None:
            raise PvError(
                f"{binding.name} is bound `within` {name!r}, no invariant of {equation.name}",
                exit=Exit.MEND,
                hint="mend `within` in contracts/binding.yaml",
            )
    reference = Subject(adapted(binding, equation, loader), names, aside)
    own = sorted(filter(None, bounds.values()), key=lambda bound: bound.name not in work.test.binds_to)
    return Oracle(reference, tuple(own), clause, names)


def pinned(path: Path, names: tuple[str, ...]) -> Case:
    """The case kept at `path`; raises PvError when it is not what its digest says, or has other arguments than `names`."""
    value = read_case(path)
    case = case_of(value["arguments"])
    if fingerprint(case.values).hex() != value["digest"]:
        raise PvError(
            f"{path.name} was changed: its arguments are not those of its digest",
            exit=Exit.MEND,
            hint="take it back from git, or remove it: pv pin ID --remove",
        )
    if names and set(case.values) != set(names):
        seen = (
            f"the pinned case {path.name} has the arguments {', '.join(case.values)}, the equation {', '.join(names)}"
        )
        raise PvError(
            seen, exit=Exit.MEND, hint=f"delete {path.parent.name}/{path.name}, or give the arguments their names back"
        )
    return case


def case_of(arguments: dict[str, Any]) -> Case:
    """A case from encoded arguments."""
    return Case({name: decode(value) for name, value in arguments.items()})
