"""Stages that a module gives or takes: seen by torch's own forward hooks."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from pv.finding import Exit, PvError
from pv.stages.hooks import Recorder, Sight
from pv.stages.places import attribute
from pv.tensors.place import Place


@contextmanager
def watching(model: Any, sights: Sequence[Sight], recorder: Recorder) -> Iterator[None]:
    """Record what the module of every sight gives, or takes where its row says so, in each call of `model`.

    Raises PvError (`Exit.MEND`) where there is no such module.
    """
    handles: list[Any] = []
    try:
        for sight in sights:
            row = sight.stage.hook
            module = module_at(model, row["module"], sight.place)
            index = row.get("index", 0)
            if row.get("take") == "input":
                taken = partial(_taken, recorder, sight.place, index)
                handles.append(module.register_forward_pre_hook(taken, with_kwargs=True))
            else:
                handles.append(module.register_forward_hook(partial(_given, recorder, sight.place, index)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def module_at(model: Any, path: str, place: Place) -> Any:
    """The torch.nn.Module at `path` of `model`, which the map names for `place`."""
    from torch import nn

    found = attribute(model, path, place.layer) if path else model
    if not isinstance(found, nn.Module):
        shown = path.replace("{layer}", str(place.layer))
        hint = "a hook names a module of the model by its dotted path"
        raise PvError(
            f"{place} is seen at {shown}, and {type(model).__name__} has no module there", exit=Exit.MEND, hint=hint
        )
    return found


def _given(recorder: Recorder, place: Place, index: int, module: Any, arguments: Any, output: Any) -> None:
    if recorder.wants(place):
        _record(recorder, place, _items(output), index)


def _taken(
    recorder: Recorder, place: Place, index: int, module: Any, arguments: tuple[Any, ...], named: Mapping[str, Any]
) -> None:
    if recorder.wants(place):
        _record(recorder, place, inputs_of(module, arguments, named), index)


def inputs_of(module: Any, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Sequence[Any]:
    """What `module` was called with, in the order of its parameters; a caller may name them in any other."""
    if not named:
        return arguments
    try:
        bound = inspect.signature(module.forward).bind(*arguments, **named)
    except (TypeError, ValueError):  # it is about to raise, or shows no parameters
        return [*arguments, *named.values()]
    return [*bound.args, *bound.kwargs.values()]


def _items(output: Any) -> Sequence[Any]:
    """What a module gave, as a sequence: one tensor is the first of one."""
    if isinstance(output, Mapping):
        return list(output.values())
    return output if isinstance(output, tuple | list) else [output]


def _record(recorder: Recorder, place: Place, items: Sequence[Any], index: int) -> None:
    from torch import Tensor

    if index < len(items) and isinstance(items[index], Tensor):
        recorder.record(place, items[index])
