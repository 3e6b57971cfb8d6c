"""`pv scaffold`: the code that a contract still needs, begun."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli import complete
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.contract.model import Contract
    from pv.project import Project
    from pv.scaffold import Lacking


@click.command()
@click.argument("contract", shell_complete=complete.contracts, metavar="CONTRACT")
@click.option("--force", is_flag=True, help="Go on although a file of falsifiers/ cannot be read.")
def scaffold(contract: str, force: bool) -> Exit:
    """Begin what CONTRACT still lacks: falsifiers of its tests, faults of its invariants, bindings of its equations.

    Functions go into a new file, falsifiers/NAME.py, or NAME_more.py where that exists: no Python file is ever changed.
    Each raises an error, so nothing holds before you have written it. Bindings are added to
    contracts/binding.yaml, where everything else stays as it is. Run twice, the second run writes nothing.

    \b
      pv scaffold softmax-v1
      pv falsify softmax-v1      now says what is not written yet
    """
    from pv.project import open_project
    from pv.scaffold import lacking

    project = open_project()
    found = project.contract(contract)
    if found not in project.contracts:
        raise PvError(f"{contract} is not in the contracts folder of this project", hint=f"move it to {project.root}")
    hidden = project.index.findings
    if hidden and not force:
        said = f"{hidden[0].place}: {hidden[0].message}"
        hint = "mend it first; with --force, what it holds may be begun a second time"
        raise PvError(f"what is missing cannot be told: {said}", exit=Exit.MEND, hint=hint)
    if project.binding_file is not None and project.binding_file.findings:
        raise PvError("the bindings cannot be read", exit=Exit.MEND, hint="pv validate contracts")
    missing = lacking(found, project.index, project.bindings)
    try:
        told = [*_write_functions(project, found, missing), *_write_bindings(project, found, missing)]
    except OSError as error:
        raise PvError(
            f"cannot write {error.filename}: {error.strerror}",
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error
    _report(found, missing, told)
    return Exit.OK


def _write_functions(project: Project, contract: Contract, missing: Lacking) -> list[str]:
    from pv.project import FALSIFIERS
    from pv.report.plain import plural
    from pv.report.templates import falsifiers_module
    from pv.scaffold import module_stem
    from pv.write import write_whole

    if not missing.falsifiers and not missing.faults:
        return []
    folder = project.root / FALSIFIERS
    folder.mkdir(exist_ok=True)
    stem = module_stem(contract, project.index, FALSIFIERS, [path.stem for path in folder.iterdir()])
    write_whole(folder / f"{stem}.py", falsifiers_module(contract.name, missing).encode())
    counts = f"{plural(len(missing.falsifiers), 'falsifier')}, {plural(len(missing.faults), 'fault')}"
    return [f"wrote {FALSIFIERS}/{stem}.py: {counts}, each failing until it is written"]


def _write_bindings(project: Project, contract: Contract, missing: Lacking) -> list[str]:
    from pv.contract.append import with_rows
    from pv.project import BINDING
    from pv.report.plain import plural
    from pv.scaffold import binding_row
    from pv.write import write_whole

    rows = [binding_row(contract, equation) for equation in missing.equations]
    if not rows:
        return []
    path = project.root / BINDING
    text = _text(path) if path.exists() else "schema: pv/binding-v1\nbindings: []\n"
    added = with_rows(text, rows)
    if added is None:
        return [f"add to {BINDING}, below bindings:", *(f"  - {row}" for row in rows)]
    write_whole(path.resolve(), added.encode())
    return [f"added {plural(len(rows), 'binding')} to {BINDING}: write the code's own name after each target:"]


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as stream:  # line ends as they are
        return stream.read()


def _report(contract: Contract, missing: Lacking, told: list[str]) -> None:
    for line in (*told, *missing.notes):
        click.echo(line)
    if not told:
        click.echo(
            f"nothing to write for {contract.name}: its tests have falsifiers, its invariants faults, its equations subjects"
        )
        return
    click.echo(f"next: write what says so, then pv validate and pv falsify {contract.name}")
