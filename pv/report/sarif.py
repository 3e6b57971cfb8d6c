"""Findings as SARIF 2.1.0 (OASIS), which code scanning services read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pv.finding import Finding, Place, Severity
from pv.rules.registry import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.ERROR: "error",
    Severity.UNMEASURED: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}


def sarif_value(
    findings: Sequence[Finding],
    fingerprints: Sequence[str],
    rules: Sequence[Rule],
    version: str,
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """One run. `fingerprints` name the findings while lines move; `counts` is what was checked."""
    index = {rule.code: i for i, rule in enumerate(rules)}
    results = [
        result_value(finding, index, {"pv/v1": name}) for finding, name in zip(findings, fingerprints, strict=True)
    ]
    return log_value(results, [rule_value(rule) for rule in rules], version, {"checked": dict(counts)})


def log_value(
    results: Sequence[Mapping[str, Any]],
    rules: Sequence[Mapping[str, Any]],
    version: str,
    properties: Mapping[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """The log of one run of pv: `results` of `rules`; `more` are further keys of the run."""
    run = {
        "tool": {"driver": {"name": "pv", "semanticVersion": version, "rules": list(rules)}},
        "columnKind": "unicodeCodePoints",
        **more,
        "results": list(results),
        "properties": dict(properties),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def rule_value(rule: Rule) -> dict[str, Any]:
    """A rule as a reporting descriptor."""
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.text},
        "help": {"text": rule.text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def result_value(finding: Finding, index: Mapping[str, int], fingerprints: Mapping[str, str]) -> dict[str, Any]:
    """A finding as a result; `index` says which of the run's rules each code is."""
    rule = {"ruleIndex": index[finding.code]} if finding.code in index else {}
    return {
        "ruleId": finding.code,
        **rule,
        "level": _LEVELS[finding.severity],
        "message": message_value(finding),
        "locations": [location_value(finding.place)],
        "partialFingerprints": dict(fingerprints),
    }


def message_value(finding: Finding) -> dict[str, str]:
    """What was seen and what to do next."""
    return {"text": f"{finding.message}\n{finding.hint}" if finding.hint else finding.message}


def location_value(place: Place) -> dict[str, Any]:
    """A place as a location."""
    region = {"startLine": place.line, "startColumn": place.column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.path)}, "region": region}}


def _uri(path: str) -> str:
    """Relative as it was shown, or a file URI where it is absolute."""
    return f"file://{quote(path)}" if path.startswith("/") else quote(path.replace("\\", "/"))
