"""PV192: findings an old project has taken stock of. A baseline only shrinks: what is mended must leave it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pv.digest import digest
from pv.finding import Finding, Place, PvError, Severity

FORMAT = "pv/baseline-v1"
MAX_BYTES = 64 * 1024 * 1024
_UNREAD = ("PV10", "PV19")  # nothing else of such a file was found; and what is about comments and baselines themselves
_KEYS = ("fingerprint", "code", "path", "message")


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """One finding of a baseline; all but the fingerprint is for people."""

    path: str
    code: str
    fingerprint: str
    message: str


def fingerprints(
    findings: Sequence[Finding], line_of: Callable[[Place], str], path_of: Callable[[str], str]
) -> list[str]:
    """What names each finding while lines move: its code, its file, the text of its line, and which of several it is."""
    seen: Counter[tuple[str, str, str]] = Counter()
    named = []
    for finding in findings:
        key = (finding.code, path_of(finding.place.path), line_of(finding.place).strip())
        named.append(digest(["pv-finding-1", *key, seen[key]])[:32])
        seen[key] += 1
    return named


def baseline_text(known: Iterable[Known]) -> str:
    """The file of a baseline: one finding a line, in order, so that it can be reviewed as a diff."""
    rows = [json.dumps({key: getattr(row, key) for key in _KEYS}, ensure_ascii=False) for row in sorted(known)]
    listed = "\n".join(f"  {row}," for row in rows).removesuffix(",")
    return f'{{"format": "{FORMAT}", "findings": [\n{listed}\n]}}\n'


def read_baseline(data: bytes, shown: str) -> tuple[Known, ...]:
    """The findings that the file `data` lists. Raises PvError when it is no baseline."""
    hint = f"a baseline is written by: pv validate --baseline {shown} --update-baseline, where there is none yet"
    try:
        value: Any = json.loads(data) if len(data) <= MAX_BYTES else None
        rows: Any = value["findings"] if value["format"] == FORMAT else None
        known = tuple(Known(row["path"], row["code"], row["fingerprint"], row["message"]) for row in rows)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PvError(f"{shown} is no baseline ({FORMAT})", hint=hint) from error
    if not all(isinstance(text, str) for row in known for text in (row.path, row.code, row.fingerprint, row.message)):
        raise PvError(f"{shown} is no baseline ({FORMAT})", hint=hint)
    return known


def known_of(findings: Sequence[Finding], names: Sequence[str], path_of: Callable[[str], str]) -> dict[str, Known]:
    """What a baseline would say of `findings`; notes, what was not measured and what could not be read are in none."""
    rows = (
        Known(path_of(finding.place.path), finding.code, name, finding.message)
        for finding, name in zip(findings, names, strict=True)
        if finding.severity in (Severity.ERROR, Severity.WARNING) and not finding.code.startswith(_UNREAD)
    )
    return {row.fingerprint: row for row in rows}


def mended(known: Iterable[Known], present: Iterable[str], judged: Callable[[Known], bool]) -> list[Known]:
    """Entries that would have been found again if they were still there, and are not among the fingerprints `present`."""
    there = set(present)
    return [row for row in known if row.fingerprint not in there and judged(row)]


def outdated(gone: Sequence[Known], shown: str) -> list[Finding]:
    """PV192, once, with the first three."""
    if not gone:
        return []
    listed = ", ".join(f"{row.code} {row.path}" for row in gone[:3]) + (
        f" and {len(gone) - 3} more" if gone[3:] else ""
    )
    seen = f"{len(gone)} of the findings listed are mended: {listed}"
    hint = f"pv validate --baseline {shown} --update-baseline takes them out"
    return [Finding("PV192", Severity.ERROR, Place(shown), seen, hint)]
