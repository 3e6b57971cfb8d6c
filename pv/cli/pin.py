"""`pv pin`: keep a counterexample beside the falsifiers, where it is part of the evidence and always tried first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.contract.model import Contract, FalsificationTest
    from pv.falsify.kept import Kept
    from pv.project import Project


class Row(NamedTuple):
    """A kept case of a falsification test."""

    contract: Contract
    test: FalsificationTest
    kept: Kept


@click.command()
@click.argument("test", shell_complete=complete.ids, metavar="ID")
@click.option("--case", "name", metavar="NAME", default="", help="The case whose name is, or begins with, NAME.")
@click.option("--list", "listing", is_flag=True, help="The cases that are kept, pinned ones first; changes nothing.")
@click.option("--remove", is_flag=True, help="Take a pinned case away again.")
@FORMAT
def pin(test: str, name: str, listing: bool, remove: bool, form: str) -> Exit:
    """Keep the counterexample of the test ID in falsifiers/pins/, for git.

    A pinned case is tried first in every run, and it is part of the evidence: pinning or removing one makes the evidence
    stale until the test is run again. The case is one that a run here found, or one that a falsified receipt holds.

    \b
      pv pin FALSIFY-MG-009
      pv pin FALSIFY-MG-009 --list
      pv pin FALSIFY-MG-009 --remove --case 3f0c
    """
    from pv.falsify.kept import Origin
    from pv.project import open_project
    from pv.report.plain import json_text

    project = open_project()
    rows = kept_rows(project, (test,))
    if listing:
        chosen = [row for row in rows if row.kept.name.startswith(name)]
        values = [case_value(project, row) for row in chosen]
        click.echo(json_text({"cases": values}) if form == "json" else cases_text(project, chosen, test))
        return Exit.OK
    if remove:
        rows = [row for row in rows if row.kept.origin is Origin.PIN]
        if not rows:
            raise PvError(
                f"no case of {test} is pinned", hint=f"pv falsify --id {test} finds one, pv pin {test} keeps it"
            )
    row = choose(project, rows, name, test)
    if remove:
        unpin(row.kept.path)
        path, changed = row.kept.path, True
    else:
        path, changed = pin_case(project, row)
    if form == "json":
        did = "removed" if remove else "pinned"
        click.echo(json_text({did: project.shown(path), "test": row.test.id, "changed": changed}))
    else:
        say(project, row, path, "removed" if remove else "pinned" if changed else "pinned already:")
    return Exit.OK


def kept_rows(project: Project, ids: Sequence[str]) -> list[Row]:
    """The kept cases of every test that `ids` means."""
    from pv.falsify.kept import kept_cases

    return [
        Row(contract, test, kept)
        for contract, test in project.select(ids, ())
        for kept in kept_cases(project.root, contract, test, project.receipts.get(test.id, ()))
    ]


def named(rows: Sequence[Row], name: str, asked: str) -> list[Row]:
    """Those of `rows` whose name begins with `name`; raises PvError when there are none."""
    from pv.contract.quote import nearest

    if not rows:
        hint = f"pv falsify --id {asked} keeps the case that breaks it, where one does"
        raise PvError(f"no counterexample of {asked} is kept", exit=Exit.RUN, hint=hint)
    found = [row for row in rows if row.kept.name.startswith(name)]
    if not found:
        raise PvError(
            f"no kept case of {asked} is called {name!r}", hint=nearest(name, [row.kept.name for row in rows])
        )
    return found


def choose(project: Project, rows: Sequence[Row], name: str, asked: str) -> Row:
    """The one of `rows` that is meant; raises PvError, after listing them, when several may be."""
    found = named(rows, name, asked)
    if len(found) > 1:
        click.echo(cases_text(project, found, asked))
        raise PvError(f"{asked} has {len(found)} such cases", hint="say which one is meant: --case NAME")
    return found[0]


def pin_case(project: Project, row: Row) -> tuple[Path, bool]:
    """Write the case among the pins; its file, and whether it was not one already. Raises PvError when it cannot be read."""
    from pv.falsify.casefile import write_case
    from pv.falsify.kept import Origin
    from pv.root import PINS

    case = row.kept.read()
    if row.kept.origin is Origin.PIN:
        return row.kept.path, False
    return write_case(project.root / PINS / row.test.id, case), True


def unpin(path: Path) -> None:
    """Remove a pinned case: first the file that makes it one. Raises PvError when that is not possible."""
    try:
        path.unlink()
        path.with_suffix(".safetensors").unlink(missing_ok=True)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        raise PvError(
            f"cannot remove {path}: {error.strerror or error}", hint="see that you may delete there, then run it again"
        ) from error


def say(project: Project, row: Row, path: Path, did: str) -> None:
    """What was done, and what follows from it."""
    click.echo(f"{did} {project.shown(path)}")
    if not did.endswith(":"):
        click.echo("  pins are part of the evidence, which is stale until the test is run again")
        click.echo(f"  next: pv falsify --id {row.test.id}")


def cases_text(project: Project, rows: Sequence[Row], asked: str) -> str:
    """A line a case: its test, its name, where it lies, and what it broke."""
    if not rows:
        return f"no case of {asked} is kept"
    values = [case_value(project, row) for row in rows]
    return "\n".join(
        f"{value['test']}  {value['name']}  {value['origin']:14}  {value['problem'] or _about(value)}"
        for value in values
    )


def case_value(project: Project, row: Row) -> dict[str, Any]:
    """A kept case as JSON; `problem` says why it cannot be read."""
    plain = {
        "test": row.test.id,
        "contract": row.contract.name,
        "name": row.kept.name,
        "origin": row.kept.origin.value,
        "path": project.shown(row.kept.path),
    }
    try:
        case = row.kept.read()
    except PvError as error:
        return {**plain, "problem": error.message}
    about = {key: case[key] for key in ("subject", "stratum", "invariant", "failure")}
    return {**plain, "problem": "", **about}


def _about(value: dict[str, Any]) -> str:
    failure = value["failure"]
    seen = f": observed {failure['observed']}, expected {failure['expected']}" if failure else ""
    return f"{value['stratum']}  {value['invariant'] or ''}{seen}"
