"""`pv ledger`: promote what evidence supports, and verify the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT, SUBJECT
from pv.finding import Exit, Finding, Place, PvError, Severity, worst

if TYPE_CHECKING:
    from pv.assess.promote import Promotable
    from pv.contract.model import Contract, FalsificationTest
    from pv.ledger.promotion import Promise
    from pv.project import Project


@click.group()
def ledger() -> None:
    """The ledger: levels somebody relies on, with the receipts that support them.

    A level is computed from runs and cannot be typed. What was promoted is a ratchet: support below it fails the gate.
    """


@ledger.command()
@click.argument("what", nargs=-1, required=True, metavar="ID…|CONTRACT")
@SUBJECT
@FORMAT
def promote(what: tuple[str, ...], subject: str, form: str) -> Exit:
    """Promise the level that fresh evidence supports, and copy the receipts it cites into ledger/.

    \b
      pv ledger promote microgpt-v1
      pv ledger promote FALSIFY-MG-003 FALSIFY-MG-004
      pv ledger promote microgpt-v1 --subject numpy

    Exits 3 when something named has nothing to be promoted on, and says what is missing. What does not apply to a subject
    that has to be named is counted and not missed.
    """
    from pv.assess.promises import Key, is_excused, key_of
    from pv.assess.promote import promotable
    from pv.project import open_project

    project = open_project()
    rows = [row for contract, test in named(project, what) for row in project.assess_all(contract, test, subject)]
    if not rows:
        raise PvError(f"{', '.join(what)}: nothing of it has the subject {subject!r}", hint="pv status")
    promised: dict[Key, list[Promise]] = {}
    for promotion in project.promotions:
        for promise in promotion.promises:
            promised.setdefault(key_of(promise), []).append(promise)
    answer = promotable(rows, promised)
    for path in write(project, answer):
        if form == "text":
            click.echo(f"wrote {path}")
    _report(answer, form)
    return worst(row.severity.exit for row in answer.refused if not is_excused(row))


@ledger.command()
@click.option("--against", metavar="REF", help="A git reference: nothing it had may be changed or gone.")
@FORMAT
def verify(against: str | None, form: str) -> Exit:
    """Is every file what its name says, every cited receipt there, every promise supported by what it cites?

    \b
      pv ledger verify
      pv ledger verify --against origin/main
    """
    from pv.ledger.verify import count
    from pv.project import LEDGER, open_project
    from pv.report.plain import finding_value, findings_text, json_text, plural, tally

    project = open_project()
    findings = check_ledger(project, against)
    counts = count(project.root / LEDGER)
    if form == "json":
        click.echo(json_text({"findings": [finding_value(finding) for finding in findings], "checked": counts}))
    else:
        if findings:
            click.echo(findings_text(findings))
        click.echo(", ".join(plural(number, shelf[:-1]) for shelf, number in counts.items()) + f"; {tally(findings)}")
    return worst(finding.severity.exit for finding in findings)


def check_ledger(project: Project, against: str | None) -> list[Finding]:
    """Everything wrong with the ledger's files; an empty one has nothing to verify, which is no pass."""
    from pv.ledger.verify import count, missing_since
    from pv.ledger.verify import verify as verify_files
    from pv.project import LEDGER

    findings = list(verify_files(project.root / LEDGER, LEDGER))
    if against is not None:
        findings += missing_since(project.root, LEDGER, against)
    if not any(count(project.root / LEDGER).values()) and not findings:
        hint = "pv falsify, then pv ledger promote CONTRACT"
        findings.append(
            Finding("PV600", Severity.UNMEASURED, Place(LEDGER), "is empty: nothing was promised yet", hint)
        )
    return findings


def named(project: Project, what: tuple[str, ...]) -> list[tuple[Contract, FalsificationTest]]:
    """The tests meant by ids or by names of contracts."""
    contracts = {contract.name for contract in project.contracts}
    chosen = [word for word in what if word in contracts or word.endswith((".yaml", ".yml"))]
    ids = [word for word in what if word not in chosen]
    found = project.select((), chosen) if chosen else []
    return found + [pair for pair in (project.select(ids, ()) if ids else []) if pair not in found]


def write(project: Project, answer: Promotable) -> list[str]:
    """Copy the receipts that the new promises cite, then write the promises; the paths written."""
    from pv.assess.promote import by_level
    from pv.ledger.promotion import promotion_value
    from pv.ledger.store import add, read
    from pv.project import LEDGER

    home = project.root / LEDGER
    held = {receipt.name: receipt for receipts in project.receipts.values() for receipt in receipts}
    for promise in answer.new:
        for name in promise.receipts:
            stored = read(held[name].path)
            if stored.problem:
                raise PvError(f"{held[name].path} {stored.problem}", exit=Exit.MEND)
            add(home / "receipts" / promise.contract, stored.value)
    written = []
    for (contract, level), promises in by_level(answer.new).items():
        path = add(home / "promotions" / contract, promotion_value(contract, level, promises))
        written.append(project.shown(path))
    return written


def _report(answer: Promotable, form: str) -> None:
    from pv.assess.promises import is_excused, mend
    from pv.report.plain import json_text

    if form == "json":
        rows = [
            {
                "test": promise.test,
                "subject": promise.subject,
                "level": promise.level.name,
                "new": promise in answer.new,
            }
            for promise in sorted((*answer.new, *answer.already))
        ]
        refused = [
            {"test": row.test, "subject": row.subject, "level": row.level.name, "lacking": list(row.lacking)}
            for row in answer.refused
        ]
        click.echo(json_text({"promised": rows, "refused": refused}))
        return
    for promise in answer.new:
        click.echo(f"{promise.test}  {promise.subject}  {promise.level.short}")
    excused = [row for row in answer.refused if is_excused(row)]
    for row in answer.refused:
        if row in excused:
            click.echo(f"{row.test}  {row.subject}  not applicable: {row.not_applicable}")
        else:
            click.echo(f"{row.test}  {row.subject}  not promoted: it lacks {'; '.join(row.lacking)}")
            click.echo(f"    next: {mend(row)}")
    counts = f"{len(answer.new)} promoted, {len(answer.already)} already, {len(answer.refused) - len(excused)} not"
    click.echo(counts + (f", {len(excused)} not applicable" if excused else ""))
