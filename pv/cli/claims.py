"""`pv claims`: documents against the source, and against what makes them fit to be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from pv.finding import Exit, Finding, Place, PvError, Severity, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pv.claims.check import Checked
    from pv.contract.model import Claim, Documents, Source
    from pv.project import Project
    from pv.source.constants import Folded, Unfolded


class Verdict(NamedTuple):
    """What was found, and of how many claims and documents."""

    findings: list[Finding]
    claims: int
    documents: tuple[str, ...]
    changes: tuple[str, ...] = ()


@click.command()
@click.argument("documents", nargs=-1, metavar="[DOC…]")
@click.option("--fix", is_flag=True, help="Write the right value where a claim is wrong; every other byte is kept.")
@click.option("--unbound", is_flag=True, help="Name every number that no claim binds.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    show_default=True,
    help="For people, programs, code scanning, GitHub's annotations, test reports.",
)
def claims(documents: tuple[str, ...], fix: bool, unbound: bool, form: str) -> Exit:
    """Do documents say what the source says, and are they sound?

    A claim of a contract (`claims:`) is about a cell of a table, the hole in a phrase, a line of code or a text of an SVG,
    or a badge; its source is a constant, folded from the syntax tree (nothing is imported), a value of a data file, a count, a
    figure of the ledger, or what a command printed when it was recorded. A wrong claim shows both values and both places.
    Documents that a contract names (`documents:`), and each DOC given, are held against the rules PV700 to PV717 too.

    \b
      pv claims                   all claims, all documents of the contracts
      pv claims README.md         this document, and the claims about it
      pv claims --fix             write what is wrong anew, where that is sure
      pv claims record ID         run the command of a claim, and keep what it prints
    """
    if documents[:1] == ("record",):
        return _record(documents[1:])
    project = _project(documents)
    verdict = examine(project, _relative(project, documents), fix=fix, unbound=unbound)
    if unread := _unread(project):  # what they claim is not known: nobody can say that there is nothing
        verdict.findings[:] = [*(row for row in verdict.findings if row.code != "PV500"), *unread]
    click.echo(_text(verdict, project, form))
    return worst(finding.severity.exit for finding in verdict.findings)


def _project(documents: Sequence[str]) -> Project:
    """The project here; for documents alone, the folder around them will do."""
    from pv.project import Project as Opened
    from pv.project import find_root, open_project

    if not documents or find_root(Path.cwd()) is not None:
        return open_project()
    return Opened(Path.cwd().resolve(), {})


def _relative(project: Project, documents: Sequence[str]) -> tuple[str, ...]:
    """The operands as paths of the project, where there is such a file."""
    found = []
    for name in documents:
        path = Path(name).absolute()
        if not path.is_file():
            raise PvError(f"there is no document {name!r}", hint="name a Markdown, SVG or media file, or a mkdocs.yml")
        home = next((parent for parent in path.parents if parent.resolve() == project.root), None)
        if home is None:
            raise PvError(f"{name!r} is no file of the project {project.root}", hint="run pv where the document lies")
        found.append(path.relative_to(home).as_posix())
    return tuple(found)


def examine(project: Project, only: Sequence[str] = (), *, fix: bool = False, unbound: bool = False) -> Verdict:
    """Claims and documents of the project; with `only`, these documents alone and what is claimed of them."""
    made = [
        claim
        for contract in project.contracts
        for claim in contract.claims
        if not only or _norm(claim.document) in only
    ]
    named, findings = _named(project, only)
    paths = list(only) or list(named)
    if not made and not paths and not findings:
        return Verdict([_nothing()], 0, ())
    from pv.claims.check import compare_claims  # where there is nothing to compare the gate does without
    from pv.documents.check import check_documents

    def value(source: Source) -> Folded | Unfolded:
        return source_value(project, source)

    changes: tuple[str, ...] = ()
    if fix:
        from pv.claims.fix import fix_claims

        fixed = fix_claims(project.root, made, value)
        changes = tuple(
            f"{row.claim.document}: {row.claim.id}: {row.old!r} is now {row.new!r}" for row in fixed.changes
        )
        findings += fixed.refused
    checked = compare_claims(project.root, made, value)
    sections = {path: tuple(text for row in rows for text in row.sections) for path, rows in named.items()}
    findings += [*checked.findings, *check_documents(project.root, paths, sections, project.memory)]
    findings += _unbound(project, checked, named, paths, made, every=unbound)
    return Verdict(findings, len(made), tuple(paths), changes)


def _norm(path: str) -> str:
    import posixpath

    return posixpath.normpath(path)


def _named(project: Project, only: Sequence[str]) -> tuple[dict[str, list[Documents]], list[Finding]]:
    """The files that the contracts name as documents, with what they ask of each; a pattern of none is a finding.

    With `only`, patterns that can name none of these are not looked up.
    """
    from pv.claims.sources import matching

    found: dict[str, list[Documents]] = {}
    findings = []
    for row in (row for contract in project.contracts for row in contract.documents):
        if only and not any(path.startswith(_beginning(row.files)) for path in only):
            continue
        paths = matching(project.root, row.files)
        if isinstance(paths, list) and paths:
            for path in paths:
                found.setdefault(path, []).append(row)
            continue
        why = f"no file is named by {row.files!r}" if isinstance(paths, list) else paths.message
        findings.append(Finding("PV700", Severity.ERROR, row.place, why, "name the documents that there are"))
    return found, findings


def _beginning(pattern: str) -> str:
    """What every path that `pattern` names begins with."""
    literal = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return "" if _norm(literal) == "." else _norm(literal)


def _unbound(
    project: Project,
    checked: Checked,
    named: dict[str, list[Documents]],
    paths: Sequence[str],
    made: Sequence[Claim],
    *,
    every: bool,
) -> list[Finding]:
    if not every and not any(row.bound for path in paths for row in named.get(path, ())):
        return []
    from pv.claims.numbers import unbound
    from pv.documents.site import MARKDOWN

    found: list[Finding] = []
    claimed = [_norm(claim.document) for claim in made]
    for path in dict.fromkeys([*paths, *claimed] if every else paths):
        rows = named.get(path, [])
        if not path.endswith(MARKDOWN) or not (every or any(row.bound for row in rows)):
            continue
        try:
            text = (project.root / path).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # PV502 or PV700 says so
        spots = [spot for _, spot, _ in checked.spots.get(path, ())]
        found += unbound(text, spots, [pair for row in rows for pair in row.ignore], path)
    return found


def _unread(project: Project) -> list[Finding]:
    """Contracts that cannot be read: what they claim is not known."""
    hint = "what it claims was not looked at; pv validate says more"
    return [
        Finding("PV504", Severity.ERROR, file.findings[0].place, f"no valid contract: {file.findings[0].message}", hint)
        for file in project.contract_files
        if file.contract is None and file.findings
    ]


def _nothing() -> Finding:
    from pv.project import CONTRACTS

    hint = "a contract binds documents to the source under `claims:`, and names documents under `documents:`"
    message = "no contract makes a claim or names a document: nothing was checked"
    return Finding("PV500", Severity.UNMEASURED, Place(CONTRACTS), message, hint)


def source_value(project: Project, source: Source) -> Folded | Unfolded:
    """What a source gives."""
    from pv.contract.model import Promised, PromisedTest, Recorded, Released
    from pv.project import LEDGER

    if isinstance(source, Recorded):
        from pv.claims.record import recorded_value

        return recorded_value(source, project.records, project.today.code, f"{LEDGER}/records")
    if isinstance(source, Promised | PromisedTest | Released):
        from pv.assess import figures

        match source:
            case Promised():
                return figures.promised(source, project.promotions, f"{LEDGER}/promotions")
            case PromisedTest():
                cited = project.shelves.cited_by
                return figures.promised_test(source, project.promotions, cited, f"{LEDGER}/promotions")
            case Released():
                return figures.released(source, project.shelves.newest_release(source.contract), f"{LEDGER}/releases")
    from pv.claims.sources import plain_value

    return plain_value(project.root, source, project.sources, project.contracts)


def _record(ids: Sequence[str]) -> Exit:
    """`pv claims record ID…`: run the commands of these claims, and keep what they print in the ledger."""
    from pv.claims.record import run_and_value
    from pv.contract.model import Recorded
    from pv.contract.quote import nearest
    from pv.ledger.store import add
    from pv.project import LEDGER, open_project

    project = open_project()
    known = {
        claim.id: (contract.name, source)
        for contract in project.contracts
        for claim in contract.claims
        for source in [one for _, one in claim.sources] or [claim.source]
        if isinstance(source, Recorded)
    }
    unknown = next((name for name in ids if name not in known), None)
    if unknown is not None or not ids:
        raise PvError(f"no claim {unknown or ''!r} has a command as its source", hint=nearest(unknown or "", known))
    for name in ids:
        contract, source = known[name]
        record = run_and_value(contract, source.command, project.root, project.today.code)
        path = add(project.root / LEDGER / "records" / contract, record)
        click.echo(f"{name}: {record['output'][:200]!r} is recorded in {project.shown(path)}")
    return Exit.OK


def _text(verdict: Verdict, project: Project, form: str) -> str:
    from pv.report.findings import Answer, answer_text
    from pv.report.plain import finding_value, findings_text, json_text, plural, tally

    checked = {"claims": verdict.claims, "documents": len(verdict.documents)}
    if form == "json":
        found = [finding_value(finding) for finding in verdict.findings]
        return json_text({"findings": found, "checked": checked, "changes": list(verdict.changes)})
    if form == "text":
        counts = f"{plural(verdict.claims, 'claim')}, {plural(len(verdict.documents), 'document')}"
        told = [findings_text(verdict.findings)] if verdict.findings else []
        return "\n".join([*verdict.changes, *told, f"{counts}; {tally(verdict.findings)}"])

    from pv.validate.known import Portable, name_all
    from pv.validate.lines import Lines

    lines = Lines(project.root.joinpath)
    answer = Answer(
        findings=tuple(verdict.findings),
        checked=checked,
        judged=verdict.documents,
        skipped=(),
        hidden={},
        line_of=lines.of,
        names_of=lambda findings: name_all(findings, lines, Portable()),
    )
    return answer_text(answer, form)


def check_project_claims(project: Project) -> tuple[int, list[Finding]]:
    """How many claims and documents there are, and what is wrong with them; none at all is not measured."""
    verdict = examine(project)
    return verdict.claims + len(verdict.documents), verdict.findings
