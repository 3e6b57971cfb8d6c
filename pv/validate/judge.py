"""One file against the reader, the schema and the rules, inside the project it lies in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.contract.document import Document, parse_document
from pv.contract.links import Links, links_of
from pv.contract.model import FalsificationTest
from pv.contract.read import BindingFile, ContractFile, DataFile
from pv.contract.schema import has_schema
from pv.finding import Finding, Severity
from pv.level import Level
from pv.project import BINDING, CONTRACTS, Project, file_of, find_root, project_at
from pv.rules import Judged, ProjectFacts, check, check_project
from pv.rules.registry import Support
from pv.rules.suppress import Ignore, read_ignores
from pv.validate.judgement import Counts, Judgement, Kind

if TYPE_CHECKING:
    from pv.contract.predecessor.model import PredecessorFile


class Projects:
    """The projects that files lie in, each opened once."""

    def __init__(self, opened: Mapping[Path, Project] | None = None) -> None:
        self.opened = dict(opened or {})
        self._roots: dict[str, Path | None] = {}

    def around(self, folder: str) -> Project | None:
        """The project of the files in `folder`, or None. Raises PvError when its settings are wrong."""
        if folder not in self._roots:
            self._roots[folder] = find_root(Path(folder))
        root = self._roots[folder]
        if root is not None and root not in self.opened:
            self.opened[root] = project_at(root)
        return None if root is None else self.opened[root]


def judge(path: Path, shown: str, data: bytes | Finding, project: Project | None, *, named: bool) -> Judgement:
    """The file at `path`, whose bytes are `data`. `named`: the user gave this very file (see `file_of`)."""
    if isinstance(data, Finding):
        return Judgement(shown, Kind.CONTRACT, findings=(data,), lasting=False)
    known = None if project is None else project.known_contract(path, shown)
    document = known.document if known is not None else parse_document(data, shown)
    file = known or file_of(path, document, named=named)
    if file is None:
        return _unknown(path, document, project)
    ignores = read_ignores(data, shown)
    if isinstance(file, BindingFile):
        return Judgement(shown, Kind.BINDING, Counts(count_values(document.value)), file.findings, ignores)
    if isinstance(file, DataFile):
        counts, links = Counts(count_values(document.value)), Links(path.stem, contract=False)
        return Judgement(shown, Kind.DATA, counts, file.findings, ignores, links=links)
    if not isinstance(file, ContractFile):
        return _predecessor(path, file, project, ignores)
    if file.contract is None:
        links = links_of(file, path.stem)
        return Judgement(
            shown, Kind.CONTRACT, Counts(count_values(document.value)), file.findings, ignores, links=links
        )
    asked: list[str] = []
    found = check(Judged(file, None if project is None else facts(project, file, asked)))
    counts = Counts(
        count_values(document.value), 1, sum(1 for _ in file.contract.invariants()), len(file.contract.tests)
    )
    findings, links = (*file.findings, *found), links_of(file, path.stem)
    return Judgement(shown, Kind.CONTRACT, counts, findings, ignores, lasting=not asked, links=links)


def _predecessor(path: Path, file: PredecessorFile, project: Project | None, ignores: tuple[Ignore, ...]) -> Judgement:
    from pv.rules.predecessor import JudgedPredecessor, check_predecessor

    document, contract = file.document, file.contract
    counts, findings = Counts(count_values(document.value)), file.findings
    if contract is not None:
        around = (
            None if project is None else _facts(project, lambda test: Support(Level.NO_EVIDENCE, Level.NO_EVIDENCE))
        )
        findings = (*findings, *check_predecessor(JudgedPredecessor(document, contract, around)))
        clauses = sum(len(equation.body.get("invariants", ())) for equation in contract.equations.values())
        counts = Counts(counts.values, 1, clauses + len(contract.obligations), len(contract.tests))
    kind = Kind.PREDECESSOR if file.layout == "contract" else Kind.OTHER
    return Judgement(document.path, kind, counts, findings, ignores, links=links_of(file, path.stem))


def _unknown(path: Path, document: Document, project: Project | None) -> Judgement:
    """A file of no kind that is judged: in the contracts folder of a project it has no business."""
    schema = document.value.get("schema") if isinstance(document.value, dict) else None
    known = isinstance(schema, str) and schema.startswith("pv/") and has_schema(schema)
    if known or project is None or not path.resolve().is_relative_to(project.root / CONTRACTS):
        return Judgement(document.path, Kind.SKIPPED)
    seen = "is of no known kind, and lies among the contracts"
    hint = "begin it with `schema: pv/contract-v1` if it is a contract, or move it elsewhere"
    return Judgement(
        document.path, Kind.OTHER, findings=(Finding("PV113", Severity.ERROR, document.place(()), seen, hint),)
    )


def judge_whole(project: Project, judged: Sequence[Judgement] | None) -> list[Finding]:
    """What shows only when all of a project's contracts, bindings and falsifiers are seen together.

    With `judged`, the judgements of all its contracts, these are read again only where their tests have to be known.
    """
    if judged is None:
        files = project.contract_files
        names = [file.contract.name for file in files if file.contract is not None]
        unread = [Path(file.document.path).stem for file in files if file.contract is None]
    else:
        contracts = [one for one in judged if one.kind is Kind.CONTRACT]
        names = [Path(one.path).stem for one in contracts if not one.unread]
        unread = [Path(one.path).stem for one in contracts if one.unread]
    return list(check_project(names, unread, project.bindings, project.index, lambda: project.contracts))


def facts(project: Project, file: ContractFile, asked: list[str]) -> ProjectFacts:
    """What the rules may ask about `project` when they judge `file`; `asked` takes the tests whose evidence was weighed."""
    contract = file.contract
    assert contract is not None, "only contracts that could be read are judged"

    def support(test: FalsificationTest) -> Support:
        asked.append(test.id)
        row = project.assess(contract, test)
        return Support(row.level, row.was)

    return _facts(project, support)


def _facts(project: Project, support: Callable[[FalsificationTest], Support]) -> ProjectFacts:
    return ProjectFacts(
        bindings=project.bindings,
        binding_path=BINDING,
        falsifiers=project.index,
        find_target=project.find_target,
        support=support,
        attack=lambda entry: project.attack(entry),  # what reads attacks is loaded where there is one
        shared=project.shared_code,
    )


def count_values(value: Any) -> int:
    """How many values a document holds: scalars, lists and mappings, itself included."""
    count, level = 1, [value]
    while level:
        rows = [
            node.values() if type(node) is dict else node for node in level if type(node) is dict or type(node) is list
        ]
        count += sum(map(len, rows))
        level = [child for row in rows for child in row if type(child) is not str]  # most are text
    return count
