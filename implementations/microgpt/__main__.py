"""`python -m implementations.microgpt`: train on a few names, then write some that nobody gave it.

Everything is decided by the seed. Options: `--steps N`, `--samples N`, `--seed N`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from implementations.microgpt.config import BLOCK_SIZE, BOS, TEMPERATURE
from implementations.microgpt.kernels import softmax, weighted_sample
from implementations.microgpt.model import MicroGPT, forward_pass
from implementations.microgpt.optimizer import Adam, linear_decay
from implementations.microgpt.tokenizer import decode, round_trip

NAMES = ("emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia", "harper", "evelyn")


def main() -> None:
    """Read the options, train, sample, print."""
    options = argparse.ArgumentParser(prog="python -m implementations.microgpt", description=__doc__)
    options.add_argument("--steps", type=int, default=100)
    options.add_argument("--samples", type=int, default=5)
    options.add_argument("--seed", type=int, default=42)
    chosen = options.parse_args()
    model = MicroGPT(seed=chosen.seed)
    for step, loss in enumerate(train(model, encoded(NAMES), chosen.steps), start=1):
        print(f"step {step:4d} / {chosen.steps}  loss {loss:.4f}")
    draws = random.Random(chosen.seed)
    parameters = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    for number in range(1, chosen.samples + 1):
        print(f"sample {number:2d}: {sample(parameters, draws)}")


def encoded(names: Sequence[str]) -> list[list[int]]:
    """The tokens of each name. Raises ValueError for a name that does not survive: it holds more than a–z."""
    found = []
    for name in names:
        tokens, back = round_trip(name)
        if back != name:
            raise ValueError(f"the name {name!r} reads back as {back!r}; only a–z can be learnt")
        found.append(tokens)
    return found


def train(model: MicroGPT, names: Sequence[list[int]], steps: int) -> list[float]:
    """The loss of each step; a step is one name, in turn, and no longer than a block."""
    optimizer, losses = Adam(model.parameters()), []
    for step in range(steps):
        tokens = torch.tensor(names[step % len(names)][: BLOCK_SIZE + 1])
        optimizer.zero_grad()
        loss = cross_entropy(model(tokens[:-1]), tokens[1:])
        loss.backward()
        optimizer.step(linear_decay(step, steps))
        losses.append(loss.item())
    return losses


def sample(parameters: Tensor, draws: random.Random) -> str:
    """A name, letter by letter, until the model ends it or the block is full."""
    tokens = [BOS]
    while len(tokens) < BLOCK_SIZE:
        logits = forward_pass(parameters, torch.tensor(tokens))
        probabilities = softmax(logits[-1:] / TEMPERATURE)[0]
        token = weighted_sample(probabilities, draws.random())
        if token == BOS:
            break
        tokens.append(token)
    return decode(tokens)


if __name__ == "__main__":
    main()
