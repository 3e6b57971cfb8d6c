"""The kernels of microGPT, each written out from tensor primitives.

Wrong input raises `ValueError` naming the value and the bound. `one_hot`, `causal_mask` and `weighted_sample` look at
every value they are given; `rms_norm` and `softmax` check dtype and shape only, and say what NaN and infinity become.
Shape letters: n sequence, V classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from implementations.microgpt.config import MASK_VALUE, RMS_EPSILON


def one_hot(indices: Tensor, num_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Encode `indices` ([n] int64, each in 0 … num_classes - 1; n may be 0) as rows ([n, num_classes], `dtype`).

    Equation: out[i, j] = 1 where j = indices[i], else 0; so `one_hot(i, V) @ w` selects rows of a finite `w` exactly.
    Raises ValueError for another dtype or rank, num_classes < 1, and an index outside its range.
    """
    if indices.dtype != torch.int64 or indices.ndim != 1:
        raise ValueError(f"indices are {list(indices.shape)} {indices.dtype}; [n] {torch.int64} is needed")
    if num_classes < 1:
        raise ValueError(f"num_classes is {num_classes}; at least 1 is needed")
    outside = indices[(indices < 0) | (indices >= num_classes)]
    if outside.numel() > 0:
        raise ValueError(f"index {int(outside[0])} is outside 0 … {num_classes - 1} ({num_classes} classes)")
    classes = torch.arange(num_classes, device=indices.device)
    return (indices[:, None] == classes).to(dtype)


def rms_norm(x: Tensor) -> Tensor:
    """Divide each row of `x` ([…, E], any floating dtype, kept) by its root mean square.

    Equation: x / √(mean(x²) + ε) over the last axis, ε = RMS_EPSILON inside the root (Zhang & Sennrich 2019, without
    the learned gain). The gradient is that of this formula, the scale's own dependence on x included.
    Not scanned: a NaN makes its row NaN; in a row with ±infinity that entry becomes NaN and finite entries become 0; a
    row whose mean square overflows the dtype (entries beyond about 1.8e19 in float32) becomes 0.
    Raises ValueError for a dtype that is not floating and for an empty last axis.
    """
    _require_rows(x)
    mean_square = (x * x).mean(dim=-1, keepdim=True)
    return x / torch.sqrt(mean_square + RMS_EPSILON)


def causal_mask(n: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """The additive attention mask, [n, n] `dtype`: 0 where key j ≤ query i, MASK_VALUE where j > i.

    Finite by design: softmax wants finite input, and a row never becomes NaN.
    Raises ValueError for n < 1 and for a dtype that cannot hold MASK_VALUE (float16, the integers).
    """
    if n < 1:
        raise ValueError(f"n is {n}; at least 1 is needed")
    if not dtype.is_floating_point or torch.finfo(dtype).min > MASK_VALUE:
        raise ValueError(f"dtype {dtype} cannot hold the mask value {MASK_VALUE}")
    everywhere = torch.full((n, n), MASK_VALUE, dtype=dtype)
    return everywhere.triu(diagonal=1)


def softmax(x: Tensor) -> Tensor:
    """Turn each row of `x` ([…, V], any floating dtype, kept) into probabilities.

    Equation: exp(x_i) / Σ_j exp(x_j) over the last axis. Requires finite input; any finite row gives finite output.
    Not scanned: NaN, +infinity, or -infinity throughout makes its row NaN; -infinity beside finite entries becomes 0.
    Raises ValueError for a dtype that is not floating and for an empty last axis.
    """
    _require_rows(x)
    # The maximum keeps exp from overflowing. A shift does not change softmax, so its derivative is 0 in exact
    # arithmetic: detached, it is 0 in floating point too, whichever of tied maxima is taken.
    shifted = x - x.detach().amax(dim=-1, keepdim=True)
    exponentials = shifted.exp()
    return exponentials / exponentials.sum(dim=-1, keepdim=True)


def weighted_sample(probabilities: Tensor, draw: float) -> int:
    """The first index whose cumulative probability reaches `draw`; the last index when none does.

    `probabilities` is [V], any floating dtype, finite and at least 0, not all 0; `draw` is uniform in [0, 1). Sums run
    in float64, left to right. They need not end at 1: rounding leaves them a little short, and the last index takes the
    rest, even where its own probability is 0.
    A draw of exactly 0 is reached by index 0 whatever its probability: the equation says ≥, as the original does.
    Raises ValueError for another rank or dtype, V = 0, a negative, infinite or NaN probability, all zeros, and a draw
    outside [0, 1) or NaN.
    """
    weights = _read_weights(probabilities)
    if not 0.0 <= draw < 1.0:
        raise ValueError(f"draw is {draw!r}; 0 ≤ draw < 1 is needed")
    cumulative = 0.0
    for index, weight in enumerate(weights):
        cumulative += weight
        if cumulative >= draw:
            return index
    return len(weights) - 1


def _require_rows(x: Tensor) -> None:
    if not x.is_floating_point():
        raise ValueError(f"dtype is {x.dtype}; a floating-point dtype is needed")
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"shape is {list(x.shape)}; a last axis of at least 1 is needed")


def _read_weights(probabilities: Tensor) -> list[float]:
    if probabilities.ndim != 1 or probabilities.numel() == 0 or not probabilities.is_floating_point():
        seen = f"{list(probabilities.shape)} {probabilities.dtype}"
        raise ValueError(f"probabilities are {seen}; [V] with V of at least 1 and a floating-point dtype is needed")
    weights: list[float] = probabilities.tolist()
    for index, weight in enumerate(weights):
        if not 0.0 <= weight < math.inf:
            raise ValueError(f"probability {index} is {weight!r}; at least 0 and finite is needed")
    if not any(weights):
        raise ValueError(f"all {len(weights)} probabilities are 0; a sum above 0 is needed")
    return weights
