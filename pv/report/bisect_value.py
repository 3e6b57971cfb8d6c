"""A bisection as JSON, with keys that stay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from pv.bisect.outcome import Outcome
from pv.bisect.paths import Ran
from pv.bisect.relation import Related
from pv.bisect.result import Ladder, Power, Ratios, StageJudgement
from pv.bisect.symptom import Agreement, Behaviour, Symptom
from pv.report.bisect import verdict_sentence
from pv.tensors.place import Place


def bisection_value(found: Outcome) -> dict[str, Any]:
    """All of it. A number that is none (infinite, or no number) is a text: "inf", "nan"; what was not measured is null."""
    result = found.bisection
    return {
        "reference": found.names[0],
        "candidate": found.names[1],
        "tokens": list(found.tokens),
        "verdict": result.verdict.value,
        "said": verdict_sentence(result),
        "at": _places(result.at),
        "enclosing": _places(result.enclosing),
        "more": [_places(places) for places in result.more],
        "symptom": _symptom(found.symptom, result.symptom),
        "weights": _weights(found.related),
        "paths": [_ran(ran) for ran in found.ran],
        "stages": [_stage(stage) for stage in result.stages],
        "ladder": None if result.ladder is None else _ladder(result.ladder),
        "notes": list(result.notes),
        "pins": [
            {**_place(row.place), "test": row.test or None, "path": row.path or None, "new": row.new,
             "why_not": row.said or None}
            for row in found.pins
        ],
        "next": list(found.next),
        "exit": int(result.verdict.exit),
    }  # fmt: skip


def _place(place: Place) -> dict[str, Any]:
    return {"stage": place.stage, "layer": place.layer}


def _places(places: Iterable[Place]) -> list[dict[str, Any]]:
    return [_place(place) for place in places]


def _number(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def _stage(stage: StageJudgement) -> dict[str, Any]:
    return {
        **_place(stage.place),
        "label": stage.label.value,
        "error": _number(stage.error),
        "floor": _number(stage.floor),
        "local": _three(stage.local),
        "inherited": _three(stage.inherited),
        "worst": [{"axis": axis, "index": index} for axis, index in stage.worst],
        "least_seen": _three(stage.power),
        "hint": stage.hint or None,
    }


def _three(found: Ratios | Power | None) -> dict[str, Any] | None:
    return None if found is None else {key: _number(getattr(found, key)) for key in ("mean", "row", "column")}


def _symptom(symptom: Symptom, said: Iterable[str]) -> dict[str, Any]:
    return {
        "said": list(said),
        "outputs": _agreement(symptom.outputs),
        "first_other_token": symptom.first_other_token,
        "reference": _side(symptom.reference),
        "candidate": _side(symptom.candidate),
        "problems": list(symptom.problems),
    }


def _agreement(found: Agreement | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "positions": found.positions,
        "identical": found.identical,
        "same_top": found.same_top,
        "relative_l2": _number(found.relative_l2),
        "mean_kl": _number(found.mean_kl),
        "max_kl": _number(found.max_kl),
        "worst_position": found.worst_position,
        "flips": [
            {"position": flip.position, "reference": flip.reference, "candidate": flip.candidate,
             "margin": _number(flip.margin), "noise": _number(flip.noise), "near_tie": flip.is_near_tie}
            for flip in found.flips
        ],
    }  # fmt: skip


def _side(side: Behaviour | None) -> dict[str, Any] | None:
    if side is None:
        return None
    made = side.generated
    return {
        "repeated": _agreement(side.repeated),
        "captured": _agreement(side.captured),
        "generated": made and {"tokens": list(made.tokens), "distance": _number(made.distance), "step": made.step},
        "room": side.room,
    }


def _weights(related: Related) -> dict[str, Any]:
    return {
        "relation": related.relation.name.lower(),
        "rounded": related.rounded or None,
        "compared": related.compared,
        "not_the_same": [{"name": name, "relative_l2": _number(distance)} for name, distance in related.other],
        "only_reference": list(related.only[0]),
        "only_candidate": list(related.only[1]),
    }


def _ran(ran: Ran) -> dict[str, Any]:
    own = {row.name: getattr(ran, row.name) for row in fields(ran)}
    return {key: dict(value) if key == "versions" else value if value != "" else None for key, value in own.items()}


def _ladder(ladder: Ladder) -> dict[str, Any]:
    return {
        "meaning": ladder.meaning.name.lower(),
        "at": _places(ladder.at),
        "enclosing": _places(ladder.enclosing),
        "said": ladder.said or None,
        "rungs": [
            {"dtype": rung.dtype, "verdict": rung.verdict and rung.verdict.value, "at": _places(rung.at),
             "enclosing": _places(rung.enclosing), "ratio": _number(rung.ratio), "said": rung.said or None}
            for rung in ladder.rungs
        ],
    }  # fmt: skip
