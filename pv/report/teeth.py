"""Mutants as text: what each ground came to, and every survivor as the edit it is, with what would kill it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from textwrap import indent
from typing import Any

from pv.campaign.fate import Difference, Fate, Ground, State, Verdicts
from pv.contract.equivalents import Waiver
from pv.report.plain import plural

_DIGEST = 16  # digits of a function's digest that a waiver shows


def ground_line(row: Verdicts) -> str:
    """`microgpt-v1 softmax torch  32 mutants: 20 killed, 10 smoke, 2 survived`."""
    if row.problem:
        return f"{row.ground.name}  not judged: {row.problem}"
    return f"{row.ground.name}  {_counts(row.counts, len(row.fates))}{'  (known)' if row.known else ''}"


def ground_text(row: Verdicts) -> str:
    """Everything about one ground that is to be mended or worth knowing; empty when there is nothing."""
    return "\n\n".join([*_about_tests(row), *(_survivor(row.ground, fate) for fate in row.survivors)])


def teeth_summary(rows: Sequence[Verdicts]) -> str:
    """`605 mutants: 400 killed, 150 smoke, 55 survived`, over everything that was judged."""
    total: Counter[State] = Counter()
    for row in rows:
        total.update(row.counts)
    unjudged = sum(bool(row.problem) for row in rows)
    return _counts(total, total.total()) + (f"; {plural(unjudged, 'subject')} not judged" if unjudged else "")


def verdicts_value(row: Verdicts) -> dict[str, Any]:
    """One ground as JSON."""
    return {
        "contract": row.ground.contract.name,
        "equation": row.ground.binding.equation,
        "subject": row.ground.binding.name,
        "problem": row.problem,
        "counts": {state.value: row.counts[state] for state in State},
        "kills": dict(row.kills),
        "unfit": [list(pair) for pair in row.unfit],
        "canaries": [list(pair) for pair in row.canaries],
        "same_kills": [list(tests) for tests in row.twins],
        "lapsed": [waiver.mutant for waiver in row.lapsed],
        "mutants": [_fate_value(fate) for fate in row.fates],
    }


def way_out(fate: Fate) -> str:
    """Why a survivor survived: not reached, not asserted, or perhaps equivalent."""
    if not fate.reached:
        return "not reached: no case of any falsifier executes this line"
    if fate.difference is None or not fate.difference.other:
        return "no difference seen: perhaps it is equivalent"
    return "not asserted: its answers differ, and no check looks at that"


def _counts(counts: Any, total: int) -> str:
    seen = ", ".join(f"{counts[state]} {_SHOWN[state]}" for state in State if counts[state])
    return f"{plural(total, 'mutant')}: {seen or 'none judged'}"


def _about_tests(row: Verdicts) -> Iterator[str]:
    for test, said in row.unfit:
        yield f"error: {test} fails on the subject itself, so it judges nothing: {said}"
    for waiver in row.lapsed:
        yield _lapsed(waiver, row.fates)
    for tests in row.twins:
        yield f"warning: {' and '.join(tests)} kill the same mutants: what is there to tell them apart?"
    by_canary: dict[str, list[str]] = {}
    for test, canary in row.canaries:
        by_canary.setdefault(canary, []).append(test)
    for canary, living in by_canary.items():
        yield f"note: {canary} in place of the output passes {', '.join(living)}"


def _lapsed(waiver: Waiver, fates: Iterable[Fate]) -> str:
    fate = next((fate for fate in fates if fate.id == waiver.mutant), None)
    if fate is None:
        why = "there is no such mutant"
    elif not fate.digest.startswith(waiver.digest):
        why = f"the function has changed since (its digest is {fate.digest[:_DIGEST]})"
    else:
        why = f"it is {_SHOWN[fate.state]}"
    return f"{waiver.place}: error: the waiver of {waiver.mutant} has lapsed: {why}"


def _survivor(ground: Ground, fate: Fate) -> str:
    lines = [
        f"{f'{fate.path}:{fate.line}: ' if fate.line else ''}survived: {fate.id}",
        indent(fate.diff.rstrip(), "    "),
    ]
    if fate.refuted:
        lines.append(f"  its waiver is refuted: it answers otherwise for {fate.refuted}")
    lines.append(f"  {way_out(fate)}")
    if fate.difference is not None and fate.difference.other:
        lines += [f"  {text}" for text in _shown(ground, fate.difference)]
    elif fate.line and not fate.refuted:
        lines.append("  if it is, put this into falsifiers/equivalent.yaml (10,000 inputs will be held against it):")
        lines.append(indent(_entry(ground, fate), "    "))
    return "\n".join(lines)


def _shown(ground: Ground, difference: Difference) -> Iterator[str]:
    yield f"other answers in {difference.other} of {plural(difference.cases, 'case')}"
    if difference.seen:
        yield f"it gives {difference.seen}"
    if difference.residual:
        yield _residual(ground, difference)
    elif not difference.seen:
        yield "what it returns is equal as numbers: bits, gradients or its arguments differ"


def _residual(ground: Ground, difference: Difference) -> str:
    """The largest residual, and the widest tolerance of the equation where it lies below that."""
    text = f"largest |Δ| {difference.residual:.3g} at a value of magnitude {difference.magnitude:.3g}"
    equation = ground.equation
    bounds = [
        (bound.absolute + (bound.relative + bound.of_largest) * difference.magnitude, invariant.name)
        for invariant in (equation.invariants if equation else ())
        if (bound := invariant.tolerance(difference.dtype)) is not None
    ]
    widest, name = max(bounds, default=(0.0, ""))
    if difference.residual <= widest:
        return f"{text}: below the tolerance {widest:.3g} of {name} ({difference.dtype})"
    return text


def _entry(ground: Ground, fate: Fate) -> str:
    binding = ground.binding
    return "\n".join(
        [
            f"- contract: {binding.contract}",
            f"  equation: {binding.equation}",
            f"  subject: {binding.name}",
            f'  mutant: "{fate.id}"',
            f'  digest: "{fate.digest[:_DIGEST]}"',
            "  reason: …",
        ]
    )


def _fate_value(fate: Fate) -> dict[str, Any]:
    difference = fate.difference
    return {
        "id": fate.id,
        "path": fate.path,
        "line": fate.line,
        "state": fate.state.value,
        "by": list(fate.by),
        "why": fate.why or (way_out(fate) if fate.state is State.SURVIVED else ""),
        "reached": fate.reached,
        "cases": difference.cases if difference else None,
        "other": difference.other if difference else None,
        "residual": difference.residual if difference else None,
        "inputs": fate.inputs,
        "refuted": fate.refuted,
        "digest": fate.digest,
        "diff": fate.diff,
    }


_SHOWN = {
    State.KILLED: "killed",
    State.SMOKE: "caught by the smoke check",
    State.CRASHED: "crashed a falsifier or its process",
    State.TIMEOUT: "timed out",
    State.WAIVED: "waived",
    State.SURVIVED: "survived",
}
