"""Stages that are locals of a function: read from its frame when it returns."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from pv.finding import Exit, PvError
from pv.stages.hooks import Record
from pv.stages.map import Stage


@contextmanager
def watching(model: Any, stages: Iterable[Stage], record: Record) -> Iterator[None]:
    """Record every stage whose function returns in this thread. `model` is not asked: its functions are named by module.

    Raises PvError (`Exit.MEND`) where a function is not there. One that raises has no value to show.
    """
    names: dict[CodeType, list[tuple[str, str]]] = {}
    for stage in stages:
        names.setdefault(_code(stage.hook["local"]), []).append((stage.hook["name"], stage.name))
    before: Any = sys.getprofile()

    def seen(frame: FrameType, event: str, argument: Any) -> None:
        if before is not None:
            before(frame, event, argument)
        if event == "return" and argument is not None and frame.f_code in names:
            for local, stage in names[frame.f_code]:
                if local in frame.f_locals:
                    record(stage, frame.f_locals[local])

    sys.setprofile(seen)
    try:
        yield
    finally:
        sys.setprofile(before)


def _code(target: str) -> CodeType:
    """The code of `module:function`, which the model's own import has loaded."""
    module, _, path = target.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    code = getattr(found, "__code__", None)
    if not isinstance(code, CodeType):
        hint = "a hook names a Python function of a module that the model imports"
        raise PvError(f"the stage map names {target}, which is no function here", exit=Exit.MEND, hint=hint)
    return code
