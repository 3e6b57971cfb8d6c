"""How much each rule weighs here: `[tool.pv.rules]` of a project, and `--select` and `--ignore` of one run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pv.contract.quote import nearest
from pv.finding import Finding, PvError, Severity

DOCUMENT = "PV1"
UNANSWERABLE = (DOCUMENT, "PV4")
"""What neither a comment nor a setting answers: a document that cannot be trusted, a promise above its support."""
"""Codes that begin so are about the text itself: where it cannot be read, nothing of it was judged."""

_WORDS = {"note": Severity.NOTE, "warning": Severity.WARNING, "error": Severity.ERROR, "off": None}


class Weight(NamedTuple):
    """What a project makes of one rule: another severity (None: off), and why."""

    severity: Severity | None
    reason: str


def read_weights(table: object, codes: Collection[str]) -> dict[str, Weight]:
    """`[tool.pv.rules]`, by code. Raises PvError for a row that is not a known code with a severity and a reason."""
    if not isinstance(table, dict):
        raise PvError("[tool.pv.rules] must be a table", hint='PV208 = {severity = "off", reason = "…"}')
    return {code: _weight(code, row, codes) for code, row in table.items()}


def _weight(code: str, row: Any, codes: Collection[str]) -> Weight:
    where = f"[tool.pv.rules] {code}"
    if code not in codes:
        raise PvError(f"{where}: there is no such rule", hint=nearest(code, sorted(codes)))
    if not isinstance(row, dict) or set(row) - {"severity", "reason"}:
        raise PvError(f"{where} must be a table of severity and reason", hint='{severity = "off", reason = "…"}')
    severity, reason = row.get("severity"), row.get("reason")
    if not isinstance(severity, str) or severity not in _WORDS:
        raise PvError(
            f"{where}: severity is {severity!r}; expected one of {', '.join(_WORDS)}", hint="mend it in pyproject.toml"
        )
    if not isinstance(reason, str) or not reason.strip():
        raise PvError(f"{where} has no reason", hint='say why, for whoever reads it next: reason = "…"')
    if code.startswith(UNANSWERABLE) and severity != "error":
        said = "what is wrong with a document itself stays an error, and so does a promise above its support"
        raise PvError(f"{where}: {said}", hint="mend the document; earn the level or lower the promise")
    return Weight(_WORDS[severity], reason)


def weigh(findings: Iterable[Finding], weights: Mapping[str, Weight]) -> tuple[list[Finding], int]:
    """The findings with the severities of `weights`, and how many were switched off."""
    kept, off = [], 0
    for finding in findings:
        weight = weights.get(finding.code)
        if weight is None:
            kept.append(finding)
        elif weight.severity is None:
            off += 1
        else:
            kept.append(finding._replace(severity=weight.severity))
    return kept, off


class Selection(NamedTuple):
    """Codes or beginnings of codes: which to look at (none: all) and which not."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def admits(self, code: str) -> bool:
        """Whether a finding of this code is shown; one about the document itself always is."""
        if code.startswith(UNANSWERABLE):
            return True
        return (not self.select or code.startswith(self.select)) and not code.startswith(self.ignore)


def read_selection(select: Sequence[str], ignore: Sequence[str], codes: Collection[str]) -> Selection:
    """The options' values, each a list with commas. Raises PvError for what begins no code."""
    chosen, left_out = _prefixes("--select", select, codes), _prefixes("--ignore", ignore, codes)
    for prefix in left_out:
        if any(prefix.startswith(shown) or shown.startswith(prefix) for shown in UNANSWERABLE):
            hint = (
                "what is wrong with a document itself, or promised above its support, is always shown; name PV2 or PV3"
            )
            raise PvError(
                f"--ignore {prefix} would hide that a file was not judged, or a promise above its support", hint=hint
            )
    return Selection(chosen, left_out)


def _prefixes(option: str, values: Sequence[str], codes: Collection[str]) -> tuple[str, ...]:
    found = [part.strip().upper() for value in values for part in value.split(",")]
    for prefix in found:
        if not prefix or not any(code.startswith(prefix) for code in codes):
            raise PvError(f"{option}: no rule's code begins with {prefix!r}", hint=nearest(prefix, sorted(codes)))
    return tuple(dict.fromkeys(found))
