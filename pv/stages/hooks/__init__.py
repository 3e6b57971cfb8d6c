"""Ways to see a stage, one module each; the key that tells them apart in a stage map is the name here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pv.stages.map import Stage

Record = Callable[[str, Any], None]
"""`record(stage, value)`: what a hook saw of a stage."""

Hook = Callable[[Any, Iterable["Stage"], Record], AbstractContextManager[None]]
"""`hook(model, stages, record)`: in its block every value of `stages` is recorded; after it, nothing is left behind."""

_HOMES = {"local": "pv.stages.hooks.local"}


def kind_of(stage: Stage) -> str:
    """Which kind of hook sees `stage`: the one key of its row that names a kind."""
    return next(kind for kind in _HOMES if kind in stage.hook)


def hook(kind: str) -> Hook:
    """The hook of that kind, imported now."""
    found: Hook = import_module(_HOMES[kind]).watching
    return found
