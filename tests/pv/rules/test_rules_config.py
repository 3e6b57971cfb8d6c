"""`[tool.pv.rules]`, `--select` and `--ignore`: how much a rule weighs in a project and in one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit
from projects import CONTRACT, softmax_project

Pv = Callable[..., Ran]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two findings: PV205, an error, and PV208, a warning."""
    softmax_project(tmp_path)
    edit(tmp_path / CONTRACT, "every row sums to 1", "every entry is strictly between 0 and 1")
    edit(
        tmp_path / CONTRACT,
        "prediction: For 200 drawn matrices every row's sum differs from 1 by at most 1e-6",
        "prediction: Rows sum to one",
    )
    return tmp_path


def configure(project: Path, rows: str) -> None:
    """Write `[tool.pv.rules]` anew."""
    (project / "pyproject.toml").write_text(f"[tool.pv.rules]\n{rows}\n", encoding="utf-8")


def found(ran: Ran) -> list[tuple[str, str]]:
    """Code and severity of every finding, of an answer in JSON."""
    return [(finding["code"], finding["severity"]) for finding in json.loads(ran.out)["findings"]]


def test_the_control_finds_both(project: Path, pv: Pv) -> None:
    ran = pv("validate", "--format", "json", cwd=project)
    assert (ran.exit, found(ran)) == (1, [("PV208", "warning"), ("PV205", "error")])


@pytest.mark.parametrize(
    ("rows", "exit", "expected"),
    [
        ('PV205 = {severity = "warning", reason = "old"}', 0, [("PV208", "warning"), ("PV205", "warning")]),
        ('PV205 = {severity = "note", reason = "old"}', 0, [("PV208", "warning"), ("PV205", "note")]),
        ('PV208 = {severity = "error", reason = "we ship floats"}', 1, [("PV208", "error"), ("PV205", "error")]),
        ('PV205 = {severity = "off", reason = "old"}', 0, [("PV208", "warning")]),
    ],
)
def test_a_rule_weighs_what_the_project_says(rows: str, exit: int, expected: object, project: Path, pv: Pv) -> None:
    configure(project, rows)
    ran = pv("validate", "--format", "json", cwd=project)
    assert (ran.exit, found(ran)) == (exit, expected)


def test_what_is_switched_off_is_counted(project: Path, pv: Pv) -> None:
    configure(project, 'PV205 = {severity = "off", reason = "old"}')
    assert "; 0 errors, 1 warning; 1 switched off" in pv("validate", cwd=project).out


def test_the_gate_weighs_alike(project: Path, pv: Pv) -> None:
    rules = [
        finding["code"]
        for finding in json.loads(pv("gate", "--format", "json", cwd=project).out)["findings"]["contracts"]
    ]
    configure(project, 'PV205 = {severity = "off", reason = "old"}')
    after = [
        finding["code"]
        for finding in json.loads(pv("gate", "--format", "json", cwd=project).out)["findings"]["contracts"]
    ]
    assert (rules, after) == (["PV208", "PV205"], ["PV208"])


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ('PV2055 = {severity = "off", reason = "x"}', "there is no such rule"),
        ('PV205 = {severity = "off"}', "has no reason"),
        ('PV205 = {severity = "off", reason = " "}', "has no reason"),
        ('PV205 = {severity = "loud", reason = "x"}', "expected one of note, warning, error, off"),
        ('PV205 = {severity = "off", reason = "x", until = "2.0"}', "a table of severity and reason"),
        ('PV205 = "off"', "a table of severity and reason"),
        ('PV101 = {severity = "off", reason = "x"}', "stays an error"),
        ('PV110 = {severity = "warning", reason = "x"}', "stays an error"),
    ],
)
def test_a_setting_that_is_none_is_asked_for_differently(rows: str, says: str, project: Path, pv: Pv) -> None:
    configure(project, rows)
    ran = pv("validate", cwd=project)
    assert (ran.exit, says in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--select", "PV208"], ["PV208"]),
        (["--select", "pv205,PV3"], ["PV205"]),
        (["--select", "PV2", "--ignore", "PV205"], ["PV208"]),
        (["--ignore", "PV205", "--ignore", "PV208"], []),
    ],
)
def test_a_run_looks_at_what_it_is_asked_to(options: list[str], expected: list[str], project: Path, pv: Pv) -> None:
    assert [code for code, _ in found(pv("validate", *options, "--format", "json", cwd=project))] == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--select", "PV999"], "no rule's code begins with 'PV999'"),
        (["--ignore", "X"], "no rule's code begins with 'X'"),
        (["--ignore", ""], "no rule's code begins with ''"),
        (["--ignore", "PV1"], "would hide that a file was not judged"),
        (["--ignore", "PV"], "would hide that a file was not judged"),
        (["--ignore", "PV101"], "would hide that a file was not judged"),
        (["--ignore", "PV401"], "or a promise above its support"),
    ],
)
def test_what_selects_nothing_or_hides_all_is_misuse(options: list[str], says: str, project: Path, pv: Pv) -> None:
    ran = pv("validate", *options, cwd=project)
    assert (ran.exit, says in ran.err) == (2, True)


def test_a_broken_document_is_shown_whatever_is_selected(project: Path, pv: Pv) -> None:
    (project / CONTRACT).write_text("schema: pv/contract-v1\n\tx: 1\n", encoding="utf-8")
    ran = pv("validate", "--select", "PV208", "--format", "json", cwd=project)
    assert (ran.exit, "PV101" in [code for code, _ in found(ran)]) == (1, True)
