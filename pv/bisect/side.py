"""One side of a bisection: the tensors that were captured, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pv.bisect.spread import ROW
from pv.compare.axes import permutation
from pv.finding import Exit, PvError
from pv.stages.map import StageMap
from pv.stages.watch import LOGITS
from pv.tensors.place import Place

if TYPE_CHECKING:
    from pv.stages.capture import Capture
    from pv.tensors.folder import StoredCapture


@dataclass(frozen=True, eq=False)
class Side:
    """The tensors at `places`, loaded when they are asked for, in the axes and the dtype in which they were computed.

    `missing` are the places that its own map declares and its forward pass did not come by, `changed` those whose tensor is
    not what was captured. `verified` is False where somebody only says what the shapes are.
    """

    places: tuple[Place, ...]
    load: Callable[[Place], Tensor]
    missing: tuple[Place, ...] = ()
    changed: tuple[Place, ...] = ()
    verified: bool = True

    def __contains__(self, place: object) -> bool:
        return place in self._all

    @cached_property
    def _all(self) -> frozenset[Place]:
        return frozenset(self.places)

    def __getitem__(self, place: Place) -> Tensor:
        return self.load(place)


def live_side(captured: Capture, stage_map: StageMap) -> Side:
    """What was captured in this process, on the CPU and in the axes of `stage_map` (the reference's, where the two differ)."""

    def load(place: Place) -> Tensor:
        return _in_order(place, captured[place].cpu(), captured.axes(place), stage_map)

    return Side(_known(captured.places, stage_map), load, _known(captured.missing, stage_map))


def stored_side(stored: StoredCapture, stage_map: StageMap) -> Side:
    """A capture on disk; what it keeps as float32 comes in the dtype that the model had. Every file is read for `changed`."""

    def load(place: Place) -> Tensor:
        record = stored.record(place)
        found = torch.from_numpy(stored.array(place).copy())  # a mapping that nobody may write is no tensor's memory
        return _in_order(place, found.to(_dtype(found, record.dtype)), record.axes, stage_map)

    places = _known(stored.places, stage_map)
    changed = tuple(place for place in places if not _unchanged(stored, place))
    return Side(places, load, changed=changed, verified=stored.manifest.layout_verified)


def _dtype(found: Tensor, named: str) -> torch.dtype:
    """The dtype that a capture names for `found`, which may be stored in a wider one."""
    known: torch.dtype = getattr(torch, named) if named in _DTYPES else found.dtype
    return known


def _require_own(place: Place, found: Tensor, named: str) -> None:
    """Raises PvError (`Exit.RUN`) where `found` cannot have been computed in the dtype that its capture names."""
    back = found.to(_dtype(found, named)).to(found.dtype)
    if (named and named not in _DTYPES) or not bool(((back == found) | (back.isnan() & found.isnan())).all()):
        seen = f"{place} cannot have been {named}, as its capture says"
        raise PvError(seen, exit=Exit.RUN, hint=f"capture again; dtypes that can be judged: {', '.join(_DTYPES)}")


_DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")


def _unchanged(stored: StoredCapture, place: Place) -> bool:
    """Whether the tensor is what was captured. Raises PvError for a dtype that cannot be its own: before a stage is judged."""
    try:
        values = stored.array(place)
    except PvError:
        return False
    _require_own(place, torch.from_numpy(values.copy()), stored.record(place).dtype)
    return True


def _known(places: Collection[Place], stage_map: StageMap) -> tuple[Place, ...]:
    names = {stage.name for stage in stage_map.stages}
    return tuple(place for place in places if place.stage in names)


def _in_order(place: Place, value: Tensor, axes: tuple[str, ...], stage_map: StageMap) -> Tensor:
    wanted = stage_map.stage(place.stage).axes
    if not wanted or axes == wanted:
        return value
    if place.stage == LOGITS and (ROW, *axes) == wanted:  # those of the last token, as others write them
        return value.unsqueeze(0)
    order = permutation(wanted, axes)
    if order is None or value.ndim != len(axes):
        seen = f"{place} has the axes {' '.join(axes)}; {stage_map.path} says {' '.join(wanted)}"
        raise PvError(seen, exit=Exit.RUN, hint="capture it with a map whose axes have the same letters")
    return value.permute(order)
