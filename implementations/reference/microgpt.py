"""microGPT after Karpathy (2026), the way the original runs: one token at a time, with a cache of keys and values.

Scalars and plain loops; `linear(x, w)` is w @ x, one [16, 16] matrix a projection, split into heads afterwards; an embedding
is a row that is looked up. There is no mask: a token sees what is in the cache. The weights are plain floats, or `Value`s
where gradients are wanted (`training.py`).

The port that is judged multiplies from the other side, x @ w, and stacks a matrix for each head. `from_port` and `to_port`
carry weights and gradients between the two layouts; they move numbers and compute none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from implementations.reference.values import Number, Value, exp, number, relu

BOS = 0
N_HEAD = 4
BLOCK_SIZE = 16
TEMPERATURE = 0.5
RMS_EPSILON = 1e-5
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Vector = Sequence[Number]
Matrix = Sequence[Vector]
Weights = Mapping[str, Matrix]
"""wte [V][E], wpe [n][E], wq wk wv wo [E][E], w_fc1 [F][E], w_fc2 [E][F], w_lm [V][E]: a row for each output."""

Nested = Any
"""A tensor as nested lists of floats, as `tolist` gives it; one of two indices is a `Matrix`."""


@dataclass(slots=True)
class Cache:
    """What attention has seen so far: a key and a value for each token, heads not split."""

    keys: list[Vector] = field(default_factory=list)
    values: list[Vector] = field(default_factory=list)


def tokenize(name: str) -> list[int]:
    """BOS, a token from 1 to 26 for each letter a to z, BOS; any other character is dropped."""
    return [BOS, *(LETTERS.index(letter) + 1 for letter in name if letter in LETTERS), BOS]


def decode(tokens: Iterable[int]) -> str:
    """The letters of the tokens, without BOS."""
    return "".join(LETTERS[token - 1] for token in tokens if token != BOS)


def logits(weights: Weights, tokens: Sequence[int]) -> list[Vector]:
    """For each token the 27 logits of what comes next; at most 16 tokens."""
    cache = Cache()
    return [next_logits(weights, cache, token, position) for position, token in enumerate(tokens)]


def generate(weights: Weights, draws: Sequence[float], temperature: float = TEMPERATURE) -> str:
    """A name: from BOS on, one draw from [0, 1) for each token, until BOS, the end of the draws, or 16 tokens."""
    cache, token, letters = Cache(), BOS, []
    for position, draw in enumerate(draws[:BLOCK_SIZE]):
        scaled = [logit / temperature for logit in next_logits(weights, cache, token, position)]
        token = chosen([number(probability) for probability in softmax(scaled)], draw)
        if token == BOS:
            break
        letters.append(token)
    return decode(letters)


def chosen(probabilities: Sequence[float], draw: float) -> int:
    """The first index whose cumulative probability reaches the draw; the last one where rounding leaves none."""
    cumulative = 0.0
    for index, probability in enumerate(probabilities):
        cumulative += probability
        if cumulative >= draw:
            return index
    return len(probabilities) - 1


def next_logits(weights: Weights, cache: Cache, token: int, position: int) -> Vector:
    """The logits after one more token, whose key and value are added to the cache."""
    x = rms_norm(plus(weights["wte"][token], weights["wpe"][position]))
    x = plus(x, attention(weights, cache, rms_norm(x)))
    x = plus(x, feed_forward(weights, rms_norm(x)))
    return linear(x, weights["w_lm"])


def attention(weights: Weights, cache: Cache, x: Vector) -> Vector:
    """What each of the four heads takes from the tokens so far, projected."""
    query = linear(x, weights["wq"])
    cache.keys.append(linear(x, weights["wk"]))
    cache.values.append(linear(x, weights["wv"]))
    width = len(query) // N_HEAD
    heads: list[Number] = []
    for start in range(0, len(query), width):
        part = slice(start, start + width)
        scores = [dot(query[part], key[part]) / width**0.5 for key in cache.keys]
        weighting = softmax(scores)
        heads += [dot(weighting, [value[unit] for value in cache.values]) for unit in range(start, start + width)]
    return linear(heads, weights["wo"])


def feed_forward(weights: Weights, x: Vector) -> Vector:
    """Up to 64 units, those below zero cut off, and down again."""
    return linear([relu(unit) for unit in linear(x, weights["w_fc1"])], weights["w_fc2"])


def rms_norm(x: Vector) -> Vector:
    """x / √(mean of x² + 1e-5)."""
    scale = (dot(x, x) / len(x) + RMS_EPSILON) ** -0.5
    return [element * scale for element in x]


def softmax(scores: Vector) -> Vector:
    """e to the scores over their sum; the largest is taken off first, as a plain number, so that none overflows."""
    largest = max(number(score) for score in scores)
    exponentials = [exp(score - largest) for score in scores]
    total = exponentials[0]
    for exponential in exponentials[1:]:
        total = total + exponential
    return [exponential / total for exponential in exponentials]  # type: ignore[operator]  # never a float by a Value


def linear(x: Vector, matrix: Matrix) -> Vector:
    """matrix @ x."""
    return [dot(row, x) for row in matrix]


def dot(left: Vector, right: Vector) -> Number:
    """Σ left · right, from the first element to the last."""
    total = left[0] * right[0]
    for one, other in zip(left[1:], right[1:], strict=True):
        if isinstance(total, Value) and isinstance(one, Value) and isinstance(other, Value):
            total = total.plus_product(one, other)
        else:
            total = total + one * other
    return total


def plus(left: Vector, right: Vector) -> Vector:
    """left + right, element by element."""
    return [a + b for a, b in zip(left, right, strict=True)]


def from_port(tensors: Mapping[str, Nested]) -> dict[str, Nested]:
    """The port's weights (nested lists) in this layout: a row for each output, heads one below the other."""
    projections = {name: transposed(side_by_side(tensors[name])) for name in ("wq", "wk", "wv")}
    return {
        "wte": [list(row) for row in tensors["wte"]],
        "wpe": [list(row) for row in tensors["wpe"]],
        **projections,
        "wo": transposed([row for head in tensors["wo"] for row in head]),
        **{name: transposed(tensors[name]) for name in ("w_fc1", "w_fc2", "w_lm")},
    }


def to_port(weights: Weights) -> dict[str, Nested]:
    """What is laid out as `from_port` gives it (weights, gradients), as the port has it."""
    wo = transposed(weights["wo"])
    width = len(wo) // N_HEAD
    starts = range(0, len(wo), width)
    return {
        "wte": [list(row) for row in weights["wte"]],
        "wpe": [list(row) for row in weights["wpe"]],
        **{name: [transposed(weights[name][s : s + width]) for s in starts] for name in ("wq", "wk", "wv")},
        "wo": [wo[start : start + width] for start in starts],
        **{name: transposed(weights[name]) for name in ("w_fc1", "w_fc2", "w_lm")},
    }


def side_by_side(heads: Sequence[Sequence[Sequence[Number]]]) -> list[Vector]:
    """[H][E][D] as [E][H·D]."""
    return [[element for head in heads for element in head[row]] for row in range(len(heads[0]))]


def transposed(matrix: Iterable[Iterable[Number]]) -> list[Vector]:
    """Rows as columns."""
    return [list(column) for column in zip(*matrix, strict=True)]
