"""The formats of `pv validate`: text with a caret, JSON, SARIF, GitHub's annotations, JUnit."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from conftest import ROOT, Ran, edit
from oasis import sarif_validator
from projects import CONTRACT, softmax_project

from pv.finding import Finding, Place, Severity
from pv.report.findings import Answer, answer_text
from pv.report.github import annotation_lines
from pv.report.junit import junit_text
from pv.report.plain import finding_value
from pv.report.text import WIDTH, excerpt, text_lines
from pv.rules import catalogue, count_judging

Pv = Callable[..., Ran]
BAD = ROOT / "tests/examples/bad"


def finding(message: str = "seen", hint: str = "", column: int = 1, path: str = "a.yaml") -> Finding:
    """An error at the first line."""
    return Finding("PV203", Severity.ERROR, Place(path, 1, column), message, hint)


@pytest.mark.parametrize("text", ["plain", '"\\', "\x00\x1b\u2028\ud800", "− ε\n\t"])
def test_a_finding_is_spelt_in_json_as_the_library_spells_it(text: str) -> None:
    found = finding(message=text, hint=text, column=7, path=text)
    answer = Answer((found,), {}, (), (), {}, lambda place: "", lambda findings: [])
    told = answer_text(answer, "json")
    assert json.dumps(finding_value(found), ensure_ascii=False) in told
    assert json.loads(told)["findings"] == [finding_value(found)]


def test_text_shows_place_line_caret_and_hint_file_by_file() -> None:
    found = [finding(column=4, hint="mend it"), finding(path="b.yaml"), finding(message="again", column=7)]
    lines = {"a.yaml": "a: value", "b.yaml": ""}
    assert list(text_lines(found, lambda place: lines[place.path])) == [
        "a.yaml:1:4: error PV203 seen",
        "      1 | a: value",
        "        |    ^",
        "    mend it",
        "a.yaml:1:7: error PV203 again",
        "      1 | a: value",
        "        |       ^",
        "",
        "b.yaml:1:1: error PV203 seen",
        "",
    ]


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("key: x", 6, "key: x", 5),
        ("\tx: 1", 2, "    x: 1", 4),
        ("名前: x", 5, "名前: x", 6),
        ("e\u0301: x", 5, "e\u0301: x", 3),
        ("a\x1b[31m: \u202ex", 7, "a\ufffd[31m: \ufffdx", 6),
        ("short", 40, "short", 5),
    ],
)
def test_the_caret_stands_under_the_character(line: str, column: int, shown: str, caret: int) -> None:
    assert excerpt(line, column) == (shown, caret)


@pytest.mark.parametrize("column", [1, 30, 60, 500, 990, 1000])
def test_a_long_line_is_cut_around_the_column(column: int) -> None:
    line = "".join(chr(0x21 + number % 90) for number in range(1000))
    shown, caret = excerpt(line, column)
    assert shown[caret] == line[column - 1]
    assert len(shown) <= WIDTH + 2
    assert (shown.startswith("…"), shown.endswith("…")) == (column > 51, column < 950)


def test_colour_is_for_terminals(tmp_path: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch) -> None:
    example = BAD / "PV101-tab-v1.yaml"
    assert "\x1b" not in pv("validate", example).out
    assert "\x1b[31m" in "".join(text_lines([finding()], lambda place: "", colour=True))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in pv("validate", example).out


def test_the_last_line_says_what_was_checked(pv: Pv) -> None:
    ran = pv("validate", BAD / "PV208-sigmoid-in-symbols-v1.yaml", BAD / "PV101-tab-v1.yaml")
    rules = count_judging(predecessor=False)
    assert ran.out.splitlines()[-1].startswith(f"2 files, 57 values, 1 contract, 1 invariant, 1 test, {rules} rules; ")


def test_an_annotation_escapes_what_would_end_it() -> None:
    odd = finding("100 %\nsure: a, b", "mend it\r", path="a,b:c.yaml")
    assert list(annotation_lines([odd])) == [
        "::error file=a%2Cb%3Ac.yaml,line=1,col=1,title=PV203::100 %25%0Asure: a, b%0Amend it%0D"
    ]


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_has_its_command(severity: Severity) -> None:
    (line,) = annotation_lines([Finding("PV203", severity, Place("a.yaml"), "seen")])
    assert line.split(" ")[0] == {"warning": "::warning", "note": "::notice"}.get(severity.value, "::error")


def test_in_junit_a_file_is_a_case_and_what_was_not_measured_an_error(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "empty").mkdir()
    ran = pv(
        "validate",
        BAD / "PV101-tab-v1.yaml",
        ROOT / CONTRACT.replace("softmax", "microgpt"),
        tmp_path / "empty",
        "--format",
        "junit",
    )
    suite = Xml.fromstring(ran.out)[0]
    cases = {Path(case.get("name", "")).name: [child.tag for child in case] for case in suite}
    assert cases == {"PV101-tab-v1.yaml": ["failure"], "microgpt-v1.yaml": [], "empty": ["error"]}
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")


def test_junit_is_xml_whatever_a_message_holds() -> None:
    text = junit_text(["a.yaml"], [finding('<&">\x00\x1b]]>\ud800', path="a\x01.yaml")])
    assert [case.get("name") for case in Xml.fromstring(text)[0]] == ["a.yaml", "a\ufffd.yaml"]


def sarif(pv: Pv, *arguments: object, cwd: Path = ROOT) -> dict[str, Any]:
    """The log of a run."""
    value: dict[str, Any] = json.loads(pv("validate", *arguments, "--format", "sarif", cwd=cwd).out)
    return value


def test_sarif_has_a_rule_a_place_and_a_fingerprint_for_every_finding(pv: Pv) -> None:
    (run,) = sarif(pv, BAD)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in catalogue()]
    assert len(run["results"]) > 100
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
    names = [result["partialFingerprints"]["pv/v1"] for result in run["results"]]
    assert len(set(names)) == len(names), "equal ones are numbered"


def test_sarif_is_valid_against_the_schema_of_oasis(pv: Pv) -> None:
    validator = sarif_validator()
    log = sarif(pv, BAD, ROOT / "contracts")
    assert [error.message for error in validator.iter_errors(log)] == []
    broken = copy.deepcopy(log)
    broken["runs"][0]["results"][0]["level"] = "fatal"
    assert not validator.is_valid(broken), "the control"


def test_a_fingerprint_stays_while_lines_move_and_changes_with_the_text(tmp_path: Path, pv: Pv) -> None:
    project = softmax_project(tmp_path)
    edit(project / CONTRACT, "every row sums to 1", "every entry is strictly between 0 and 1")

    def names() -> list[str]:
        return [
            row["partialFingerprints"]["pv/v1"] for row in sarif(pv, "contracts", cwd=project)["runs"][0]["results"]
        ]

    before = names()
    assert len(before) == 1
    edit(project / CONTRACT, "equations:\n", "# moved\n\nequations:\n")
    assert names() == before
    edit(project / CONTRACT, "strictly between 0 and 1", "strictly between 0 and 1.0")
    assert names() != before, "the control"


def test_the_path_of_an_artifact_is_a_uri(tmp_path: Path, pv: Pv) -> None:
    target = tmp_path / "a b%ü-v1.yaml"
    target.write_text("a: [\n", encoding="utf-8")
    (result,) = sarif(pv, target.name, cwd=tmp_path)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "a%20b%25%C3%BC-v1.yaml"}
