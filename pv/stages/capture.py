"""A model's forward pass with its stages recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pv.finding import PvError
from pv.stages.map import StageMap
from pv.stages.places import ALL, places_of
from pv.stages.watch import axes_of, watch
from pv.tensors.place import Place


@dataclass(slots=True, eq=False)
class Capture:
    """What was seen of the places `wanted`: copies, so that nothing a model does later changes them.

    `captured[Place("ffn_out", 3)]` is a tensor with the axes that `axes` tells, in the model's dtype.
    """

    stage_map: StageMap
    wanted: tuple[Place, ...]
    values: dict[Place, Any] = field(default_factory=dict)

    @property
    def places(self) -> tuple[Place, ...]:
        """The places seen, in the order of computation."""
        return tuple(place for place in self.wanted if place in self.values)

    @property
    def missing(self) -> tuple[Place, ...]:
        """The places that the forward pass did not come by."""
        return tuple(place for place in self.wanted if place not in self.values)

    def __getitem__(self, place: Place) -> Any:
        return self.values[place]

    def __contains__(self, place: object) -> bool:
        return place in self.values

    def axes(self, place: Place) -> tuple[str, ...]:
        """The letters of the axes of what was seen at `place`, outermost first."""
        return axes_of(self.stage_map, place, self.values[place])


@contextmanager
def capture(
    model: Any,
    *,
    stage_map: StageMap | None = None,
    stages: Sequence[str] | str = ALL,
    layers: range | None = None,
    position: str = "all",
    keep: str = "values",
) -> Iterator[Capture]:
    """Record what the torch.nn.Module `model` computes in the block, stage by stage; the first forward pass is the one kept.

    A pass that raises is none, and what it came by is dropped. Where a module of `model` is called by itself, what it gives is
    kept unless the pass comes by it as well. Of another model nothing is recorded.

    `stages` are names of `stage_map`: by default of the map of the model's class, or one made of its own modules where
    none is known. `layers` limits what is recorded of layers, `position="last"` the positions; `keep="statistics"` keeps a
    `Statistics` of each tensor in place of the tensor. Hooks are gone after the block, whatever happens in it; the model's
    output is not touched. Torch itself leaves a fused path where modules have hooks (TransformerEncoder in eval mode): the
    output may then differ from that without a capture by rounding.

    >>> import torch, pv
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    >>> with torch.no_grad(), pv.capture(model) as captured:
    ...     output = model(torch.ones(2, 3))
    >>> [str(place) for place in captured.places]
    ['m0', 'm1']
    >>> torch.equal(captured[captured.places[-1]], output)
    True

    Raises PvError for a stage, layer or setting that there is not.
    """
    if position not in ("all", "last") or keep not in tuple(_KEEPS):
        raise PvError(
            f"position is 'all' or 'last' and keep {' or '.join(map(repr, _KEEPS))}: {position!r}, {keep!r}",
            hint="leave them out: every position, its values",
        )
    found_map = stage_map or _map_of(model)
    found = Capture(found_map, places_of(model, found_map, stages, layers))
    kept = _KEEPS[keep]

    def take(place: Place, value: Any) -> None:
        found.values[place] = kept(value)

    def drop(place: Place) -> None:
        found.values.pop(place, None)

    with watch(model, found_map, found.wanted, take, drop=drop, position=position, exact=keep == "values"):
        yield found


def _copy(value: Any) -> Any:
    import torch

    return value.clone(memory_format=torch.contiguous_format)


def _statistics(value: Any) -> Any:
    from pv.stages.statistics import statistics

    return statistics(value)


_KEEPS: dict[str, Callable[[Any], Any]] = {"values": _copy, "statistics": _statistics}


def _map_of(model: Any) -> StageMap:
    from pv.stages.known import map_of

    return map_of(model)
