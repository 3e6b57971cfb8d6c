"""`pv ledger retract`: take a promise back, for a reason that stays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.ledger.promotion import Promotion
    from pv.project import Project

REASON = click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown wherever this counts.")
IDS = click.option(
    "--id", "ids", multiple=True, metavar="ID", help="Only this test of the promotion (may be repeated)."
)


@click.command()
@click.argument("digest", metavar="DIGEST")
@REASON
@IDS
@FORMAT
def retract(digest: str, reason: str, ids: tuple[str, ...], form: str) -> Exit:
    """Take back a promotion, or some of its tests: it binds nobody any more.

    DIGEST is the name of a file in ledger/promotions, or its first 6 digits or more. The promotion stays where it is; the
    retraction is a file beside it, named in every status and gate until the same is promised again. An earlier, weaker promise
    binds again. The next release then requires a major version.

    \b
      pv ledger retract 3f29ab --reason "the port is no longer shipped"
      pv ledger retract 3f29ab --id FALSIFY-MG-004 --reason "superseded by FALSIFY-MG-044"
    """
    from pv.ledger.retraction import retraction_value
    from pv.ledger.store import add
    from pv.project import LEDGER, open_project
    from pv.report.plain import json_text, plural

    project = open_project()
    promotion = the_promotion(project, digest)
    require_reason(reason)
    tests = tests_of(promotion, ids)
    taken = [one for one in project.retractions if any(one.covers(promotion, test) for test in tests)]
    left = [test for test in tests if not any(one.covers(promotion, test) for one in taken)]
    path = ""
    if left:
        value = retraction_value(promotion.contract, promotion.name, left if ids or taken else (), reason)
        path = project.shown(add(project.root / LEDGER / "retractions" / promotion.contract, value))
    if form == "json":
        click.echo(json_text({"retracted": left, "already": [one.reason for one in taken], "file": path or None}))
        return Exit.OK
    for one in taken:
        click.echo(f"already retracted: {one.reason} ({one.name[:12]}…)")
    if path:
        click.echo(f"wrote {path}")
        click.echo(f"{plural(len(left), 'test')} of {promotion.name[:12]}… retracted: {', '.join(left)}")
    return Exit.OK


def the_promotion(project: Project, digest: str) -> Promotion:
    """The promotion whose name begins with `digest`; raises PvError when it is not exactly one."""
    if not re.fullmatch("[0-9a-f]{6,64}", digest):
        raise PvError(
            f"{digest!r} is no digest", hint="the first 6 or more digits of a file's name in ledger/promotions"
        )
    found = [row for row in project.promotions_made if row.name.startswith(digest)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise PvError(f"no promotion begins with {digest!r}", hint="pv ledger log names them")
    names = ", ".join(row.name[:16] for row in found)
    raise PvError(f"{len(found)} promotions begin with {digest!r}: {names}", hint="give more digits")


def tests_of(promotion: Promotion, ids: Sequence[str]) -> list[str]:
    """The tests of `promotion` that `ids` name (none: all); raises PvError for one that it does not promise."""
    from pv.contract.quote import nearest

    promised = list(dict.fromkeys(promise.test for promise in promotion.promises))
    for id_ in ids:
        if id_ not in promised:
            raise PvError(f"{promotion.name[:12]}… promises no {id_!r}", hint=nearest(id_, promised))
    return [test for test in promised if test in ids or not ids]


def require_reason(reason: str) -> None:
    """Raise PvError for a reason that says nothing."""
    if not reason.strip():
        raise PvError("a reason is needed", hint="--reason says it to everybody who relied on the promise")
