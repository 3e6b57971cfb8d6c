"""The oracle as functions of the port's arguments: tensors are carried in as nested lists, numbers are carried out.

A flat vector of parameters holds wte, wpe, wq, wk, wv, wo, w_fc1, w_fc2 and w_lm, in this order, each row by row. torch
computes nothing here.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod

import torch
from torch import Tensor

from implementations.reference import microgpt, training
from implementations.reference.microgpt import BLOCK_SIZE, LETTERS, Nested, from_port, to_port

SHAPES: Mapping[str, tuple[int, ...]] = {
    "wte": (27, 16),
    "wpe": (16, 16),
    "wq": (4, 16, 4),
    "wk": (4, 16, 4),
    "wv": (4, 16, 4),
    "wo": (4, 4, 16),
    "w_fc1": (16, 64),
    "w_fc2": (64, 16),
    "w_lm": (16, 27),
}


def forward_pass(parameters: Tensor, tokens: Tensor) -> Tensor:
    """Logits [n, 27] of 1 to 16 tokens. Raises ValueError for other parameters, lengths and tokens."""
    return torch.tensor(microgpt.logits(weights_of(parameters), listed(tokens, 1, BLOCK_SIZE)), dtype=torch.float64)


def loss(parameters: Tensor, tokens: Tensor) -> Tensor:
    """The mean cross-entropy [] of 2 to 17 tokens, each but the first predicted from those before it."""
    value = training.loss(weights_of(parameters), listed(tokens, 2, BLOCK_SIZE + 1))
    return torch.tensor(value, dtype=torch.float64)


def gradients(parameters: Tensor, tokens: Tensor) -> tuple[Tensor, ...]:
    """The derivatives of `loss`, a tensor for each weight, in the order and the shapes of the flat vector."""
    with uncollected():
        _, found = training.loss_and_gradients(weights_of(parameters), listed(tokens, 2, BLOCK_SIZE + 1))
    carried = to_port(found)
    return tuple(torch.tensor(carried[name], dtype=torch.float64) for name in SHAPES)


def train_steps(parameters: Tensor, names: str, steps: int) -> Tensor:
    """The parameters [4192] after so many steps on the names, which stand with one space between them."""
    weights = weights_of(parameters)
    with uncollected():
        deque(training.train(weights, names.split(" "), steps), maxlen=0)
    carried = to_port(weights)
    pieces = [torch.tensor(carried[name], dtype=torch.float64).flatten() for name in SHAPES]
    return torch.cat(pieces)


def generate(parameters: Tensor, draws: Tensor) -> str:
    """The name that the draws [16] give."""
    return microgpt.generate(weights_of(parameters), draws.tolist())


@contextmanager
def uncollected() -> Iterator[None]:
    """Nobody looks for cycles: there are none among the hundred thousand nodes of a graph, and looking takes half the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def weights_of(parameters: Tensor) -> dict[str, Nested]:
    """A flat vector in the reference's layout. Raises ValueError for one that is not [4192] of floats."""
    sizes = [prod(shape) for shape in SHAPES.values()]
    if parameters.shape != (sum(sizes),) or not parameters.is_floating_point():
        raise ValueError("outside the domain: these are no parameters")
    pieces = torch.split(parameters, sizes)
    return from_port({name: piece.reshape(SHAPES[name]).tolist() for name, piece in zip(SHAPES, pieces, strict=True)})


def listed(tokens: Tensor, least: int, most: int) -> list[int]:
    """The tokens as a list. Raises ValueError for fewer or more of them, another rank, and what is no token."""
    found = tokens.tolist() if tokens.ndim == 1 and tokens.dtype == torch.int64 else []
    if not least <= len(found) <= most or not all(0 <= token <= len(LETTERS) for token in found):
        raise ValueError("outside the domain: these are no tokens")
    return [int(token) for token in found]
