"""The noise floor: what each stage of the reference costs in its dtype, by itself and since the tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pv.bisect.described import Described, Rebuilt, rebuild
from pv.bisect.power import power_of
from pv.bisect.result import Power, Ratios
from pv.bisect.side import Side
from pv.bisect.spread import Spread, ratios, spread, unit_of
from pv.bisect.thresholds import FITS, FITS_ALWAYS
from pv.finding import PvError
from pv.tensors.place import Place

DRAWS = 3
"""How often inputs are strayed: the largest of three draws is seldom small by luck."""

_SCORES = ("scores", "head_scores", "packed_scores")


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """The noise at one place.

    `local` is how far the reference is from float64 on its own inputs, `plain` how far the operation itself is when it runs
    in the dtype there, `inherited` how far the reference is from float64 since the tokens (None: a stage before has no
    operation). `hidden` are the places within that only one side shows, `problem` why there is nothing to hold an error
    against, `power` what would be seen.
    """

    unit: float = 0.0
    local: Spread | None = None
    plain: Spread | None = None
    inherited: Spread | None = None
    hidden: tuple[Place, ...] = ()
    problem: str = ""
    power: Power | None = None

    @property
    def noise(self) -> list[Spread]:
        """What an error that arises here is held against."""
        return [each for each in (self.local, self.plain) if each is not None]


def floors_of(described: Described, reference: Side, candidate: Side) -> dict[Place, Floor]:
    """The floor of each place that both sides show. Of `candidate` only its places and dtypes count, no value."""
    reference_seen = only(reference, candidate)
    found = {}
    memo: dict[Place, Rebuilt] = {}
    exact, coarse = _Chain(described, torch.float64), _coarse_chain(described, reference_seen, candidate)
    for place in described.places:
        forget(memo, place)
        if place in reference_seen:
            value, rounded = exact.at(place, reference), coarse.at(place, reference) if coarse else None
            dtype = coarser(reference[place].dtype, candidate[place].dtype)
            found[place] = _floor(described, reference_seen, place, dtype, memo, value, rounded)
    return found


def _coarse_chain(described: Described, reference: Side, candidate: Side) -> _Chain | None:
    """The whole model in the coarsest dtype of `candidate`; None where the reference has one as coarse: that is its own
    noise, and a candidate in a narrower dtype than its reference has more."""
    dtypes = [{side[place].dtype for place in reference.places} for side in (reference, candidate)]
    own, other = (max(each, key=unit_of, default=torch.float64) for each in dtypes)
    return _Chain(described, other) if unit_of(other) > unit_of(own) else None


def only(side: Side, other: Side) -> Side:
    """What of `side` the `other` shows too: neither is recomputed from what the other cannot be."""
    places = tuple(place for place in side.places if place in other)
    return Side(places, side.load, side.missing, side.changed, side.verified)


def measure(described: Described, place: Place, got: Tensor, expected: Tensor) -> Spread:
    """How far `got` is from `expected` at `place`; scores only where a query may look. Raises PvError for another shape."""
    fitted = fit(place, expected, got)
    if described.stage(place).operation in _SCORES:
        return spread(got.tril(), fitted.tril(), described.stage(place).axes)
    return spread(got, fitted, described.stage(place).axes)


def fit(place: Place, expected: Tensor, got: Tensor) -> Tensor:
    """`expected` in the shape of `got`: heads side by side or apart, all tokens or only the last. Raises PvError."""
    if expected.shape == got.shape:
        return expected
    if got.ndim and expected.numel() == got.numel() and expected.shape[0] == got.shape[0]:
        return expected.reshape(got.shape)
    if expected.ndim > 1 and got.shape in (expected[-1].shape, expected[-1:].shape):
        return expected[-1].reshape(got.shape)
    raise PvError(
        f"{place} has the shape {list(got.shape)}; its operation makes {list(expected.shape)}",
        hint="capture again with the stage map that this one was made for",
    )


def coarser(one: torch.dtype, other: torch.dtype) -> torch.dtype:
    """Of two dtypes the one that rounds more."""
    return one if unit_of(one) >= unit_of(other) else other


def forget(memo: dict[Place, Rebuilt], place: Place) -> None:
    """Drop from `memo` what lies more than a layer before `place`: nothing there is an input of anything to come."""
    for each in [each for each in memo if _done(each, place)]:
        del memo[each]


def _done(place: Place, now: Place) -> bool:
    return place.layer is not None and now.layer is not None and place.layer < now.layer - 1


def _floor(
    described: Described,
    reference: Side,
    place: Place,
    dtype: torch.dtype,
    memo: dict[Place, Rebuilt],
    exact: Tensor | None,
    rounded: Tensor | None,
) -> Floor:
    got = reference[place]
    try:
        rebuilt = rebuild(described, reference, place, torch.float64, memo)
        expected = fit(place, rebuilt.value, got)
        local = measure(described, place, got, expected)
        plain = measure(described, place, plainly(described, reference, place, dtype), expected)
        inherited = None if exact is None else measure(described, place, got if rounded is None else rounded, exact)
    except PvError as problem:
        return Floor(problem=problem.message)
    unit = unit_of(got.dtype, dtype)
    misfit = _misfit(place, ratios(local, [plain], unit), local, got)
    return Floor(unit, local, plain, inherited, rebuilt.hidden, misfit, power_of(local, plain, unit))


def noise_of(described: Described, side: Side, place: Place, expected: Tensor) -> list[Spread]:
    """What rounding alone may do to the stage at `place` on the inputs of `side`, whose exact result is `expected`."""
    dtype = side[place].dtype
    done = [plainly(described, side, place, dtype)]
    done += [shaken(described, side, place, dtype, draw) for draw in range(DRAWS)]
    return [measure(described, place, each, expected) for each in done]


def plainly(described: Described, side: Side, place: Place, dtype: torch.dtype) -> Tensor:
    """The stage at `place` from the inputs of `side`, each operation on the way done in `dtype` and rounded to it."""
    return fit(place, rebuild(described, side, place, dtype, {}).value, side[place])


def shaken(described: Described, side: Side, place: Place, dtype: torch.dtype, draw: int) -> Tensor:
    """The stage at `place` in float64, from inputs of `side` that each stray by one rounding to `dtype`: what conditioning
    makes of rounding, row by row. A row of attention may hang on the rounding of a single score, up or down."""
    generator = torch.Generator().manual_seed(draw)

    def load(each: Place) -> Tensor:
        value = side[each].to(torch.float64)
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        return torch.where(value.isfinite(), value * (1 + unit_of(dtype) * noise), value)

    return fit(place, rebuild(described, Side(side.places, load), place, torch.float64, {}).value, side[place])


def _misfit(place: Place, over: Ratios, local: Spread, got: Tensor) -> str:
    if over.worst <= FITS or local.relative <= FITS_ALWAYS:
        return ""
    if not bool(got.isfinite().all()):
        name = str(got.dtype).removeprefix("torch.")
        return f"the reference is not finite at {place}, where {name} does not hold what is computed, or something masks it"
    return (
        f"the map does not describe the reference at {place}: it is {local.relative:.2g} (relative L2) from its own "
        f"recomputation, {over.worst:.3g} times what the dtype costs"
    )


class _Chain:
    """The map's operations in `dtype` from the tokens on, with the reference's weights: one stage after another."""

    def __init__(self, described: Described, dtype: torch.dtype) -> None:
        self._described, self._dtype = described, dtype
        self._memo: dict[Place, Rebuilt] = {}

    def at(self, place: Place, reference: Side) -> Tensor | None:
        """The value at `place`. Where there is no operation the chain goes on from what `reference` has there, or breaks."""
        forget(self._memo, place)
        nothing = Side((), reference.load)
        try:
            self._memo[place] = rebuild(self._described, nothing, place, self._dtype, self._memo)
        except PvError:
            if place not in reference:
                return None
            self._memo[place] = Rebuilt(reference[place].to(self._dtype), ())
            return None
        return self._memo[place].value
