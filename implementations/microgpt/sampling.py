"""Names that nobody gave the model, letter by letter."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import torch

from implementations.microgpt.config import BOS, TEMPERATURE, VOCAB_SIZE
from implementations.microgpt.kernels import softmax, weighted_sample
from implementations.microgpt.model import MicroGPT
from implementations.microgpt.tokenizer import decode


def sample_names(model: MicroGPT, count: int, *, seed: int, temperature: float = TEMPERATURE) -> Iterator[str]:
    """`count` names, decided by the weights, `seed` and `temperature`; the names of a smaller count come first."""
    draw = random.Random(seed).random
    for _ in range(count):
        yield sample(model, draw, temperature)


def sample(model: MicroGPT, draw: Callable[[], float], temperature: float = TEMPERATURE) -> str:
    """One name in [a-z]{0, block size}: a `draw` from [0, 1) for every letter, until the model ends it or the block is full.

    Raises ValueError for a model whose vocabulary is not that of the tokenizer, and for logits that are not finite.
    """
    if model.config.vocab_size != VOCAB_SIZE:
        raise ValueError(f"the model has {model.config.vocab_size} tokens; {VOCAB_SIZE}, a–z and BOS, are needed")
    device, tokens = next(model.parameters()).device, [BOS]
    with torch.no_grad():
        while len(tokens) <= model.config.block_size:
            logits_nv = model(torch.tensor(tokens, device=device))
            probabilities = softmax(logits_nv[-1:] / temperature)[0]
            token = weighted_sample(probabilities, draw())
            if token == BOS:
                break
            tokens.append(token)
    return decode(tokens)
