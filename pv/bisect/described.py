"""A stage map held against the reference model: what each stage is computed from, and computing it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from pv.bisect.operations import Operation, find
from pv.bisect.side import Side
from pv.finding import Exit, PvError
from pv.stages.map import Stage, StageMap
from pv.stages.places import input_places, layer_count, options_of, places_of, weights_of
from pv.tensors.place import Place


@dataclass(frozen=True, eq=False)
class Described:
    """`model`, the reference, as `stage_map` describes it, on `tokens` [n] int64. Of the model only its weights are read.

    `instead` are operations to take in place of those of a name: what if the stage were computed another way?
    """

    stage_map: StageMap
    model: Any
    tokens: Tensor
    instead: Mapping[str, Operation] = field(default_factory=dict)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every place that the model has, whether it shows it or not, in the order of computation."""
        shown = tuple(replace(stage, attention="") for stage in self.stage_map.stages)
        return places_of(self.model, replace(self.stage_map, stages=shown))

    @cached_property
    def layers(self) -> int:
        """How many layers the model has."""
        return layer_count(self.model, self.stage_map)

    def stage(self, place: Place) -> Stage:
        """The row of the map that `place` is an application of."""
        return self.stage_map.stage(place.stage)

    def inputs(self, place: Place) -> tuple[Place | None, ...]:
        """The places that the stage at `place` is computed from; None stands for the tokens."""
        return input_places(self.stage_map, place, self._had, self.layers)

    @cached_property
    def _had(self) -> frozenset[Place]:
        return frozenset(self.places)

    def options(self, place: Place) -> dict[str, Any]:
        """What the operation at `place` is told; without the options that this model leaves open."""
        found = options_of(self.model, self.stage_map, place)
        return {key: value for key, value in found.items() if value is not None}

    def weights(self, place: Place, dtype: torch.dtype) -> list[Tensor | None]:
        """The weights at `place` in `dtype`; buffers (frequencies of a rope) are only ever widened, as models do."""
        found = weights_of(self.model, self.stage_map, place)
        return [each if each is None else _cast(each, dtype) for each in found]

    def apply(self, place: Place, inputs: list[Tensor], dtype: torch.dtype, fused: _Fused | None = None) -> Tensor:
        """The stage at `place` (or what is `fused` into it), computed by the map's operation in `dtype` from `inputs`.

        Raises PvError (`Exit.RUN`) where the operation does not take them: then nobody can say what the stage should be.
        """
        given: list[Any] = [each.to(dtype) if each.is_floating_point() else each for each in inputs]
        if fused:
            return _run(place, self.operation(fused.operation), given, fused.options).to(dtype)
        given += self.weights(place, dtype)
        return _run(place, self.operation(self.stage(place).operation), given, self.options(place)).to(dtype)

    def operation(self, name: str) -> Operation:
        """The operation called `name`, or what is taken instead. Raises PvError for neither."""
        return self.instead.get(name) or find(name)


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """A stage computed again from what is visible before it; `hidden` are the places that were computed on the way."""

    value: Tensor
    hidden: tuple[Place, ...]


def rebuild(
    described: Described, values: Side, place: Place, dtype: torch.dtype, memo: dict[Place, Rebuilt]
) -> Rebuilt:
    """The stage at `place`, in `dtype`, from the nearest of `values` before it; `memo` keeps what is hidden in between.

    Raises PvError (`Exit.RUN`) where a stage on the way has no operation.
    """
    if not described.stage(place).operation:
        raise PvError(
            f"{place} has no operation in {described.stage_map.path}",
            exit=Exit.RUN,
            hint="give it its operation there, or leave the stage out",
        )
    fused = _attention_over(described, values, place)
    inputs: list[Tensor] = []
    hidden: list[Place] = list(fused.hidden) if fused else []
    for each in fused.inputs if fused else described.inputs(place):
        if each is None:
            inputs.append(described.tokens)
        elif each in values:
            inputs.append(values[each])
        else:
            if each not in memo:
                memo[each] = rebuild(described, values, each, dtype, memo)
            inputs.append(memo[each].value)
            hidden += [*memo[each].hidden, each]
    value = described.apply(place, inputs, dtype, fused)
    return Rebuilt(value, tuple(dict.fromkeys(hidden)))


@dataclass(frozen=True, slots=True)
class _Fused:
    """Attention computed whole: the operation, what it takes, the stages it goes through, what it is told."""

    operation: str
    inputs: tuple[Place | None, ...]
    hidden: tuple[Place, ...]
    options: dict[str, Any]


def _attention_over(described: Described, values: Side, place: Place) -> _Fused | None:
    """Where `place` weighs values by a softmax of scores and neither is visible: all three as one.

    Computed whole, since what a fused kernel hides is what does not fit: H · n² scores in float64.
    """
    if described.stage(place).operation != "weighted_values":
        return None
    weights, v = described.inputs(place)
    if weights is None or weights in values or described.stage(weights).operation != "causal_softmax":
        return None
    (scores,) = described.inputs(weights)
    if scores is None or scores in values:
        return None
    options, made_of = described.options(scores) | described.options(weights), described.inputs(scores)
    if described.stage(scores).operation == "scores":
        return _Fused("attention", (*made_of, v), (scores, weights), options)
    if described.stage(scores).operation == "packed_scores" and made_of == (v,):
        return _Fused("packed_attention", (v,), (scores, weights), options)
    return None


def _run(place: Place, operation: Any, given: list[Any], options: dict[str, Any]) -> Tensor:
    try:
        with torch.no_grad():
            found = operation(*given, **options)
    except (TypeError, ValueError, LookupError, RuntimeError) as error:
        shapes = ", ".join(str(list(each.shape)) for each in given if isinstance(each, Tensor))
        said = f"{place}: its operation does not take {shapes}: {type(error).__name__}: {error}"
        raise PvError(said, exit=Exit.RUN, hint="does the map describe this model?") from error
    if not isinstance(found, Tensor):
        raise PvError(
            f"{place}: its operation returns a {type(found).__name__}, not a tensor",
            exit=Exit.RUN,
            hint="mend the operation: it must return the tensor of its stage",
        )
    return found


def _cast(weight: Tensor, dtype: torch.dtype) -> Tensor:
    narrows = not isinstance(weight, nn.Parameter) and torch.finfo(dtype).eps > torch.finfo(weight.dtype).eps
    return weight.detach() if narrows or not weight.is_floating_point() else weight.detach().to(dtype)
