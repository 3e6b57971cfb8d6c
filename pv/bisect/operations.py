"""What each stage computes, plainly: the operations that a stage map may name, and how one is found.

Each takes its inputs, then its weights, in the order of the map's row; the parameters are those of the row's `with`. All
compute in the dtype of what they are given: float64 to recompute a stage, a model's own dtype to see what plain rounding costs
there. As models do, norms, softmax and angles run at least in float32. Nothing is scanned: NaN and infinity go where IEEE
arithmetic takes them. Letters: n tokens, E width, H heads, K heads of keys and values, D width of a head, F, V.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from pv.finding import Exit, PvError

Operation = Callable[..., Tensor]

ROWS_AT_ONCE = 256  # queries for which attention holds its scores: H · 256 · n values, not H · n²


def find(name: str) -> Operation:
    """The operation called `name`: one of this module, or "module:function". Raises PvError (`Exit.MEND`) for neither."""
    if name in OPERATIONS:
        return OPERATIONS[name]
    home, _, path = name.partition(":")
    try:
        found: Any = import_module(home) if path else None
        for part in path.split("."):
            found = getattr(found, part, None)
    except ImportError as error:
        raise PvError(
            f"the operation {name!r} cannot be imported: {error}",
            exit=Exit.MEND,
            hint="mend that module, or the name of the operation in the stage map",
        ) from error
    if not callable(found):
        hint = f"a function as module:function, or one of {', '.join(OPERATIONS)}"
        raise PvError(f"there is no operation {name!r}", exit=Exit.MEND, hint=hint)
    return found  # type: ignore[no-any-return]  # a project's own function says no types to us


def embedding(tokens: Tensor, table: Tensor) -> Tensor:
    """Row `tokens[i]` of `table` [V, E] for each of [n] tokens: [n, E]."""
    return table[tokens]


def position_embedding(tokens: Tensor, table: Tensor) -> Tensor:
    """The first n rows of `table`, one for each of [n] tokens: [n, E]."""
    return table[: len(tokens)]


def linear(x: Tensor, *weights: Tensor) -> Tensor:
    """x @ Wᵀ for every W [out, in], side by side: [n, Σ out]. The layout of `torch.nn.Linear`, without its bias."""
    return torch.cat([x @ weight.mT for weight in weights], dim=-1)


def matmul(x: Tensor, other: Tensor) -> Tensor:
    """x @ other, leading axes broadcast: weights [in, out] (as GPT-2's Conv1D), [H, in, out], or another stage."""
    return x @ other


def affine(x: Tensor, weight: Tensor, shift: Tensor | None = None) -> Tensor:
    """x @ Wᵀ + b, W [out, in]: `torch.nn.Linear` with its bias, if there is one."""
    return x @ weight.mT if shift is None else x @ weight.mT + shift


def conv1d(x: Tensor, weight: Tensor, shift: Tensor | None = None) -> Tensor:
    """x @ W + b, W [in, out]: the layout of GPT-2's Conv1D."""
    return x @ weight if shift is None else x @ weight + shift


def bias(x: Tensor, *biases: Tensor) -> Tensor:
    """x + b, the biases side by side: [n, Σ out]."""
    return x + torch.cat(biases, dim=-1)


def rms_norm(x: Tensor, weight: Tensor | None = None, *, eps: float) -> Tensor:
    """x / √(mean(x²) + eps) · weight over the last axis (Zhang and Sennrich 2019, eq. 4, with eps inside the root)."""
    wide = _at_least_float32(x)
    normed = (wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)
    return normed if weight is None else normed * weight


def layer_norm(x: Tensor, weight: Tensor, shift: Tensor | None = None, *, eps: float) -> Tensor:
    """(x − mean) / √(variance + eps) · weight + shift over the last axis (Ba et al. 2016, eq. 4)."""
    wide = _at_least_float32(x)
    centred = wide - wide.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt() * weight
    return (scaled if shift is None else scaled + shift).to(x.dtype)


def heads_of(x: Tensor, *, heads: int, skip: int = 0, head_dim: int) -> Tensor:
    """Heads `skip` … `skip + heads` of a packed [n, …·D], as [n, heads, D]."""
    return x.reshape(len(x), -1, int(head_dim))[:, int(skip) : int(skip) + int(heads)]


def rope(
    x: Tensor,
    inv_freq: Tensor,
    *,
    heads: int | None = None,
    skip: int = 0,
    head_dim: int | None = None,
    scaling: float = 1.0,
    first: int = 0,
) -> Tensor:
    """Rotary embedding (Su et al. 2021, eq. 34) of heads `skip` … `skip + heads`, element i paired with i + len(inv_freq).

    `x` [n, H, D] or packed [n, …·D]; `inv_freq` [≤ D/2], θ^(−2i/D); positions from `first` on; returns [n, heads, D]. What of
    D is beyond 2·len(inv_freq) is left as it is. `scaling` multiplies cos and sin (as of YaRN).
    """
    chosen = _chosen(x, inv_freq, heads, skip, head_dim)
    cos, sin = angles(chosen, inv_freq, scaling, first)
    half = len(inv_freq)
    low, high, rest = chosen[..., :half], chosen[..., half : 2 * half], chosen[..., 2 * half :]
    return torch.cat([low * cos - high * sin, high * cos + low * sin, rest], dim=-1)


def angles(x: Tensor, inv_freq: Tensor, scaling: float = 1.0, first: int = 0) -> tuple[Tensor, Tensor]:
    """cos and sin of position · inv_freq for the n rows of `x`, positions from `first`: each [n, 1, len(inv_freq)]."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    positions = torch.arange(first, first + len(x), device=x.device, dtype=dtype)
    turns = torch.outer(positions, inv_freq.to(dtype))[:, None]
    return (turns.cos() * scaling).to(x.dtype), (turns.sin() * scaling).to(x.dtype)


def scores(q: Tensor, k: Tensor, *, scaling: float | None = None) -> Tensor:
    """q kᵀ · scaling (1/√D where none is given) before any mask, of [n, H, D] and [n, K, D]: [H, n, n].

    Head h reads head ⌊h·K/H⌋ of the keys (Ainslie et al. 2023: grouped queries).
    """
    return head_scores(q.transpose(0, 1), _repeated(k, q.shape[1]).transpose(0, 1), scaling=scaling)


def head_scores(q: Tensor, k: Tensor, *, scaling: float | None = None) -> Tensor:
    """As `scores`, of [H, n, D] and [H, n, D]: [H, n, n] (Vaswani et al. 2017, eq. 1, within the softmax)."""
    return q @ k.mT * (q.shape[-1] ** -0.5 if scaling is None else scaling)


def causal_mask(tokens: Tensor, *, value: float = -math.inf) -> Tensor:
    """0 where a token may look (j ≤ i), `value` where it may not: [n, n] float64."""
    n = len(tokens)
    return torch.full((n, n), value, dtype=torch.float64, device=tokens.device).triu(1)


def softmax(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """exp(x) / Σ exp(x) over the last axis of x + mask: [H, n, n]."""
    return torch.softmax(_at_least_float32(x if mask is None else x + mask), dim=-1).to(x.dtype)


def causal_softmax(x: Tensor, *, window: int | None = None) -> Tensor:
    """Softmax of scores [H, n, n] over the keys that a query sees: j ≤ i, and of these the last `window`."""
    return softmax(x.masked_fill(~_seen(0, len(x[0]), len(x[0]), window, x.device), -math.inf))


def weighted_values(weights: Tensor, v: Tensor, *, kv_heads: int | None = None) -> Tensor:
    """Σ_j weights[h, i, j] v[j]: [n, H·D], of weights [H, n, n] and v [n, K, D], or Q‖K‖V packed [n, (H+2K)·D]."""
    values = v if v.ndim == 3 else _packed_values(v, len(weights), int(kv_heads or len(weights)))
    return (weights @ _repeated(values, len(weights)).transpose(0, 1)).transpose(0, 1).flatten(1)


def attention(q: Tensor, k: Tensor, v: Tensor, *, scaling: float | None = None, window: int | None = None) -> Tensor:
    """Causal attention whole: softmax(q kᵀ · scaling) v, [n, H·D] (Vaswani et al. 2017, eq. 1), of [n, H, D], [n, K, D], and
    [n, K, D] or Q‖K‖V packed. Rows are taken by blocks, so memory does not grow with n²."""
    values = v if v.ndim == 3 else _packed_values(v, q.shape[1], k.shape[1])
    q, k, values = (_repeated(each, q.shape[1]).transpose(0, 1) for each in (q, k, values))
    blocks = []
    for start in range(0, q.shape[1], ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, q.shape[1])
        found = head_scores(q[:, start:end], k[:, :end], scaling=scaling)
        found = found.masked_fill(~_seen(start, end, end, window, q.device), -math.inf)
        blocks.append(softmax(found) @ values[:, :end])
    return torch.cat(blocks, dim=1).transpose(0, 1).flatten(1)


def packed_scores(qkv: Tensor, *, heads: int, kv_heads: int, scaling: float | None = None) -> Tensor:
    """As `scores`, of Q‖K‖V packed [n, (H+2K)·D], where nothing happens to q and k in between (GPT-2)."""
    q, k = _packed(qkv, heads, kv_heads)[:2]
    return scores(q, k, scaling=scaling)


def packed_attention(
    qkv: Tensor, *, heads: int, kv_heads: int, scaling: float | None = None, window: int | None = None
) -> Tensor:
    """As `attention`, of Q‖K‖V packed [n, (H+2K)·D]."""
    return attention(*_packed(qkv, heads, kv_heads), scaling=scaling, window=window)


def sum_heads(x: Tensor) -> Tensor:
    """Σ_h x[h]: [H, n, E] to [n, E]."""
    return x.sum(0)


def relu(x: Tensor) -> Tensor:
    """max(x, 0)."""
    return x.clamp_min(0)


def silu(x: Tensor) -> Tensor:
    """x · σ(x) (Elfwing et al. 2017)."""
    return x * torch.sigmoid(x)


def gelu(x: Tensor) -> Tensor:
    """x · Φ(x), Φ by erf (Hendrycks and Gimpel 2016)."""
    return torch.nn.functional.gelu(x)


def gelu_tanh(x: Tensor) -> Tensor:
    """x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))), the approximation of the same paper; also called gelu_new."""
    return torch.nn.functional.gelu(x, approximate="tanh")


def activation(x: Tensor, *, kind: str) -> Tensor:
    """The activation that a configuration calls `kind`. Raises ValueError for one that is not known."""
    if kind not in _ACTIVATIONS:
        raise ValueError(f"the activation is {kind!r}; known are {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[kind](x)


def mul(x: Tensor, y: Tensor) -> Tensor:
    """x · y, element by element."""
    return x * y


def add(*terms: Tensor) -> Tensor:
    """The sum of all of them, from the left."""
    total, *others = terms
    for each in others:
        total = total + each
    return total


def concat(*parts: Tensor) -> Tensor:
    """Side by side on the last axis."""
    return torch.cat(parts, dim=-1)


_ALL: tuple[Operation, ...] = (
    embedding, position_embedding, linear, affine, conv1d, matmul, bias, rms_norm, layer_norm, heads_of, rope, scores,
    head_scores, causal_mask, softmax, causal_softmax, weighted_values, attention, packed_scores, packed_attention, sum_heads,
    relu, silu, gelu, gelu_tanh, activation, mul, add, concat,
)  # fmt: skip
OPERATIONS = {each.__name__: each for each in _ALL}

_ACTIVATIONS: dict[str, Operation] = {
    "gelu": gelu, "gelu_new": gelu_tanh, "gelu_pytorch_tanh": gelu_tanh, "relu": relu, "silu": silu, "swish": silu,
}  # fmt: skip


def _at_least_float32(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _chosen(x: Tensor, inv_freq: Tensor, heads: int | None, skip: int, head_dim: int | None) -> Tensor:
    width = int(head_dim or 2 * len(inv_freq))
    every = x if x.ndim == 3 else x.reshape(len(x), -1, width)
    return every[:, int(skip) : None if heads is None else int(skip) + int(heads)]


def _repeated(x: Tensor, heads: int) -> Tensor:
    """[n, K, D] as [n, heads, D], each head heads/K times in a row."""
    return x if x.shape[1] == heads else x.repeat_interleave(heads // x.shape[1], dim=1)


def _packed(qkv: Tensor, heads: int, kv_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    every, first = qkv.reshape(len(qkv), int(heads) + 2 * int(kv_heads), -1), int(heads)
    return every[:, :first], every[:, first : first + int(kv_heads)], every[:, first + int(kv_heads) :]


def _packed_values(qkv: Tensor, heads: int, kv_heads: int) -> Tensor:
    return _packed(qkv, heads, kv_heads)[2]


def _seen(start: int, end: int, keys: int, window: int | None, device: torch.device) -> Tensor:
    """Who of `keys` the queries `start` … `end` may look at: [end − start, keys]."""
    queries, others = torch.arange(start, end, device=device)[:, None], torch.arange(keys, device=device)
    seen = others <= queries
    return seen if window is None else seen & (others > queries - int(window))
