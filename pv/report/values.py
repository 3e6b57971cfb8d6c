"""Two sides of tensors, element by element, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from pv.compare.axes import location_text
from pv.compare.operands import CAPTURE
from pv.compare.pairs import Row, ValueDiff
from pv.compare.result import Agreement, Comparison, Element, Location, NonFinite
from pv.report.grid import print_grid, width
from pv.report.plain import plural
from pv.report.tensors import finite, shape_text
from pv.report.text import one_line

_TOLD = 5  # tensors that are told of in full where there are more
_ORDER = (Agreement.DIFFERS, Agreement.UNMEASURED, Agreement.WITHIN, Agreement.IDENTICAL)


def print_values(diff: ValueDiff) -> None:
    """What was compared with what, a line a tensor, all about the worst of them, and the verdict with its denominator."""
    for line in _heading(diff):
        _say(line)
    several = len(diff.rows) > 1
    if several:
        columns = ("tensor", "shape", "max |Δ|", "RMS", "rel. L2", "cosine", "ULP", "verdict")
        print_grid(columns, [_cells(row) for row in diff.rows], fold=False)
        for line in _remarks(diff.rows):
            _say(line)
    for row in _told_of(diff)[:_TOLD]:
        print_row(row)
    _say(summary(diff))
    if several and diff.a.kind == CAPTURE and diff.agreement is Agreement.DIFFERS:
        print(f"  next: pv bisect {one_line(diff.a.path)} {one_line(diff.b.path)}")


def print_row(row: Row) -> None:
    """All about one tensor."""
    found = row.comparison
    _say(f"{one_line(row.name)}: {row.agreement.value}{f': {one_line(row.reason)}' if row.reason else ''}")
    if row.note:
        _say(f"  {one_line(row.note)}")
    if found is None:
        return
    for line in _lines(row, found):
        _say(f"  {line}")
    if found.top:
        cells = [
            (f"{element.index:,}", _exact(element.a), _exact(element.b), _short(element.distance), location_text(element.at))
            for element in found.top
        ]  # fmt: skip
        print_grid(("index", "A", "B", "|Δ|", "where"), cells, fold=False)


def summary(diff: ValueDiff) -> str:
    """`differs: 40 of 42 tensors compared, 1,204 elements; differs 2, unmeasured 2, identical 38`."""
    if diff.refused:
        return f"differs: nothing compared: {one_line(diff.refused)}"
    compared = sum(row.comparison is not None for row in diff.rows)
    counts = Counter(row.agreement for row in diff.rows)
    parts = ", ".join(f"{one.value} {counts[one]:,}" for one in _ORDER if counts[one])
    told = f"{compared:,} of {plural(len(diff.rows), 'tensor')} compared, {plural(diff.elements, 'element')}"
    return f"{diff.agreement.value}: {told}{f'; {parts}' if len(diff.rows) > 1 else ''}"


def values_value(diff: ValueDiff) -> dict[str, Any]:
    """The same as JSON; what is not a finite number is null."""
    return {
        "a": diff.a.path,
        "b": diff.b.path,
        "kind": diff.a.kind,
        "verdict": diff.agreement.value,
        "refused": diff.refused or None,
        "compared": {"tensors": sum(row.comparison is not None for row in diff.rows), "elements": diff.elements},
        "layout_verified": diff.a.layout_verified and diff.b.layout_verified,
        "facts": [{"name": name, "a": one or None, "b": other or None} for name, one, other in diff.differing],
        "problems": [*diff.a.problems, *diff.b.problems],
        "tensors": [_row_value(row) for row in diff.rows],
    }


def _heading(diff: ValueDiff) -> Iterator[str]:
    for name, operand in (("A", diff.a), ("B", diff.b)):
        unverified = "" if operand.layout_verified else ", layout unverified"
        yield f"{name} {one_line(operand.path)} ({operand.kind}{unverified})"
    for name, one, other in diff.differing:
        yield f"  {name}: {one_line(one) or 'not said'} against {one_line(other) or 'not said'}"
    for operand in (diff.a, diff.b):
        yield from (f"problem: {one_line(operand.path)}: {one_line(problem)}" for problem in operand.problems)


def _cells(row: Row) -> list[str]:
    side, found = row.a or row.b, row.comparison
    name, shape = one_line(row.name), shape_text(found.shape if found else side.shape if side else ())
    if found is None:
        return [name, shape, "", "", "", "", "", row.agreement.value]
    ulps = f"{found.ulps.max:,}" if found.ulps else "-"
    numbers = (_short(found.max.distance if found.max else 0.0), *map(_short, (found.rms, found.relative_l2)))
    return [name, shape, *numbers, _cosine(found.cosine), ulps, row.agreement.value]


def _remarks(rows: Sequence[Row]) -> Iterator[str]:
    """What there is to say of tensors that a table has no room for, each remark once, with the tensors it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        rounded = row.comparison.rounded if row.comparison else ""
        dtypes = _dtypes(row) if row.a and row.b and row.a.stored != row.b.stored else ""
        for remark in filter(None, (row.reason, row.note, rounded, dtypes)):
            about.setdefault(remark, []).append(row.name)
    for remark, names in about.items():
        more = f" and {len(names) - _TOLD:,} more" if len(names) > _TOLD else ""
        yield one_line(f"{remark}: {', '.join(names[:_TOLD])}{more}")


def _lines(row: Row, found: Comparison) -> Iterator[str]:
    yield f"{_dtypes(row)}, {shape_text(found.shape)}: {found.exceeding:,} of {found.count:,} beyond {found.tolerance}"
    if found.rounded:
        yield found.rounded
    if found.max:
        yield f"max |Δ| {_short(found.max.distance)} at {_where(found.max)}: {_exact(found.max.a)}, {_exact(found.max.b)}"
    if found.rms is not None:
        yield f"RMS {_short(found.rms)}, relative L2 {_short(found.relative_l2)}, cosine {_cosine(found.cosine)}"
    if found.ulps:
        seen = found.ulps
        yield f"ULP of {seen.dtype}: at most {seen.max:,}; {seen.differing:,} differ, {seen.over_one:,} by more than 1"
    for one in found.worst:
        yield f"worst {location_text(one.at)}: RMS {_short(one.rms)}, {one.share:.1%} of the squared error"
    if found.concentration is not None and found.finite >= 1000:
        yield f"the worst 0.1 % of elements have {found.concentration:.1%} of the squared error"
    yield from _nonfinite(found.nonfinite)


def _nonfinite(seen: NonFinite) -> Iterator[str]:
    if seen.nan_a or seen.nan_b or seen.inf_a or seen.inf_b:
        yield f"NaN: {seen.nan_a:,} in A, {seen.nan_b:,} in B; infinite: {seen.inf_a:,} in A, {seen.inf_b:,} in B"
    if seen.first:
        first = f"{_exact(seen.first.a)} and {_exact(seen.first.b)} at {_where(seen.first)}"
        yield f"{seen.mismatched:,} of them do not match, the first {first}"


def _row_value(row: Row) -> dict[str, Any]:
    place = (row.a and row.a.place) or (row.b and row.b.place)
    side = row.a or row.b
    found = row.comparison
    return {
        "name": row.name,
        "layer": place.layer if place else None,
        "stage": place.stage if place else None,
        "shape": list(found.shape if found else side.shape if side else ()),
        "axes": list(row.axes),
        "dtype_a": row.a.stored if row.a else None,
        "dtype_b": row.b.stored if row.b else None,
        "verdict": row.agreement.value,
        "reason": row.reason or None,
        "note": row.note or None,
        **(_numbers(found) if found else {}),
    }


def _numbers(found: Comparison) -> dict[str, Any]:
    most, ulps, odd = found.max, found.ulps, found.nonfinite
    return {
        "rounded": found.rounded or None,
        "elements": found.count,
        "finite": found.finite,
        "rtol": found.tolerance.rtol,
        "atol": found.tolerance.atol,
        "exceeding": found.exceeding,
        "max_abs_diff": finite(most.distance) if most else 0.0 if found.finite else None,
        "max_abs_diff_index": most.index if most else None,
        "max_abs_diff_at": _at(most.at) if most else None,
        "rms_diff": finite(found.rms),
        "relative_l2": finite(found.relative_l2),
        "cosine_sim": found.cosine,
        "ulp": {"dtype": ulps.dtype, "max": ulps.max, "differing": ulps.differing, "over_one": ulps.over_one} if ulps else None,
        "worst": [{"at": _at(one.at), "rms": one.rms, "share": one.share} for one in found.worst],
        "concentration": found.concentration,
        "nonfinite": {
            "nan_a": odd.nan_a, "nan_b": odd.nan_b, "inf_a": odd.inf_a, "inf_b": odd.inf_b, "mismatched": odd.mismatched,
            "first": {"index": odd.first.index, "at": _at(odd.first.at), "a": str(odd.first.a), "b": str(odd.first.b)}
            if odd.first else None,
        },
        "top_diffs": [
            {"index": one.index, "at": _at(one.at), "a": one.a, "b": one.b, "abs_diff": finite(one.distance)}
            for one in found.top
        ],
    }  # fmt: skip


def _told_of(diff: ValueDiff) -> list[Row]:
    """What is told of in full: of several tensors those that differ, stages as they are computed, weights worst first."""
    if len(diff.rows) == 1:
        return list(diff.rows)
    told = [row for row in diff.rows if row.agreement is Agreement.DIFFERS and row.comparison]
    return told if diff.a.kind == CAPTURE else sorted(told, key=_relative, reverse=True)


def _relative(row: Row) -> float:
    found = row.comparison
    return found.relative_l2 or 0.0 if found else 0.0


def _dtypes(row: Row) -> str:
    one, other = (side.stored if side else "" for side in (row.a, row.b))
    return one if one == other else f"{one} against {other}"


def _where(element: Element) -> str:
    return location_text(element.at) or "its one element"


def _at(at: Location) -> dict[str, int]:
    return dict(at)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _cosine(value: float | None) -> str:
    return "-" if value is None else f"{value:.10f}"


def _exact(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def _say(line: str) -> None:
    indent = " " * (len(line) - len(line.lstrip()))
    parts = wrap(line, width(), subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False)
    print("\n".join(parts))
