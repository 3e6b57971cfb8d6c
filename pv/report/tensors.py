"""Tensors of a file as text and as JSON: a table where it fits, one below the other where it does not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pv.checkpoints import Checkpoint, Statistics, TensorEntry
from pv.report.grid import print_grid
from pv.report.plain import plural
from pv.report.text import one_line


@dataclass(frozen=True, slots=True)
class Measured:
    """A tensor with what was asked of it: its statistics, or why there are none, or neither where none were wanted."""

    entry: TensorEntry
    statistics: Statistics | None = None
    unmeasured: str = ""


def print_tensors(rows: Sequence[Measured]) -> None:
    """Name, shape, dtype, size, and statistics where they were asked for; neither a number nor a name is ever cut or folded."""
    stats = any(row.statistics or row.unmeasured for row in rows)
    columns = ("name", "shape", "dtype", "size", *(("mean μ", "std σ", "min", "max") if stats else ()))
    print_grid(columns, [_cells(row, stats=stats) for row in rows], fold=False)


def _cells(row: Measured, *, stats: bool) -> list[str]:
    entry, seen = row.entry, row.statistics
    cells = [one_line(entry.name), shape_text(entry.shape), entry.dtype, size_text(entry.size)]
    if stats and seen is None:
        return [*cells, "not measured", "", "", ""]
    return [*cells, *(number(value) for value in (seen.mean, seen.std, seen.min, seen.max))] if seen else cells


def shape_text(shape: Sequence[int]) -> str:
    """`27×16`; of a tensor without axes `scalar`."""
    return "×".join(map(str, shape)) or "scalar"


def number(value: float) -> str:
    """A statistic for people: six digits."""
    return f"{value:.6g}"


def size_text(size: int) -> str:
    """`1.5 GiB`, `512 B`."""
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"


def anomalies(rows: Iterable[Measured]) -> list[str]:
    """What is odd about the values, one line a tensor."""
    return [f"{one_line(row.entry.name)}: {', '.join(found)}" for row in rows if (found := list(_odd(row)))]


def _odd(row: Measured) -> Iterator[str]:
    seen = row.statistics
    if row.unmeasured:
        yield f"not measured: {row.unmeasured}"
    if seen is None:
        return
    for name, count in (("NaN", seen.nan), ("infinite", seen.inf)):
        if count:
            yield f"{count:,} of {seen.count:,} values are {name}"
    if seen.count and seen.zero == seen.count:
        yield "every value is 0"
    elif seen.count > 1 and seen.std == 0 and not seen.nan + seen.inf:
        yield f"every value is {number(seen.min)}"


def dtype_counts(entries: Iterable[TensorEntry]) -> Mapping[str, int]:
    """How many tensors have each dtype, the most frequent first."""
    return dict(Counter(entry.dtype for entry in entries).most_common())


def dominant(entries: Sequence[TensorEntry]) -> str:
    """The dtype that most tensors of two or more axes have (of all, where none has); empty where there is no tensor."""
    wide = [entry for entry in entries if len(entry.shape) > 1]
    return next(iter(dtype_counts(wide or entries)), "")


def footer(matching: Sequence[TensorEntry], shown: int) -> str:
    """`9 tensors, 4,192 elements, 16.4 KiB, F32`, and how many of them are shown."""
    rest = f"; {shown:,} shown" if shown < len(matching) else ""
    elements = sum(entry.count for entry in matching)
    size = size_text(sum(entry.size for entry in matching))
    return f"{plural(len(matching), 'tensor')}, {plural(elements, 'element')}, {size}, mostly {dominant(matching) or '-'}{rest}"


def tensors_value(
    name: str, checkpoint: Checkpoint, matching: Sequence[TensorEntry], rows: Sequence[Measured]
) -> dict[str, Any]:
    """`pv tensors` as JSON; counts are of all that match, rows are those shown."""
    return {
        "model": name,
        "format": checkpoint.format,
        "tensor_count": len(matching),
        "element_count": sum(entry.count for entry in matching),
        "total_size_bytes": sum(entry.size for entry in matching),
        "dtypes": dtype_counts(matching),
        "problems": list(checkpoint.problems),
        "tensors": [tensor_value(row) for row in rows],
    }


def tensor_value(row: Measured) -> dict[str, Any]:
    """One tensor as JSON; what is not a finite number is null."""
    entry = row.entry
    return {
        "name": entry.name,
        "dtype": entry.dtype,
        "shape": list(entry.shape),
        "elements": entry.count,
        "size_bytes": entry.size,
        "file": entry.file.name if entry.file else None,
        "offset": entry.offset if entry.file else None,
        "statistics": statistics_value(row.statistics) if row.statistics else None,
        "unmeasured": row.unmeasured or None,
    }


def statistics_value(seen: Statistics) -> dict[str, Any]:
    """Statistics as JSON."""
    fields = ("count", "mean", "std", "min", "max", "max_abs", "l2", "nan", "inf", "zero")
    return {field: finite(getattr(seen, field)) for field in fields}


def finite(value: Any) -> Any:
    """`value` as JSON can hold it: no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
