"""A stage map: the stages of a model's forward pass as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pv.contract.quote import nearest, shorten
from pv.finding import PvError

TOKENS = "tokens"
"""The input that is the text itself."""

RESIDUAL = "residual"
"""The input that another stage stands for in the first layer than in the others."""

BATCH = "B"
"""The axis that a hook sees and no capture has: a batch of one."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One application of an operation. `hook` is the row of the map that says where its result is seen.

    `scope` is `layer`, `first` (once, filed under layer 0) or `model`. `seen` are the axes as the hook sees them, `axes`
    those of a capture. Of each of `inputs` the first name counts that the model has. `options` are the numbers, or names of
    the map's parameters, that `operation` is told. A model has no such stage where the attribute `when` is not there, and
    does not show it where another implementation of attention runs than `attention`.
    """

    name: str
    part: str
    axes: tuple[str, ...]
    hook: Mapping[str, Any]
    about: str = ""
    formula: str = ""
    contract: str = ""
    equation: str = ""
    scope: str = "layer"
    seen: tuple[str, ...] = ()
    inputs: tuple[tuple[str, ...], ...] = ()
    weights: tuple[str, ...] = ()
    operation: str = ""
    options: Mapping[str, float | str] = field(default_factory=dict)
    when: str = ""
    attention: str = ""
    per_head: bool = False


@dataclass(frozen=True, slots=True)
class Library:
    """The library whose models a map is about, and the versions it fits as PEP 440 writes them."""

    name: str
    versions: str
    class_name: str


@dataclass(frozen=True, slots=True)
class StageMap:
    """The stages of the models of one family, in the order of computation; `axes` says what their letters stand for.

    `layers` is where the model keeps the list of its layers; "" where it has one. `parameters` are numbers, or attributes of
    the model. `residual` names the stage that the input `residual` is in the first layer, and the one of the layer before
    that it is in the others. An empty `axes` is a map whose tensors are taken as they come.
    """

    family: str
    path: str
    axes: Mapping[str, str]
    stages: tuple[Stage, ...]
    layers: str = ""
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    residual: tuple[str, str] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    library: Library | None = None

    def stage(self, name: str) -> Stage:
        """The stage called `name`, or whose alias that is; raises PvError with the names there are for one it has not."""
        wanted = self.aliases.get(name, name)
        for stage in self.stages:
            if stage.name == wanted:
                return stage
        known = [stage.name for stage in self.stages]
        near = nearest(name, [*known, *self.aliases])
        meant = f"{near} " if near.startswith("did you mean") else ""
        seen = f"there is no stage {shorten(name)} in {self.path}"
        raise PvError(seen, hint=f"{meant}its stages: {', '.join(known)}")

    def choose(self, names: Iterable[str]) -> tuple[Stage, ...]:
        """The stages called `names`, in the order of the map; raises PvError as `stage` does."""
        wanted = {self.stage(name).name for name in names}
        return tuple(stage for stage in self.stages if stage.name in wanted)
