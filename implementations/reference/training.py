"""Training of the scalar microGPT: one name a step, cross-entropy over its positions, exact gradients, Adam."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from implementations.reference.microgpt import (
    BLOCK_SIZE,
    LETTERS,
    Weights,
    logits,
    softmax,
    tokenize,
)
from implementations.reference.values import Number, Value, log, number

N_EMBD = 16
FF_DIM = 64
NUM_STEPS = 5000
LEARNING_RATE = 0.01
BETA1 = 0.85
BETA2 = 0.99
ADAM_EPSILON = 1e-8
INIT_STD = 0.08


Parameters = dict[str, list[list[float]]]
"""Weights as plain floats that can be moved, laid out as `Weights`."""


def initial_weights(seed: int) -> Parameters:
    """Every weight drawn from N(0, 0.08²)."""
    random = Random(seed)
    vocabulary = len(LETTERS) + 1
    rows_columns = {
        "wte": (vocabulary, N_EMBD),
        "wpe": (BLOCK_SIZE, N_EMBD),
        **dict.fromkeys(("wq", "wk", "wv", "wo"), (N_EMBD, N_EMBD)),
        "w_fc1": (FF_DIM, N_EMBD),
        "w_fc2": (N_EMBD, FF_DIM),
        "w_lm": (vocabulary, N_EMBD),
    }
    return {
        name: [[random.gauss(0.0, INIT_STD) for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in rows_columns.items()
    }


def loss(weights: Weights, tokens: Sequence[int]) -> Number:
    """The mean of -ln p(next token) over the positions of a name with both its BOS, the first 16 of them."""
    inputs = tokens[:-1][:BLOCK_SIZE]
    total: Number = 0.0
    for row, target in zip(logits(weights, inputs), tokens[1:], strict=False):
        total = total + -log(softmax(row)[target])
    return total / len(inputs)


def loss_and_gradients(weights: Weights, tokens: Sequence[int]) -> tuple[float, Parameters]:
    """The loss and its derivative by every weight, laid out as the weights are."""
    leaves = {name: [[Value(number(weight)) for weight in row] for row in matrix] for name, matrix in weights.items()}
    value = loss(leaves, tokens)
    assert isinstance(value, Value), "what is made from Values is one"
    value.backward()
    return value.data, {name: [[leaf.grad for leaf in row] for row in matrix] for name, matrix in leaves.items()}


@dataclass(slots=True)
class Adam:
    """The moments of Adam (Kingma and Ba, 2015, algorithm 1) and how many steps were taken."""

    first: Parameters
    second: Parameters
    taken: int = 0


def adam(weights: Parameters) -> Adam:
    """Moments of zero for these weights."""
    return Adam(zeros(weights), zeros(weights))


def zeros(weights: Parameters) -> Parameters:
    """As many zeros, laid out as the weights are."""
    return {name: [[0.0] * len(row) for row in matrix] for name, matrix in weights.items()}


def step(weights: Parameters, gradients: Parameters, state: Adam, total_steps: int) -> None:
    """One step of Adam in place; the learning rate falls in a line from 0.01 to 0 after `total_steps`."""
    rate = LEARNING_RATE * (1.0 - state.taken / total_steps)
    state.taken += 1
    for name, matrix in weights.items():
        for row, weights_of_row in enumerate(matrix):
            move(
                weights_of_row, gradients[name][row], state.first[name][row], state.second[name][row], rate, state.taken
            )


def move(
    weights: list[float], gradients: list[float], first: list[float], second: list[float], rate: float, taken: int
) -> None:
    """Adam on one row, in place."""
    for i, gradient in enumerate(gradients):
        first[i] = BETA1 * first[i] + (1.0 - BETA1) * gradient
        second[i] = BETA2 * second[i] + (1.0 - BETA2) * gradient * gradient
        first_hat = first[i] / (1.0 - BETA1**taken)
        second_hat = second[i] / (1.0 - BETA2**taken)
        weights[i] -= rate * first_hat / (second_hat**0.5 + ADAM_EPSILON)


def train(weights: Parameters, names: Sequence[str], total_steps: int) -> Iterator[float]:
    """Train in place, a name a step, in order and over again; yields the loss before each of the steps."""
    state = adam(weights)
    for index in range(total_steps):
        tokens = tokenize(names[index % len(names)].lower())
        value, gradients = loss_and_gradients(weights, tokens)
        step(weights, gradients, state, total_steps)
        yield value
