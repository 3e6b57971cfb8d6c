"""microGPT's kernels a second time, in numpy: forward only, for machines without torch.

Each keeps to what its namesake in `kernels` says of arguments, errors, NaN and infinity; "tensor" is "array" here. Nothing is
warned about: what overflows is said there. Shape letters: n sequence, V classes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from implementations.microgpt.config import MASK_VALUE, RMS_EPSILON

Array = NDArray[Any]


def one_hot(indices: Array, num_classes: int, dtype: DTypeLike = np.float32) -> Array:
    """Encode `indices` ([n] int64, each in 0 … num_classes - 1; n may be 0) as rows ([n, num_classes], `dtype`).

    Equation: out[i, j] = 1 where j = indices[i], else 0.
    Raises ValueError for another dtype or rank, num_classes < 1, and an index outside its range.
    """
    if indices.dtype != np.int64 or indices.ndim != 1:
        raise ValueError(f"indices are {list(indices.shape)} {indices.dtype}; [n] int64 is needed")
    if num_classes < 1:
        raise ValueError(f"num_classes is {num_classes}; at least 1 is needed")
    outside = indices[(indices < 0) | (indices >= num_classes)]
    if outside.size > 0:
        raise ValueError(f"index {outside[0]} is outside 0 … {num_classes - 1} ({num_classes} classes)")
    return (indices[:, None] == np.arange(num_classes)).astype(dtype)


def rms_norm(x: Array) -> Array:
    """Divide each row of `x` ([…, E], any floating dtype, kept) by its root mean square.

    Equation: x / √(mean(x²) + ε) over the last axis, ε = RMS_EPSILON inside the root (Zhang & Sennrich 2019, without
    the learned gain).
    Raises ValueError for a dtype that is not floating and for an empty last axis.
    """
    _require_rows(x)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        mean_square = (x * x).mean(axis=-1, keepdims=True)
        return x / np.sqrt(mean_square + x.dtype.type(RMS_EPSILON))


def causal_mask(n: int, dtype: DTypeLike = np.float32) -> Array:
    """The additive attention mask, [n, n] `dtype`: 0 where key j ≤ query i, MASK_VALUE where j > i.

    Raises ValueError for n < 1 and for a dtype that cannot hold MASK_VALUE (float16, the integers).
    """
    if n < 1:
        raise ValueError(f"n is {n}; at least 1 is needed")
    wanted = np.dtype(dtype)
    if not np.issubdtype(wanted, np.floating) or float(np.finfo(wanted).min) > MASK_VALUE:
        raise ValueError(f"dtype {wanted} cannot hold the mask value {MASK_VALUE}")
    return np.triu(np.full((n, n), MASK_VALUE, dtype=wanted), k=1)


def softmax(x: Array) -> Array:
    """Turn each row of `x` ([…, V], any floating dtype, kept) into probabilities.

    Equation: exp(x_i) / Σ_j exp(x_j) over the last axis. Requires finite input; any finite row gives finite output.
    Raises ValueError for a dtype that is not floating and for an empty last axis.
    """
    _require_rows(x)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)


def weighted_sample(probabilities: Array, draw: float) -> int:
    """The first index whose cumulative probability reaches `draw`; the last index when none does.

    `probabilities` is [V], any floating dtype, finite and at least 0, not all 0; `draw` is uniform in [0, 1). Sums run
    in float64, left to right.
    Raises ValueError for another rank or dtype, V = 0, a negative, infinite or NaN probability, all zeros, and a draw
    outside [0, 1) or NaN.
    """
    _require_weights(probabilities)
    if not 0.0 <= draw < 1.0:
        raise ValueError(f"draw is {draw!r}; 0 ≤ draw < 1 is needed")
    with np.errstate(over="ignore"):
        cumulative = np.add.accumulate(probabilities, dtype=np.float64)
    # The first at which the sum is no longer below the draw; V when it never gets there.
    reached = int(np.searchsorted(cumulative, draw, side="left"))
    return min(reached, len(probabilities) - 1)


def _require_rows(x: Array) -> None:
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(f"dtype is {x.dtype}; a floating-point dtype is needed")
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"shape is {list(x.shape)}; a last axis of at least 1 is needed")


def _require_weights(probabilities: Array) -> None:
    if probabilities.ndim != 1 or probabilities.size == 0 or not np.issubdtype(probabilities.dtype, np.floating):
        seen = f"{list(probabilities.shape)} {probabilities.dtype}"
        raise ValueError(f"probabilities are {seen}; [V] with V of at least 1 and a floating-point dtype is needed")
    for index, weight in enumerate(probabilities.tolist()):
        if not 0.0 <= weight < math.inf:
            raise ValueError(f"probability {index} is {weight!r}; at least 0 and finite is needed")
    if not probabilities.any():
        raise ValueError(f"all {len(probabilities)} probabilities are 0; a sum above 0 is needed")
