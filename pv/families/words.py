"""What the constraints of a family mean, which of two is the simpler one, and the kernel class they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from pv.families.model import Family

# Each constraint's values, the simplest first.
WORDS: Mapping[str, Mapping[str | bool, str]] = {
    "attention": {
        "mha": "a key and a value head for each query head",
        "mqa": "one key and value head for all query heads",
        "gqa": "one key and value head for several query heads",
    },
    "mask": {"none": "every position sees every other", "causal": "a position sees itself and earlier ones"},
    "activation": {
        "relu": "max(x, 0)",
        "silu": "x · sigmoid(x)",
        "gelu_tanh": "x · Φ(x), Φ approximated by tanh",
        "gelu": "x · Φ(x), by the error function",
    },
    "norm": {
        "rmsnorm_no_gain": "divided by the root mean square, nothing learnt",
        "rmsnorm": "divided by the root mean square, times a learnt gain",
        "rmsnorm_plus_one": "divided by the root mean square, times one plus a learnt gain",
        "layernorm": "mean taken off, divided by the deviation, learnt gain and offset",
    },
    "norm_place": {
        "pre": "before each branch",
        "parallel": "once, before both branches side by side",
        "post": "after each sum",
    },
    "qk_norm": {False: "queries and keys as they are projected", True: "queries and keys are normed head by head"},
    "final_norm": {False: "nothing between the last block and the head", True: "a norm before the head"},
    "mlp": {"plain": "up, activation, down", "gated": "a gate beside the up projection"},
    "position": {
        "learned": "a learnt vector for each position, added once",
        "alibi": "a slope for each head, added to the scores",
        "rope": "queries and keys turned by an angle",
        "partial_rope": "a part of queries and keys turned by an angle",
    },
    "bias": {
        "none": "no linear map has one",
        "qkv": "query, key and value have one",
        "all": "every linear map has one",
    },
    "tied_embeddings": {False: "a head of its own", True: "the head is the token embedding again"},
}


class Relation(Enum):
    """How one family's value stands to another's."""

    SAME = "same"
    SIMPLER = "simpler"
    RICHER = "richer"
    DIFFERENT = "different"


# Neither of their values is the simpler one: a matter of taste.
_UNORDERED = frozenset(("mask", "norm_place", "tied_embeddings"))


@dataclass(frozen=True, slots=True)
class Compared:
    """One constraint of `theirs` beside that of `ours`; `relation` is what ours is to theirs."""

    constraint: str
    theirs: str | bool
    ours: str | bool
    relation: Relation


def compare(ours: Family, theirs: Family) -> Iterator[Compared]:
    """Every constraint of two families, side by side."""
    for name, values in WORDS.items():
        own, other = ours.constraints[name], theirs.constraints[name]
        order = list(values)
        if own == other:
            relation = Relation.SAME
        elif name in _UNORDERED:
            relation = Relation.DIFFERENT
        else:
            relation = Relation.SIMPLER if order.index(own) < order.index(other) else Relation.RICHER
        yield Compared(name, other, own, relation)


def word(value: str | bool) -> str:
    """A constraint's value as people write it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


CLASSES = {
    "A": "RMSNorm, SiLU, gated, rotary",
    "B": "LayerNorm, GELU, every head its own keys",
    "C": "ALiBi",
    "D": "LayerNorm, grouped keys or SiLU",
    "F": "RMSNorm, GELU, gated, rotary",
}


def kernel_class(family: Family) -> str:
    """The predecessor's class of kernels (a letter of `CLASSES`), derived from the constraints; empty for none of them."""
    is_ = family.constraints
    gelu = is_["activation"] in ("gelu", "gelu_tanh")
    rms, gated, rope = is_["norm"] in ("rmsnorm", "rmsnorm_plus_one"), is_["mlp"] == "gated", is_["position"] == "rope"
    if is_["position"] == "alibi":
        return "C"
    if rms and gated and rope:
        return "A" if is_["activation"] == "silu" else "F" if gelu else ""
    if is_["norm"] == "layernorm":
        if is_["attention"] == "mha" and gelu:
            return "B"
        return "D" if is_["attention"] == "gqa" or is_["activation"] == "silu" else ""
    return ""
