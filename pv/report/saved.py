"""What was written of a forward pass, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pv.report.grid import heading, print_grid
from pv.report.plain import plural
from pv.tensors.manifest import StageRecord
from pv.tensors.place import Place

Saved = Sequence[tuple[StageRecord, int]]
"""What was written, each with the bytes of its file."""


def print_saved(name: str, tokens: Sequence[int], folder: Path, saved: Saved, *, checked: bool) -> None:
    """A line for each stage, its layers together, and where they are."""
    heading(f"{name}: captured")
    shown = ", ".join(map(str, tokens[:16]))
    print(f"  reads  {len(tokens):,} tokens: {shown}{', …' if len(tokens) > 16 else ''}")
    groups: dict[str, list[tuple[StageRecord, int]]] = {}
    for record, size in saved:
        groups.setdefault(record.place.stage, []).append((record, size))
    print_grid(("stage", "layers", "axes", "shape", "dtype", "bytes"), [_cells(rows) for rows in groups.values()])
    print(f"{plural(len(saved), 'tensor')}, {sum(size for _, size in saved):,} bytes, in {folder}")
    how = "the same bits with hooks as without" if checked else "not checked against a pass without hooks"
    print(f"the output is {how}" if checked else f"the output was {how}")


def _cells(rows: Saved) -> tuple[str, ...]:
    record, size = rows[0]
    layers = [row.place.layer for row, _ in rows if row.place.layer is not None]
    several = f"{layers[0]} … {layers[-1]}" if len(layers) > 1 else "".join(map(str, layers))
    each = f"{len(rows)} × {size:,}" if len({size for _, size in rows}) == 1 and len(rows) > 1 else ""
    bytes_ = each or f"{sum(size for _, size in rows):,}"
    return (
        record.place.stage, several or "-", " ".join(record.axes), "×".join(map(str, record.shape)), record.dtype, bytes_,
    )  # fmt: skip


def saved_value(
    name: str, tokens: Sequence[int], folder: Path, saved: Saved, missing: Sequence[Place], *, checked: bool
) -> dict[str, Any]:
    """The same as JSON, and the places that the model did not come by."""
    return {
        "model": name,
        "tokens": list(tokens),
        "output": str(folder),
        "checked": checked,
        "bytes": sum(size for _, size in saved),
        "stages": [
            {
                "stage": record.place.stage,
                "layer": record.place.layer,
                "file": record.file,
                "shape": list(record.shape),
                "axes": list(record.axes),
                "dtype": record.dtype,
                "sha256": record.sha256,
                "bytes": size,
            }
            for record, size in saved
        ],
        "not_reached": [{"stage": place.stage, "layer": place.layer} for place in missing],
    }
