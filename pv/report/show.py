"""One falsification test from every side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pv.assess.levels import Assessment, run_command
from pv.assess.policy import ANYWHERE, Scope
from pv.assess.promises import is_excused, mend
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.falsify.casefile import case_path
from pv.finding import Place
from pv.ledger.promotion import Promise
from pv.ledger.receipt import Receipt
from pv.level import Level
from pv.report.paste import script
from pv.report.plain import plural
from pv.report.status import assessment_value, freshness
from pv.root import COUNTEREXAMPLES
from pv.source.falsifiers import FalsifierEntry, FalsifierIndex


@dataclass(frozen=True, slots=True)
class View:
    """A falsification test on one subject and all that refers to it; `others` is what is known of it on other subjects."""

    contract: Contract
    test: FalsificationTest
    binding: Binding | None
    subject: Place | None
    row: Assessment
    index: FalsifierIndex
    promises: tuple[Promise, ...]
    others: tuple[Assessment, ...] = ()
    scope: Scope = ANYWHERE


def show_text(view: View) -> str:
    """What `pv show` prints of one test."""
    contract, test, binding, row, index = view.contract, view.test, view.binding, view.row, view.index
    lines = [
        f"{test.id}  {row.level.short}, {freshness(row, view.scope)}",
        f"  contract   {test.place}  {' '.join(test.rule.split())}",
    ]
    for name in test.binds_to:
        invariant = contract.invariant(name)
        if invariant is not None:
            lines.append(f"  clause     {invariant.place}  {name}: {invariant.statement} ({invariant.holds.value})")
    for entry in index.falsifiers_of(contract.name, test.id):
        lines.append(f"  falsifier  {entry.place}  {entry.function}{_budget(entry)}")
    for fault in index.faults_of(contract.name):
        if fault.invariant in test.binds_to:
            lines.append(f"  fault      {fault.place}  {fault.function}")
    if binding is not None:
        where = view.subject or "not found"
        lines.append(f"  subject    {where}  {binding.code} ({binding.name}, {binding.place})")
    shown = [row.receipt, *row.receipts] if row.receipt is not None else []
    lines += [line for receipt in dict.fromkeys(shown) for line in _receipt(receipt)]
    lines += [f"  excepted   {kind}: {reason}" for kind, reason in test.not_applicable]
    lines += [f"  promised   {promise.level.short} on {promise.receipts[0][:12]}…" for promise in view.promises]
    lines += [f"  lacking    {item}" for item in row.lacking]
    lines += [
        f"  also       {other.subject}: {other.level.short}, {freshness(other, view.scope)}" for other in view.others
    ]
    lines.append(f"  next       {next_command(row, view.promises)}")
    return "\n".join(lines)


def show_value(view: View) -> dict[str, Any]:
    """The same as JSON."""
    contract, test, binding, row, index = view.contract, view.test, view.binding, view.row, view.index
    clauses = [found for name in test.binds_to if (found := contract.invariant(name)) is not None]
    return {
        **assessment_value(row, view.scope),
        "place": str(test.place),
        "rule": test.rule,
        "prediction": test.prediction,
        "if_fails": test.if_fails,
        "clauses": [
            {"name": clause.name, "place": str(clause.place), "statement": clause.statement} for clause in clauses
        ],
        "falsifiers": [str(entry.place) for entry in index.falsifiers_of(contract.name, test.id)],
        "faults": [str(entry.place) for entry in index.faults_of(contract.name) if entry.invariant in test.binds_to],
        "target": binding.code if binding else None,
        "subject_place": str(view.subject) if view.subject else None,
        "kinds_not_applicable": dict(test.not_applicable),
        "promised": [promise.level.name for promise in view.promises],
        "next": next_command(row, view.promises),
        "others": [assessment_value(other, view.scope) for other in view.others],
    }


def next_command(row: Assessment, promises: Sequence[Promise]) -> str:
    """What brings this test on."""
    if is_excused(row):
        return "nothing: it does not apply to this subject"
    if row.level < Level.PARTIAL_ALGORITHM_LEVEL:
        return mend(row) if row.level is not Level.FALSIFIED else f"mend the subject, then {run_command(row)}"
    if not any(promise.level >= row.level for promise in promises):
        return f"pv ledger promote {row.test}" + ("" if row.default else f" --subject {row.subject}")
    return "nothing: what is promised is supported"


def _budget(entry: FalsifierEntry) -> str:
    """What the falsifier says of its own cost; empty where that is everybody's."""
    said = [
        "slow" if entry.slow else "",
        f"{plural(entry.examples, 'example')}" if entry.examples else "",
        f"at most {entry.timeout:g} s a step" if entry.timeout else "",
    ]
    return f" ({', '.join(filter(None, said))})" if any(said) else ""


def _receipt(receipt: Receipt) -> list[str]:
    caught = sum(1 for tooth in receipt.teeth if tooth.caught)
    faults = f"{caught} of {plural(len(receipt.teeth), 'fault')} caught"
    counts = f"{plural(receipt.cases, 'case')}, {plural(receipt.checks, 'check')}, {faults}, seed {receipt.seed}"
    verdict = f"{receipt.verdict.label} ({receipt.kind.value})"
    lines = [f"  receipt    {receipt.path.parent.name}/{receipt.name[:12]}…  {verdict}: {counts}"]
    strata = ", ".join(f"{row.name} {row.distinct}{' (all)' if row.exhausted else ''}" for row in receipt.strata)
    lines.append(f"  strata     {strata}")
    if receipt.mutants is not None:
        killed = f"killed {receipt.mutants.killed}" if receipt.mutants.killed else "killed none"
        lines.append(
            f"  mutants    {receipt.mutants.tried} tried, {receipt.mutants.past} past the smoke check, {killed}"
        )
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
        file = case_path(Path(COUNTEREXAMPLES), receipt.contract, receipt.test, found["digest"]).as_posix()
        lines += [f"             {line}" for line in script(found["arguments"], file, None, ())]
    return lines
