"""A model's forward pass watched: every place that is wanted is shown once, in the axes of its map."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from pv.finding import Exit, PvError
from pv.stages.hooks import Sight, hook, kind_of
from pv.stages.map import BATCH, Stage, StageMap
from pv.stages.places import require_apart
from pv.tensors.place import Place

POSITION = "n"
"""The axis of positions: that of the tokens read."""

LOGITS = "lm_head"
"""The stage whose axes are known where no map says them."""

LETTERS = "abcdefgh"
"""The axes of a tensor that no map explains."""

Take = Callable[[Place, Any], None]
"""`take(place, tensor)`: told of what was seen, a view that later steps of the model may change."""

Drop = Callable[[Place], None]
"""`drop(place)`: what was taken of `place` is of a pass that broke off, and none."""


@contextmanager
def watch(
    model: Any,
    stage_map: StageMap,
    places: Sequence[Place],
    take: Take,
    *,
    drop: Drop = lambda place: None,
    position: str = "all",
    exact: bool = True,
) -> Iterator[None]:
    """Show `take` what `model` computes at each of `places` in the block: the first time, and with the map's axes.

    The first forward pass of `model` that ends well is the one kept: what was taken of one that raised is told to `drop`, and
    nothing is taken after it. Where modules of it are called by themselves, before a pass or without any, `take` is told
    again of a place that the pass comes by.

    `position` is all or last: of the last position alone. Without `exact` what a hook computes itself may be off by a
    rounding, where that is cheaper. Hooks are gone after the block, whatever happens in it; the
    model's output is not touched. Raises PvError where several layers share a module that is watched, and in the model's
    call for a tensor that has other axes than the map says.
    """
    stages = {name: stage_map.stage(name) for name in dict.fromkeys(place.stage for place in places)}
    require_apart(model, stage_map, stages)
    sights: dict[str, list[Sight]] = {}
    for place in places:
        sights.setdefault(kind_of(stages[place.stage]), []).append(Sight(place, stages[place.stage]))
    found = _Seen(stages, take, drop, last=position == "last", exact=exact)
    with ExitStack() as hooks:
        _follow(model, found, hooks, begin=True)
        for kind, its in sights.items():
            hooks.enter_context(hook(kind)(model, its, found))
        _follow(model, found, hooks, begin=False)  # after the hooks on the model itself, which belong to the pass
        try:
            yield
        finally:
            found.left()


def _follow(model: Any, seen: _Seen, hooks: ExitStack, *, begin: bool) -> None:
    """Tell `seen` when a forward pass of `model` begins, or ends. What is no module has no passes: all is seen."""
    from torch import nn

    if not isinstance(model, nn.Module):
        seen.running = True
    elif begin:
        hooks.callback(model.register_forward_pre_hook(seen.begin).remove)
    else:
        hooks.callback(model.register_forward_hook(seen.end, always_call=True).remove)


class _Seen:
    """Which places were seen, and in which forward pass."""

    def __init__(self, stages: dict[str, Stage], take: Take, drop: Drop, *, last: bool, exact: bool) -> None:
        self._stages, self._take, self._drop, self._last, self.exact = stages, take, drop, last, exact
        self._seen: set[Place] = set()
        self.running, self._finished, self.begun = False, False, 0
        self._handled: BaseException | None = None

    def begin(self, module: Any, arguments: Any) -> None:
        """A pass begins. Where one runs already torch did not tell its end (KeyboardInterrupt), or the model calls itself."""
        if self._finished:
            return
        if self.running:
            self._drop_all()
        self._seen.clear()
        self.running, self.begun, self._handled = True, self.begun + 1, sys.exception()

    def end(self, module: Any, arguments: Any, output: Any) -> None:
        """The pass has ended: by an exception where another one is handled now than when it began."""
        if not self.running:
            return
        self.running = False
        if sys.exception() is self._handled:
            self._finished = True
        else:
            self._drop_all()
        self._handled = None

    def left(self) -> None:
        """Nobody looks any more: a pass that still runs broke off, by what torch does not tell of (KeyboardInterrupt)."""
        if self.begun and self.running:
            self._drop_all()

    def _drop_all(self) -> None:
        for place in self._seen:
            self._drop(place)
        self._seen.clear()

    def wants(self, place: Place) -> bool:
        return not self._finished and place not in self._seen

    def record(self, place: Place, value: Any) -> None:
        if not self.wants(place):
            return
        stage = self._stages[place.stage]
        shaped = with_axes(place, stage, value.detach())
        if self._last:
            shaped = _last(place, stage, shaped)
        self._seen.add(place)
        self._take(place, shaped)


def axes_of(stage_map: StageMap, place: Place, value: Any) -> tuple[str, ...]:
    """The letters of the axes of what was seen at `place`: those of its map, or the first of the alphabet."""
    return stage_map.stage(place.stage).axes or tuple(LETTERS[: value.ndim])


def with_axes(place: Place, stage: Stage, value: Any) -> Any:
    """The tensor `value` that was seen at `place` with the axes of a capture: without the batch, in the map's order."""
    if not stage.axes:
        return value
    seen = stage.seen or stage.axes
    if value.ndim == len(seen) + 1 and BATCH not in seen:
        seen = (BATCH, *seen)
    if value.ndim != len(seen):
        raise PvError(
            f"{place} is seen with the shape {list(value.shape)}; its map says [{', '.join(seen)}]",
            exit=Exit.MEND,
            hint="mend `axes` in the stage map, or the shapes of the model",
        )
    if BATCH in seen:
        at = seen.index(BATCH)
        if value.shape[at] != 1:
            raise PvError(
                f"{place} is seen with a batch of {value.shape[at]}; a capture is of one text", hint="read one"
            )
        value, seen = value.squeeze(at), tuple(letter for letter in seen if letter != BATCH)
    return value if seen == stage.axes else value.permute(_order(seen, stage.axes))


def _order(seen: tuple[str, ...], axes: tuple[str, ...]) -> list[int]:
    """Where each of `axes` stands in `seen`; a letter that is there twice keeps its order."""
    free = list(enumerate(seen))
    found = []
    for letter in axes:
        at = next(pair for pair in free if pair[1] == letter)
        free.remove(at)
        found.append(at[0])
    return found


def _last(place: Place, stage: Stage, value: Any) -> Any:
    if not stage.axes and stage.name == LOGITS and value.ndim in (2, 3):  # [n, V], or with a batch before
        return value.narrow(-2, value.shape[-2] - 1, 1)
    if POSITION not in stage.axes:
        raise PvError(f"{place} has no axis of positions ({POSITION}), so no last one", hint="capture all positions")
    return value.narrow(stage.axes.index(POSITION), value.shape[stage.axes.index(POSITION)] - 1, 1)
