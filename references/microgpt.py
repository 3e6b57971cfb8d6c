"""microGPT's kernels as loops over Python's numbers, which are float64; torch only carries them in and out.

Written from the formulas of contracts/microgpt-v1.yaml alone. What the contract says is refused raises ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """one_hot(i, C)[k, c] = 1 if c = i[k], else 0."""
    _require(indices.dtype == torch.int64 and indices.ndim == 1)
    _require(num_classes >= 1)
    rows = []
    for index in indices.tolist():
        _require(0 <= index < num_classes)
        rows.append([1.0 if place == index else 0.0 for place in range(num_classes)])
    return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), num_classes)


def rms_norm(x: Tensor) -> Tensor:
    """rms_norm(x)[k] = x[k] / √(mean(x[k]²) + ε), ε = 1e-5."""
    return _by_rows(x, _normalised)


def _normalised(row: Sequence[float]) -> list[float]:
    total = math.fsum(entry * entry for entry in row)
    root = math.sqrt(total / len(row) + 1e-5)
    return [entry / root for entry in row]


def causal_mask(n: int) -> Tensor:
    """causal_mask(n)[i, j] = 0 if j ≤ i, else −1e9."""
    _require(n >= 1)
    rows = [[0.0 if key <= query else -1e9 for key in range(n)] for query in range(n)]
    return torch.tensor(rows, dtype=torch.float64)


def softmax(x: Tensor) -> Tensor:
    """softmax(x)[k, c] = exp(x[k, c]) / Σ_d exp(x[k, d])."""
    return _by_rows(x, _distribution)


def _distribution(row: Sequence[float]) -> list[float]:
    top = max(row)
    powers = [math.exp(entry - top) for entry in row]
    total = math.fsum(powers)
    return [power / total for power in powers]


def tokenize_decode(text: str) -> tuple[list[int], str]:
    """[0] + [ord(c) − ord('a') + 1 for c in s if 'a' ≤ c ≤ 'z'] + [0]; decoding drops 0 and inverts the rest."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    tokens = [0]
    for letter in text:
        place = alphabet.find(letter)
        if place >= 0:
            tokens.append(place + 1)
    tokens.append(0)
    decoded = "".join(alphabet[token - 1] for token in tokens if token > 0)
    return tokens, decoded


def weighted_sample(probabilities: Tensor, draw: float) -> int:
    """min{k | p[0] + … + p[k] ≥ r}, and V − 1 if there is none; sums in float64, from the left."""
    _require(probabilities.is_floating_point() and probabilities.ndim == 1)
    weights = [float(weight) for weight in probabilities.tolist()]
    _require(all(math.isfinite(weight) and weight >= 0.0 for weight in weights) and any(weights))
    _require(0.0 <= draw < 1.0)
    reached = 0.0
    for place in range(len(weights)):
        reached += weights[place]
        if reached >= draw:
            return place
    return len(weights) - 1


def _by_rows(x: Tensor, formula: Callable[[Sequence[float]], list[float]]) -> Tensor:
    """`formula` of each row along the last axis."""
    _require(x.is_floating_point() and x.ndim > 0 and x.shape[-1] > 0)
    rows = [formula(row) for row in x.reshape(-1, x.shape[-1]).tolist()]
    return torch.tensor(rows, dtype=torch.float64).reshape(x.shape)


def _require(admitted: bool) -> None:
    if not admitted:
        raise ValueError("outside the domain of the formula")
