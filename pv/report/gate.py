"""What `pv gate` answers, in each of its formats: one table of what was asked, every finding, the denominators."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pv.assess.levels import Assessment
from pv.finding import Finding, Severity
from pv.report.plain import finding_value, findings_text, json_text, tally
from pv.report.status import standing_text, totals, totals_value

FORMATS = ("text", "json", "github", "markdown")


@dataclass(frozen=True, slots=True)
class Gate:
    """What was found, by what was asked; the tests; what there is to know of promises; what came of running again.

    `idle` are the questions for which there was nothing to look at: to find nothing there is no good sign.
    `lenient` is whether what must only be run passes (`--hook`, at a commit). `names_of` gives fingerprints.
    """

    sections: Mapping[str, Sequence[Finding]]
    idle: Collection[str]
    rows: Sequence[Assessment]
    promises: Mapping[str, int]
    reproduction: Mapping[str, int] | None
    reproduced: str
    lenient: bool
    names_of: Callable[[Sequence[Finding]], list[str]]

    @property
    def findings(self) -> list[Finding]:
        """All of them, in the order of what was asked."""
        return [finding for findings in self.sections.values() for finding in findings]


def gate_text(gate: Gate, form: str) -> str:
    """The answer in one of `FORMATS`, without the last newline."""
    if form == "json":
        return json_text(_value(gate))
    if form == "markdown":
        return "\n".join(markdown_lines(gate))
    return "\n".join(_annotated(gate) if form == "github" else _text(gate))


def markdown_lines(gate: Gate) -> Iterator[str]:
    """The same for a pull request or the summary of a job."""
    from pv.report.markdown import code

    yield f"### pv gate: {_verdict(gate)}"
    yield ""
    yield "| asked | answer |"
    yield "| --- | --- |"
    yield from (f"| {name} | {_answer(gate, name)} |" for name in gate.sections)
    yield ""
    yield from (f"- {code(line)}" for line in _counts(gate))
    if gate.findings:
        yield ""
        yield "| where | code | what | next |"
        yield "| --- | --- | --- | --- |"
        for row in gate.findings:
            yield f"| {code(str(row.place))} | {row.code} | {code(row.message)} | {code(row.hint)} |"


def sarif_text(gate: Gate) -> str:
    """The findings as SARIF."""
    from pv import __version__
    from pv.report.sarif import sarif_value
    from pv.rules import catalogue

    names = gate.names_of(gate.findings)
    return json_text(sarif_value(gate.findings, names, catalogue(), __version__, {"tests": len(gate.rows)}))


def _text(gate: Gate) -> Iterator[str]:
    if gate.findings:
        yield findings_text(gate.findings)
    yield from _closing(gate)


def _annotated(gate: Gate) -> Iterator[str]:
    from pv.report.github import annotation_lines

    yield from annotation_lines(gate.findings)
    yield from _closing(gate)


def _closing(gate: Gate) -> Iterator[str]:
    wide = max(map(len, gate.sections))
    yield from (f"{name:<{wide}}  {_answer(gate, name)}" for name in gate.sections)
    yield from _counts(gate)
    yield f"gate: {_verdict(gate)}"


def _counts(gate: Gate) -> Iterator[str]:
    yield from totals(gate.rows)
    yield from standing_text(gate.promises)
    if gate.reproduced:
        yield gate.reproduced


def _answer(gate: Gate, name: str) -> str:
    """`holds`, or how many things must be mended, run, or are only told, or that there was nothing."""
    found = gate.sections[name]
    if not found and name in gate.idle:
        return "nothing to check"
    run = "to run, which passes here" if gate.lenient else "to run"
    words = {Severity.ERROR: "to mend", Severity.UNMEASURED: run, Severity.WARNING: "warned of", Severity.NOTE: "noted"}
    counts = {severity: sum(1 for row in found if row.severity is severity) for severity in words}
    return ", ".join(f"{count:,} {words[severity]}" for severity, count in counts.items() if count) or "holds"


def _verdict(gate: Gate) -> str:
    passes = "; what is to run passes here, and will not at a push" if gate.lenient and _unmeasured(gate) else ""
    return f"{tally(gate.findings)}{passes}"


def _unmeasured(gate: Gate) -> bool:
    return any(row.severity is Severity.UNMEASURED for row in gate.findings)


def _value(gate: Gate) -> dict[str, Any]:
    found = {name: [finding_value(row) for row in rows] for name, rows in gate.sections.items()}
    more = {} if gate.reproduction is None else {"reproduction": dict(gate.reproduction)}
    return {"findings": found, **totals_value(gate.rows), "promises": dict(gate.promises), **more}
