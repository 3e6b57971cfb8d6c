"""Which stage introduces the error: each held against float64 on the candidate's own inputs, over the noise of doing so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from pv.bisect.align import aligned
from pv.bisect.described import Described, Rebuilt, rebuild
from pv.bisect.floor import Floor, fit, floors_of, forget, measure, noise_of, only
from pv.bisect.hint import hint_of
from pv.bisect.integrity import capture_problems, unused
from pv.bisect.result import Bisection, Cause, Label, Ratios, StageJudgement, Verdict
from pv.bisect.side import Side
from pv.bisect.sources import grouped
from pv.bisect.spread import Spread, over_floor, ratios, unit_of
from pv.bisect.thresholds import GROWTH, INHERITED, INHERITED_ROW, SOURCE
from pv.bisect.transforms import explain
from pv.compare.axes import locate, names_of
from pv.finding import PvError
from pv.stages.map import StageMap
from pv.tensors.place import Place


def bisect(
    reference: Side,
    candidate: Side,
    stage_map: StageMap,
    model: Any,
    tokens: Tensor,
    floors: Mapping[Place, Floor] | None = None,
) -> Bisection:
    """What `candidate` does to the error, stage by stage, against `reference`, on the same `tokens` [n] int64.

    `stage_map` describes the reference; `model` holds the reference's weights and parameters under the names of the map, and
    is not run. `floors` may be those of an earlier call with the same reference, and the same places and dtypes of the
    candidate.
    """
    described = Described(stage_map, model, tokens)
    candidate, notes, problems = aligned(described, reference, candidate)
    problems += capture_problems(described, reference, candidate)
    if problems:
        return Bisection(Verdict.INVALID_CAPTURE, stages=_nothing(described), notes=(*problems, *notes))
    known = floors_of(described, reference, candidate) if floors is None else floors
    judge = _Judge(described, only(reference, candidate), only(candidate, reference), known)
    stages = tuple(judge.stages())
    return judge.concluded(stages, notes, verified=reference.verified and candidate.verified)


def _nothing(described: Described) -> tuple[StageJudgement, ...]:
    return tuple(StageJudgement(place, Label.NOT_MEASURED) for place in described.places)


class _Judge:
    """One bisection under way."""

    def __init__(self, described: Described, reference: Side, candidate: Side, floors: Mapping[Place, Floor]) -> None:
        self._described, self._reference, self._candidate, self._floors = described, reference, candidate, floors
        self._hidden: dict[Place, tuple[Place, ...]] = {}
        self._inherited: dict[Place, float] = {}
        self._narrower: dict[Place, str] = {}

    def stages(self) -> Iterator[StageJudgement]:
        """Every place of the model, in the order of computation."""
        memo: dict[Place, Rebuilt] = {}
        for place in self._described.places:
            forget(memo, place)
            if place not in self._candidate:
                yield StageJudgement(place, Label.NOT_VISIBLE)
                continue
            try:
                yield self._judged(place, memo)
            except PvError as problem:
                yield StageJudgement(place, Label.NOT_MEASURED, error=self._distance(place), hint=problem.message)

    def _judged(self, place: Place, memo: dict[Place, Rebuilt]) -> StageJudgement:
        floor, got = self._floors[place], self._candidate[place]
        if unit_of(got.dtype) > unit_of(self._reference[place].dtype):
            self._narrower[place] = str(got.dtype).removeprefix("torch.")
        if floor.problem:
            return StageJudgement(place, Label.NOT_MEASURED, error=self._distance(place), hint=floor.problem)
        rebuilt = rebuild(self._described, self._candidate, place, torch.float64, memo)
        self._hidden[place] = rebuilt.hidden
        expected = fit(place, rebuilt.value, got)
        found = measure(self._described, place, got, expected)
        local = self._local(place, found, expected)
        if math.isnan(local.worst) and not _finite(got) and _finite(self._reference[place]):
            local = Ratios(math.inf, math.inf, math.inf)  # its dtype does not hold what that of the reference does
        if math.isnan(local.worst):
            which = "its dtype" if not _finite(got) else "that of the reference"
            hint = (
                f"{place}: what it adds is not finite, and neither is its noise: {which} does not hold what is computed"
            )
            return StageJudgement(place, Label.NOT_MEASURED, error=self._distance(place), hint=hint)
        apart = measure(self._described, place, got, self._reference[place].to(torch.float64))
        inherited = over_floor(apart, floor.inherited, floor.unit) if floor.inherited else None
        label = self._label(place, local, inherited)
        axes = self._described.stage(place).axes
        return StageJudgement(
            place, label, apart.relative, floor.inherited.relative if floor.inherited else None, local, inherited,
            worst=locate(found.worst, names_of(axes, got.shape), got.shape) if found.error else (),
            power=floor.power,
            hint=hint_of(found, axes, got, expected) if label is Label.SOURCE else "",
        )  # fmt: skip

    def _local(self, place: Place, found: Spread, expected: Tensor) -> Ratios:
        """The error added at `place` over its noise: the reference's, and where that does not cover it, also what plain
        arithmetic and strayed inputs make of the candidate's own, which may be worse conditioned."""
        floor = self._floors[place]
        local = ratios(found, floor.noise, floor.unit)
        if local.worst <= SOURCE:
            return local
        noise = [*floor.noise, *noise_of(self._described, self._candidate, place, expected)]
        return ratios(found, noise, floor.unit)

    def _label(self, place: Place, local: Ratios, inherited: Ratios | None) -> Label:
        here = self._inherited[place] = inherited.worst if inherited else 0.0
        if local.worst > SOURCE:
            return Label.SOURCE
        if not inherited or within(inherited):
            return Label.CLEAN
        before = [self._inherited.get(each, 0.0) for each in self._described.inputs(place) if each is not None]
        return Label.AMPLIFIER if here > GROWTH * max(before, default=0.0) else Label.CARRIER

    def _distance(self, place: Place) -> float | None:
        try:
            return measure(
                self._described, place, self._candidate[place], self._reference[place].to(torch.float64)
            ).relative
        except PvError:
            return None

    def concluded(self, stages: tuple[StageJudgement, ...], notes: tuple[str, ...], *, verified: bool) -> Bisection:
        """The verdict over all of `stages`."""
        sources = [each.place for each in stages if each.label is Label.SOURCE]
        if not verified:
            notes = (*notes, "layout unverified: a folder without capture.json was read as its shapes map says")
        notes = (*notes, *self._narrow(stages))
        problems = unused(self._described, self._candidate, self._floors, sources)
        if problems:
            return Bisection(Verdict.INVALID_CAPTURE, stages=stages, notes=(*problems, *notes))
        groups = grouped(self._described, sources, self._hidden)
        first, causes = self._first(groups)
        verdict, said = self._verdict(stages, verified=verified)
        enclosing = tuple(dict.fromkeys(hidden for place in first for hidden in self._hidden[place]))
        told = tuple(_with_cause(each, causes) for each in stages)
        more = tuple(group for group in groups if group != first)
        return Bisection(verdict, first, enclosing, more, causes, told, notes=(*notes, *said))

    def _narrow(self, stages: Sequence[StageJudgement]) -> Iterator[str]:
        """Stages that the candidate has in a narrower dtype than the reference, where most are not: held against its noise,
        they are no sources, and may still be none of what was meant. Where most are, the paths name the dtype."""
        if 2 * len(self._narrower) > sum(stage.label is not Label.NOT_VISIBLE for stage in stages):
            return
        for dtype in dict.fromkeys(self._narrower.values()):
            places = [place for place, name in self._narrower.items() if name == dtype]
            more = f" and {len(places) - 3} more" if len(places) > 3 else ""
            yield (
                f"the candidate has {dtype} at {', '.join(map(str, places[:3]))}{more}, narrower than the reference, and not "
                "in most stages: there it is held against the noise of that"
            )

    def _first(self, groups: Sequence[tuple[Place, ...]]) -> tuple[tuple[Place, ...], tuple[Cause, ...]]:
        """The first source that is more than a narrower dtype inside, else the first; with what explains it.

        In float64 a softmax that is kept in float32 stands out in every layer, and would hide what is really wrong.
        """
        narrow = []
        for group in groups:
            causes = explain(self._described, self._candidate, group, self._floors)
            if not causes or not all(each.narrow for each in causes):
                return group, causes
            narrow.append((group, causes))
        return narrow[0] if narrow else ((), ())

    def _verdict(self, stages: tuple[StageJudgement, ...], *, verified: bool) -> tuple[Verdict, tuple[str, ...]]:
        measured = [each for each in stages if each.local is not None]
        untold = [each for each in stages if each.label is Label.NOT_MEASURED]
        said = tuple(each.hint for each in untold if each.hint)
        if not measured:
            return Verdict.INCONCLUSIVE, (*said, "no stage was measured")
        if not verified:
            return Verdict.INCONCLUSIVE, said
        if any(each.label is Label.SOURCE for each in stages):
            return Verdict.DIVERGED, said
        apart = [each.place for each in measured if each.inherited and not within(each.inherited)]
        if apart:
            first = apart[0]
            return Verdict.INCONCLUSIVE, (
                *said,
                f"the two are apart from {first} on, and no stage that both show adds that much",
            )
        if untold:
            return Verdict.INCONCLUSIVE, said
        if all(self._same(each.place) for each in measured):
            return Verdict.IDENTICAL, ()
        return Verdict.WITHIN_FLOOR, ()

    def _same(self, place: Place) -> bool:
        one, other = self._reference[place], self._candidate[place]
        return one.dtype == other.dtype and torch.equal(one, other)


def within(inherited: Ratios) -> bool:
    """Whether all the error that has come up to a stage is noise, on the whole, in its worst row and in its worst column."""
    return inherited.mean <= INHERITED and inherited.column <= INHERITED and inherited.row <= INHERITED_ROW


def _finite(value: Tensor) -> bool:
    return bool(value.isfinite().all())


def _with_cause(stage: StageJudgement, causes: tuple[Cause, ...]) -> StageJudgement:
    found = [each.text for each in causes if each.place == stage.place]
    return replace(stage, hint="; ".join(filter(None, [*found, stage.hint]))) if found else stage
