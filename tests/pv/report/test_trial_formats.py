"""`pv falsify --format`: JSON, events, JUnit, SARIF and GitHub's annotations of the same campaigns."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest
from oasis import sarif_validator
from receipts import NONE, depends, tooth
from trial_results import HERE, KERNEL, OTHER, TEST, WIDE, WORK, done, falsified, residual, selected

from pv.campaign.run import Signal
from pv.contract.schema import load_schema
from pv.falsify.work import Work
from pv.finding import Finding, Severity
from pv.ledger.formats import problem_of
from pv.report.trial_formats import TRIAL_FORMATS, Result, Summary
from pv.report.trial_github import SHOWN
from pv.report.trials import result_text, summary_line

TWO = Work(WORK.contract, TEST._replace(id="FALSIFY-D-002"), WORK.binding)
THREE = Work(WORK.contract, TEST._replace(id="FALSIFY-D-003"), WORK.binding)
CLAUSES = depends(clause=[("contracts/double-v1.yaml", "double/twice", "c" * 64)])
ROWS = (
    replace(done(residuals=[residual(0.5, 8.0)], printed="a <word>\x00\n"), receipt=f".pv/receipts/double-v1/{NONE}.json"),
    replace(falsified(OTHER, depends=CLAUSES), subject=KERNEL),
    done("vacuous", TWO, reason="no fault is caught", teeth=[tooth("double/twice", caught=False)]),
    done("errored", THREE, reason="it crashed"),
    done("not_measured", OTHER, reason="too few distinct cases"),
)  # fmt: skip
LEFT = ((selected(TWO), "the time budget was spent"),)
NOT_FOR = ((selected(OTHER), "it has no gradient"),)
UNBOUND = Finding("PV304", Severity.ERROR, HERE, "no subject", "bind it")
ALL = Summary(ROWS, LEFT, NOT_FOR, 3, (UNBOUND, WIDE))
HELD = Summary(ROWS[:1])


def written(form: str, summary: Summary) -> str:
    """The document of a format that has one."""
    writer = TRIAL_FORMATS[form]()
    told = [
        *writer.begin([row.trial for row in summary.results], summary.fresh),
        *writer.progress(Signal(WORK, "attack", 5)),
    ]
    told += [line for row in summary.results for line in writer.finish(row)]
    assert told == [], "a document is written at the end"
    [text] = writer.close(summary)
    return text


# --- JSON and events


def test_json_holds_the_receipts_what_was_left_out_and_the_findings() -> None:
    value = json.loads(written("json", ALL))
    assert value["receipts"] == [row.finished.receipt for row in ROWS]
    assert (value["selected"], value["fresh"]) == (6, 3)
    who = {
        "contract": "double-v1",
        "test": "FALSIFY-D-002",
        "subject": "plain",
        "kind": "algorithm",
        "reason": "the time budget was spent",
    }
    assert value["not_run"] == [who]
    assert [row["subject"] for row in value["not_applicable"]] == ["numpy"]
    assert [row["code"] for row in value["findings"]] == ["PV304", "PV406"]


def events(summary: Summary) -> list[dict[str, Any]]:
    """What a campaign that was told in full has written, line by line."""
    writer = TRIAL_FORMATS["ndjson"]()
    lines = [
        *writer.begin([row.trial for row in summary.results], summary.fresh),
        *writer.progress(Signal(WORK, "attack", 5)),
    ]
    lines += [line for row in summary.results for line in writer.finish(row)]
    lines += writer.close(summary)
    assert not any("\n" in line for line in lines)
    return [json.loads(line) for line in lines]


def test_events_come_one_a_line_as_they_happen() -> None:
    rows = events(ALL)
    assert [row["event"] for row in rows] == ["started", "progress", *["finished"] * 5, "summary"]
    assert rows[0]["schema"] == "pv/falsify-events-v1"
    assert [row["subject"] for row in rows[0]["trials"]] == ["plain", "numpy", "plain", "plain", "numpy"]
    who = {"contract": "double-v1", "test": "FALSIFY-D-001", "subject": "plain", "kind": "algorithm"}
    assert rows[1] == {"event": "progress", **who, "stage": "attack", "cases": 5}
    assert rows[2]["receipt"] == ROWS[0].finished.receipt
    assert problem_of("pv/receipt-v1", rows[2]["receipt"]) == ""
    assert (rows[2]["printed"], rows[2]["receipt_file"]) == ("a <word>\x00\n", f".pv/receipts/double-v1/{NONE}.json")
    verdicts = ["held", "falsified", "vacuous", "errored", "not_measured"]
    assert [row["verdict"] for row in rows[-1]["verdicts"]] == verdicts
    assert rows[-1]["selected"] == 6


def test_every_event_satisfies_the_schema_that_the_first_one_names() -> None:
    validator = jsonschema.Draft202012Validator(load_schema("pv/falsify-events-v1"))
    rows = events(ALL)
    assert [error.message for row in rows for error in validator.iter_errors(row)] == []
    for row in rows:
        assert not validator.is_valid({**row, "more": 1}), row["event"]
        assert not validator.is_valid({**row, "event": "other"}), "the control"


# --- JUnit


def junit(summary: Summary) -> list[Xml.Element]:
    return list(Xml.fromstring(written("junit", summary)))


def test_in_junit_a_trial_is_a_case_and_what_was_not_measured_an_error_never_skipped() -> None:
    suite, findings = junit(ALL)
    told = [(case.get("name"), [child.tag for child in case][1:]) for case in suite.findall("testcase")]
    assert told == [
        ("FALSIFY-D-001", ["system-out"]),
        ("FALSIFY-D-001[numpy]", ["failure"]),
        ("FALSIFY-D-002", ["failure"]),
        ("FALSIFY-D-003", ["error"]),
        ("FALSIFY-D-001[numpy]", ["error"]),
        ("FALSIFY-D-002", []),
    ]
    assert {case.get("classname") for case in suite.findall("testcase")} == {"double-v1"}
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "2", "3")
    assert suite.findall(".//skipped") == []
    [file] = findings
    assert (file.get("name"), [child.tag for child in file]) == ("contracts/double-v1.yaml", ["failure", "system-out"])
    assert [len(junit(HELD)), junit(HELD)[0].get("errors")] == [1, "0"]


def test_a_case_of_junit_says_how_the_trial_was_run_and_why_it_did_not_hold() -> None:
    held, falsified_, *_, left = junit(ALL)[0].findall("testcase")
    facts = {row.get("name"): row.get("value") for row in held.findall("properties/property")}
    assert facts == {
        "subject": "plain", "kind": "algorithm", "target": "kernels.double:double", "clauses": "double/twice",
        "verdict": "held",
        "cases": "200", "checks": "220", "seed": "0", "slack": "16", "teeth": "1 of 1", "receipt": NONE,
    }  # fmt: skip
    assert held.findtext("system-out") == "a <word>\ufffd\n"
    [failure] = falsified_.findall("failure")
    assert (failure.get("type"), failure.text) == ("falsified", result_text(ROWS[1]))
    [error] = left.findall("error")
    assert (error.get("type"), error.text) == ("not_run", "the time budget was spent")
    left_out = {row.get("name"): row.get("value") for row in junit(ALL)[0].findall("properties/property")}
    assert left_out == {"fresh": "3", "not applicable: FALSIFY-D-001[numpy]": "it has no gradient"}


# --- SARIF


def sarif(summary: Summary) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(written("sarif", summary))
    return value


def test_sarif_has_a_result_for_what_is_wrong_and_a_notification_for_what_nobody_measured() -> None:
    [run] = sarif(ALL)["runs"]
    assert [(row["ruleId"], row["level"]) for row in run["results"]] == [
        ("FALSIFY-D-001", "error"),
        ("FALSIFY-D-002", "error"),
        ("FALSIFY-D-003", "error"),
        ("PV304", "error"),
        ("PV406", "warning"),
    ]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[row["ruleIndex"]] == row["ruleId"] for row in run["results"])
    [invocation] = run["invocations"]
    notes = invocation["toolExecutionNotifications"]
    assert [note["associatedRule"]["id"] for note in notes] == ["FALSIFY-D-001", "FALSIFY-D-002"]
    assert [note["message"]["text"].splitlines()[0] for note in notes] == [
        "not measured on numpy: too few distinct cases",
        "not run: the time budget was spent",
    ]
    assert invocation["executionSuccessful"] is False
    [clean] = sarif(HELD)["runs"]
    assert (clean["results"], clean["invocations"][0]["executionSuccessful"]) == ([], True)


def test_a_result_of_sarif_is_at_the_contract_leads_to_the_subject_and_is_known_by_its_clause() -> None:
    result = sarif(ALL)["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": HERE.path}, "region": {"startLine": 3, "startColumn": 5}}
    [related] = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == KERNEL.path
    assert result["partialFingerprints"] == {"pvClause/v1": "c" * 64, "pvTrial/v1": "FALSIFY-D-001[numpy] falsified"}
    assert "observed 37, expected 36" in result["message"]["text"]


def test_sarif_is_valid_against_the_schema_of_oasis() -> None:
    validator = sarif_validator()
    log = sarif(ALL)
    assert [error.message for error in validator.iter_errors(log)] == []
    assert validator.is_valid(sarif(Summary(())))
    broken = copy.deepcopy(log)
    broken["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["level"] = "fatal"
    assert not validator.is_valid(broken), "the control"


# --- GitHub


def test_an_annotation_of_a_falsified_trial_is_beside_the_code_that_is_wrong() -> None:
    lines = written("github", ALL).splitlines()
    assert lines[0] == (
        "::error file=kernels/double.py,line=5,col=1,title=FALSIFY-D-001::falsified on numpy: double/twice: observed 37, "
        "expected 36: differs (contracts/double-v1.yaml:3:5)%0Amend the subject, then pv falsify --id FALSIFY-D-001 "
        "--subject numpy"
    )
    assert [line.partition("::")[2].partition("::")[2].partition(":")[0] for line in lines[1:-1]] == [
        "vacuous", "errored", "no subject%0Abind it", "not measured on numpy", "not run",
        "the tolerance is wide%0Atighten it",
    ]  # fmt: skip
    assert lines[-1] == summary_line(ALL)
    assert written("github", HELD) == summary_line(HELD)


@pytest.mark.parametrize("more", [0, 1, 5])
def test_the_worst_are_annotated_and_the_rest_counted(more: int) -> None:
    rows: list[Result] = [done("not_measured", reason="x") for _ in range(SHOWN + more - 1)]
    lines = written("github", Summary((*rows, falsified()))).splitlines()
    assert lines[0].startswith("::error file=contracts/double-v1.yaml,line=3,col=5,title=FALSIFY-D-001::falsified")
    told = [f"and {more} more, without an annotation: pv falsify --format text shows all"] if more else []
    assert lines[SHOWN:-1] == told
    assert all(line.startswith("::error") for line in lines[:SHOWN])
