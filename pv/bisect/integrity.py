"""Captures that are not what a model computed: found before, or because of, what they make a bisection say."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from pv.bisect.described import Described, rebuild
from pv.bisect.floor import Floor, fit, measure, noise_of
from pv.bisect.side import Side
from pv.bisect.spread import ratios, unit_of
from pv.bisect.thresholds import SOURCE
from pv.finding import PvError
from pv.tensors.place import Place


def capture_problems(described: Described, reference: Side, candidate: Side) -> tuple[str, ...]:
    """What shows that a tensor of either side is no capture of its stage, one sentence each."""
    found: list[str] = []
    for name, side, other in (("reference", reference, candidate), ("candidate", candidate, reference)):
        found += (f"{name}: {place} is in its own map, and its forward pass did not come by" for place in side.missing)
        found += (f"{name}: {place} was changed after it was captured" for place in side.changed)
        found += (f"{name}: {problem}" for problem in _values(described, side, other))
    return tuple(found)


def checksum(value: Tensor) -> str:
    """The SHA-256 of the bytes, the dtype and the shape of `value`: the same at the hook and at the end, or it was changed."""
    plain = value.detach().cpu().contiguous()
    said = f"{plain.dtype} {list(plain.shape)} ".encode()
    return hashlib.sha256(said + plain.reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()


def _values(described: Described, side: Side, other: Side) -> Iterator[str]:
    places = [place for place in described.places if place in side]
    for place in places:
        flat = _constant(side[place])
        elsewhere = place in other and _constant(other[place]) is not None
        if flat is not None and not elsewhere and not _is_flat(described, side, place, flat):
            yield f"{place} is {'all zero' if flat == 0 else f'{flat:g} everywhere'}: a warm-up pass, or an empty buffer"
    for place, twin in _twins(described, side, places):
        alike = place in other and twin in other and torch.equal(other[place], other[twin])
        if not alike and not _went_on(described, side, twin):
            yield f"{twin} has the bytes of {place}: one buffer seen twice"


def _is_flat(described: Described, side: Side, place: Place, flat: float) -> bool:
    """Whether the stage at `place` is `flat` everywhere when it is computed again: a softmax over one key is 1."""
    try:
        expected = _constant(rebuild(described, side, place, torch.float64, {}).value)
    except PvError:
        return False
    return expected is not None and math.isclose(expected, flat, rel_tol=0.01)


def _constant(value: Tensor) -> float | None:
    """The one value of a tensor that has more than one element and no other value."""
    flat = value.reshape(-1)
    if len(flat) < 2 or bool(flat[0] != flat[-1]) or not bool((flat == flat[0]).all()):
        return None
    return float(flat[0])


def _went_on(described: Described, side: Side, place: Place) -> bool:
    """Whether all that is computed from `place` follows from what was captured there: then it is what the model had."""
    after = [each for each in side.places if place in described.inputs(each)]
    return bool(after) and all(_follows(described, side, each, Floor(unit=unit_of(side[each].dtype))) for each in after)


def _twins(described: Described, side: Side, places: Sequence[Place]) -> Iterator[tuple[Place, Place]]:
    """Places with the same bytes as one before, which is none of their inputs: a stage that does nothing is a fault of the
    model, or a convention, and no buffer seen twice."""
    seen: dict[str, Place] = {}
    for place in places:
        value = side[place]
        if _constant(value) is not None or value.numel() < 2 or bool(value.isnan().any()):
            continue  # what NaN has reached is NaN in more than one place
        twin = seen.setdefault(checksum(value), place)
        if twin != place and twin not in described.inputs(place):
            yield twin, place


def unused(
    described: Described, candidate: Side, floors: Mapping[Place, Floor], sources: Sequence[Place]
) -> tuple[str, ...]:
    """Sources that were not computed wrong but recorded wrong: all that is computed from them follows from what they should
    be, and not from what was captured."""
    found = []
    for name in dict.fromkeys(place.stage for place in sources):
        wrong = [place for place in sources if place.stage == name]
        after = [place for place in candidate.places if place in floors and set(described.inputs(place)) & set(wrong)]
        if after and set(after) <= set(sources) and _follow(described, candidate, floors, wrong, after):
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            found.append(
                f"candidate: {wrong[0]}{more} is not what the model went on with: {', '.join(map(str, after[:2]))} follow from "
                f"what it should be{_convention(described, candidate, wrong[0])}"
            )
    return tuple(found)


def _follow(
    described: Described, candidate: Side, floors: Mapping[Place, Floor], wrong: Sequence[Place], after: Sequence[Place]
) -> bool:
    """Whether all of `after` is within the noise once what is `wrong` is computed instead of taken."""
    rest = tuple(place for place in candidate.places if place not in wrong)
    without = Side(rest, candidate.load, candidate.missing, candidate.changed, candidate.verified)
    return all(not floors[place].problem and _follows(described, without, place, floors[place]) for place in after)


def _follows(described: Described, side: Side, place: Place, floor: Floor) -> bool:
    """Whether the tensor at `place` is what its stage makes of the tensors of `side` before it, within the noise."""
    try:
        expected = fit(place, rebuild(described, side, place, torch.float64, {}).value, side[place])
        noise = [*floor.noise, *noise_of(described, side, place, expected)]
        return ratios(measure(described, place, side[place], expected), noise, floor.unit).worst <= SOURCE
    except PvError:
        return False


def _convention(described: Described, candidate: Side, place: Place) -> str:
    """Which input the tensor at `place` is, if any: what a layer returns that leaves the residual to the next one."""
    for each in described.inputs(place):
        if each in candidate and each is not None and torch.equal(candidate[each], candidate[place]):
            return (
                f"; it is {each} alone, without the residual" if len(described.inputs(place)) > 1 else f"; it is {each}"
            )
    return ""
