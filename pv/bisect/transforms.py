"""What would make the two equal: a closed family of mistakes tried on the stage that was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from pv.bisect.described import Described, Rebuilt, rebuild
from pv.bisect.floor import Floor, fit, measure, plainly
from pv.bisect.result import Cause
from pv.bisect.side import Side
from pv.bisect.spread import Spread, ratios
from pv.bisect.thresholds import SOURCE
from pv.bisect.variants import variants_of
from pv.finding import PvError
from pv.tensors.place import Place

NARROW = (torch.bfloat16, torch.float16, torch.float32)


def explain(
    described: Described, candidate: Side, places: Sequence[Place], floors: Mapping[Place, Floor]
) -> tuple[Cause, ...]:
    """What makes the candidate equal to what it should be at each of `places`: the first thing that does, if any does."""
    found = (_explained(described, candidate, place, floors[place]) for place in places)
    return tuple(each for each in found if each)


@dataclass(frozen=True, slots=True, eq=False)
class _Try:
    """What was done; what is to be equal then: what the candidate has, and what float64 says; and what else is noise."""

    said: str
    got: Tensor
    expected: Tensor
    narrow: bool = False
    noise: tuple[Spread, ...] = ()


def _explained(described: Described, candidate: Side, place: Place, floor: Floor) -> Cause | None:
    for each in _tries(described, candidate, place):
        found = measure(described, place, each.got, each.expected)
        noise = [*floor.noise, *each.noise]
        if len(found.rows) == len(noise[0].rows):
            over = ratios(found, noise, floor.unit).worst
        else:  # shifted by a token: its rows are not those of the floor
            over = found.relative / max(floor.unit, *(one.relative for one in noise))
        if over <= SOURCE:
            return Cause(place, each.said, over, each.narrow)
    return None


def _tries(described: Described, candidate: Side, place: Place) -> Iterator[_Try]:
    got = candidate[place]
    rebuilt = rebuild(described, candidate, place, torch.float64, {})
    expected = fit(place, rebuilt.value, got)
    yield from _variants(described, candidate, place, got, rebuilt)
    yield from _without_a_term(described, candidate, place, got)
    yield from _reordered(described.stage(place).axes, got, expected)
    yield from _rounded(described, candidate, place, got, expected)
    yield from _rescaled(described.stage(place).axes, got, expected)


def _variants(described: Described, candidate: Side, place: Place, got: Tensor, rebuilt: Rebuilt) -> Iterator[_Try]:
    inner = tuple(described.stage(each).operation for each in rebuilt.hidden)
    heads = max((candidate[each].shape[1] for each in _keys(described, candidate, place, rebuilt)), default=0)
    for said, instead in variants_of(described.stage(place).operation, inner, heads):
        try:
            other = rebuild(replace(described, instead=instead), candidate, place, torch.float64, {})
            yield _Try(f"with {said}", got, fit(place, other.value, got))
        except PvError:
            continue  # not a way to compute this stage


def _keys(described: Described, candidate: Side, place: Place, rebuilt: Rebuilt) -> Iterator[Place]:
    """The keys of the attention that `place` is: the second input of what makes its scores, by heads."""
    for each in (place, *rebuilt.hidden):
        inputs = described.inputs(each)
        if described.stage(each).operation in ("attention", "scores") and inputs[1] in candidate:
            key = inputs[1]
            if key is not None and candidate[key].ndim == 3:
                yield key


def _without_a_term(described: Described, candidate: Side, place: Place, got: Tensor) -> Iterator[_Try]:
    if described.stage(place).operation != "add":
        return
    inputs = [each for each in described.inputs(place) if each is not None and each in candidate]
    for each in inputs:
        others = [candidate[other].to(torch.float64) for other in inputs if other != each]
        if others:
            yield _Try(f"without {each.stage}", got, sum(others[1:], others[0]))


def _reordered(axes: Sequence[str], got: Tensor, expected: Tensor) -> Iterator[_Try]:
    if got.ndim == 2 and min(got.shape) > 1:
        yield _Try("read as its own transpose", got.reshape(got.shape[::-1]).T, expected)
    if got.ndim == 3 and min(got.shape) > 1:
        first, second, last = got.shape
        yield _Try("with the first two axes swapped", got.reshape(second, first, last).transpose(0, 1), expected)
    if axes and axes[0] == "n" and len(got) > 1:
        yield _Try("one token later", got[1:], expected[:-1])
        yield _Try("one token earlier", got[:-1], expected[1:])
    if len(axes) == 3 and axes[1] in "HK" and got.ndim == 3:
        order = torch.cdist(
            got.to(torch.float64).transpose(0, 1).flatten(1), expected.transpose(0, 1).flatten(1)
        ).argmin(1)
        if sorted(order.tolist()) == list(range(len(order))) and order.tolist() != list(range(len(order))):
            yield _Try(f"with heads in the order {order.tolist()}", got, expected[:, order])
    if axes and axes[-1] == "D" and expected.shape[-1] % 2 == 0:
        halves = expected.reshape(*expected.shape[:-1], 2, -1)
        yield _Try("with halves read as pairs (half to interleaved)", got, halves.transpose(-1, -2).flatten(-2))


def _rounded(described: Described, candidate: Side, place: Place, got: Tensor, expected: Tensor) -> Iterator[_Try]:
    for dtype in NARROW:
        if not got.is_floating_point() or torch.finfo(dtype).eps <= torch.finfo(got.dtype).eps:
            continue
        name = str(dtype).removeprefix("torch.")
        yield _Try(f"after rounding to {name}", got, expected.to(dtype).to(torch.float64), narrow=True)
        narrow = Side(candidate.places, partial(_loaded, candidate, dtype))
        try:
            other = rebuild(described, narrow, place, torch.float64, {}).value
            yield _Try(f"with its inputs rounded to {name}", got, fit(place, other, got), narrow=True)
            if dtype == torch.float32:  # a model in float64 often keeps its norms and angles in float32
                noise = measure(described, place, plainly(described, candidate, place, dtype), expected)
                yield _Try(f"as {name} computes it", got, expected, narrow=True, noise=(noise,))
        except PvError:
            continue


def _loaded(side: Side, dtype: torch.dtype, place: Place) -> Tensor:
    value = side[place]
    return value.to(dtype) if value.is_floating_point() else value


def _rescaled(axes: Sequence[str], got: Tensor, expected: Tensor) -> Iterator[_Try]:
    wide = got.to(torch.float64)
    if axes and axes[-1] == "V":
        shift = (wide - expected).mean(-1, keepdim=True)
        yield _Try("but for a constant in each token's logits, which no softmax sees", got, expected + shift)
    size = expected.square().sum().item()
    scale = (wide * expected).sum().item() / size if size else 0.0
    if scale and math.isfinite(scale):
        yield _Try(_scale_text(scale, expected.shape[-1]), got, expected * scale)


def _scale_text(scale: float, last: int) -> str:
    if scale < 0 and math.isclose(scale, -1, rel_tol=0.01):
        return "with the sign turned"
    root = math.sqrt(last)
    for factor, name in ((root, f"√{last}"), (1 / root, f"1/√{last}")):
        if math.isclose(scale, factor, rel_tol=0.01):
            return f"after a scale of {name}"
    return f"after a scale of {scale:.4g}"
