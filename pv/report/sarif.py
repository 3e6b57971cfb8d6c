"""Findings as SARIF 2.1.0 (OASIS), which code scanning services read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pv.finding import Finding, Severity
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
    driver = {
        "name": "pv",
        "semanticVersion": version,
        "rules": [_rule(rule) for rule in rules],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(finding, name, index) for finding, name in zip(findings, fingerprints, strict=True)
                ],
                "properties": {"checked": dict(counts)},
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.text},
        "help": {"text": rule.text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, fingerprint: str, index: Mapping[str, int]) -> dict[str, Any]:
    place = finding.place
    text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    rule = {"ruleIndex": index[finding.code]} if finding.code in index else {}
    region = {"startLine": place.line, "startColumn": place.column}
    artifact = {"uri": _uri(place.path)}
    return {
        "ruleId": finding.code,
        **rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "partialFingerprints": {"pv/v1": fingerprint},
    }


def _uri(path: str) -> str:
    """Relative as it was shown, or a file URI where it is absolute."""
    return f"file://{quote(path)}" if path.startswith("/") else quote(path.replace("\\", "/"))
