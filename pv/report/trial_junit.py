"""A campaign as JUnit XML: a falsification test is a test case, and what was not measured is an error, never skipped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as Xml

from pv.finding import Finding
from pv.report.junit import document, findings_suite, legal
from pv.report.trial_formats import Result, Selected, Summary
from pv.report.trials import failure_finding, not_run_finding, result_text, trial_facts
from pv.verdict import Verdict

_TAGS = {
    Verdict.FALSIFIED: "failure",
    Verdict.VACUOUS: "failure",
    Verdict.ERRORED: "error",
    Verdict.NOT_MEASURED: "error",
}


def campaign_junit(summary: Summary) -> str:
    """`--format junit`: the suite of the trials, and, where there are findings, one of the files they are in."""
    suite = Xml.Element("testsuite", name="pv falsify")
    _properties(suite, _left_out(summary))
    for result in summary.results:
        _result(suite, result)
    for trial, why in summary.not_run:
        _broken(_case(suite, trial), "error", "not_run", not_run_finding(trial, why), why)
    return document([suite, findings_suite((), summary.findings)] if summary.findings else [suite])


def _left_out(summary: Summary) -> dict[str, str]:
    reasons = {f"not applicable: {trial.name}": why for trial, why in summary.not_applicable}
    return {"fresh": str(summary.fresh), **reasons}


def _result(suite: Xml.Element, result: Result) -> None:
    verdict = result.finished.outcome.verdict
    case = _case(suite, result.trial)
    kept = {"receipt": Path(result.receipt).stem} if result.receipt else {}
    _properties(case, {**trial_facts(result), **kept})
    if verdict is not Verdict.HELD:
        _broken(case, _TAGS[verdict], verdict.value, failure_finding(result), result_text(result))
    if result.finished.printed:
        Xml.SubElement(case, "system-out").text = legal(result.finished.printed)


def _case(suite: Xml.Element, trial: Selected) -> Xml.Element:
    contract, place = trial.work.contract.name, trial.work.test.place
    return Xml.SubElement(suite, "testcase", classname=contract, name=trial.name, file=place.path, line=str(place.line))


def _properties(of: Xml.Element, values: Mapping[str, str]) -> None:
    listed = Xml.SubElement(of, "properties")
    for name, value in values.items():
        Xml.SubElement(listed, "property", name=legal(name), value=legal(value))


def _broken(case: Xml.Element, tag: str, kind: str, finding: Finding, text: str) -> None:
    Xml.SubElement(case, tag, message=legal(finding.message), type=kind).text = legal(text)
