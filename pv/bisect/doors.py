"""A bisection from end to end: the symptom, the weights and the paths first, then the stages."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from pv.bisect.judge import bisect as judge
from pv.bisect.ladder import climb
from pv.bisect.outcome import Outcome
from pv.bisect.paths import Ran
from pv.bisect.record import LOGITS, Call, Recorded, coarsest, record_model, record_wider, related, tokens_of, widen
from pv.bisect.relation import Related, Relation
from pv.bisect.result import Bisection, Label, Ladder, Verdict
from pv.bisect.side import Side
from pv.bisect.symptom import LEAST_ROOM, Flip, Symptom, agreement, apart, other_way, symptom_of
from pv.bisect.words import path_sentences, symptom_sentences
from pv.finding import Exit
from pv.stages.known import map_of

if TYPE_CHECKING:
    from torch import Tensor

    from pv.stages.map import StageMap


def bisect(
    reference: Any,
    candidate: Any,
    tokens: Tensor,
    *,
    stage_map: StageMap | None = None,
    candidate_map: StageMap | None = None,
    ladder: bool = False,
) -> Bisection:
    """Which stage of `candidate` introduces the error that it has against `reference`, both run on `tokens`.

    Both are torch modules that return logits; `tokens` ([n] or [1, n], int64) are given to them as they are. `stage_map`
    says what the stages of the reference are and where they are seen (default: the map known for its class), `candidate_map`
    where those of the candidate are (default: `stage_map` where one is given, else the map known for its class). `ladder`
    repeats copies of both in wider dtypes.

    >>> import torch, pv
    >>> from implementations.microgpt.model import MicroGPT
    >>> from pv.stages.read import read_stage_map
    >>> model = MicroGPT(seed=1)
    >>> pv.bisect(model, model, torch.tensor([0, 13, 1]), stage_map=read_stage_map(None, "microgpt")).verdict.label
    'identical'

    Raises PvError where one of them cannot be run or captured.
    """
    own = stage_map or map_of(reference)
    other = candidate_map or stage_map or map_of(candidate)
    call = Call(tokens)
    sides = [
        record_model(name, model, call, each, own)
        for name, model, each in (("the reference", reference, own), ("the candidate", candidate, other))
    ]

    def wider(rounded: torch.dtype, dtype: torch.dtype) -> Wider:
        here, there = (widen(deepcopy(model), rounded, dtype) for model in (reference, candidate))
        return Wider(record_wider(here, call, own, own), record_wider(there, call, other, own), here)

    return concluded(sides[0], sides[1], own, reference, wider if ladder else None).bisection


class Wider(NamedTuple):
    """Both sides of one rung, and the reference that ran there."""

    reference: Side
    candidate: Side
    model: Any


Widening = Callable[[torch.dtype, torch.dtype], Wider]
"""`widening(rounded, dtype)`: both run in `dtype`, with the weights that they have when they are rounded to `rounded`."""


def concluded(
    reference: Recorded, candidate: Recorded, stage_map: StageMap, model: Any, widening: Widening | None = None
) -> Outcome:
    """What the two come to. `stage_map` describes the reference, `model` holds its weights and is not run; `widening` is for
    the ladder.

    No stage is judged where the passes that were recorded do not show what the implementations do, or where most weights
    are others.
    """
    tokens = tokens_of(reference, candidate)
    weights = related(reference, candidate)
    names = (reference.name, candidate.name)
    symptom = symptom_of((reference.logits, candidate.logits), (reference.behaviour, candidate.behaviour), names)
    found = _refused(symptom, weights, reference, candidate)
    if found is None:
        judged = judge(reference.side, candidate.side, stage_map, model.to("cpu"), torch.tensor(tokens))
        found = _outside(judged, symptom, reference, candidate)
        if widening is not None:
            found = replace(
                found, ladder=_ladder(found, stage_map, torch.tensor(tokens), (reference, candidate), widening)
            )
    ran = (reference.ran, candidate.ran)
    told = _told(found, symptom, weights, ran, reference, candidate)
    return Outcome(names, tokens, told, symptom, weights, ran)


def _ladder(
    found: Bisection, stage_map: StageMap, tokens: Tensor, sides: tuple[Recorded, Recorded], widening: Widening
) -> Ladder:
    rounded = coarsest(*(side.model for side in sides))

    def again(dtype: torch.dtype) -> Bisection:
        wider = widening(rounded, dtype)
        return judge(wider.reference, wider.candidate, stage_map, wider.model.to("cpu"), tokens)

    return climb(found, rounded, again)


def _outside(found: Bisection, symptom: Symptom, reference: Recorded, candidate: Recorded) -> Bisection:
    """`found`, unless something is not as the stages explain it: then the error arises where the map has no stage."""
    if found.verdict.exit is not Exit.OK:
        return found
    doubt = next(iter(symptom.doubts), "")
    unexplained = _unseen(found, symptom) or doubt or _unexplained(symptom, reference, candidate)
    return replace(found, verdict=Verdict.INCONCLUSIVE, notes=(unexplained, *found.notes)) if unexplained else found


def _unseen(found: Bisection, symptom: Symptom) -> str:
    """What follows the last stage that was seen, where the outputs were not compared either; empty where nothing does."""
    if symptom.outputs is not None or found.stages[-1].label is not Label.NOT_VISIBLE:
        return ""
    last = next(stage.place for stage in reversed(found.stages) if stage.label is not Label.NOT_VISIBLE)
    return f"nothing after {last} was seen of both, nor were the outputs compared: an error there would not show"


def _unexplained(symptom: Symptom, reference: Recorded, candidate: Recorded) -> str:
    """What is further apart end to end than the last stage that was captured; empty where nothing is."""
    if reference.logits is None or candidate.logits is None:
        return ""
    outputs, explained = apart(reference.logits, candidate.logits), _explained(symptom, reference, candidate)
    if not bool((outputs <= explained).all()):
        at = int((outputs - explained).nan_to_num(math.inf).argmax())
        seen = (
            f"the logits at position {at} are {outputs[at]:.3g} apart (relative L2), and no stage that was captured is"
        )
        return f"{seen}: the error arises after the last of them, or between two that the map does not connect"
    if flip := _flipped(symptom, reference, candidate):
        margin = f"{flip.margin:.3g} (rounding explains {flip.noise:.3g})"
        seen = f"another token comes first at position {flip.position}, where the reference's is ahead by {margin}"
        return f"{seen}; in the logits that were captured the same one does: the error arises after them"
    if way := other_way(symptom):
        return (
            f"greedy decoding goes another way: {way}. No stage of the forward pass over these tokens shows it; "
            "bisect again with the tokens generated before it added, and compare the generation_config of the two"
        )
    return ""


def _flipped(symptom: Symptom, reference: Recorded, candidate: Recorded) -> Flip | None:
    """The first token that another one comes before by more than rounding, though not in the logits that were captured."""
    far = [flip for flip in symptom.outputs.flips if not flip.is_near_tie] if symptom.outputs else []
    whole = _captured_whole(reference, candidate)
    if not far or len(whole) < 2:
        return None
    shown = {flip.position for flip in agreement(whole[0], whole[1]).flips}
    return next((flip for flip in far if flip.position not in shown), None)


def _captured_whole(reference: Recorded, candidate: Recorded) -> list[Tensor]:
    """The logits of each side that were captured at all positions."""
    shown = [each.side[LOGITS] for each in (reference, candidate) if LOGITS in each.side]
    return [logits for logits in shown if logits.ndim == 2 and len(logits) == len(reference.tokens)]


def _explained(symptom: Symptom, reference: Recorded, candidate: Recorded) -> Tensor:
    """How far the outputs may be apart at each position [n], or at any [1]: little more than the captured logits are there,
    and each pass is from the one that was captured. Where those were not captured, as far as rounding explains."""
    sides = [side for side in (symptom.reference, symptom.candidate) if side]
    whole = _captured_whole(reference, candidate)
    if len(whole) < 2:
        return torch.tensor([max((side.room for side in sides), default=LEAST_ROOM)])
    watched = sum(side.captured.worst for side in sides if side.captured is not None)
    return _AFTER * apart(*whole) + watched + LEAST_ROOM


_AFTER = 4.0
"""How many times as far as before it logits may be apart after what is done to the last stage: scaled, or bent."""


def _told(found: Bisection, symptom: Symptom, weights: Related, ran: tuple[Ran, ...], *sides: Recorded) -> Bisection:
    """`found`, with what was asked before it in sentences."""
    notes = [*found.notes, *symptom.doubts, *(note for side in sides for note in side.notes)]
    return replace(
        found,
        symptom=symptom_sentences(symptom),
        weights=str(weights),
        paths=path_sentences(ran),
        notes=tuple(dict.fromkeys(notes)),
    )


def _refused(symptom: Symptom, weights: Related, *sides: Recorded) -> Bisection | None:
    """The verdict where no stage can be judged; None where they can."""
    changed = tuple(
        f"{side.name}: {place} changed after it was captured" for side in sides for place in side.side.changed
    )
    if changed:
        return Bisection(Verdict.INVALID_CAPTURE, notes=changed)
    problems = (*symptom.problems, *_unlike(weights))
    return Bisection(Verdict.INCONCLUSIVE, notes=problems) if problems else None


def _unlike(weights: Related) -> tuple[str, ...]:
    if not weights.speaks_against_values:
        return ()
    what = f"{len(weights.other)} of {weights.compared} weights are {weights.relation.value}"
    if weights.relation is Relation.ROUNDED:
        what = f"most weights are rounded ({weights.rounded}), and computed with in a wider dtype"
    return (
        f"{what}: every stage that has some must differ, and none can be blamed; compare two paths of the same weights",
    )
