"""Stages that are locals of a function: read from its frame, when it returns or when the name takes a value."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from pv.finding import Exit, PvError
from pv.stages.hooks import Recorder, Sight
from pv.stages.places import attribute
from pv.tensors.place import Place

Trace = Callable[[FrameType, str, Any], Any]


@contextmanager
def watching(model: Any, sights: Sequence[Sight], recorder: Recorder) -> Iterator[None]:
    """Record every sight whose function runs in this thread. `model` is not asked: its functions are named by module.

    Somebody else's trace function (a debugger's) rests within the block; a profile function does not. A function that
    raises has no value to show. Raises PvError (`Exit.MEND`) where a function is not there.
    """
    rows: dict[CodeType, dict[tuple[str, int | None, str], dict[int | None, Place]]] = {}
    for sight in sights:
        row = sight.stage.hook
        key = (row["name"], row.get("nth"), row.get("layer", ""))
        rows.setdefault(_code(row["local"]), {}).setdefault(key, {})[sight.place.layer] = sight.place

    def entered(frame: FrameType, event: str, argument: Any) -> Trace | None:
        if frame.f_code not in rows:
            return None
        watches = [_Watch(key, places, recorder) for key, places in rows[frame.f_code].items()]
        frame.f_trace_lines = any(watch.nth is not None for watch in watches)

        def within(frame: FrameType, event: str, argument: Any) -> Trace:
            if event in ("line", "return"):
                names = frame.f_locals
                for watch in watches:
                    watch.look(names, returned=event == "return" and argument is not None)
            return within

        return within

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield
    finally:
        sys.settrace(before)


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
