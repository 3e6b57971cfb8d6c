"""What `pv validate` answers, in each of its formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import NamedTuple

from pv.finding import Finding, Place, Severity
from pv.report.plain import json_text, plural, tally

FORMATS = ("text", "json", "sarif", "github", "junit")


class Answer(NamedTuple):
    """What was found, what was looked at, and what was left out, and why."""

    findings: tuple[Finding, ...]
    checked: Mapping[str, int]
    judged: tuple[str, ...]
    skipped: tuple[str, ...]
    hidden: Mapping[str, int]
    line_of: Callable[[Place], str]
    names_of: Callable[[Sequence[Finding]], list[str]]
    """Fingerprints."""


def answer_text(answer: Answer, form: str, *, colour: bool = False) -> str:
    """The answer in one of `FORMATS`, without the last newline."""
    return "\n".join(_lines(answer, form, colour))


def _lines(answer: Answer, form: str, colour: bool) -> Iterator[str]:
    if form == "json":
        yield from _json(answer)
    elif form == "sarif":
        yield _sarif(answer)
    elif form == "junit":
        from pv.report.junit import junit_text

        yield junit_text(answer.judged, answer.findings)
    elif form == "github":
        from pv.report.github import annotation_lines

        yield from annotation_lines(answer.findings)
        yield summary(answer)
    else:
        yield from _text(answer, colour)


def summary(answer: Answer) -> str:
    """`92 files, 1,204 values, 41 rules; 3 errors, 7 warnings`, and how many findings are not shown."""
    checked = ", ".join(plural(count, noun[:-1]) for noun, count in answer.checked.items())
    hidden = "".join(f"; {count:,} {why}" for why, count in answer.hidden.items())
    return f"{checked}; {tally(answer.findings)}{hidden}"


def _text(answer: Answer, colour: bool) -> Iterator[str]:
    from pv.report.text import text_lines

    yield from text_lines(answer.findings, answer.line_of, colour=colour)
    for path in answer.skipped:
        yield f"{path}: skipped, it does not say that it is a contract"
    yield summary(answer)


def _json(answer: Answer) -> Iterator[str]:
    """As `json_text` spells it, but a line a finding."""
    spelt = {severity: encode_basestring(severity.value) for severity in Severity}
    rows = [_row(finding, spelt[finding.severity]) for finding in answer.findings]
    listed = "\n  " + ",\n  ".join(rows) + "\n " if rows else ""
    rest = {"checked": dict(answer.checked), "skipped": list(answer.skipped), "hidden": dict(answer.hidden)}
    yield f'{{\n "findings": [{listed}],' + json_text(rest).removeprefix("{")


def _row(finding: Finding, severity: str) -> str:
    """As `dumps` spells `finding_value`, in a third of the time: it would make a dictionary and an encoder each time."""
    path, line, column = finding.place
    return (
        f'{{"code": "{finding.code}", "severity": {severity}, "path": {encode_basestring(path)}, "line": {line}, '
        f'"column": {column}, "message": {encode_basestring(finding.message)}, "hint": {encode_basestring(finding.hint)}}}'
    )


def _sarif(answer: Answer) -> str:
    from pv import __version__
    from pv.report.sarif import sarif_value
    from pv.rules import catalogue

    names = answer.names_of(answer.findings)
    return json_text(sarif_value(answer.findings, names, catalogue(), __version__, answer.checked))
