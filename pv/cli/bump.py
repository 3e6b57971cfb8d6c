"""`pv bump`: the version that the changes require, written where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli import complete
from pv.cli.diff import AGAINST, diffs_against
from pv.finding import Exit, PvError, worst

if TYPE_CHECKING:
    from pv.semver.diff import Diff


@click.command()
@click.argument("contracts", nargs=-1, shell_complete=complete.contracts, metavar="[CONTRACT…]")
@AGAINST
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def bump(contracts: tuple[str, ...], against: str | None, *, dry_run: bool) -> Exit:
    """Write into `metadata.version` what `pv diff` requires, and change no other byte.

    A version that moved far enough stays as it is, so a second run writes nothing. Refuses, before anything is written,
    where it cannot be sure: a text with findings, a version that is not semver.

    \b
      pv bump --against origin/main
      pv bump softmax-v1 --against v0.3.0 --dry-run
    """
    from pv.project import open_project
    from pv.semver.rewrite import replace_bytes

    root = open_project().root
    found = diffs_against(contracts, against)
    writes = {one.name: _rewritten(root, one) for one in found}
    for one in found:
        change = writes[one.name]
        if change is not None and not dry_run:
            replace_bytes(root / one.place.path, *change)
        _say(one, changed=change is not None, dry_run=dry_run)
    return worst(one.moved.exit for one in found if writes[one.name] is None)


def _rewritten(root: Path, one: Diff) -> tuple[bytes, bytes] | None:
    """The bytes of a contract before and after, or None when there is nothing to write."""
    from pv.semver.diff import Moved
    from pv.semver.rewrite import with_version

    if one.moved not in (Moved.TOO_LITTLE, Moved.BACKWARDS) or one.required is None:
        return None
    path = root / one.place.path
    try:
        before = path.read_bytes()
    except OSError as error:
        raise PvError(
            f"cannot read {path}: {error.strerror or error}", hint="see that it is there, and that you may read it"
        ) from error
    return before, with_version(before, one.place.path, one.required)


def _say(one: Diff, *, changed: bool, dry_run: bool) -> None:
    from pv.report.diff import verdict_text
    from pv.report.plain import findings_text

    if not changed:
        click.echo(f"{one.place}: {one.name}: {verdict_text(one)}")
        if one.findings:
            click.echo(findings_text(one.findings))
        return
    click.echo(f"{one.place}: {one.name}: {one.new_version} → {one.required}{' (not written)' if dry_run else ''}")
    if renamed := _new_name(one):
        click.echo(f"    next: rename the file to {renamed}, as {one.required} is another major")


def _new_name(one: Diff) -> str:
    """What a contract of another major is to be called (rule PV204); empty when it keeps its name."""
    from pv.semver.diff import base_of

    before, after = (version.partition(".")[0] for version in (one.old_version, one.required or one.old_version))
    return "" if before == after else f"{base_of(one.name)}-v{after}{Path(one.place.path).suffix}"
