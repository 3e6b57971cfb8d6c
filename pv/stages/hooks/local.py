"""Stages that are locals of a function: read from its frame, when it returns or when the name takes a value."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from pv.finding import Exit, PvError
from pv.stages.hooks import Recorder, Sight
from pv.stages.places import attribute
from pv.tensors.place import Place

Trace = Callable[[FrameType, str, Any], Any]

Rows = dict[CodeType, dict[tuple[str, int | None, str], dict[int | None, Place]]]
"""By function what is looked for in it: a name, which of its values, and who says the layer; then the place of each layer."""


@contextmanager
def watching(model: Any, sights: Sequence[Sight], recorder: Recorder) -> Iterator[None]:
    """Record every sight whose function runs in this thread, for `model`: its functions are named by module, and are those of
    every other model of its class as well.

    Somebody else's trace function (a debugger's) rests within the block; that of a capture around this one, and a profile
    function, do not. A function that raises has no value to show. Raises PvError (`Exit.MEND`) where a function is not there.
    """
    rows: Rows = {}
    for sight in sights:
        row = sight.stage.hook
        key = (row["name"], row.get("nth"), row.get("layer", ""))
        rows.setdefault(_code(row["local"]), {}).setdefault(key, {})[sight.place.layer] = sight.place

    before = sys.gettrace()
    sys.settrace(_Tracer(rows, _modules(model), recorder, before).entered)
    try:
        yield
    finally:
        sys.settrace(before)


class _Tracer:
    """What Python calls for every frame of this thread: frames of `rows` are looked into, where they are the model's."""

    def __init__(self, rows: Rows, modules: Collection[int], recorder: Recorder, before: Any) -> None:
        """`modules` are the ids of the model's modules; `before` is the trace function that was there."""
        self._rows, self._modules, self._recorder = rows, modules, recorder
        self._outer: Trace | None = before if isinstance(getattr(before, "__self__", None), _Tracer) else None

    def entered(self, frame: FrameType, event: str, argument: Any) -> Trace | None:
        """The function that Python is to call within `frame`; None where nobody looks into it."""
        outer = None if self._outer is None else self._outer(frame, event, argument)
        if frame.f_code not in self._rows or not self._is_own(frame):
            return outer
        watches = [_Watch(key, places, self._recorder) for key, places in self._rows[frame.f_code].items()]
        lines = any(watch.nth is not None for watch in watches)
        frame.f_trace_lines = lines or (outer is not None and frame.f_trace_lines)

        def within(frame: FrameType, event: str, argument: Any) -> Trace:
            if event in ("line", "return"):
                names = frame.f_locals
                for watch in watches:
                    watch.look(names, returned=event == "return" and argument is not None)
            if outer is not None:
                outer(frame, event, argument)
            return within

        return within

    def _is_own(self, frame: FrameType) -> bool:
        """Whether the model runs the function: in a forward pass, or for a module that somebody called by itself."""
        if self._recorder.running:
            return True
        owners = {layer.partition(".")[0] for _, _, layer in self._rows[frame.f_code]}
        return any(id(frame.f_locals.get(owner)) in self._modules for owner in owners)


def _modules(model: Any) -> frozenset[int]:
    from torch import nn

    return frozenset(map(id, model.modules() if isinstance(model, nn.Module) else ()))


class _Watch:
    """One name in one frame."""

    def __init__(self, key: tuple[str, int | None, str], places: dict[int | None, Place], recorder: Recorder) -> None:
        self._name, self.nth, self._layer = key
        self._places, self._recorder = places, recorder
        self._held: Any = None
        self._count = 0

    def look(self, names: dict[str, Any], *, returned: bool) -> None:
        """Take the value the name has now, when it is the one that was asked for."""
        value = names.get(self._name)
        if self.nth is None:
            if returned:
                self._take(names, value)
        elif value is not None and value is not self._held:
            self._held, self._count = value, self._count + 1
            if self._count == self.nth:
                self._take(names, value)

    def _take(self, names: dict[str, Any], value: Any) -> None:
        from torch import Tensor

        place = self._places.get(_layer(names, self._layer)) if self._layer else next(iter(self._places.values()))
        if place is not None and isinstance(value, Tensor) and self._recorder.wants(place):
            self._recorder.record(place, value)


def _layer(names: dict[str, Any], path: str) -> Any:
    """Which layer runs, of an attribute of one of the function's locals."""
    name, _, rest = path.partition(".")
    return attribute(names.get(name), rest) if rest else names.get(name)


def _code(target: str) -> CodeType:
    """The code of `module:function`, which the model's own import has loaded."""
    module, _, path = target.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    code = getattr(inspect.unwrap(found) if callable(found) else None, "__code__", None)
    if not isinstance(code, CodeType):
        hint = "a hook names a Python function of a module that the model imports"
        raise PvError(f"the stage map names {target}, which is no function here", exit=Exit.MEND, hint=hint)
    return code
