"""`pv ledger export`: what evidence supports, in a form that others read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pv.cli import complete
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.assess.levels import Assessment
    from pv.contract.model import Contract
    from pv.project import Project


@click.command()
@click.argument("contracts", nargs=-1, shell_complete=complete.contracts, metavar="[CONTRACT…]")
@click.option(
    "--in-toto",
    "target",
    required=True,
    metavar="FILE",
    help="Write an in-toto Statement with the Test Result predicate; - is standard output.",
)
def export(contracts: tuple[str, ...], target: str) -> Exit:
    """Today's levels as an in-toto Statement v1 with the Test Result predicate v0.1, to be signed by whoever answers for it.

    The subjects are the contracts and the code bound to them, the configuration is what they were judged by: bindings,
    falsifiers, policy and scope. What is stale or was not measured counts as failed, what is waived as warned. The statement
    says what is so; whether that is enough, `pv gate` says.

    \b
      pv ledger export --in-toto evidence.intoto.json
      pv ledger export microgpt-v1 --in-toto - | cosign attest-blob …
    """
    from pv.assess.promises import broken
    from pv.project import open_project
    from pv.report.intoto import sorted_out, statement
    from pv.report.plain import json_text

    project = open_project()
    chosen = [project.contract(name) for name in contracts] or list(project.contracts)
    rows = list(project.assessments(chosen).values())
    if not rows:
        raise PvError("there is no falsification test to tell of", exit=Exit.RUN, hint="pv status")
    names = {contract.name for contract in chosen}
    above = broken(project.promotions, project.assessments(), project.excusing)
    tests = sorted_out(rows, [one for one in above if one.promise.contract in names])
    subject = dict(_digests(project, _subject(project, chosen, rows)))
    text = json_text(statement(subject, _configuration(project, chosen, rows), tests)) + "\n"
    if target == "-":
        click.echo(text, nl=False)
        return Exit.OK
    _write(Path(target), text)
    click.echo(
        f"wrote {target}: {tests.result}, {len(tests.passed)} passed, {len(tests.warned)} warned, {len(tests.failed)} failed"
    )
    return Exit.OK


def _write(path: Path, text: str) -> None:
    from pv.write import write_whole

    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise PvError(
            f"cannot write {path}: {error.strerror or error}",
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error


def _subject(project: Project, contracts: Iterable[Contract], rows: Iterable[Assessment]) -> Iterator[str]:
    """The contracts, the files that bound code stands in, and the project's files that the evidence says it ran."""
    names = {contract.name for contract in contracts}
    yield from (file.document.path for file in project.contract_files if Path(file.document.path).stem in names)
    for binding in project.bindings:
        if binding.contract in names and binding.role == "subject":
            yield project.find_code(binding).path
    for row in rows:
        if row.receipt is not None:
            yield from (part.path for part in row.receipt.parts("subject"))


def _configuration(project: Project, contracts: Iterable[Contract], rows: Iterable[Assessment]) -> list[dict[str, Any]]:
    """Resource descriptors of what decides: contracts, bindings, falsifiers with their cases, references, policy and scope."""
    from pv.digest import digest
    from pv.project import BINDING
    from pv.report.intoto import descriptor

    paths = {BINDING, *(contract.path for contract in contracts)}
    for row in rows:
        for cause in ("falsifier", "reference", "live"):
            paths |= {part.path for part in (row.receipt.parts(cause) if row.receipt is not None else ())}
        paths |= {entry.path for entry in project.index.falsifiers_of(row.contract, row.test)}
    policy = {"cases": project.policy.cases, "stratum": project.policy.stratum}
    scope = {key: list(values) for key, values in project.scope.accepted}
    files = [descriptor(path, found) for path, found in _digests(project, paths)]
    return [*files, descriptor("policy", digest([policy, scope]), policy=policy, scope=scope)]


def _digests(project: Project, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The SHA-256 of each file of the project that is there, by its path."""
    from pv.digest import sha256

    for path in sorted({path for path in paths if path}):
        if (project.root / path).is_file():
            yield path, sha256((project.root / path).read_bytes())
