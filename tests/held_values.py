"""Hypothesis strategies for whatever a case can hold, down to the last bit."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from pv.falsify.encode import ITEM_SIZES

FLOATING = [name for name in ITEM_SIZES if name.startswith(("float", "bfloat", "complex"))]
SPECIAL = [0.0, -0.0, float("nan"), float("inf"), -float("inf")]


@st.composite
def tensors(draw: st.DrawFn, dtypes: tuple[str, ...] = tuple(ITEM_SIZES)) -> torch.Tensor:
    """Of every dtype, with any bits or with the numbers that go wrong first, laid out in memory in several ways."""
    name = draw(st.sampled_from(dtypes))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    tensor = draw(st.sampled_from([any_bits, special_numbers]))(draw, name, shape)
    tensor = draw(st.sampled_from([as_it_is, turned, with_gaps, spread]))(tensor)
    if name in FLOATING and draw(st.booleans()):
        tensor = tensor.detach().requires_grad_()
    return tensor


def any_bits(draw: st.DrawFn, name: str, shape: list[int]) -> torch.Tensor:
    count, dtype = torch.Size(shape).numel(), getattr(torch, name)
    size = ITEM_SIZES[name] * count
    raw = draw(st.lists(st.integers(0, 1 if name == "bool" else 255), min_size=size, max_size=size))
    return torch.tensor(raw, dtype=torch.uint8).view(dtype).reshape(shape)


def special_numbers(draw: st.DrawFn, name: str, shape: list[int]) -> torch.Tensor:
    count, dtype = torch.Size(shape).numel(), getattr(torch, name)
    if name not in FLOATING or name.startswith(("float8", "complex")):
        return any_bits(draw, name, shape)
    info = torch.finfo(dtype)
    number = st.sampled_from([*SPECIAL, info.max, info.min, info.tiny, info.tiny * info.eps]) | st.floats(-1e4, 1e4)
    values = draw(st.lists(number, min_size=count, max_size=count))
    return torch.tensor(values, dtype=torch.float64).to(dtype).reshape(shape)


def as_it_is(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def turned(tensor: torch.Tensor) -> torch.Tensor:
    """Its axes the other way round in memory."""
    order = list(reversed(range(tensor.dim())))
    return tensor.permute(order).contiguous().permute(order)


def with_gaps(tensor: torch.Tensor) -> torch.Tensor:
    """Every other element of something longer."""
    return torch.stack([tensor, tensor], dim=-1)[..., 0]


def spread(tensor: torch.Tensor) -> torch.Tensor:
    """One row in the place of two."""
    return tensor.expand(2, *tensor.shape)


def values() -> st.SearchStrategy[Any]:
    """Scalars, tensors, and lists, tuples and mappings of them."""
    text = st.text(st.characters(), max_size=4) | st.text(st.sampled_from("\ud800\udc00a"), max_size=3)
    keys = st.none() | st.booleans() | st.integers() | text
    scalar = keys | st.floats() | st.complex_numbers() | st.binary(max_size=4)
    return st.recursive(
        scalar | tensors(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(keys, inner, max_size=3)
        ),
        max_leaves=5,
    )


def cases() -> st.SearchStrategy[dict[str, Any]]:
    """Arguments by name."""
    return st.dictionaries(st.sampled_from(["x", "n", "weights", "α", "a.b"]), values(), max_size=3)


def layout(value: Any) -> Any:
    """What a fingerprint leaves out: how the tensors of `value` lie in memory, and which require a gradient."""
    if isinstance(value, torch.Tensor):
        return (value.stride() if not value.is_contiguous() else (), value.requires_grad)
    if isinstance(value, dict):
        return [(layout(key), layout(item)) for key, item in value.items()]
    return [layout(item) for item in value] if isinstance(value, (list, tuple)) else type(value).__name__
