"""`pv ledger log`: the story of a test across releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.cli.ledger_promote import named
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.assess.ratchet import Key
    from pv.assess.story import Event
    from pv.project import Project


@click.command()
@click.argument("what", nargs=-1, shell_complete=complete.ids_and_contracts, metavar="[ID…|CONTRACT]")
@FORMAT
def log(what: tuple[str, ...], form: str) -> Exit:
    """What was promised of a test, taken back, and released, and on which subject.

    Files of the ledger have no time: what happened stands under the first release that knows of it, or as unreleased. Dates
    are those on which git first saw the file, where it did.

    \b
      pv ledger log FALSIFY-MG-004
      pv ledger log microgpt-v1 --format json
    """
    from pv.assess.story import stories
    from pv.project import open_project
    from pv.report.plain import json_text

    project = open_project()
    told = stories(_keys(project, what), project.promotions_made, project.retractions, project.releases)
    if not told:
        of = f" of {', '.join(what)}" if what else ""
        raise PvError(f"the ledger tells nothing{of}", exit=Exit.RUN, hint="pv ledger promote CONTRACT")
    dates = _dates(project)
    if form == "json":
        click.echo(json_text({"tests": [_value(project, key, events, dates) for key, events in told.items()]}))
    else:
        click.echo("\n".join(line for key, events in told.items() for line in _lines(project, key, events, dates)))
    return Exit.OK


def _keys(project: Project, what: Sequence[str]) -> list[Key]:
    """The tests meant, on every subject that something is told of; without `what` all, also those that are gone by now."""
    from pv.assess.ratchet import key_of

    made = [promise for promotion in project.promotions_made for promise in promotion.promises]
    made += [promise for release in project.releases for promise in release.promises]
    every = sorted({key_of(promise) for promise in made})
    gone = {word for word in what if any(word in (key[0], key[1]) for key in every)}
    chosen = {
        (contract.name, test.id) for contract, test in named(project, [word for word in what if word not in gone])
    }
    return [key for key in every if not what or key[:2] in chosen or gone & {key[0], key[1]}]


def _dates(project: Project) -> Mapping[str, str]:
    """The day on which each file of the ledger was first committed; nothing where git does not tell."""
    from pv.project import LEDGER
    from pv.source.git import git

    listed = ["log", "--diff-filter=A", "--format=%x00%cs", "--name-only", "--relative", "--", LEDGER]
    try:
        answer = git(project.root, listed)
    except PvError:
        return {}
    found: dict[str, str] = {}
    for commit in (answer or b"").decode(errors="replace").split("\0")[1:]:
        day, *paths = commit.split("\n")
        found |= {path: day for path in paths if path}  # the oldest commit comes last
    return found


def _lines(project: Project, key: Key, events: Sequence[Event], dates: Mapping[str, str]) -> list[str]:
    contract, test, equation, subject = key
    lines, last = [f"{contract}  {test}  {equation}, {subject}"], None
    for event in events:
        if event.release != last:
            lines.append(f"  {event.release or 'unreleased'}")
            last = event.release
        day = dates.get(project.shown(event.path), "")
        name = "" if event.what == "released" else f"  {event.name[:12]}…"
        why = f": {event.why}" if event.why else ""
        lines.append(f"    {event.what:<9}  {event.level.short}{name}{f'  {day}' if day else ''}{why}")
    return lines


def _value(project: Project, key: Key, events: Sequence[Event], dates: Mapping[str, str]) -> dict[str, object]:
    contract, test, equation, subject = key
    rows = [
        {
            "release": event.release or None,
            "what": event.what,
            "level": event.level.name,
            "file": project.shown(event.path),
            "date": dates.get(project.shown(event.path)),
            "reason": event.why or None,
        }
        for event in events
    ]
    return {"contract": contract, "test": test, "equation": equation, "subject": subject, "events": rows}
