"""Trials as text: a line for each, and everything about one that did not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pv.contract.model import Contract, FalsificationTest
from pv.finding import Place
from pv.report.paste import assignments
from pv.report.plain import plural


def trial_line(receipt: Mapping[str, Any], test: FalsificationTest) -> str:
    """`FALSIFY-MG-003  held  one_hot/one_per_row  203 cases, 406 checks, 1 of 1 fault caught, slack 12`."""
    strata = receipt["cases"]["strata"]
    distinct = sum(row["distinct"] for row in strata)
    exhausted = " (all there are)" if strata and all(row["exhausted"] for row in strata) else ""
    counts = f"{plural(distinct, 'case')}{exhausted}, {plural(receipt['checks'], 'check')}"
    if receipt["teeth"]:
        caught = sum(1 for tooth in receipt["teeth"] if tooth["caught"])
        counts += f", {caught} of {plural(len(receipt['teeth']), 'fault')} caught"
    slack = smallest_slack(receipt["residuals"])
    if slack is not None and not receipt["counterexample"]:
        counts += f", slack {slack:.3g}"
    verdict = receipt["verdict"].replace("_", " ")
    return f"{test.id}  {verdict:12}  {' '.join(test.binds_to):34}  {counts}"


def smallest_slack(residuals: Sequence[Mapping[str, str]]) -> float | None:
    """Tolerance ÷ largest residual, the smallest over dtypes; None when nothing differed or nothing was compared."""
    ratios = [
        float.fromhex(row["bound"]) / float.fromhex(row["residual"])
        for row in residuals
        if float.fromhex(row["residual"]) > 0
    ]
    return min(ratios, default=None)


def failure_text(receipt: Mapping[str, Any], contract: Contract, test: FalsificationTest, subject: Place | None) -> str:
    """All about a trial that did not hold: the invariant, the smallest case, what was seen, and what to do next."""
    found = receipt["counterexample"]
    name = found["invariant"] if found else test.binds_to[0]
    invariant = contract.invariant(name)
    lines = [f"{test.id} {receipt['verdict'].replace('_', ' ')}: {name if found else receipt['reason']}"]
    if invariant is not None:
        lines.append(f"  {invariant.place}: {invariant.statement}")
    if found:
        lines += _counterexample(found)
        lines.append(f"  if this fails: {' '.join(test.if_fails.split())}")
    target = receipt["subject"]["target"]
    lines.append(f"  subject: {target}" + (f"  {subject.path}:{subject.line}" if subject else ""))
    lines.append(f"  next: {_next(receipt, test)}")
    return "\n".join(lines)


def campaign_summary(receipts: Sequence[Mapping[str, Any]], fresh: int, selected: int) -> str:
    """`31 tests: 30 held, 1 falsified` with the denominator, and how many were fresh already."""
    counts = Counter(row["verdict"].replace("_", " ") for row in receipts)
    words = [f"{counts[verdict]} {verdict}" for verdict in sorted(counts, key=lambda name: (name != "held", name))]
    missing = selected - len(receipts)
    if missing:
        words.append(f"{missing} not run")
    ran = f"{plural(selected, 'test')} run: {', '.join(words)}" if selected else "nothing to run"
    return f"{ran}; {fresh} fresh already" if fresh else ran


def _counterexample(found: Mapping[str, Any]) -> list[str]:
    lines = [f"  smallest case found (stratum {found['stratum']}):"]
    arguments = found["arguments"]
    shown = ["(too large to keep)"] if arguments is None else assignments(arguments) or ["(no arguments)"]
    lines += [f"      {line}" for line in shown]
    lines.append(f"  observed {found['observed']}, expected {found['expected']}: {found['message']}")
    lines.append(f"  checked at {found['at']}")
    return lines


def _next(receipt: Mapping[str, Any], test: FalsificationTest) -> str:
    if receipt["verdict"] == "falsified":
        return f"mend the subject, then pv falsify --id {test.id}"
    if receipt["verdict"] == "not_measured":
        return f"widen the cases, or pv falsify --id {test.id} --examples 1000"
    return f"mend the falsifier or what it calls, then pv falsify --id {test.id}"
