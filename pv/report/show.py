"""One falsification test from every side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pv.assess.levels import Assessment
from pv.assess.promises import mend
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.finding import Place
from pv.ledger.promotion import Promise
from pv.ledger.receipt import Receipt
from pv.level import Level
from pv.report.paste import assignments
from pv.report.plain import plural
from pv.report.status import assessment_value, freshness
from pv.source.falsifiers import FalsifierIndex


@dataclass(frozen=True, slots=True)
class View:
    """A falsification test and all that refers to it."""

    contract: Contract
    test: FalsificationTest
    binding: Binding | None
    subject: Place | None
    row: Assessment
    index: FalsifierIndex
    promises: tuple[Promise, ...]


def show_text(view: View) -> str:
    """What `pv show` prints of one test."""
    contract, test, binding, row, index = view.contract, view.test, view.binding, view.row, view.index
    lines = [
        f"{test.id}  {row.level.short}, {freshness(row)}",
        f"  contract   {test.place}  {' '.join(test.rule.split())}",
    ]
    for name in test.binds_to:
        invariant = contract.invariant(name)
        if invariant is not None:
            lines.append(f"  clause     {invariant.place}  {name}: {invariant.statement} ({invariant.holds.value})")
    for entry in index.falsifiers_of(contract.name, test.id):
        lines.append(f"  falsifier  {entry.place}  {entry.function}")
    for fault in index.faults_of(contract.name):
        if fault.invariant in test.binds_to:
            lines.append(f"  fault      {fault.place}  {fault.function}")
    if binding is not None:
        where = view.subject or "not found"
        lines.append(f"  subject    {where}  {binding.target} ({binding.name}, {binding.place})")
    if row.receipt is not None:
        lines += _receipt(row.receipt)
    lines += [f"  promised   {promise.level.short} on {promise.receipts[0][:12]}…" for promise in view.promises]
    lines += [f"  lacking    {item}" for item in row.lacking]
    lines.append(f"  next       {next_command(row, view.promises)}")
    return "\n".join(lines)


def show_value(view: View) -> dict[str, Any]:
    """The same as JSON."""
    contract, test, binding, row, index = view.contract, view.test, view.binding, view.row, view.index
    clauses = [found for name in test.binds_to if (found := contract.invariant(name)) is not None]
    return {
        **assessment_value(row),
        "place": str(test.place),
        "rule": test.rule,
        "prediction": test.prediction,
        "if_fails": test.if_fails,
        "clauses": [
            {"name": clause.name, "place": str(clause.place), "statement": clause.statement} for clause in clauses
        ],
        "falsifiers": [str(entry.place) for entry in index.falsifiers_of(contract.name, test.id)],
        "faults": [str(entry.place) for entry in index.faults_of(contract.name) if entry.invariant in test.binds_to],
        "target": binding.target if binding else None,
        "subject_place": str(view.subject) if view.subject else None,
        "promised": [promise.level.name for promise in view.promises],
        "next": next_command(row, view.promises),
    }


def next_command(row: Assessment, promises: Sequence[Promise]) -> str:
    """What brings this test on."""
    if row.level < Level.PARTIAL_ALGORITHM_LEVEL:
        return mend(row) if row.level is not Level.FALSIFIED else f"mend the subject, then pv falsify --id {row.test}"
    if not any(promise.level >= row.level for promise in promises):
        return f"pv ledger promote {row.test}"
    return "nothing: what is promised is supported"


def _receipt(receipt: Receipt) -> list[str]:
    caught = sum(1 for tooth in receipt.teeth if tooth.caught)
    faults = f"{caught} of {plural(len(receipt.teeth), 'fault')} caught"
    counts = f"{plural(receipt.cases, 'case')}, {plural(receipt.checks, 'check')}, {faults}, seed {receipt.seed}"
    lines = [f"  receipt    {receipt.path.parent.name}/{receipt.name[:12]}…  {receipt.verdict.label}: {counts}"]
    strata = ", ".join(f"{row.name} {row.distinct}{' (all)' if row.exhausted else ''}" for row in receipt.strata)
    lines.append(f"  strata     {strata}")
    lines += [
        f"  residual   {row.invariant} {row.dtype}: {row.residual:.3g} of {row.bound:.3g}" for row in receipt.residuals
    ]
    if receipt.reason:
        lines.append(f"  reason     {receipt.reason}")
    if receipt.counterexample:
        found = receipt.counterexample
        lines.append(
            f"  broken     {found['invariant']}: observed {found['observed']}, expected {found['expected']}, {found['at']}"
        )
        lines += [f"             {line}" for line in assignments(found["arguments"] or {})]
    return lines
