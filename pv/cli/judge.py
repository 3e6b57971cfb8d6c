"""What `pv validate` and `pv gate` have in common: contract files against the rules, inside the project they lie in."""

from __future__ import annotations

from pathlib import Path

from pv.contract.read import ContractFile
from pv.finding import Finding
from pv.project import BINDING, Project, Walked, find_root, project_at
from pv.rules import Judged, ProjectFacts, check, check_project
from pv.source.target import target_finder


def judge(walked: Walked, projects: dict[Path, Project] | None = None) -> list[Finding]:
    """Every finding on `walked`: of the reader, of the schema, of the rules; each contract within its own project.

    `projects` holds those already open, by root, and takes the ones opened here.
    """
    opened = {} if projects is None else projects
    found = [finding for file in walked.bindings for finding in file.findings]
    for file in walked.contracts:
        found += file.findings
        if file.contract is not None:
            root = find_root(Path(file.document.path).parent)
            project = None if root is None else opened.setdefault(root, project_at(root))
            found += check(Judged(file, None if project is None else facts(project, file)))
    return found


def judge_whole(project: Project) -> list[Finding]:
    """What shows only when all of a project's contracts, bindings and falsifiers are seen together."""
    unread = [Path(file.document.path).stem for file in project.contract_files if file.contract is None]
    return list(check_project(project.contracts, unread, project.bindings, project.index))


def facts(project: Project, file: ContractFile) -> ProjectFacts:
    """What the rules may ask about `project` when they judge `file`."""
    contract = file.contract
    assert contract is not None, "only contracts that could be read are judged"
    return ProjectFacts(
        bindings=project.bindings,
        binding_path=BINDING,
        falsifiers=project.index,
        find_target=target_finder(project.root, project.sources),
        support=lambda test: project.assess(contract, test).level,
    )
