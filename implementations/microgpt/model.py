"""microGPT's forward pass: one pure function of named weights and tokens, with two doors.

`MicroGPT` is the door for training (a module that owns its weights), `forward_pass` the one for analysis (a function of
one flat vector). Both call `compute_logits`. There is one block: N_LAYER is 1, and nothing here loops over layers.

Shape letters: n sequence, E embedding, H heads, D head dimension, F feed-forward, V vocabulary. Weights multiply from
the right (x @ w); those of the heads are stacked along a first axis. Weights are not scanned: one NaN or infinity in
`wte` or `wpe` makes every logit NaN, because tokens select rows by a product and 0 · infinity is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from implementations.microgpt.config import (
    BLOCK_SIZE,
    FF_DIM,
    HEAD_DIM,
    INIT_STD,
    N_EMBD,
    N_HEAD,
    PARAMETER_COUNT,
    VOCAB_SIZE,
)
from implementations.microgpt.kernels import causal_mask, one_hot, rms_norm, softmax

# The order is that of `MicroGPT.parameters()`, of the flat vector, and of the draws at initialisation.
SHAPES: Mapping[str, tuple[int, ...]] = {
    "wte": (VOCAB_SIZE, N_EMBD),
    "wpe": (BLOCK_SIZE, N_EMBD),
    "wq": (N_HEAD, N_EMBD, HEAD_DIM),
    "wk": (N_HEAD, N_EMBD, HEAD_DIM),
    "wv": (N_HEAD, N_EMBD, HEAD_DIM),
    "wo": (N_HEAD, HEAD_DIM, N_EMBD),
    "w_fc1": (N_EMBD, FF_DIM),
    "w_fc2": (FF_DIM, N_EMBD),
    "w_lm": (N_EMBD, VOCAB_SIZE),
}


class MicroGPT(nn.Module):
    """The model with its weights, named and shaped as `SHAPES`, each drawn from N(0, INIT_STD²).

    `seed` decides every weight; `dtype` is any floating dtype that holds the mask value (not float16).
    """

    def __init__(self, *, seed: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        for name, weight in split_parameters(draw_parameters(seed, dtype)).items():
            self.register_parameter(name, nn.Parameter(weight.clone()))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits ([n, V], the weights' dtype) for `tokens`; see `compute_logits`."""
        return compute_logits(dict(self.named_parameters()), tokens)


def forward_pass(parameters: Tensor, tokens: Tensor) -> Tensor:
    """The same forward as a function of one flat vector ([PARAMETER_COUNT], floating), differentiable in it.

    `tokens` and result as in `compute_logits`. The vector is every weight, flattened, in the order of `SHAPES`:
    `torch.nn.utils.parameters_to_vector(model.parameters())`.
    Raises ValueError for a vector of another length, rank or dtype, and what `compute_logits` raises.
    """
    return compute_logits(split_parameters(parameters), tokens)


def compute_logits(weights: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """Logits ([n, V], the weights' dtype) for `tokens` ([n] int64, 1 ≤ n ≤ BLOCK_SIZE, each in 0 … VOCAB_SIZE - 1).

    Row i scores the token that follows tokens[0 … i]; it does not depend on later ones.
    Equation: x = norm(one_hot(tokens) wte + one_hot(positions) wpe); x += attention(norm(x)); x += mlp(norm(x));
    logits = x w_lm; no final norm.
    Raises ValueError for another dtype or rank, a length outside its range, and a token outside its range.
    """
    _require_length(tokens)
    x_ne = rms_norm(embed(weights, tokens))
    x_ne = x_ne + attention(weights, rms_norm(x_ne))
    x_ne = x_ne + mlp(weights, rms_norm(x_ne))
    return x_ne @ weights["w_lm"]


def embed(weights: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """Token plus position embedding, [n, E]: one_hot(tokens) @ wte + one_hot(positions) @ wpe."""
    wte, wpe = weights["wte"], weights["wpe"]
    positions = torch.arange(len(tokens), device=tokens.device)
    return one_hot(tokens, VOCAB_SIZE, wte.dtype) @ wte + one_hot(positions, BLOCK_SIZE, wpe.dtype) @ wpe


def attention(weights: Mapping[str, Tensor], x_ne: Tensor) -> Tensor:
    """Causal multi-head attention, [n, E] to [n, E]: Σ_h probabilities_h v_h wo_h (Vaswani et al. 2017, 3.2)."""
    values_hnd = x_ne @ weights["wv"]
    heads_hnd = attention_probabilities(weights, x_ne) @ values_hnd
    return (heads_hnd @ weights["wo"]).sum(dim=0)


def attention_probabilities(weights: Mapping[str, Tensor], x_ne: Tensor) -> Tensor:
    """Whom each position attends to, [H, n, n]: softmax(q kᵀ / √D + mask); rows sum to 1, 0 above the diagonal."""
    queries_hnd = x_ne @ weights["wq"]
    keys_hnd = x_ne @ weights["wk"]
    scores_hnn = queries_hnd @ keys_hnd.transpose(-2, -1) / math.sqrt(HEAD_DIM)
    mask_nn = causal_mask(len(x_ne), x_ne.dtype).to(x_ne.device)
    return softmax(scores_hnn + mask_nn)


def mlp(weights: Mapping[str, Tensor], x_ne: Tensor) -> Tensor:
    """The feed-forward layer, [n, E] to [n, E]: ReLU(x w_fc1) w_fc2. The derivative of ReLU at 0 is taken as 0."""
    hidden_nf = torch.relu(x_ne @ weights["w_fc1"])
    return hidden_nf @ weights["w_fc2"]


def split_parameters(parameters: Tensor) -> dict[str, Tensor]:
    """The named weights held in a flat vector ([PARAMETER_COUNT], floating), in the order of `SHAPES`.

    Raises ValueError for another length, rank or dtype.
    """
    if parameters.shape != (PARAMETER_COUNT,) or not parameters.is_floating_point():
        seen = f"{list(parameters.shape)} {parameters.dtype}"
        raise ValueError(f"parameters are {seen}; [{PARAMETER_COUNT}] of a floating-point dtype is needed")
    pieces = torch.split(parameters, [math.prod(shape) for shape in SHAPES.values()])
    return {name: piece.reshape(shape) for (name, shape), piece in zip(SHAPES.items(), pieces, strict=True)}


def draw_parameters(seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A flat vector ([PARAMETER_COUNT], `dtype`) of independent draws from N(0, INIT_STD²), decided by `seed`."""
    # Drawn in float64 whatever the dtype, so that one seed is one model, rounded: torch's streams differ by dtype.
    generator = torch.Generator().manual_seed(seed)
    draws = torch.randn(PARAMETER_COUNT, generator=generator, dtype=torch.float64)
    return (INIT_STD * draws).to(dtype)


def _require_length(tokens: Tensor) -> None:
    if tokens.ndim != 1:
        raise ValueError(f"tokens have shape {list(tokens.shape)}; [n] with 1 ≤ n ≤ {BLOCK_SIZE} is needed")
    if not 1 <= len(tokens) <= BLOCK_SIZE:
        raise ValueError(f"{len(tokens)} tokens were given; 1 … {BLOCK_SIZE} are needed")
