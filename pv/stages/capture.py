"""A model's forward pass with its stages recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pv.stages.hooks import hook, kind_of
from pv.stages.map import Stage, StageMap


@dataclass(slots=True, eq=False)
class Capture:
    """What was seen of `stages`, by name: copies, so that nothing a model does later changes them."""

    stages: tuple[Stage, ...]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """The stages that the forward pass did not come by."""
        return tuple(stage.name for stage in self.stages if stage.name not in self.values)

    def record(self, stage: str, value: Any) -> None:
        """Keep a copy of the tensor `value` as what `stage` was. The first one stays: a later forward pass changes nothing."""
        if stage not in self.values:
            self.values[stage] = value.detach().clone()


@contextmanager
def capture(model: Any, stage_map: StageMap, names: Sequence[str] | None = None) -> Iterator[Capture]:
    """Record the stages of `stage_map` called `names` (default: all) of what `model` computes in the block.

    Hooks are gone after the block, whatever happens in it; the model's output is not touched. Raises PvError for a stage
    that the map does not have.
    """
    chosen = stage_map.stages if names is None else stage_map.choose(names)
    found = Capture(chosen)
    with ExitStack() as hooks:
        for kind in dict.fromkeys(map(kind_of, chosen)):
            of_kind = [stage for stage in chosen if kind_of(stage) == kind]
            hooks.enter_context(hook(kind)(model, of_kind, found.record))
        yield found
