"""microGPT's forward pass: one pure function of named weights and tokens, with two doors.

`MicroGPT` is the door for training (a module that owns its weights), `forward_pass` the one for analysis (a function of
one flat vector). Both call `compute_logits`, which takes every size from the weights it is given. There is one block:
N_LAYER is 1, and nothing here loops over layers.

Shape letters: n sequence, E embedding, H heads, D head dimension, F feed-forward, V vocabulary. Weights multiply from
the right (x @ w); those of the heads are stacked along a first axis. Weights are not scanned: one NaN or infinity in
`wte` or `wpe` makes every logit NaN, because tokens select rows by a product and 0 · infinity is NaN.

What can be looked at from outside has a local name of its own, assigned once, in the function that makes it:

    compute_logits           embedding_ne, embed_norm_ne, attn_norm_ne, attn_out_ne, post_attn_residual_ne, ffn_norm_ne,
                             ffn_out_ne, post_ffn_residual_ne, logits_nv
    embed                    token_embedding_ne, position_embedding_ne
    attention                attention_hnn, values_hnd, attention_hnd, head_outputs_hne
    attention_probabilities  queries_hnd, keys_hnd, scores_hnn (scaled, not yet masked), mask_nn, attn_softmax_hnn
    mlp                      ffn_up_nf, ffn_act_nf
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from implementations.microgpt.config import BLOCK_SIZE, FF_DIM, HEAD_DIM, INIT_STD, N_EMBD, N_HEAD, VOCAB_SIZE
from implementations.microgpt.kernels import causal_mask, one_hot, rms_norm, softmax


@dataclass(frozen=True, slots=True)
class Config:
    """The sizes of one microGPT; those of `config` where none are given."""

    vocab_size: int = VOCAB_SIZE
    block_size: int = BLOCK_SIZE
    n_embd: int = N_EMBD
    n_head: int = N_HEAD
    head_dim: int = HEAD_DIM
    ff_dim: int = FF_DIM

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight; the order is that of `MicroGPT.parameters()`, of the flat vector, and of the initial draws."""
        projection = (self.n_head, self.n_embd, self.head_dim)
        return {
            "wte": (self.vocab_size, self.n_embd),
            "wpe": (self.block_size, self.n_embd),
            "wq": projection,
            "wk": projection,
            "wv": projection,
            "wo": (self.n_head, self.head_dim, self.n_embd),
            "w_fc1": (self.n_embd, self.ff_dim),
            "w_fc2": (self.ff_dim, self.n_embd),
            "w_lm": (self.n_embd, self.vocab_size),
        }

    @property
    def parameter_count(self) -> int:
        """Of all weights together."""
        return sum(math.prod(shape) for shape in self.shapes.values())


DEFAULT = Config()
SHAPES: Mapping[str, tuple[int, ...]] = DEFAULT.shapes


class MicroGPT(nn.Module):
    """The model with its weights, named and shaped as `config.shapes`, each drawn from N(0, INIT_STD²).

    `seed` decides every weight; `dtype` is any floating dtype that holds the mask value (not float16).
    """

    def __init__(self, *, seed: int, dtype: torch.dtype = torch.float32, config: Config = DEFAULT) -> None:
        super().__init__()
        self.config = config
        for name, weight in split_parameters(draw_parameters(seed, dtype, config), config).items():
            self.register_parameter(name, nn.Parameter(weight.clone()))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits ([n, V], the weights' dtype) for `tokens`; see `compute_logits`."""
        return compute_logits(dict(self.named_parameters()), tokens)


def model_of(weights: Mapping[str, Tensor]) -> MicroGPT:
    """A model that holds copies of `weights`, in their dtype; its sizes are theirs.

    Raises ValueError for a weight that is missing, unknown, or of another shape than the others say.
    """
    for name in SHAPES:
        if name not in weights:
            raise ValueError(f"there is no {name}; {', '.join(SHAPES)} are needed")
    config = _sizes_of(weights)
    for name, weight in weights.items():
        needed = config.shapes.get(name)
        if needed is None:
            raise ValueError(f"{name} is no weight of microGPT; {', '.join(SHAPES)} are needed")
        if tuple(weight.shape) != needed:
            raise ValueError(f"{name} is {list(weight.shape)}; {list(needed)} is needed beside the other weights")
    model = MicroGPT(seed=0, dtype=weights["wte"].dtype, config=config)
    model.load_state_dict(dict(weights))
    return model


def forward_pass(parameters: Tensor, tokens: Tensor) -> Tensor:
    """The same forward as a function of one flat vector ([PARAMETER_COUNT], floating), differentiable in it.

    `tokens` and result as in `compute_logits`. The vector is every weight, flattened, in the order of `SHAPES`:
    `torch.nn.utils.parameters_to_vector(model.parameters())`.
    Raises ValueError for a vector of another length, rank or dtype, and what `compute_logits` raises.
    """
    return compute_logits(split_parameters(parameters), tokens)


def compute_logits(weights: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """Logits ([n, V], the weights' dtype) for `tokens` ([n] int64, each in 0 … V - 1; n from 1 to the rows of `wpe`).

    Row i scores the token that follows tokens[0 … i]; it does not depend on later ones.
    Equation: x = norm(one_hot(tokens) wte + one_hot(positions) wpe); x += attention(norm(x)); x += mlp(norm(x));
    logits = x w_lm; no final norm.
    Raises ValueError for another dtype or rank, a length outside its range, and a token outside its range.
    """
    _require_length(tokens, len(weights["wpe"]))
    embedding_ne = embed(weights, tokens)
    embed_norm_ne = rms_norm(embedding_ne)
    attn_norm_ne = rms_norm(embed_norm_ne)
    attn_out_ne = attention(weights, attn_norm_ne)
    post_attn_residual_ne = embed_norm_ne + attn_out_ne
    ffn_norm_ne = rms_norm(post_attn_residual_ne)
    ffn_out_ne = mlp(weights, ffn_norm_ne)
    post_ffn_residual_ne = post_attn_residual_ne + ffn_out_ne
    logits_nv = post_ffn_residual_ne @ weights["w_lm"]
    return logits_nv  # noqa: RET504 -- a stage, which the stage map finds by its name, as are the names above: read as locals


def embed(weights: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """Token plus position embedding, [n, E]: one_hot(tokens) @ wte + one_hot(positions) @ wpe."""
    wte, wpe = weights["wte"], weights["wpe"]
    positions = torch.arange(len(tokens), device=tokens.device)
    token_embedding_ne = one_hot(tokens, len(wte), wte.dtype) @ wte
    position_embedding_ne = one_hot(positions, len(wpe), wpe.dtype) @ wpe
    return token_embedding_ne + position_embedding_ne


def attention(weights: Mapping[str, Tensor], x_ne: Tensor) -> Tensor:
    """Causal multi-head attention, [n, E] to [n, E]: Σ_h probabilities_h v_h wo_h (Vaswani et al. 2017, 3.2)."""
    attention_hnn = attention_probabilities(weights, x_ne)
    values_hnd = x_ne @ weights["wv"]
    attention_hnd = attention_hnn @ values_hnd
    head_outputs_hne = attention_hnd @ weights["wo"]
    return head_outputs_hne.sum(dim=0)


def attention_probabilities(weights: Mapping[str, Tensor], x_ne: Tensor) -> Tensor:
    """Whom each position attends to, [H, n, n]: softmax(q kᵀ / √D + mask); rows sum to 1, 0 above the diagonal."""
    queries_hnd = x_ne @ weights["wq"]
    keys_hnd = x_ne @ weights["wk"]
    scores_hnn = queries_hnd @ keys_hnd.transpose(-2, -1) / math.sqrt(queries_hnd.shape[-1])
    mask_nn = causal_mask(len(x_ne), x_ne.dtype).to(x_ne.device)
    attn_softmax_hnn = softmax(scores_hnn + mask_nn)
    return attn_softmax_hnn  # noqa: RET504 -- a stage, which the stage map finds by its name


def mlp(weights: Mapping[str, Tensor], x_ne: Tensor) -> Tensor:
    """The feed-forward layer, [n, E] to [n, E]: ReLU(x w_fc1) w_fc2. The derivative of ReLU at 0 is taken as 0."""
    ffn_up_nf = x_ne @ weights["w_fc1"]
    ffn_act_nf = torch.relu(ffn_up_nf)
    return ffn_act_nf @ weights["w_fc2"]


def split_parameters(parameters: Tensor, config: Config = DEFAULT) -> dict[str, Tensor]:
    """The named weights held in a flat vector ([config.parameter_count], floating), in the order of `config.shapes`.

    Raises ValueError for another length, rank or dtype.
    """
    shapes = config.shapes
    sizes = [math.prod(shape) for shape in shapes.values()]
    if parameters.shape != (sum(sizes),) or not parameters.is_floating_point():
        seen = f"{list(parameters.shape)} {parameters.dtype}"
        raise ValueError(f"parameters are {seen}; [{sum(sizes)}] of a floating-point dtype is needed")
    pieces = torch.split(parameters, sizes)
    return {name: piece.reshape(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}


def draw_parameters(seed: int, dtype: torch.dtype = torch.float32, config: Config = DEFAULT) -> Tensor:
    """A flat vector ([config.parameter_count], `dtype`) of independent draws from N(0, INIT_STD²), decided by `seed`."""
    # Drawn in float64 whatever the dtype, so that one seed is one model, rounded: torch's streams differ by dtype.
    generator = torch.Generator().manual_seed(seed)
    draws = torch.randn(config.parameter_count, generator=generator, dtype=torch.float64)
    return (INIT_STD * draws).to(dtype)


def _sizes_of(weights: Mapping[str, Tensor]) -> Config:
    for name, shape in SHAPES.items():
        if weights[name].ndim != len(shape) or 0 in weights[name].shape:
            seen = list(weights[name].shape)
            raise ValueError(f"{name} is {seen}; {len(shape)} axes of at least 1 are needed")
    (vocab_size, n_embd), (n_head, _, head_dim) = weights["wte"].shape, weights["wq"].shape
    return Config(vocab_size, len(weights["wpe"]), n_embd, n_head, head_dim, weights["w_fc1"].shape[1])


def _require_length(tokens: Tensor, block_size: int) -> None:
    if tokens.ndim != 1:
        raise ValueError(f"tokens have shape {list(tokens.shape)}; [n] with 1 ≤ n ≤ {block_size} is needed")
    if not 1 <= len(tokens) <= block_size:
        raise ValueError(f"{len(tokens)} tokens were given; 1 … {block_size} are needed")
