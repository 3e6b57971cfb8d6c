"""`pv ledger release`: a contract at one version, with the levels it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.cli.ledger_verify import check_ledger
from pv.finding import Exit, Finding, Place, PvError, Severity, worst

if TYPE_CHECKING:
    from pathlib import Path

    from pv.contract.read import ContractFile
    from pv.ledger.promotion import Promise
    from pv.ledger.release import Release
    from pv.project import Project
    from pv.semver.diff import Diff


@click.command()
@click.argument("contract", shell_complete=complete.contracts, metavar="CONTRACT")
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
@FORMAT
def release(contract: str, form: str, *, dry_run: bool) -> Exit:
    """Record a contract at its version: what it says, the level of every promised test, and the receipts that carry it.

    \b
      pv ledger promote softmax-v1      what it shall promise
      pv bump softmax-v1                the version that this requires: at least a minor one when a level rose
      pv ledger release softmax-v1

    Writes ledger/releases/CONTRACT/VERSION.json, which is never written again. Refuses when the version is lower than `pv
    diff` requires, when the contract is not valid, the ledger was tampered with or a promise is broken or waived (1), when
    something cited is stale or nothing is promised (3). A version that is released already and says the same is no error.
    """
    from pv.ledger.lineage import last_release
    from pv.project import LEDGER, open_project
    from pv.semver.released import release_before

    project = open_project()
    file = _file(project, contract)
    name = project.contract(contract).name
    _require_promises_kept(project, name)
    promises = _fresh_promises(project, name)
    last = last_release(project.releases, name)
    value = _value(project, file, promises, last)
    before = release_before(project.releases, name, [row.name for row in project.contracts])
    if before is not None and not _has_moved(project, file, promises, before):
        return _say_same(before, promises, form)
    folder = project.root / LEDGER / "releases" / name
    path = folder / f"{value['version']}.json"
    if path.exists():  # not the last one, or the version would have been too low
        raise PvError(f"{project.shown(path)} exists: a release is never written again", exit=Exit.MEND, hint="pv bump")
    _require_valid(project, file)
    _require_line(project, path, value)
    if not dry_run:
        from pv.ledger.release import publish

        publish(folder, value)
    return _say(value, project.shown(path), form, dry_run=dry_run)


def _file(project: Project, name: str) -> ContractFile:
    contract = project.contract(name)
    found = [row for row in project.contract_files if row.contract == contract]
    if not found:
        raise PvError(f"{name} is no contract of this project", hint="a release is of one in contracts/")
    return found[0]


def _require_valid(project: Project, file: ContractFile) -> None:
    """Raise PvError when `pv validate` finds an error in the contract: it would stay in the record for good."""
    from pv.cli.gate import judge
    from pv.report.plain import findings_text

    path = file.document.path
    wrong = [row for row in judge(project, project.root / path) if row.severity is Severity.ERROR]
    if wrong:
        click.echo(findings_text(wrong), err=True)
        raise PvError(f"{path} is not released: it is not valid", exit=Exit.MEND, hint=f"pv validate {path}")


def _require_promises_kept(project: Project, name: str) -> None:
    """Raise PvError when something promised of the contract called `name` is broken or waived, or the ledger is not whole."""
    from pv.project import LEDGER
    from pv.report.plain import findings_text

    home = f"{LEDGER}/promotions/{name}/"
    broken = [
        row for row in project.promise_findings() if row.code in ("PV402", "PV403") and row.place.path.startswith(home)
    ]
    damaged = [row for row in check_ledger(project, None) if row.severity is Severity.ERROR and row.code != "PV607"]
    if broken or damaged:
        click.echo(findings_text([*damaged, *broken]), err=True)
        why = "the ledger is not whole" if damaged else "what is promised does not hold"
        hint = "mend or run what is named above; a waiver is for the gate, not for a release"
        raise PvError(f"{name} is not released: {why}", exit=worst(map(_weight, [*damaged, *broken])), hint=hint)


def _weight(finding: Finding) -> Exit:
    """What is waived has to be mended."""
    return Exit.MEND if finding.severity is Severity.WARNING else finding.severity.exit


def _fresh_promises(project: Project, name: str) -> list[Promise]:
    """What is promised of the contract, each on receipts that are fresh; raises PvError when that is not so of all."""
    from pv.assess.ratchet import strongest
    from pv.assess.releasing import cited_fresh

    made = {key: promise for key, promise in strongest(project.promotions).items() if promise.contract == name}
    if not made:
        message = f"{name} is not released: nothing of it is promised"
        raise PvError(message, exit=Exit.RUN, hint=f"pv ledger promote {name}")
    fresh, stale = cited_fresh(made, project.promotions, project.cites_fresh)
    if stale:
        tests = " ".join(dict.fromkeys(promise.test for promise in stale))
        message = f"{name} is not released: the receipts cited for {tests} are stale, others are fresh"
        raise PvError(message, exit=Exit.RUN, hint=f"pv ledger promote {tests} cites those of today")
    return fresh


def _value(project: Project, file: ContractFile, promises: list[Promise], last: Release | None) -> dict[str, Any]:
    from pv.assess.releasing import value_of
    from pv.version import read_version

    if file.contract is not None and read_version(file.contract.version) is None:
        place = file.document.place(("metadata", "version"))
        message = f"{place}: the version {file.contract.version!r} is not semver"
        raise PvError(message, exit=Exit.MEND, hint="write it as in `version: 1.4.0`")
    previous = "" if last is None else last.version
    return value_of(file, promises, previous, project.today, project.promotions_made, project.retractions)


def _has_moved(project: Project, file: ContractFile, promises: list[Promise], last: Release) -> bool:
    """Whether there is something to release since `last`; raises PvError when the version did not move far enough for it."""
    from pv.project import LEDGER
    from pv.report.diff import diffs_text
    from pv.semver.diff import Moved
    from pv.semver.released import diff_since
    from pv.version import precedence, read_version

    found: Diff = diff_since(last, file, promises, LEDGER)
    then, now = read_version(found.old_version), read_version(found.new_version)
    if found.moved is Moved.ENOUGH and then is not None and now is not None:
        return precedence(now) > precedence(then)
    click.echo(diffs_text([found]), err=True)
    required = f"at least {found.required}" if found.required else "a semver version"
    message = f"{last.contract} is not released: {found.new_version} after {found.old_version} is too low, {required}"
    raise PvError(message, exit=found.moved.exit, hint=f"pv bump {last.contract}")


def _require_line(project: Project, path: Path, value: dict[str, Any]) -> None:
    """Raise PvError when the releases contradict each other with this one too: it may join two branches, and no more."""
    from pv.digest import canonical
    from pv.ledger.lineage import line_findings
    from pv.ledger.release import Release, parse_release
    from pv.report.plain import findings_text

    new = parse_release(path, canonical(value) + b"\n")
    releases = [*project.releases, *([new] if isinstance(new, Release) else [])]
    made, taken = project.promotions_made, project.retractions
    found = line_findings(releases, made, taken, lambda at: Place(project.shown(at)), lambda *file: "pv ledger verify")
    own = [row for row in found if row.place.path.startswith(f"{project.shown(path.parent)}/")]
    if own:
        click.echo(findings_text(own), err=True)
        raise PvError(
            f"{path.parent.name} is not released: its releases contradict each other",
            exit=Exit.MEND,
            hint="see above; then pv ledger verify",
        )


def _say_same(last: Release, promises: list[Promise], form: str) -> Exit:
    from pv.assess.releasing import renewed
    from pv.report.plain import json_text

    again = renewed(last, promises)
    if form == "json":
        click.echo(json_text({"contract": last.contract, "version": last.version, "new": False, "renewed": again}))
        return Exit.OK
    more = f"; {again} rest on newer receipts, which the next release will cite" if again else ""
    click.echo(f"{last.what} is released already, and says the same{more}")
    return Exit.OK


def _say(value: dict[str, Any], path: str, form: str, *, dry_run: bool) -> Exit:
    from collections import Counter

    from pv.level import Level
    from pv.report.plain import json_text

    if form == "json":
        told = {key: value[key] for key in ("contract", "version", "previous", "tests")}
        click.echo(json_text({**told, "new": True, "file": path, "dry_run": dry_run}))
        return Exit.OK
    counts = Counter(Level[row["level"]] for row in value["tests"])
    vector = " · ".join(f"{level.short} {counts[level]}" for level in sorted(counts, reverse=True))
    after = f", after {value['previous']}" if value["previous"] else ", the first"
    click.echo(f"{'would write' if dry_run else 'wrote'} {path}")
    click.echo(f"{value['contract']} {value['version']}{after}: {vector}")
    return Exit.OK
