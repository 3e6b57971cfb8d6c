"""A campaign as SARIF 2.1.0: what did not hold is a result of the rule named by its id, what was not measured a notification.

A notification, because a log without results reads as a clean one: `executionSuccessful` is false beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pv import __version__
from pv.finding import Finding, Severity
from pv.report.plain import json_text
from pv.report.sarif import location_value, log_value, message_value, result_value, rule_value
from pv.report.trial_formats import Result, Selected, Summary
from pv.report.trials import failure_finding, not_run_finding, severity_of, trial_facts, verdict_of
from pv.rules import catalogue
from pv.verdict import Verdict


def campaign_sarif(summary: Summary) -> str:
    """`--format sarif`."""
    broken = [row for row in summary.results if row.finished.outcome.verdict is not Verdict.HELD]
    wrong = [row for row in broken if severity_of(row) is Severity.ERROR]
    unmeasured = [failure_finding(row) for row in broken if severity_of(row) is Severity.UNMEASURED]
    unmeasured += [not_run_finding(trial, why) for trial, why in summary.not_run]
    rules = {row["id"]: row for row in _rules(summary)}
    index = {id_: i for i, id_ in enumerate(rules)}
    results = [_result(row, index) for row in wrong]
    results += [result_value(finding, index, {}) for finding in summary.findings]
    invocation = {
        "executionSuccessful": not unmeasured,
        "toolExecutionNotifications": [_notification(finding, index) for finding in unmeasured],
    }
    properties = {
        "trials": [{"test": row.trial.name, **trial_facts(row)} for row in summary.results],
        "fresh": summary.fresh,
        "notApplicable": [{"test": trial.name, "reason": why} for trial, why in summary.not_applicable],
    }
    return json_text(log_value(results, list(rules.values()), __version__, properties, invocations=[invocation]))


def _rules(summary: Summary) -> Iterable[Mapping[str, Any]]:
    """One for each test that was selected, and those whose findings are told."""
    for trial in (*(row.trial for row in summary.results), *(trial for trial, _ in summary.not_run)):
        yield _test_rule(trial)
    told = {finding.code for finding in summary.findings}
    yield from (rule_value(rule) for rule in catalogue() if rule.code in told)


def _test_rule(trial: Selected) -> dict[str, Any]:
    test = trial.work.test
    return {
        "id": test.id,
        "shortDescription": {"text": _words(test.rule)},
        "fullDescription": {"text": _words(test.prediction)},
        "help": {"text": _words(test.if_fails)},
        "defaultConfiguration": {"level": "error"},
    }


def _result(result: Result, index: Mapping[str, int]) -> dict[str, Any]:
    receipt = result.finished.receipt
    clauses = {part["name"]: part["digest"] for part in receipt["depends"]["clause"]}
    found = receipt["counterexample"]
    clause = found["invariant"] if found else result.trial.work.test.binds_to[0]
    names = {"pvClause/v1": clauses.get(clause, clause), "pvTrial/v1": f"{result.trial.name} {verdict_of(result)}"}
    value = result_value(failure_finding(result), index, names)
    if result.subject is not None:
        related = {"message": {"text": f"the subject: {receipt['subject']['target']}"}}
        value["relatedLocations"] = [{"id": 1, **location_value(result.subject), **related}]
    return value


def _notification(finding: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    return {
        "associatedRule": {"id": finding.code, "index": index[finding.code]},
        "level": "error",
        "message": message_value(finding),
        "locations": [location_value(finding.place)],
    }


def _words(text: str) -> str:
    return " ".join(text.split())
