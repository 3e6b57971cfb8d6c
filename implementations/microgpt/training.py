"""Training, a name a step: a pure step from one state to the next, decided by seed and names alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from implementations.microgpt.config import BLOCK_SIZE
from implementations.microgpt.files import Unusable
from implementations.microgpt.model import draw_parameters, forward_pass
from implementations.microgpt.optimizer import adam_step, linear_decay
from implementations.microgpt.tokenizer import round_trip

WINDOW = 500  # losses that are kept, and averaged over


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where training stands after `step` steps: flat weights, both moments of Adam, and the last `WINDOW` losses.

    The three vectors share one shape ([PARAMETER_COUNT], in the order of `model.SHAPES`), dtype and device.
    """

    step: int
    parameters: Tensor
    m: Tensor
    v: Tensor
    losses: tuple[float, ...]

    @property
    def mean_loss(self) -> float:
        """Of the last `WINDOW` steps, or of as many as there were; NaN before the first."""
        return math.fsum(self.losses) / len(self.losses) if self.losses else math.nan


def initial_state(seed: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> State:
    """The state before the first step: weights as `draw_parameters` draws them, moments of 0."""
    parameters = draw_parameters(seed, dtype).to(device)
    return State(0, parameters, torch.zeros_like(parameters), torch.zeros_like(parameters), ())


def train(state: State, names: Sequence[str], steps: int) -> Iterator[State]:
    """Every state after `state`, up to and with that of step number `steps`: one name a step, in turn, from the first.

    Raises ValueError for no names, for a name that holds more than a–z, and at a loss that is not finite.
    """
    if not names:
        raise ValueError("0 names were given; at least 1 is needed")
    while state.step < steps:
        tokens = torch.tensor(encoded(names[state.step % len(names)]), device=state.parameters.device)
        state = take_step(state, tokens, linear_decay(state.step, steps))
        yield state


def encoded(name: str) -> list[int]:
    """The tokens of `name`, no more than a block reads and predicts.

    Raises ValueError for a name that does not survive the tokenizer: it holds more than a–z.
    """
    tokens, back = round_trip(name)
    if back != name:
        raise ValueError(f"the name {name!r} reads back as {back!r}; only a–z can be learnt")
    return tokens[: BLOCK_SIZE + 1]


def take_step(state: State, tokens: Tensor, learning_rate: float) -> State:
    """The state after one step of Adam along the gradient of `loss_of` at `tokens`; `state` is left as it was.

    Raises ValueError at a loss that is not finite, and what `loss_of` and `adam_step` raise.
    """
    parameters = state.parameters.detach().requires_grad_()
    loss = loss_of(parameters, tokens)
    (gradient,) = torch.autograd.grad(loss, parameters)
    seen, step = loss.item(), state.step + 1
    if not math.isfinite(seen):
        raise Unusable(f"the loss of step {step} is {seen!r}; a finite one is needed")
    moved, m, v = adam_step(parameters.detach(), gradient, state.m, state.v, step, learning_rate)
    return State(step, moved, m, v, (*state.losses[1 - WINDOW :], seen))


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch in this block: with more, the last bits depend on how many a machine has, and nothing is faster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def loss_of(parameters: Tensor, tokens: Tensor) -> Tensor:
    """The mean cross-entropy, in nats, of each next token given those before it: a scalar, differentiable in `parameters`.

    `parameters` as in `forward_pass`; `tokens` is [n + 1] int64: the first n are read, the last n predicted.
    """
    return cross_entropy(forward_pass(parameters, tokens[:-1]), tokens[1:])
