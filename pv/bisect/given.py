"""What the candidate gave to the stages at which it diverged: the argument of a case."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pv.bisect.described import Described
from pv.bisect.pins import Given, Home, Pin, pin
from pv.bisect.result import Bisection, StageJudgement
from pv.bisect.side import Side
from pv.compare.axes import names_of
from pv.stages.map import StageMap
from pv.tensors.place import Place


def pins_for(
    found: Bisection, candidate: Side, stage_map: StageMap, model: Any, tokens: tuple[int, ...], home: Home
) -> tuple[Pin, ...]:
    """Pin every place that `found` blames first, where its map's row names an equation that is bound at `home`."""
    described = Described(stage_map, model, torch.tensor(tokens))
    judged = {stage.place: stage for stage in found.stages}
    return tuple(row for place in found.at for row in _pins(described, candidate, judged[place], home))


def _pins(described: Described, candidate: Side, judged: StageJudgement, home: Home) -> tuple[Pin, ...]:
    place = judged.place
    hidden = [each for each in described.inputs(place) if each is not None and each not in candidate]
    if hidden and described.stage(place).contract:
        return (Pin(place, said=f"what it was given is not visible: {', '.join(map(str, hidden))}"),)
    return pin(_given(described, candidate, judged), home)


def _given(described: Described, candidate: Side, judged: StageJudgement) -> Given:
    place = judged.place
    stage = described.stage(place)
    inputs = [
        _input(described, candidate, each) for each in described.inputs(place) if each is None or each in candidate
    ]
    dtype = candidate[place].dtype
    weights = [(each, ()) for each in described.weights(place, dtype) if each is not None]
    rows: list[tuple[Any, tuple[str, ...]]] = [*inputs, *weights]
    return Given(
        place=place,
        stage=stage,
        values=tuple(value for value, _ in rows),
        axes=tuple(axes for _, axes in rows),
        worst=dict(judged.worst),
        options=tuple(described.options(place).values()),
    )


def _input(described: Described, candidate: Side, place: Place | None) -> tuple[Tensor, tuple[str, ...]]:
    """The tensor and the names of its axes."""
    if place is None:
        return described.tokens, names_of(("n",), described.tokens.shape)
    value = candidate[place]
    return value, names_of(described.stage(place).axes, value.shape)
