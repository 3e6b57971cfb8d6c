"""What the place of an error within a tensor suggests."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pv.bisect.spread import Spread

MOST = 0.9
"""The share of the squared error that makes one token, channel or head the place of it."""

HEADS = ("H", "K")


def hint_of(found: Spread, axes: Sequence[str], got: Tensor, expected: Tensor) -> str:
    """A sentence on where most of the error is; "" where it is everywhere. `got` [.., of `axes`] is what `found` is of, and
    `expected` (of the same shape) what it should be."""
    if not bool(found.rows.isfinite().all()):
        bad = int((~found.rows.isfinite()).sum())
        return f"not finite where it should be, in {bad} of {len(found.rows)} tokens{_overflow(got, expected)}"
    row, column = _most(found.rows), _most(found.columns)
    if row is not None and len(found.rows) > 1:
        why = "the mask, or what is special of the last" if row == len(found.rows) - 1 else "position, or padding"
        return f"nearly all of it in token {row}: {why}"
    if column is not None and len(found.columns) > 1:
        return f"nearly all of it in channel {column}: a weight, or a scale"
    head = _head(found, axes, got)
    return "" if head is None else f"nearly all of it in head {head}: the map of heads, or a weight of it"


def _overflow(got: Tensor, expected: Tensor) -> str:
    if not got.is_floating_point():
        return ""
    finite = expected[expected.isfinite()].abs()
    most, end = finite.max().item() if len(finite) else 0.0, torch.finfo(got.dtype).max
    name = str(got.dtype).removeprefix("torch.")
    return f": up to {most:.6g} there, and {name} ends at {end:.6g}" if most > end else ""


def _head(found: Spread, axes: Sequence[str], got: Tensor) -> int | None:
    """The head that holds the error, where heads are the outermost axis of a column."""
    rest = [letter for letter in axes if letter != "n"]
    if not rest or rest[0] not in HEADS or got.ndim != len(axes):
        return None
    heads = got.shape[axes.index(rest[0])]
    return _most(found.columns.reshape(heads, -1).norm(dim=1)) if heads > 1 else None


def _most(errors: Tensor) -> int | None:
    shares = errors.square()
    at = int(shares.argmax())
    return at if shares[at] > MOST * shares.sum() else None
