"""Faults planted in microGPT's kernels, written without a look at the strata that are to find them.

Each is wrong somewhere in the domain of its equation, and right elsewhere. `default` draws what Hypothesis' own strategies
give to somebody who writes down types and ranges and no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import Tensor

from implementations.microgpt.kernels import causal_mask, one_hot, rms_norm, softmax, weighted_sample
from pv import Case


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A faulty kernel, and the falsification test that has to find it."""

    test: str
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.__name__


def rms_with_a_smaller_epsilon(x: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).mean(dim=-1, keepdim=True) + 1e-6)


def rms_over_columns_of_a_square(x: Tensor) -> Tensor:
    axis = 0 if x.shape[0] == x.shape[1] else -1
    return x / torch.sqrt((x * x).mean(dim=axis, keepdim=True) + 1e-5)


def rms_of_clamped_entries(x: Tensor) -> Tensor:
    return rms_norm(x.clamp(-1e6, 1e6))


def rms_without_tiny_entries(x: Tensor) -> Tensor:
    return rms_norm(torch.where(x.abs() < torch.finfo(x.dtype).tiny, torch.zeros_like(x), x))


def rms_in_float32(x: Tensor) -> Tensor:
    return rms_norm(x.float()).to(x.dtype)


def rms_without_the_seventeenth(x: Tensor) -> Tensor:
    return x / torch.sqrt((x[..., :16] * x[..., :16]).sum(dim=-1, keepdim=True) / x.shape[-1] + 1e-5)


def rms_one_is_kept(x: Tensor) -> Tensor:
    return x if x.shape[-1] == 1 else rms_norm(x)


def softmax_overflows(x: Tensor) -> Tensor:
    return x.exp() / x.exp().sum(dim=-1, keepdim=True)


def softmax_with_one_maximum_for_all(x: Tensor) -> Tensor:
    shifted = (x - x.max()).exp()
    return shifted / shifted.sum(dim=-1, keepdim=True)


def softmax_favours_the_first_of_ties(x: Tensor) -> Tensor:
    first = one_hot(x.argmax(dim=-1), x.shape[-1], x.dtype)
    tied = (x == x.amax(dim=-1, keepdim=True)).sum(dim=-1, keepdim=True) > 1
    return softmax(x + 1e-3 * first * tied)


def softmax_of_one_is_nothing(x: Tensor) -> Tensor:
    return torch.zeros_like(x) if x.shape[-1] == 1 else softmax(x)


def softmax_has_a_floor(x: Tensor) -> Tensor:
    return softmax((x - x.amax(dim=-1, keepdim=True)).clamp_min(-10.0))


def softmax_in_float32(x: Tensor) -> Tensor:
    return softmax(x.float()).to(x.dtype)


def one_hot_without_the_last_class(indices: Tensor, num_classes: int) -> Tensor:
    return one_hot(indices, num_classes) * (indices != num_classes - 1)[:, None]


def one_hot_once_only(indices: Tensor, num_classes: int) -> Tensor:
    earlier = torch.tensor([bool((indices[:place] == index).any()) for place, index in enumerate(indices)])
    return one_hot(indices, num_classes) * ~earlier[:, None]


def one_hot_of_eight(indices: Tensor, num_classes: int) -> Tensor:
    return one_hot(indices, num_classes) * (torch.arange(len(indices)) < 8)[:, None]


def mask_of_one_is_closed(n: int) -> Tensor:
    return torch.full((1, 1), -1e9) if n == 1 else causal_mask(n)


def mask_shifted_at_the_end_of_a_block(n: int) -> Tensor:
    return torch.full((n, n), -1e9).triu(diagonal=0) if n == 16 else causal_mask(n)


def mask_stops_at_the_longest(n: int) -> Tensor:
    mask = causal_mask(n)
    return mask.roll(1, dims=0) if n == 64 else mask


def sample_beyond_and_not_at(probabilities: Tensor, draw: float) -> int:
    reached = (probabilities.double().cumsum(0) > draw).nonzero()
    return int(reached[0]) if len(reached) else len(probabilities) - 1


def sample_falls_back_to_the_first(probabilities: Tensor, draw: float) -> int:
    total = math.fsum(probabilities.tolist())
    return 0 if total < draw else weighted_sample(probabilities, draw)


def sample_skips_what_is_impossible(probabilities: Tensor, draw: float) -> int:
    index = weighted_sample(probabilities, draw)
    return index if float(probabilities[index]) > 0 else int(probabilities.argmax())


PLANTED = (
    *(Planted("FALSIFY-MG-004", function) for function in (
        rms_with_a_smaller_epsilon, rms_over_columns_of_a_square, rms_of_clamped_entries, rms_without_tiny_entries,
        rms_in_float32, rms_without_the_seventeenth, rms_one_is_kept,
    )),
    *(Planted("FALSIFY-MG-012", function) for function in (
        softmax_overflows, softmax_with_one_maximum_for_all, softmax_favours_the_first_of_ties, softmax_of_one_is_nothing,
        softmax_has_a_floor, softmax_in_float32,
    )),
    *(Planted("FALSIFY-MG-002", function) for function in (
        one_hot_without_the_last_class, one_hot_once_only, one_hot_of_eight,
    )),
    *(Planted("FALSIFY-MG-010", function) for function in (
        mask_of_one_is_closed, mask_shifted_at_the_end_of_a_block, mask_stops_at_the_longest,
    )),
    *(Planted("FALSIFY-MG-024", function) for function in (
        sample_beyond_and_not_at, sample_falls_back_to_the_first, sample_skips_what_is_impossible,
    )),
)  # fmt: skip


@st.composite
def default_matrix(draw: st.DrawFn, sides: tuple[int, int], most: float) -> Case:
    """A matrix of either dtype, as `hypothesis.extra.numpy` draws it."""
    width = draw(st.sampled_from([32, 64]))
    shape = draw(arrays.array_shapes(min_dims=2, max_dims=2, max_side=max(sides)))
    shape = (min(shape[0], sides[0]), min(shape[1], sides[1]))
    numbers = st.floats(-most, most, width=width)
    return Case(x=torch.from_numpy(draw(arrays.arrays(f"float{width}", shape, elements=numbers))))


@st.composite
def default_indices(draw: st.DrawFn) -> Case:
    """Indices and how many classes there are."""
    classes = draw(st.integers(1, 64))
    return Case(
        indices=torch.tensor(draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=16))), num_classes=classes
    )


@st.composite
def default_draw(draw: st.DrawFn) -> Case:
    """Weights, not all of them 0, as probabilities; and where to draw."""
    weights = draw(st.lists(st.floats(0, 1), min_size=1, max_size=32).filter(any))
    weights = torch.tensor(weights, dtype=torch.float64)
    return Case(probabilities=weights / weights.sum(), draw=draw(st.floats(0, 1, exclude_max=True)))


DEFAULTS: dict[str, st.SearchStrategy[Case]] = {
    "FALSIFY-MG-004": default_matrix((16, 32), 1e9),
    "FALSIFY-MG-012": default_matrix((8, 32), float(torch.finfo(torch.float32).max)),
    "FALSIFY-MG-002": default_indices(),
    "FALSIFY-MG-010": st.builds(lambda n: Case(n=n), st.integers(1, 64)),
    "FALSIFY-MG-024": default_draw(),
}
