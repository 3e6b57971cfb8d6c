"""`pv ledger waive`: let a broken promise stay broken for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.cli.ledger_retract import IDS, REASON, require_reason, tests_of, the_promotion
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.ledger.promotion import Promotion
    from pv.ledger.waiver import Excuse
    from pv.project import Project


@click.command()
@click.argument("digests", nargs=-1, required=True, metavar="DIGEST…")
@click.option("--until", required=True, metavar="DATE", help="The last day, YYYY-MM-DD in UTC; at most 90 days ahead.")
@REASON
@IDS
@FORMAT
def waive(digests: tuple[str, ...], until: str, reason: str, ids: tuple[str, ...], form: str) -> Exit:
    """Excuse the broken promises of a promotion, exactly as they are, until a date.

    DIGEST names a promotion, as for `retract`. PV402 is then a warning that names reason and date. A waiver raises no level,
    is counted in every status and gate, and lapses when its date is over or when what it excuses changes: other code, another
    cause, another level. No release is made under one.

    \b
      pv ledger waive 3f29ab --until 2027-01-31 --reason "torch 2.14 rounds otherwise; ticket 812"
    """
    from pv.ledger.store import add
    from pv.ledger.waiver import waiver_value
    from pv.project import LEDGER, open_project
    from pv.report.plain import json_text

    last = _until(until)
    require_reason(reason)
    project = open_project()
    found = [(row, _broken(project, row, ids)) for row in dict.fromkeys(the_promotion(project, one) for one in digests)]
    paths = []
    for promotion, excuses in found:
        value = waiver_value(promotion.contract, promotion.name, excuses, last, reason)
        paths.append(project.shown(add(project.root / LEDGER / "waivers" / promotion.contract, value)))
    rows = [(row, promotion) for promotion, excuses in found for row in excuses]
    if form == "json":
        waived = [{"test": row.test, "subject": row.subject, "level": row.level.name} for row, _ in rows]
        click.echo(json_text({"waived": waived, "until": last.isoformat(), "files": paths}))
        return Exit.OK
    for path in paths:
        click.echo(f"wrote {path}")
    for row, _ in rows:
        click.echo(f"{row.test}  {row.subject}  {row.level.short}{_because(row)}, waived until {last}")
    return Exit.OK


def _until(text: str) -> date:
    from pv.assess.waivers import last_day

    today = datetime.now(UTC).date()
    try:
        last = date.fromisoformat(text)
    except ValueError:
        raise PvError(f"{text!r} is no date", hint=f"as in {last_day(today)}, which is the latest") from None
    if not today <= last <= last_day(today):
        raise PvError(f"{text} is not within the next 90 days", hint=f"from {today} to {last_day(today)}")
    return last


def _broken(project: Project, promotion: Promotion, ids: Sequence[str]) -> list[Excuse]:
    """What is broken of the promises that `promotion` makes and that still bind; raises PvError when nothing is."""
    tests = tests_of(promotion, ids)
    excuses = [excuse for excuse in _excuses(project, promotion) if excuse.test in tests]
    if not excuses:
        message = f"nothing to waive: what {promotion.name[:12]}… promises is supported, or was retracted"
        raise PvError(message, hint="pv gate names the promises that are broken")
    return excuses


def _excuses(project: Project, promotion: Promotion) -> Iterator[Excuse]:
    from pv.assess.ratchet import key_of
    from pv.assess.waivers import excuse_of

    rows = project.assessments([row for row in project.contracts if row.name == promotion.contract])
    binding = next((row for row in project.promotions if row.name == promotion.name), None)
    for promise in binding.promises if binding is not None else ():
        now = rows.get(key_of(promise))
        if now is not None and now.level < promise.level:
            yield excuse_of(now, project.excusing.state(promise))


def _because(row: Excuse) -> str:
    return f" ({'; '.join(row.causes)})" if row.causes else ""
