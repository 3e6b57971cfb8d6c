"""Trials as text: a line for each, everything about one that did not hold, and the counts of a campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pv.falsify.casefile import case_path
from pv.falsify.work import Work
from pv.finding import Exit, Finding, Severity
from pv.report.paste import script
from pv.report.plain import plural
from pv.report.text import one_line
from pv.report.trial_formats import Result, Selected, Summary
from pv.root import COUNTEREXAMPLES
from pv.verdict import Kind

_PRINTED = 10  # lines of what a trial printed


def result_line(result: Result) -> str:
    """`FALSIFY-MG-003  held  one_hot/one_per_row  203 cases, 406 checks, 1 of 1 fault caught, slack 12`."""
    receipt = result.finished.receipt
    counts = _counts(receipt)
    if receipt["teeth"]:
        counts.append(f"{_caught(receipt)} of {plural(len(receipt['teeth']), 'fault')} caught")
    if (receipt.get("mutants") or {}).get("killed", "").startswith("output:"):
        counts.append("no mutant killed but a damaged output")
    slack = smallest_slack(receipt["residuals"])
    if slack is not None and not receipt["counterexample"]:
        counts.append(f"slack {slack:.3g}")
    clauses = " ".join(result.trial.work.test.binds_to)
    return f"{result.trial.name}  {verdict_of(result):12}  {clauses:34}  {', '.join(counts)}"


def verdict_of(result: Result) -> str:
    """`held`, `not measured`: the verdict as people write it."""
    return result.finished.outcome.verdict.label


def smallest_slack(residuals: Sequence[Mapping[str, str]]) -> float | None:
    """Tolerance ÷ largest residual, the smallest over dtypes; None when nothing differed or nothing was compared."""
    ratios = [
        float.fromhex(row["bound"]) / float.fromhex(row["residual"])
        for row in residuals
        if float.fromhex(row["residual"]) > 0
    ]
    return min(ratios, default=None)


def trial_facts(result: Result) -> dict[str, str]:
    """What a report of tests says of a trial besides its verdict: subject, counts, slack, teeth."""
    receipt = result.finished.receipt
    slack = smallest_slack(receipt["residuals"])
    return {
        "subject": receipt["subject"]["name"],
        "target": receipt["subject"]["target"],
        "kind": receipt["kind"],
        "clauses": " ".join(result.trial.work.test.binds_to),
        "verdict": verdict_of(result),
        "cases": str(_distinct(receipt)),
        "checks": str(receipt["checks"]),
        "seed": str(receipt["cases"]["seed"]),
        "slack": "" if slack is None else f"{slack:.3g}",
        "teeth": f"{_caught(receipt)} of {len(receipt['teeth'])}",
    }


def result_text(result: Result) -> str:
    """All about a trial that did not hold: the invariant, the smallest case, what was seen, and what to do next."""
    receipt, work = result.finished.receipt, result.trial.work
    found = receipt["counterexample"]
    name = found["invariant"] if found else work.test.binds_to[0]
    invariant = work.contract.invariant(name)
    lines = [f"{result.trial.name} {verdict_of(result)}: {name if found else receipt['reason']}"]
    if invariant is not None:
        lines.append(f"  {invariant.place}: {invariant.statement}")
    if found:
        lines += _counterexample(found, work)
        lines.append(f"  if this fails: {' '.join(work.test.if_fails.split())}")
    lines += _printed(result.finished.printed)
    target = receipt["subject"]["target"]
    lines.append(f"  subject: {target}" + (f"  {result.subject.path}:{result.subject.line}" if result.subject else ""))
    if result.case:
        lines.append(f"  case: {result.case}")
    lines.append(f"  next: {_next(result)}")
    return "\n".join(one_line(line) for part in lines for line in part.splitlines())  # code under test wrote some of it


def failure_finding(result: Result) -> Finding:
    """A trial that did not hold as a finding under its id, where the contract asks for it, in a few words."""
    receipt, test = result.finished.receipt, result.trial.work.test
    found = receipt["counterexample"]
    seen = (
        f"{found['invariant']}: observed {found['observed']}, expected {found['expected']}: {found['message']}"
        if found
        else receipt["reason"]
    )
    other = _beside(result.trial)
    return Finding(test.id, severity_of(result), test.place, f"{verdict_of(result)}{other}: {seen}", _next(result))


def not_run_finding(trial: Selected, why: str) -> Finding:
    """A trial that was asked for and not begun: nobody measured it."""
    test, other = trial.work.test, _beside(trial)
    again = f"pv falsify --id {test.id}{_subject(trial)}"
    return Finding(test.id, Severity.UNMEASURED, test.place, f"not run{other}: {why}", again)


def severity_of(result: Result) -> Severity:
    """Not measured must be run; what else did not hold must be mended."""
    return Severity.UNMEASURED if result.finished.outcome.verdict.exit is Exit.RUN else Severity.ERROR


def summary_line(summary: Summary) -> str:
    """`31 tests run: 30 held, 1 falsified; 3 fresh already` with the denominator, and what was left out."""
    counts = Counter(verdict_of(result) for result in summary.results)
    words = [f"{counts[verdict]} {verdict}" for verdict in sorted(counts, key=lambda name: (name != "held", name))]
    selected = len(summary.results) + len(summary.not_run)
    if summary.not_run:
        words.append(f"{len(summary.not_run)} not run")
    rest = {"fresh already": summary.fresh, "not applicable": len(summary.not_applicable)}
    trials = [*(result.trial for result in summary.results), *(trial for trial, _ in summary.not_run)]
    tests = len({(trial.work.contract.name, trial.work.test.id, trial.work.binding.name) for trial in trials})
    kinds = {trial.work.kind for trial in trials} - {Kind.ALGORITHM}
    count = f"{plural(selected, 'run')} of {plural(tests, 'test')}" if kinds else f"{plural(selected, 'test')} run"
    ran = f"{count}: {', '.join(words)}" if selected else "nothing to run"
    return "; ".join([ran, *(f"{count} {what}" for what, count in rest.items() if count)])


def _counts(receipt: Mapping[str, Any]) -> list[str]:
    strata = receipt["cases"]["strata"]
    exhausted = " (all there are)" if strata and all(row["exhausted"] for row in strata) else ""
    live = receipt.get("live")
    calls = [f"{live['calls']:,} calls, {live['outside']:,} outside"] if live else []
    return [
        f"{plural(_distinct(receipt), 'case')}{'' if live else exhausted}",
        *calls,
        plural(receipt["checks"], "check"),
    ]


def _distinct(receipt: Mapping[str, Any]) -> int:
    return sum(row["distinct"] for row in receipt["cases"]["strata"])


def _caught(receipt: Mapping[str, Any]) -> int:
    return sum(1 for tooth in receipt["teeth"] if tooth["caught"])


def _counterexample(found: Mapping[str, Any], work: Work) -> list[str]:
    equation = work.contract.equation(work.test.equation)
    file = case_path(Path(COUNTEREXAMPLES), work.contract.name, work.test.id, found["digest"]).as_posix()
    order = [argument.name for argument in equation.arguments] if equation else []
    shown = script(found["arguments"], file, work.binding, order)
    lines = [f"  smallest case found (stratum {found['stratum']}):"]
    lines += [f"      {line}" for line in shown or ["(no arguments)"]]
    lines.append(f"  observed {found['observed']}, expected {found['expected']}: {found['message']}")
    lines.append(f"  checked at {found['at']}")
    return lines


def _printed(text: str) -> list[str]:
    """The end of what the trial printed."""
    lines = [line for line in text.splitlines() if line.strip()]
    return ["  it printed:", *(f"      {line}" for line in lines[-_PRINTED:])] if lines else []


def _next(result: Result) -> str:
    test = result.trial.work.test
    again = f"pv falsify --id {test.id}{_subject(result.trial)}"
    match result.finished.receipt["verdict"]:
        case "falsified":
            kept = f"; pv replay {test.id} runs the case, pv pin {test.id} keeps it" if result.case else ""
            return f"mend the subject, then {again}{kept}"
        case "not_measured" if result.trial.work.kind is Kind.LIVE:
            return f"let the live command call it, then {again}"
        case "not_measured" if not result.finished.receipt["cases"]["strata"]:
            return f"install what is missing, then {again}"
        case "not_measured":
            return f"widen the cases, or {again} --examples 1000"
        case "vacuous":
            return f"write the falsifier so that it can fail, then {again}"
    return f"mend the falsifier or what it calls, then {again}"


def _beside(trial: Selected) -> str:
    """What people have to know besides the id: another subject, another kind."""
    subject = "" if trial.default else f" on {trial.work.binding.name}"
    return subject if trial.work.kind is Kind.ALGORITHM else f"{subject} ({trial.work.kind.value})"


def _subject(trial: Selected) -> str:
    subject = "" if trial.default else f" --subject {trial.work.binding.name}"
    kind = trial.work.kind
    return subject if kind is Kind.ALGORITHM else f"{subject} --kind {kind.value}"
