"""The registry: every rule explained, none twice, findings in order and bounded; and rules that examples cannot show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pv.contract.document import parse_document
from pv.contract.read import contract_of
from pv.finding import Exit, Place, PvError, Severity
from pv.level import Level
from pv.rules import Judged, ProjectFacts, catalogue, check, describe
from pv.rules.registry import Report, Support, project_rule, rule
from pv.source.falsifiers import Attack, FalsifierEntry, FalsifierIndex
from pv.source.target import TargetFound

GOOD = Path(__file__).resolve().parents[2] / "examples" / "good"
CONTRACT = (GOOD / "PV301-clause-of-its-own-name-v1.yaml").read_text(encoding="utf-8")


def judged(text: str, name: str = "softmax-v1", project: ProjectFacts | None = None) -> Judged:
    return Judged(contract_of(parse_document(text.encode(), "softmax-v1.yaml"), name), project)


def facts(
    index: FalsifierIndex | None = None, support: Level = Level.NO_EVIDENCE, was: Level = Level.NO_EVIDENCE
) -> ProjectFacts:
    return ProjectFacts(
        bindings=(),
        binding_path="contracts/binding.yaml",
        falsifiers=index or FalsifierIndex(),
        find_target=lambda target: TargetFound("kernels.py", 1),
        support=lambda test: Support(support, max(support, was)),
        attack=lambda entry: Attack(),
        shared=lambda one, other: (),
    )


def test_a_code_registered_twice_is_refused_loudly() -> None:
    def another(judged: Judged) -> Iterator[Report]:
        """Something else."""
        yield from ()

    with pytest.raises(ValueError, match=r"^rule PV203 is registered twice: 'A bounded invariant .*'Something else\.'"):
        rule("PV203")(another)


def test_a_rule_without_a_docstring_is_refused() -> None:
    def silent(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
        yield from ()

    with pytest.raises(ValueError, match=r"^rule PV999 has no docstring"):
        project_rule("PV999")(silent)
    assert "PV999" not in {known.code for known in catalogue()}


def test_the_catalogue_lists_every_rule_by_code_with_its_first_line() -> None:
    rows = [(known.code, known.severity, known.summary) for known in catalogue()]
    assert rows == sorted(rows, key=lambda row: row[0])
    assert ("PV207", Severity.WARNING, "A dimension is defined and occurs in no shape and no `below`.") in rows
    assert len(rows) >= 30


@pytest.mark.parametrize("code", [known.code for known in catalogue()])
def test_a_rule_explains_defect_and_remedy_with_an_example_of_each(code: str) -> None:
    text = describe(code)
    assert text.splitlines()[0].endswith(".")
    assert "    FAIL " in text
    assert "    PASS " in text
    assert len(text.split("\n\n")) >= 3


def test_a_rule_is_found_in_any_case_and_an_unknown_one_is_asked_for_differently() -> None:
    assert describe("pv203") == describe("PV203")
    with pytest.raises(PvError) as raised:
        describe("PV2003")
    assert (raised.value.exit, raised.value.hint) == (Exit.ASK, "did you mean 'PV203'?")


def test_without_a_project_references_are_said_to_be_unresolved_and_only_then() -> None:
    (note,) = check(judged(CONTRACT))
    assert (note.code, note.severity, note.severity.exit) == ("PV300", Severity.NOTE, Exit.OK)
    assert "PV300" not in {finding.code for finding in check(judged(CONTRACT, project=facts()))}


def test_findings_come_in_the_order_of_places() -> None:
    text = CONTRACT.replace("0.1.0", "x").replace("E: 8", "E: 8, H: 1").replace("unit_sum]", "unit_smu]")
    found = [(finding.code, finding.place.line) for finding in check(judged(text))]
    assert found == [("PV300", 2), ("PV204", 3), ("PV207", 9), ("PV302", 15), ("PV301", 21)]


def test_findings_of_the_rules_are_capped() -> None:
    dimensions = "".join(f", d{i}: 1" for i in range(150))
    found = check(judged(CONTRACT.replace("E: 8", f"E: 8{dimensions}")))
    assert (len(found), found[-1].code) == (100, "PV105")


def test_a_file_without_a_contract_is_not_judged() -> None:
    with pytest.raises(ValueError, match="holds no contract"):
        check(judged("a: 1\n"))


def test_coverage_speaks_once_with_counts_and_the_first_three_places() -> None:
    clauses = "".join(f"      - {{id: c{i}, statement: finite, holds: exact}}\n" for i in range(5))
    (finding,) = [
        finding
        for finding in check(judged(CONTRACT.replace("falsification_tests", clauses + "falsification_tests")))
        if finding.code == "PV302"
    ]
    assert finding.message == (
        "5 of 6 invariants are bound by no test: softmax/c0 (line 19), softmax/c1 (line 20), softmax/c2 (line 21) and 2 more"
    )
    assert finding.place == Place("softmax-v1.yaml", 19, 9)


def test_support_is_asked_only_of_a_test_with_a_status() -> None:
    asked: list[str] = []

    def support(test: object) -> Support:
        asked.append(repr(test))
        return Support(Level.FUNCTIONAL, Level.FUNCTIONAL)

    project = facts()
    lazy = project._replace(support=support)
    check(judged(CONTRACT, project=lazy))
    assert asked == []
    promised = CONTRACT.replace("    rule:", "    status: DISCHARGED\n    rule:")
    (finding,) = [found for found in check(judged(promised, project=lazy)) if found.code == "PV401"]
    assert finding.message == "FALSIFY-SM-001 promises DISCHARGED; its evidence supports FUNCTIONAL"
    assert "pv falsify --id FALSIFY-SM-001" in finding.hint
    assert "pv ledger promote FALSIFY-SM-001" in finding.hint
    assert len(set(asked)) == 1


@pytest.mark.parametrize(
    ("level", "fires"), [(Level.FALSIFIED, True), (Level.NO_EVIDENCE, True), (Level.FUNCTIONAL, False)]
)
def test_a_status_up_to_its_support_is_kept(level: Level, fires: bool) -> None:
    promised = CONTRACT.replace("    rule:", "    status: FUNCTIONAL\n    rule:")
    codes = [finding.code for finding in check(judged(promised, project=facts(support=level)))]
    assert ("PV401" in codes) is fires


@pytest.mark.parametrize(("level", "was", "code"), [
    (Level.NO_EVIDENCE, Level.FUNCTIONAL, "PV408"), (Level.PARTIAL_ALGORITHM_LEVEL, Level.DISCHARGED, "PV408"),
    (Level.NO_EVIDENCE, Level.PARTIAL_ALGORITHM_LEVEL, "PV401"), (Level.FALSIFIED, Level.FALSIFIED, "PV401"),
])  # fmt: skip
def test_a_status_that_only_has_to_be_run_again_is_no_error(level: Level, was: Level, code: str) -> None:
    promised = CONTRACT.replace("    rule:", "    status: FUNCTIONAL\n    rule:")
    found = [one for one in check(judged(promised, project=facts(support=level, was=was))) if one.code[:3] == "PV4"]
    assert [(one.code, one.severity.exit) for one in found] == [(code, Exit.RUN if code == "PV408" else Exit.MEND)]


@pytest.mark.parametrize(("contract", "counts"), [("softmax-v1", True), (None, True), ("other-v1", False)])
def test_a_falsifier_counts_for_the_contract_its_module_names(contract: str | None, counts: bool) -> None:
    index = FalsifierIndex((FalsifierEntry("FALSIFY-SM-001", "falsifiers/a.py", 3, 12, "attack", contract),))
    codes = [finding.code for finding in check(judged(CONTRACT, project=facts(index)))]
    assert ("PV303" not in codes) is counts


STRICT = [
    "softmax is strictly between 0 and 1",
    "sigmoid(x) > 0",
    "-1 < tanh(x) < 1",
    "tanh(x) lies in (−1, 1)",
    "σ(x) ∈ (0, 1)",
    "exp(x) is strictly positive",
    "softmax never reaches 1",
    "every entry of softmax is < 1.0",
]
CLOSED = [
    "0 <= softmax <= 1",
    "softmax is at least 0 and at most 1",
    "for x > 0, sigmoid(x) is at least 0.5",
    "tanh(x) ∈ [−1, 1]",
    "exp(x) is strictly increasing",
    "softmax(x) differs from the reference by < 1e-6",
    "the error of exp is < 0.001",
    "softmax of n > 10 rows sums to 1",
]


@pytest.mark.parametrize("statement", STRICT)
def test_a_strict_bound_that_floats_reach_is_seen(statement: str) -> None:
    assert "PV208" in _codes(statement)


@pytest.mark.parametrize("statement", CLOSED)
def test_a_closed_bound_and_a_condition_are_not_taken_for_one(statement: str) -> None:
    assert "PV208" not in _codes(statement)


def _codes(statement: str) -> list[str]:
    return [finding.code for finding in check(judged(CONTRACT.replace("every row sums to 1", f'"{statement}"')))]


@pytest.mark.parametrize(
    ("name", "version", "fits"),
    [
        ("a-v1", "1.0.0", True),
        ("a-v1", "0.9.0", True),
        ("a-v2", "2.0.0-rc.1", True),
        ("a-v12", "12.3.4", True),
        ("a-v2", "0.9.0", False),
        ("a-v1", "2.0.0", False),
        ("a-v1", "1.0", False),
        ("a", "1.0.0", False),
    ],
)
def test_a_version_fits_the_major_of_the_name(name: str, version: str, fits: bool) -> None:
    text = CONTRACT.replace("0.1.0", f'"{version}"')
    assert ("PV204" not in [finding.code for finding in check(judged(text, name))]) is fits
