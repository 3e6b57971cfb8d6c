"""What other rules would have said of the same captures: each names the first stage at which it says that they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy
import torch
from pair import MAP
from torch import Tensor

from pv.bisect.side import Side
from pv.tensors.place import Place

Rule = Callable[[Tensor, Tensor], bool]


def first_stage(rule: Rule, reference: Side, candidate: Side) -> Place | None:
    """The first place that both show, in the order of computation, at which `rule` says that they differ."""
    return next((place for place in _places(reference, candidate) if rule(reference[place], candidate[place])), None)


def _places(reference: Side, candidate: Side) -> Iterator[Place]:
    names = [stage.name for stage in MAP.stages]
    both = [place for place in reference.places if place in candidate]
    last = 1 + max(place.layer or 0 for place in both)
    yield from sorted(both, key=lambda place: (last if place.layer is None else place.layer, names.index(place.stage)))


def _testing(one: Tensor, other: Tensor) -> bool:
    try:
        torch.testing.assert_close(other, one)
    except AssertionError:
        return True
    return False


def _cosine(least: float) -> Rule:
    def differ(one: Tensor, other: Tensor) -> bool:
        return torch.cosine_similarity(one.flatten().double(), other.flatten().double(), dim=0).item() <= least

    return differ


def _relative(most: float) -> Rule:
    def differ(one: Tensor, other: Tensor) -> bool:
        return ((other.double() - one.double()).norm() / one.double().norm()).item() > most

    return differ


def _allclose(rtol: float, atol: float) -> Rule:
    def differ(one: Tensor, other: Tensor) -> bool:
        return not numpy.allclose(other.float().numpy(), one.float().numpy(), rtol=rtol, atol=atol)

    return differ


def _polygraphy() -> Rule:
    from polygraphy.comparator import IterationResult, SimpleCompareFunc
    from polygraphy.logger import G_LOGGER

    G_LOGGER.module_severity = G_LOGGER.ULTRA_VERBOSE + 100
    compare = SimpleCompareFunc()

    def differ(one: Tensor, other: Tensor) -> bool:
        results = [IterationResult({"stage": each.float().contiguous().numpy()}) for each in (one, other)]
        return not all(map(bool, compare(*results).values()))

    return differ


def rules() -> dict[str, Rule]:
    """Every rule by name. Polygraphy's is left out where it is not installed."""
    found: dict[str, Rule] = {
        "torch.testing": _testing,
        "numpy.allclose": _allclose(1e-5, 1e-8),
        "allclose 1e-2": _allclose(1e-2, 1e-2),
        "cosine > 0.99": _cosine(0.99),
        "cosine > 0.997": _cosine(0.997),
        "relative L2 1e-2": _relative(1e-2),
    }
    try:
        found["Polygraphy simple"] = _polygraphy()
    except ImportError:
        print("polygraphy is not installed: not measured")
    return found
