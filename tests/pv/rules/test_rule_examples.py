"""Every example file: a good one is without findings, of a bad one exactly what it says is found.

A contract of `bad` says in its first line what must be found: `# expect: PV203 17:9; PV305 contracts/binding.yaml:3:5`
(without a path: in the contract itself). A folder is a project of its own; `# support: LEVEL` in the second line is
what its evidence is taken to support, `# support: stale LEVEL` what it did before it went stale.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pv.contract.document import read_document
from pv.contract.predecessor.model import PredecessorFile
from pv.contract.read import read_bindings, read_contract
from pv.finding import Finding
from pv.level import Level, read_level
from pv.project import Project, file_of
from pv.rules import Judged, ProjectFacts, catalogue, check, check_project
from pv.rules.predecessor import JudgedPredecessor, check_predecessor
from pv.rules.registry import Support
from pv.source.attack import attack_reader
from pv.source.falsifiers import index_falsifiers
from pv.source.target import target_finder
from pv.validate.run import run

TESTS = Path(__file__).resolve().parents[2]
EXAMPLES = TESTS / "examples"

# Codes that no contract file can show, because a command, a claim or the ledger emits them: the test that does show each.
ELSEWHERE = {
    "PV100": "pv/rules/test_rules_elsewhere.py::test_an_operand_without_a_contract",
    "PV190": "pv/rules/test_rules_suppress.py::test_an_ignore_that_matches_nothing_is_a_finding",
    "PV191": "pv/rules/test_rules_suppress.py::test_an_ignore_that_is_no_answer_is_a_finding_and_hides_nothing",
    "PV192": "pv/rules/test_rules_baseline.py::test_what_is_mended_must_leave_the_baseline",
    "PV402": "pv/rules/test_rules_elsewhere.py::test_a_promise_that_went_stale",
    "PV403": "pv/rules/test_rules_elsewhere.py::test_a_promise_of_a_test_that_was_deleted",
    "PV404": "pv/rules/test_rules_elsewhere.py::test_a_test_that_was_never_run",
    "PV405": "pv/rules/test_rules_elsewhere.py::test_a_project_without_tests",
    "PV406": "pv/assess/test_slack.py::test_a_wide_tolerance_is_told_with_the_one_that_would_do",
    "PV409": "pv/assess/test_policy.py::test_a_lowered_threshold_is_refused_unless_it_is_named_as_it_is",
    "PV500": "pv/rules/test_rules_elsewhere.py::test_a_project_without_claims",
    "PV501": "pv/claims/test_claims_check.py::test_a_wrong_claim_shows_both_values_and_both_places",
    "PV502": "pv/claims/test_claims_check.py::test_a_claim_that_matches_nowhere_says_what_is_there",
    "PV503": "pv/claims/test_claims_check.py::test_a_claim_that_matches_twice_names_both_cells",
    "PV504": "pv/claims/test_claims_check.py::test_a_source_that_gives_no_value_is_a_finding",
    "PV505": "pv/claims/test_claims_check.py::test_two_claims_about_one_cell_are_a_finding",
    "PV506": "test_claims_command.py::test_a_recorded_command_is_stale_when_a_module_it_imports_changes",
    "PV507": "test_claims_command.py::test_numbers_without_a_claim_are_listed_unless_a_reason_is_given",
    "PV508": "test_claims_command.py::test_numbers_without_a_claim_are_listed_unless_a_reason_is_given",
    "PV509": "test_claims_command.py::test_fix_refuses_what_it_is_not_sure_of",
    "PV600": "pv/rules/test_rules_elsewhere.py::test_an_empty_ledger",
    "PV601": "pv/rules/test_rules_elsewhere.py::test_an_edited_receipt",
    "PV602": "pv/rules/test_rules_elsewhere.py::test_a_deleted_receipt",
    "PV603": "pv/rules/test_rules_elsewhere.py::test_a_receipt_in_another_contracts_folder",
    "PV604": "pv/rules/test_rules_elsewhere.py::test_a_promotion_removed_since_a_commit",
    "PV605": "pv/cli/test_cli_promises.py::test_a_waiver_lapses_when_the_same_function_changes_again",
    "PV606": "pv/cli/test_cli_promises.py::test_a_retracted_promise_no_longer_binds_and_is_told_with_its_reason",
    "PV607": "pv/cli/test_cli_ledger_verify.py::test_two_branches_that_both_release_are_told_of_each_other",
    "PV608": "pv/cli/test_cli_ledger_verify.py::test_a_typed_level_is_compared_with_the_one_derived",
    "PV610": "pv/cli/test_cli_reproduce.py::test_a_forged_receipt_is_believed_until_it_is_run_again",
    "PV611": "pv/cli/test_cli_reproduce.py::test_what_cannot_be_run_again_here_is_self_reported_and_counted",
    "PV700": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV701": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV702": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV703": "pv/documents/test_documents_check.py::test_a_section_that_is_asked_for_has_to_be_there",
    "PV704": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV705": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV706": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV707": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV708": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV709": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV710": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV711": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV712": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV713": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV714": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV715": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV716": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
    "PV717": "pv/documents/test_documents_check.py::test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not",
}


def examples(kind: str) -> list[Path]:
    """The examples of `good` or `bad`: single contracts and project folders."""
    return sorted(path for path in EXAMPLES.joinpath(kind).iterdir() if path.name.startswith("PV"))


@pytest.mark.parametrize("example", examples("bad"), ids=lambda path: path.name)
def test_a_bad_example_shows_what_it_says_and_nothing_else(example: Path) -> None:
    expected = expected_in(example)
    found = [item for item in found_in(example) if not item.startswith("PV300") or item in expected]
    assert found == expected
    assert any(item.startswith(example.name[:5]) for item in expected)


@pytest.mark.parametrize("example", examples("good"), ids=lambda path: path.name)
def test_a_good_example_shows_nothing(example: Path) -> None:
    assert [item for item in found_in(example) if not item.startswith("PV300")] == []


def test_every_code_has_a_bad_example_and_a_near_miss() -> None:
    codes = {rule.code for rule in catalogue()} - ELSEWHERE.keys()
    bad = {path.name[:5] for path in examples("bad")}
    near = {code for path in examples("good") for code in re.findall(r"PV[0-9]{3}", path.name)}
    assert bad == codes
    assert near == codes - {"PV300"}, "what must not fire without a project cannot be an example in a project"


@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_code_without_an_example_is_shown_by_the_test_it_names(code: str) -> None:
    path, _, name = ELSEWHERE[code].partition("::")
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    named = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert [code in ast.unparse(node) for node in named] == [True]
    assert code in {rule.code for rule in catalogue()}


def test_an_example_of_a_bad_file_that_is_mended_is_noticed(tmp_path: Path) -> None:
    mended = (EXAMPLES / "good" / "PV203-real-without-tolerance-v1.yaml").read_text(encoding="utf-8")
    example = tmp_path / "PV203-mended-v1.yaml"
    example.write_text("# expect: PV203 17:9\n" + mended, encoding="utf-8")
    assert (expected_in(example), found_in(example)) == (["PV203 17:9"], ["PV300 3:1"])


def contract_in(example: Path) -> Path:
    """The contract of an example; of several the one that says what it is an example of."""
    if not example.is_dir():
        return example
    contracts = sorted(example.glob("contracts/*-v[0-9]*.yaml"))
    return next((path for path in contracts if re.match(rb"# (expect|near miss)", path.read_bytes())), contracts[0])


def expected_in(example: Path) -> list[str]:
    """What the first line of the contract says must be found, sorted."""
    first = contract_in(example).read_bytes().split(b"\n", 1)[0].decode()
    listed = re.fullmatch(r"# expect: (.+)", first)
    return sorted(listed[1].split("; ")) if listed else []


def found_in(example: Path) -> list[str]:
    """What is found, as `expected_in` writes it; PV300 included."""
    own = contract_in(example).relative_to(example if example.is_dir() else example.parent).as_posix()
    return sorted(_spelled(finding, own) for finding in findings_in(example))


def findings_in(example: Path) -> Iterator[Finding]:
    """Every finding on the contract of an example, and on the project it lies in."""
    path = contract_in(example)
    predecessor = file_of(path, read_document(path, path.name), named=True)
    if isinstance(predecessor, PredecessorFile):
        yield from _findings_of_predecessor(example, predecessor)
        return
    if not example.is_dir():
        file, project = read_contract(path, path.name), None
    else:
        file = read_contract(path, path.relative_to(example).as_posix())
        bindings = read_bindings(example / "contracts/binding.yaml", "contracts/binding.yaml")
        index = index_falsifiers(example, example / "falsifiers")
        yield from bindings.findings
        level = supported(path)
        find_target, support = target_finder(example, ["."]), lambda test: level
        project = ProjectFacts(
            bindings.bindings,
            bindings.document.path,
            index,
            find_target,
            support,
            attack_reader(index),
            Project(example, {}).shared_code,
        )
        contracts = [file.contract] if file.contract else []
        names, unread = [one.name for one in contracts], [] if file.contract else [path.stem]
        yield from check_project(names, unread, bindings.bindings, index, lambda: contracts)
    yield from file.findings
    if file.contract is not None:
        yield from check(Judged(file, project))


def _findings_of_predecessor(example: Path, file: PredecessorFile) -> Iterator[Finding]:
    """Of a single file by itself; of a folder as `pv validate` sees its contracts together."""
    if example.is_dir():
        outcome = run([example / "contracts"], lambda path: path.relative_to(example.resolve()).as_posix(), None)
        yield from (finding for group in outcome.groups for finding in group.findings)
        return
    yield from file.findings
    if file.contract is not None:
        yield from check_predecessor(JudgedPredecessor(file.document, file.contract))


def supported(contract: Path) -> Support:
    """The level that the second line of a contract says its evidence supports, or supported before it went stale."""
    line = re.search(rb"^# support: (?:(\w+)|stale (\w+))$", contract.read_bytes(), re.MULTILINE)
    now, was = (
        (read_level((text or b"").decode()) or Level.NO_EVIDENCE) for text in (line.groups() if line else (b"", b""))
    )
    return Support(now, max(now, was))


def _spelled(finding: Finding, own: str) -> str:
    place = finding.place
    where = f"{place.line}:{place.column}"
    return f"{finding.code} {where}" if place.path == own else f"{finding.code} {place.path}:{where}"
