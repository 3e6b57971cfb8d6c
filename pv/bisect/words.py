"""A symptom and the paths it was seen on, in sentences: what stands before the stages in every report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pv.bisect.paths import Ran, differences
from pv.bisect.symptom import Agreement, Symptom

_SHOWN = 3


def symptom_sentences(symptom: Symptom) -> tuple[str, ...]:
    """What the two do end to end, and then what else there is to know of it."""
    return tuple(_sentences(symptom))


def _sentences(symptom: Symptom) -> Iterator[str]:
    if symptom.outputs is None:
        yield "not measured: the captures hold no logits of all positions"
    else:
        where = "end to end" if symptom.reference else "in the captures (nothing was run end to end)"
        yield f"{where}: {_agreed(symptom.outputs)}"
        yield from _flips(symptom.outputs)
    sides = [side.generated for side in (symptom.reference, symptom.candidate) if side and side.generated]
    if len(sides) == 2:
        at, count = symptom.first_other_token, max(len(side.tokens) for side in sides)
        same = f"the same {count} tokens" if at is None else f"another token from new token {at + 1} of {count} on"
        yield f"generated greedily: {same}"
    elif symptom.reference:
        yield "generated greedily: not measured, as not both have a `generate`"
    yield from symptom.notes


def _agreed(found: Agreement) -> str:
    if found.identical:
        return f"the logits of all {_positions(found.positions)} are the same, bit for bit"
    top = f"the same first token at {found.same_top} of {_positions(found.positions)}"
    if math.isnan(found.mean_kl):
        return f"{top}, KL not to be had (no distributions), relative L2 {found.relative_l2:.3g}"
    kl = f"KL mean {found.mean_kl:.3g} and at most {found.max_kl:.3g} nats"
    return f"{top}, {kl}, relative L2 {found.relative_l2:.3g}, most at position {found.worst_position}"


def _positions(count: int) -> str:
    return f"{count} position{'' if count == 1 else 's'}"


def _flips(found: Agreement) -> Iterator[str]:
    firm = [flip for flip in found.flips if not flip.is_near_tie]
    for flip in firm[:_SHOWN]:
        seen = f"token {flip.candidate} for {flip.reference}, which was ahead by {flip.margin:.3g}"
        yield f"flip at position {flip.position}: {seen} (rounding explains {flip.noise:.3g})"
    if len(firm) > _SHOWN:
        yield f"and {len(firm) - _SHOWN} flips more"
    ties = len(found.flips) - len(firm)
    if ties:
        yield f"{ties} flip{'' if ties == 1 else 's'} between tokens as near to each other as rounding moves them: harmless"


def path_sentences(ran: Sequence[Ran]) -> tuple[str, ...]:
    """Where each side ran, and in what they differ."""
    if len(ran) != 2:
        return tuple(map(str, ran))
    off = differences(*ran)
    return (
        f"reference {ran[0]}",
        f"candidate {ran[1]}",
        f"they differ in {'; '.join(off) if off else 'nothing named here'}",
    )
