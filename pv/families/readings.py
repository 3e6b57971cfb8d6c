"""What the numbers of a model say in words, and where its config.json is at odds with its family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pv.families.model import Family
from pv.families.sizes import Size
from pv.families.words import word

# Names that a config.json has for an activation, and what the families call it.
_ACTIVATIONS = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}
_ACTIVATION_KEYS = ("hidden_act", "hidden_activation", "activation_function")
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


def readings(family: Family, sizes: Mapping[str, Size]) -> Iterator[tuple[str, str]]:
    """Pairs of what is meant and what it is for this model; nothing where a number of it is not known."""
    yield "Kind", "decoder, each position sees earlier ones" if family.constraints["mask"] == "causal" else "encoder"
    number = {name: size.value for name, size in sizes.items()}
    heads, keys, hidden, wide = (number.get(name) for name in ("heads", "kv_heads", "hidden_size", "ffn_size"))
    if heads and keys:
        yield "Attention", _attention(int(heads), int(keys))
    if hidden and wide:
        yield (
            "MLP",
            f"{family.constraints['mlp']}, {family.constraints['activation']}, {wide / hidden:.3g} × hidden size",
        )


def attention_name(sizes: Mapping[str, Any]) -> str:
    """What a kernel for grouped keys comes to with `sizes`: grouped-query attention where they do not say otherwise."""
    heads, keys = sizes.get("heads"), sizes.get("kv_heads")
    if keys and keys == heads:
        return "multi-head attention"
    return "multi-query attention" if keys == 1 else "grouped-query attention"


def odds(family: Family, config: Mapping[str, Any]) -> Iterator[str]:
    """Where `config` says that the model is built otherwise than its family."""
    for key in _ACTIVATION_KEYS:
        said = _ACTIVATIONS.get(str(config.get(key, "")))
        if said is not None and said != family.constraints["activation"]:
            yield f"{key} is {config[key]!r}; the family's activation is {family.constraints['activation']}"
    tied = config.get("tie_word_embeddings")
    if isinstance(tied, bool) and tied != family.constraints["tied_embeddings"]:
        yield f"tie_word_embeddings is {word(tied)}; by the family's default it is {word(not tied)}"
    for key in _EXPERTS:
        count = config.get(key)
        if isinstance(count, int) and count > 1:
            yield f"{key} is {count}: a mixture of experts, which the family's kernels do not show"


def _attention(heads: int, keys: int) -> str:
    if heads == keys:
        return f"mha ({heads} heads, each with its own keys)"
    kind = "mqa" if keys == 1 else "gqa"
    return f"{kind} ({keys} KV heads < {heads} heads)"
