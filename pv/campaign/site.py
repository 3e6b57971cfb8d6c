"""Where the code of a trial is, found by parsing: what a worker has to import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pv.assess.freshness import Today
from pv.contract.strata import named_by
from pv.falsify.work import Site, Work
from pv.finding import Exit, PvError
from pv.source.falsifiers import FalsifierEntry
from pv.source.pins import pins_of
from pv.source.target import find_target


def falsifier_entry(work: Work, today: Today) -> FalsifierEntry:
    """The one falsifier of the test; raises PvError when there is none, or more."""
    entries = today.index.falsifiers_of(work.contract.name, work.test.id)
    if not entries:
        raise PvError(
            f"no function is marked @falsifier({work.test.id!r})", exit=Exit.MEND, hint="pv scaffold begins it"
        )
    if len(entries) > 1:
        places = ", ".join(f"{entry.path}:{entry.line}" for entry in entries)
        raise PvError(
            f"{work.test.id} has {len(entries)} falsifiers: {places}",
            exit=Exit.MEND,
            hint="leave one of them, or give the others a test of their own",
        )
    return entries[0]


def site_of(work: Work, root: Path, sources: Sequence[str], today: Today) -> Site:
    """What a worker imports for `work`; raises PvError when the falsifier or the target is not found."""
    entry = falsifier_entry(work, today)
    bound = [work.binding, *([work.reference] if work.reference else [])]
    named = [name for row in bound for name in (row.target, row.factory) if name]  # a command has neither
    targets = [find_target(root, sources, name) for name in named]
    for target in targets:
        if target.problem:
            raise PvError(
                target.problem, exit=Exit.MEND, hint=target.hint or "mend the target in contracts/binding.yaml"
            )
    _require_apart(work, today)
    wanted = set(work.test.binds_to)
    faults = [fault for fault in today.index.faults_of(work.contract.name) if fault.invariant in wanted]
    equation = work.contract.equation(work.test.equation)
    strata = today.index.strata_of(named_by(equation)) if equation is not None else ()
    files = {
        entry.path,
        *(fault.path for fault in faults),
        *(mark.path for mark in strata),
        *(target.path for target in targets),
        *(part.path for part in today.code.command(work.binding.live) if part.path.endswith(".py")),
    }
    names = {today.code.module_name(path) for file in files for path in (file, *today.code.closure(file))}
    return Site(
        root=root.resolve(),
        sources=tuple(sources),
        tops=tuple(sorted({name.partition(".")[0] for name in names} - sys.stdlib_module_names)),
        falsifier=(today.code.module_name(entry.path), entry.function),
        faults=tuple((today.code.module_name(fault.path), fault.function) for fault in faults),
        pins=pins_of(root, work.contract.name, work.test.id),
        strata=tuple((today.code.module_name(mark.path), mark.function) for mark in strata),
    )


def _require_apart(work: Work, today: Today) -> None:
    """Raise PvError when the reference may import code of the subject: it would be no second opinion."""
    if work.reference is None:
        return
    code = today.code
    shared = code.shared(code.modules_of(work.binding), code.modules_of(work.reference))
    if shared:
        message = (
            f"the reference {work.reference.name} shares {', '.join(shared[:3])} with the subject {work.binding.name}"
        )
        raise PvError(message, exit=Exit.MEND, hint="write it from the formula, importing nothing of what it judges")
