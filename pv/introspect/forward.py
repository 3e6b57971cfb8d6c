"""One forward pass, stage by stage, as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pv.introspect.load import Running, Tokenizer
from pv.introspect.tokens import Asked
from pv.stages.capture import Capture, capture
from pv.stages.fault import faults_of
from pv.stages.map import Stage, StageMap
from pv.tensors.place import Place


@dataclass(frozen=True, slots=True)
class Summary:
    """A tensor in short. Mean and deviation (of the whole, not of a sample) run in float64 over finite values alone."""

    shape: tuple[int, ...]
    l2: float
    min: float
    max: float
    mean: float
    std: float
    zero: int
    nan: int
    inf: int


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage, or one head of it; `summary` is None where the forward pass did not come by."""

    stage: Stage
    place: Place
    label: str
    summary: Summary | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model made of one position. `target` and `probability` are None where nobody knows what follows, `predicted`
    and `probability` where the logits are no distribution: NaN, or infinity."""

    position: int
    token: int
    target: int | None
    predicted: int | None
    probability: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """A forward pass over `asked`: every stage, and what the logits come to."""

    asked: Asked
    captured: Capture
    rows: tuple[StageRow, ...]
    predictions: tuple[Prediction, ...]
    tokenizer: Tokenizer | None

    @property
    def not_reached(self) -> tuple[str, ...]:
        """The stages that the forward pass did not come by, with their layers where the model has several."""
        layered = bool(self.captured.stage_map.layers)
        return tuple(str(place) if layered else place.stage for place in self.captured.missing)

    def value(self, stage: str) -> Any:
        """What was seen of `stage`, in the first layer that has it; None where nothing was."""
        return next((self.captured[place] for place in self.captured.places if place.stage == stage), None)

    def label(self, token: int | None) -> str:
        """A token as people read it."""
        if token is None:
            return "-"
        return self.tokenizer.label(token) if self.tokenizer else str(token)


def forward(run: Running, stage_map: StageMap, asked: Asked) -> Forward:
    """Let the model read `asked`, and see every stage of the map; raises PvError (`Exit.MEND`) where it raises."""
    import torch

    on = f"tokens {list(asked.tokens)}"
    with torch.no_grad(), capture(run.model, stage_map=stage_map) as captured, faults_of("the model", on):
        logits = run.read(asked.tokens)
    rows = tuple(row for place in captured.wanted for row in _rows(captured, place))
    return Forward(asked, captured, rows, tuple(_predictions(asked, logits)), run.tokenizer)


def summary(value: Any) -> Summary:
    """The tensor `value` in short."""
    import torch

    wide = value.detach().to(torch.float64).flatten()
    finite = wide[wide.isfinite()]
    mean = finite.mean().item() if len(finite) else math.nan
    return Summary(
        shape=tuple(value.shape),
        l2=finite.norm().item(),
        min=finite.min().item() if len(finite) else math.nan,
        max=finite.max().item() if len(finite) else math.nan,
        mean=mean,
        std=(finite - mean).square().mean().sqrt().item() if len(finite) else math.nan,
        zero=int((finite == 0).sum()),
        nan=int(wide.isnan().sum()),
        inf=int(wide.isinf().sum()),
    )


def _rows(captured: Capture, place: Place) -> Iterator[StageRow]:
    stage = captured.stage_map.stage(place.stage)
    label = stage.about or stage.name
    if place not in captured:
        yield StageRow(stage, place, label, None)
    elif stage.per_head:
        for head, part in enumerate(captured[place]):
            yield StageRow(stage, place, f"head_{head} @ wo[{head}]", summary(part))
    else:
        yield StageRow(stage, place, label, summary(captured[place]))


def _predictions(asked: Asked, logits: Any) -> Iterator[Prediction]:
    import torch

    chances = torch.softmax(logits.to(torch.float64), dim=-1)
    for position, (token, target) in enumerate(zip(asked.tokens, asked.targets, strict=True)):
        row = chances[position]
        if row.isnan().any():  # where argmax would name the first NaN
            yield Prediction(position, token, target, None, None)
        else:
            yield Prediction(position, token, target, int(row.argmax()), None if target is None else row[target].item())
