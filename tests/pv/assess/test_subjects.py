"""Which subject is meant, what cannot be put to it, and what a binding's digest speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest
from several_subjects import write_project

from pv.assess.freshness import binding_parts
from pv.contract.model import Binding
from pv.finding import Place, PvError, Severity
from pv.level import Level
from pv.project import Project, project_at

ROW = Binding("scale-v1", "scale", "torch", Place("b.yaml"), "subject", True, "kernels:scale")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_at(write_project(tmp_path_factory.mktemp("project")))


def chosen(project: Project, id_: str, which: str) -> tuple[list[str], list[str]]:
    """Names of the subjects that `which` means: those the test is put to, and those it is not."""
    [(contract, test)] = project.select([id_], [])
    found = project.subjects(contract, test, which)
    return [row.name for row in found.applicable], [f"{row.name}: {reason}" for row, reason in found.not_applicable]


def test_a_subject_is_meant_by_its_name_by_all_or_by_being_the_default(project: Project) -> None:
    assert chosen(project, "FALSIFY-S-001", "") == (["torch"], [])
    assert chosen(project, "FALSIFY-S-001", "port") == (["port"], [])
    assert chosen(project, "FALSIFY-S-001", "all") == (["torch", "method", "module", "numpy", "port", "flat"], [])


def test_what_does_not_apply_is_given_with_its_reason_and_not_dropped(project: Project) -> None:
    why = "has no automatic differentiation"
    assert chosen(project, "FALSIFY-S-003", "all") == (
        ["torch", "method", "module"],
        [f"{name}: {name} {why}" for name in ("numpy", "port", "flat")],
    )
    assert chosen(project, "FALSIFY-S-003", "numpy") == ([], [f"numpy: numpy {why}"])


def test_a_name_that_nothing_has_is_misuse_with_the_nearest_one(project: Project) -> None:
    with pytest.raises(PvError, match="no subject is called 'nunpy'") as caught:
        chosen(project, "FALSIFY-S-001", "nunpy")
    assert "numpy" in caught.value.hint


def test_each_subject_has_a_level_of_its_own_the_default_first(project: Project) -> None:
    rows = list(project.assessments().values())
    assert [(row.test, row.subject, row.default, row.level) for row in rows[:2]] == [
        ("FALSIFY-S-001", "torch", True, Level.NO_EVIDENCE),
        ("FALSIFY-S-001", "method", False, Level.NO_EVIDENCE),
    ]
    assert rows[1].lacking == ("a run: pv falsify --id FALSIFY-S-001 --subject method",)
    excused = [row for row in rows if row.level is Level.NOT_APPLICABLE]
    assert [(row.test, row.subject) for row in excused] == [
        ("FALSIFY-S-003", name) for name in ("numpy", "port", "flat")
    ]
    assert {(row.severity, row.receipt) for row in excused} == {(Severity.ERROR, None)}


def test_without_a_default_its_row_says_so_and_the_others_are_judged(tmp_path: Path) -> None:
    changed = {"torch": 'target: "kernels:scale"', "numpy": 'adapter: numpy, target: "arrays:scale"'}
    project = project_at(write_project(tmp_path, None, "torch", "numpy", **changed))
    [(contract, test)] = project.select(["FALSIFY-S-001"], [])
    rows = project.assess_all(contract, test)
    assert [(row.subject, row.default, row.level) for row in rows] == [
        ("", True, Level.NO_CHECK),
        ("torch", False, Level.NO_EVIDENCE),
        ("numpy", False, Level.NO_EVIDENCE),
    ]
    assert project.assess_all(contract, test, "") == rows[:1]


def test_one_clause_that_does_not_apply_is_enough(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    path = root / "contracts/scale-v1.yaml"
    text = path.read_text(encoding="utf-8").replace("[scale/gradient]", "[scale/product, scale/gradient]")
    path.write_text(text, encoding="utf-8")
    assert chosen(project_at(root), "FALSIFY-S-003", "numpy")[0] == []


def test_the_digest_of_a_binding_is_of_all_that_reaches_the_code_and_of_nothing_else() -> None:
    changes = [
        {},
        {"target": "kernels:other"},
        {"adapter": "numpy"},
        {"adapter": "module", "factory": "kernels:make"},
        {"adapter": "command", "target": "", "command": ("a", "b")},
        {"adapter": "command", "target": "", "command": ("a b",)},
        {"adapter": "command", "target": "", "command": ("a", "b"), "exchange": "aprt"},
        {"requires": ("numpy",)},
        {"not_applicable": (("gradient", "no autograd"),)},
    ]
    digests = {binding_parts(ROW._replace(**change)) for change in changes}
    assert len(digests) == len(changes)
    one, other = (ROW._replace(not_applicable=(("gradient", reason),)) for reason in ("a reason", "in other words"))
    assert binding_parts(one) == binding_parts(other)
    assert binding_parts(ROW._replace(default=False, place=Place("c.yaml", 9))) == binding_parts(ROW)


def test_evidence_from_before_there_were_adapters_is_still_of_the_same_binding() -> None:
    [part] = binding_parts(ROW)
    assert (part.name, part.digest) == (
        "scale, torch",
        "40550a1c9b47c6a66fee677dd4303d0d16c45e231913e0b4304925bc1873d855",
    )
