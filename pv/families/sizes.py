"""The sizes of one model: from the shapes of its tensors first, then from what it says of itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from pv.families.model import Family, Number
from pv.families.roles import role_of

LABELS = {
    "hidden_size": "Hidden size",
    "layers": "Layers",
    "heads": "Attention heads",
    "kv_heads": "KV heads",
    "head_dim": "Head dimension",
    "ffn_size": "FFN size",
    "vocab_size": "Vocabulary",
    "context_length": "Context length",
    "norm_epsilon": "Norm epsilon",
    "rope_theta": "RoPE theta",
    "rope_share": "Rotated share",
    "sliding_window": "Sliding window",
}
"""The sizes, in the order in which they are shown, and what they are called."""

# Keys of a GGUF file, below the name of its architecture; and of an APR file's metadata.
_GGUF = {
    "hidden_size": ("embedding_length",),
    "layers": ("block_count",),
    "heads": ("attention.head_count",),
    "kv_heads": ("attention.head_count_kv",),
    "head_dim": ("attention.key_length",),
    "ffn_size": ("feed_forward_length",),
    "vocab_size": ("vocab_size",),
    "context_length": ("context_length",),
    "norm_epsilon": ("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"),
    "rope_theta": ("rope.freq_base",),
    "sliding_window": ("attention.sliding_window",),
}
_APR = {
    "hidden_size": "hidden_size",
    "layers": "num_layers",
    "heads": "num_heads",
    "kv_heads": "num_kv_heads",
    "head_dim": "head_dim",
    "ffn_size": "intermediate_size",
    "vocab_size": "vocab_size",
    "context_length": "max_position_embeddings",
    "norm_epsilon": "rms_norm_eps",
    "rope_theta": "rope_theta",
}

_FRACTIONS = frozenset(("norm_epsilon", "rope_theta", "rope_share"))  # every other size counts something

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Size:
    """A number of a model, and where it was read."""

    value: Number
    source: str


def sizes_of(
    family: Family | None, shapes: Shapes, config: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Size]:
    """Every size that can be told, in the order of `LABELS`.

    `shapes` are those of all tensors by name; `config` a config.json; `metadata` what a GGUF or APR file says of itself.
    """
    found: dict[str, Size] = {}
    for name, size in (
        *(_from_tensors(family, shapes) if family else ()),
        *(_from_config(family, config) if family else ()),
        *_from_gguf(metadata),
        *_from_apr(metadata),
    ):
        found.setdefault(name, size)
    if family is not None:
        _follow(family, found)
    return {name: found[name] for name in LABELS if name in found}


def disagreements(
    family: Family, shapes: Shapes, config: Mapping[str, Any], metadata: Mapping[str, Any]
) -> Iterator[str]:
    """Where two places say different things of one size, or a tensor has another shape than the family's."""
    sizes = sizes_of(family, shapes, config, metadata)
    said: dict[str, Size] = {}
    for name, size in (*_from_config(family, config), *_from_gguf(metadata), *_from_apr(metadata)):
        if name in sizes and size.value != sizes[name].value and name not in said:
            said[name] = size
            yield f"{name} is {sizes[name].value} by {sizes[name].source} and {size.value} by {size.source}"
    for tensor, shape in shapes.items():
        role = role_of(family, tensor)
        expected = _expected(role.row.shape, sizes) if role and role.row.shape else None
        if expected is not None and expected != shape:
            yield f"{tensor} is {list(shape)}; {' × '.join(role.row.shape) if role else ''} is {list(expected)}"


def _from_tensors(family: Family, shapes: Shapes) -> Iterator[tuple[str, Size]]:
    layers = -1
    for name, shape in shapes.items():
        role = role_of(family, name)
        if role is None:
            continue
        layers = max(layers, -1 if role.layer is None else role.layer)
        if len(shape) == len(role.row.shape):
            for axis, size in zip(role.row.shape, shape, strict=True):
                if axis in LABELS:
                    yield axis, Size(size, f"the shape of {name}")
    if layers >= 0:
        yield "layers", Size(layers + 1, "the names of the tensors")


def _from_config(family: Family, config: Mapping[str, Any]) -> Iterator[tuple[str, Size]]:
    rope = config.get("rope_parameters")  # where transformers 5 keeps what was at the top before
    inner = rope if isinstance(rope, dict) else {}
    for name, key in family.config.items():
        value = config.get(key, inner.get(key))
        if _is_size(value, name):
            yield name, Size(value, f"{key} of config.json")


def _from_gguf(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Size]]:
    architecture = metadata.get("general.architecture")
    if isinstance(architecture, str):
        for name, keys in _GGUF.items():
            for key in keys:
                value = metadata.get(f"{architecture}.{key}")
                if _is_size(value, name):
                    yield name, Size(value, f"{architecture}.{key}")


def _from_apr(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Size]]:
    for name, key in _APR.items():
        value = metadata.get(key)
        if _is_size(value, name):
            yield name, Size(value, f"{key} of the metadata")


def _follow(family: Family, found: dict[str, Size]) -> None:
    """What the sizes that are there decide of others."""
    if "kv_heads" not in found and "heads" in found and family.constraints["attention"] == "mha":
        found["kv_heads"] = Size(found["heads"].value, "as many as heads: mha")
    hidden, heads = found.get("hidden_size"), found.get("heads")
    if not family.heads_share_hidden or "head_dim" in found:
        return
    if hidden and heads and heads.value and hidden.value % heads.value == 0:
        found["head_dim"] = Size(int(hidden.value // heads.value), "hidden_size / heads")


def _expected(axes: Iterable[str], sizes: Mapping[str, Size]) -> tuple[int, ...] | None:
    """The shape that `axes` stand for; None where a size of it is not known."""
    shape = []
    for axis in axes:
        product = 1
        for factor in axis.split("*"):
            if re.fullmatch(r"\d+", factor):
                product *= int(factor)
            elif factor in sizes:
                product *= int(sizes[factor].value)
            else:
                return None
        shape.append(product)
    return tuple(shape)


def _is_size(value: object, name: str) -> TypeGuard[Number]:
    """Whether `value` can be the size `name`: above zero and finite, and a count is whole."""
    kinds = (int, float) if name in _FRACTIONS else int
    return isinstance(value, kinds) and not isinstance(value, bool) and 0 < value < math.inf
