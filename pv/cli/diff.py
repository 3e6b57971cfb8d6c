"""`pv diff`: what changed in a contract, and whether its version says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit, PvError, worst

if TYPE_CHECKING:
    from pv.contract.read import ContractFile
    from pv.project import Project
    from pv.semver.diff import Diff

AGAINST = click.option("--against", metavar="REF", help="A git reference: compare with the contracts it had.")


@click.command()
@click.argument("what", nargs=-1, metavar="[OLD NEW | CONTRACT…]")
@AGAINST
@FORMAT
def diff(what: tuple[str, ...], against: str | None, form: str) -> Exit:
    """What changed between two states of a contract, and did its version move as far as that requires?

    Two files, or with --against the project's contracts (all, or those named) and what they were at a git reference;
    without either, the last release. Asking more of callers or promising them less is major, promising more is minor,
    prose is patch. Exits 1 when `metadata.version` moved less, 3 when there is nothing to compare with.

    \b
      pv diff old/softmax-v1.yaml contracts/softmax-v1.yaml
      pv diff --against origin/main
      pv diff softmax-v1 --against v0.3.0 --format json
    """
    from pv.report.diff import diffs_text, diffs_value
    from pv.report.plain import json_text

    files = against is None and len(what) == 2
    found = [diff_of_files(Path(what[0]), Path(what[1]))] if files else diffs_against(what, against)
    click.echo(json_text(diffs_value(found)) if form == "json" else diffs_text(found))
    return worst(one.moved.exit for one in found)


def diff_of_files(old: Path, new: Path) -> Diff:
    """What changed between two files. Raises PvError when the old one is there and no contract."""
    from pv.contract.read import read_contract
    from pv.semver.diff import diff as compare

    before, after = (read_contract(path, path.as_posix()) for path in (old, new))
    if before.contract is None:
        raise PvError(f"{old} is no valid contract: nothing to compare with", hint=f"pv validate {old}")
    return compare(before, after)


def diffs_against(names: Sequence[str], reference: str | None) -> list[Diff]:
    """What became of the project's contracts (`names`: of these) since `reference`, or since the last release."""
    from pv.project import CONTRACTS, open_project
    from pv.semver.history import contracts_at
    from pv.semver.pairs import diffs

    project = open_project()
    if reference is None:
        return _since_release(project, names)
    new = {file.document.path: file for file in project.contract_files}
    new |= dict(_elsewhere(project, names, new))
    outside = [path for path in new if not path.startswith(f"{CONTRACTS}/")]
    old = contracts_at(project.root, [CONTRACTS, *outside], reference)
    found = _selected(project, list(diffs(old, new, reference)), names)
    if not found:
        hint = f"a contract lies in {CONTRACTS}/ and says `schema: pv/contract-v1`"
        raise PvError(f"there is no contract here and none at {reference!r}", exit=Exit.RUN, hint=hint)
    return found


def _since_release(project: Project, names: Sequence[str]) -> list[Diff]:
    """What became of the contracts since their last releases; comparing with nothing is no pass."""
    from pv.assess.promises import strongest
    from pv.project import LEDGER
    from pv.semver.released import diffs_since_release

    promises = strongest(project.promotions).values()
    found = diffs_since_release(project.releases, project.contract_files, promises, LEDGER)
    chosen = _selected(project, list(found), names)
    compared = [one for one in chosen if one.old_version or one.moved.exit is not Exit.OK]
    if not compared or (names and len(compared) < len(chosen)):
        missing = [one.name for one in chosen if one not in compared]
        of = f" of {', '.join(missing)}" if names else ""
        hint = "pv ledger release CONTRACT makes one; or compare with a git reference: --against REF; or two files"
        message = f"there is no release{of} in {LEDGER}/releases to compare with"
        raise PvError(message, exit=Exit.RUN, hint=hint)
    return chosen


def _elsewhere(
    project: Project, names: Sequence[str], known: dict[str, ContractFile]
) -> Iterator[tuple[str, ContractFile]]:
    """Contracts named by a path that is not in the contracts folder."""
    from pv.contract.read import read_contract

    for name in names:
        path = Path(name)
        if path.is_file() and project.shown(path) not in known:
            if not path.resolve().is_relative_to(project.root):
                raise PvError(f"{name} lies outside {project.root}", hint="compare two files: pv diff OLD NEW")
            yield project.shown(path), read_contract(path, project.shown(path))


def _selected(project: Project, found: list[Diff], names: Sequence[str]) -> list[Diff]:
    """Those that `names` name; raises PvError for a name of none."""
    from pv.contract.quote import nearest

    if not names:
        return found
    chosen: dict[int, Diff] = {}
    for name in names:
        here = {name, project.shown(Path(name))}
        hits = {index: one for index, one in enumerate(found) if here & {one.name, one.place.path}}
        if not hits:
            raise PvError(f"there is no contract {name!r}", hint=nearest(name, [one.name for one in found]))
        chosen |= hits
    return list(chosen.values())
