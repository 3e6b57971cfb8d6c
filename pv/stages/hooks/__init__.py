"""Ways to see a stage, one module each; the key that tells them apart in a stage map is the name here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from pv.stages.map import Stage
from pv.tensors.place import Place


@dataclass(frozen=True, slots=True)
class Sight:
    """A place to be seen, and the stage that its map's row is."""

    place: Place
    stage: Stage


class Recorder(Protocol):
    """Who is told what hooks see. `exact` is whether bits matter: if not, a hook may spare the model a second product.

    `running` is whether a forward pass of the model itself runs now, `begun` how many have begun: what several modules make
    together belongs to one of them.
    """

    exact: bool
    running: bool
    begun: int

    def wants(self, place: Place) -> bool:
        """Whether nothing was seen of `place` yet, and no forward pass is finished."""

    def record(self, place: Place, value: Any) -> None:
        """Take the tensor `value` as what was seen of `place`; the first one stays."""


Hook = Callable[[Any, Sequence[Sight], Recorder], AbstractContextManager[None]]
"""`hook(model, sights, recorder)`: in its block every sight is recorded; after it, nothing is left behind."""

_HOMES = {
    "module": "pv.stages.hooks.module",
    "before_bias": "pv.stages.hooks.bias",
    "after_bias": "pv.stages.hooks.bias",
    "local": "pv.stages.hooks.local",
}


def kind_of(stage: Stage) -> str:
    """Which kind of hook sees `stage`: the one key of its row that names a kind."""
    return next(kind for kind in _HOMES if kind in stage.hook)


def hook(kind: str) -> Hook:
    """The hook of that kind, imported now."""
    found: Hook = import_module(_HOMES[kind]).watching
    return found
