"""`pv ledger promote`: promise what evidence supports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pv.cli import complete
from pv.cli.group import FORMAT, SUBJECT
from pv.finding import Exit, PvError, worst
from pv.level import Level, read_level

if TYPE_CHECKING:
    from pv.assess.levels import Assessment
    from pv.assess.promote import Promotable
    from pv.contract.model import Contract, FalsificationTest
    from pv.ledger.promotion import Promise
    from pv.project import Project

_NAME = re.compile(r"-v\d+$")  # of a contract; no id ends so


@click.command()
@click.argument("what", nargs=-1, shell_complete=complete.ids_and_contracts, required=True, metavar="ID…|CONTRACT")
@click.option("--to", "wanted", metavar="LEVEL", default="", help="Promise exactly this level, or say what it lacks.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@SUBJECT
@FORMAT
def promote(what: tuple[str, ...], wanted: str, subject: str, form: str, *, dry_run: bool) -> Exit:
    """Promise the level that fresh evidence supports, and copy the receipts it cites into ledger/.

    \b
      pv ledger promote microgpt-v1
      pv ledger promote FALSIFY-MG-003 FALSIFY-MG-004
      pv ledger promote microgpt-v1 --subject numpy
      pv ledger promote FALSIFY-MG-003 --to DISCHARGED --dry-run      what is missing for that

    Without --to each test is promised at the level it has. Exits 3 when something named cannot be promised so, 1 when that
    is because it is broken, and says what is missing. What does not apply to a subject that has to be named is counted and
    not missed.
    """
    from pv.assess.promises import is_excused
    from pv.assess.promote import promotable
    from pv.assess.ratchet import key_of
    from pv.project import open_project

    level = _level(wanted)
    project = open_project()
    meant = named(project, what)
    project.shelves.narrow((contract.name, test.id) for contract, test in meant)
    rows = [row for contract, test in meant for row in project.assess_all(contract, test, subject)]
    if not rows:
        raise PvError(f"{', '.join(what)}: nothing of it has the subject {subject!r}", hint="pv status")
    promised: dict[tuple[str, str, str, str], list[Promise]] = {}
    for promotion in project.promotions:
        for promise in promotion.promises:
            promised.setdefault(key_of(promise), []).append(promise)
    answer = promotable(rows, promised, level)
    written = write(project, answer, dry_run=dry_run)
    if not dry_run:
        project.shelves.index_receipts()
    if form == "json":
        _print_json(answer, level, written, dry_run=dry_run)
    else:
        _print_text(answer, level, written, dry_run=dry_run)
    return worst(row.severity.exit for row in answer.refused if not is_excused(row))


def named(project: Project, what: Sequence[str]) -> list[tuple[Contract, FalsificationTest]]:
    """The tests meant by ids or by names of contracts."""
    contracts = {contract.name for contract in project.contracts}
    chosen = [word for word in what if word in contracts or word.endswith((".yaml", ".yml")) or _NAME.search(word)]
    ids = [word for word in what if word not in chosen]
    found = project.select((), chosen) if chosen else []
    return found + [pair for pair in (project.select(ids, ()) if ids else []) if pair not in found]


def write(project: Project, answer: Promotable, *, dry_run: bool = False) -> list[str]:
    """Copy the receipts that the new promises cite, then write the promises; the paths of these."""
    from pv.assess.promote import files_of
    from pv.ledger.store import add, read
    from pv.project import LEDGER

    home = project.root / LEDGER
    files = list(files_of(answer.new, project.retractions))
    if dry_run:
        return [project.shown(home / "promotions" / contract / f"{name}.json") for contract, name, _ in files]
    held = {receipt.name: receipt for receipts in project.receipts.values() for receipt in receipts}
    for promise in answer.new:
        for name in promise.receipts:
            stored = read(held[name].path)
            if stored.problem:
                raise PvError(f"{held[name].path} {stored.problem}", exit=Exit.MEND, hint="pv ledger verify")
            add(home / "receipts" / promise.contract, stored.value)
    return [project.shown(add(home / "promotions" / contract, value)) for contract, _, value in files]


def _level(text: str) -> Level | None:
    level = read_level(text)
    if text and level is None:
        raise PvError(f"there is no level {text!r} to promise", hint="PARTIAL, FUNCTIONAL or DISCHARGED")
    return level


def _print_json(answer: Promotable, wanted: Level | None, written: Sequence[str], *, dry_run: bool) -> None:
    from pv.assess.promote import missing
    from pv.report.plain import json_text

    rows = [
        {
            "test": promise.test,
            "subject": promise.subject,
            "level": promise.level.name,
            "receipts": list(promise.receipts),
            "new": promise in answer.new,
        }
        for promise in sorted((*answer.new, *answer.already))
    ]
    refused = [
        {"test": row.test, "subject": row.subject, "level": row.level.name, "lacking": missing(row, wanted)}
        for row in answer.refused
    ]
    click.echo(json_text({"promised": rows, "refused": refused, "files": list(written), "dry_run": dry_run}))


def _print_text(answer: Promotable, wanted: Level | None, written: Sequence[str], *, dry_run: bool) -> None:
    from pv.assess.promises import is_excused

    for path in written:
        click.echo(f"{'would write' if dry_run else 'wrote'} {path}")
    for promise in answer.new:
        click.echo(f"{promise.test}  {promise.subject}  {promise.level.short}")
    excused = [row for row in answer.refused if is_excused(row)]
    for row in answer.refused:
        if row in excused:
            click.echo(f"{row.test}  {row.subject}  not applicable: {row.not_applicable}")
        else:
            _print_refused(row, wanted)
    verb = "to be promoted" if dry_run else "promoted"
    counts = f"{len(answer.new)} {verb}, {len(answer.already)} already, {len(answer.refused) - len(excused)} not"
    click.echo(counts + (f", {len(excused)} not applicable" if excused else ""))


def _print_refused(row: Assessment, wanted: Level | None) -> None:
    from pv.assess.promises import mend
    from pv.assess.promote import missing

    items = missing(row, wanted)
    if wanted is not None:
        click.echo(f"{row.test}  {row.subject}  {row.level.short}, not {wanted.short}; it lacks")
        for item in items:
            click.echo(f"    - {item}")
        return
    click.echo(f"{row.test}  {row.subject}  not promoted: it lacks {'; '.join(items)}")
    click.echo(f"    next: {mend(row)}")
