"""Training, sampling and keeping microGPT as pure functions of what a contract can state: vectors, text and numbers.

Nothing is computed here: each is a door to what the commands call. Flat vectors are as in `forward_pass`.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from implementations.microgpt.checkpoint import load_model, save_config, save_model
from implementations.microgpt.model import model_of, split_parameters
from implementations.microgpt.names import DEFAULT_NAMES, read_names
from implementations.microgpt.sampling import sample
from implementations.microgpt.training import State, initial_state, loss_of, train


def gradients(parameters: Tensor, tokens: Tensor) -> tuple[Tensor, ...]:
    """The derivatives of `loss_of`, a tensor for each weight, in the order and the shapes of `SHAPES`."""
    leaf = parameters.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss_of(leaf, tokens), leaf)
    return tuple(split_parameters(gradient).values())


def train_steps(parameters: Tensor, names: str, steps: int) -> Tensor:
    """The parameters after a training of so many steps on the names, which stand with one space between them."""
    at_rest = torch.zeros_like(parameters)
    begun = State(0, parameters, at_rest, at_rest, ())
    return _last(train(begun, names.split(" "), steps)).parameters


def generate(parameters: Tensor, draws: Tensor) -> str:
    """The name that the draws ([16], each in [0, 1)) give, the first for the first letter."""
    return sample(model_of(split_parameters(parameters)), iter(draws.tolist()).__next__)


def loss_of_training(seed: int, steps: int) -> float:
    """The mean loss of the last 500 steps of a training on the names that come with microGPT."""
    return _last(train(initial_state(seed), read_names(DEFAULT_NAMES).names, steps)).mean_loss


def through_a_checkpoint(parameters: Tensor) -> Tensor:
    """The parameters of the model that is read from the folder into which that of `parameters` was written, over another."""
    with tempfile.TemporaryDirectory(prefix="microgpt-") as folder:
        for weights in (-parameters, parameters):
            model = model_of(split_parameters(weights))
            save_model(Path(folder), model)
            save_config(Path(folder), model.config, {})
        read = load_model(Path(folder), seed=0)
    return torch.nn.utils.parameters_to_vector(read.parameters()).detach()


def _last(states: Iterable[State]) -> State:
    return deque(states, maxlen=1).pop()
