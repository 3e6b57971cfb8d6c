"""What two implementations do end to end, before any stage is looked at; and whether the captured passes show it too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pv.finding import PvError

if TYPE_CHECKING:
    from torch import Tensor

LEAST_ROOM = 1e-4
"""The relative distance of logits below which two passes are the same path, whatever the dtype."""

ROOM_IN_ROUNDINGS = 16
"""How many roundings of its coarsest weight two orders of a computation may be apart."""

_DECODING = 4.0
"""How many times what decoding costs the reference it may cost the candidate, and how many roundings it may cost anyhow."""

_DECODED = 1e-3
"""What decoding may cost the reference in any dtype. One row at a time is summed in another order, and where rounding grows
(keys with large biases) that was 1.2e-4 in float32, seven times what two forward passes were apart."""

_LITTLE = 0.1
"""The part of the distance of two forward passes that is little beside it."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A position at which another token comes first. `margin`: how far the reference's first is ahead of the candidate's, in
    logits of the reference; `noise` how far rounding may move them, so that a smaller margin means nothing."""

    position: int
    reference: int
    candidate: int
    margin: float
    noise: float

    @property
    def is_near_tie(self) -> bool:
        """Whether rounding alone could have done it."""
        return self.margin <= self.noise


@dataclass(frozen=True, slots=True)
class Agreement:
    """Logits [n, V] of two passes over the same tokens, in float64. KL is of the second from the first, in nats, NaN where
    there are no distributions; `relative_l2` is ‖second − first‖ / ‖first‖, infinite where one alone is not finite, and
    `worst` the largest of it at one position: on the whole, one wrong position of many is little."""

    positions: int
    identical: bool
    relative_l2: float
    worst: float
    mean_kl: float
    max_kl: float
    worst_position: int
    flips: tuple[Flip, ...] = ()

    @property
    def same_top(self) -> int:
        """At how many positions the same token comes first."""
        return self.positions - len(self.flips)


@dataclass(frozen=True, slots=True)
class Generated:
    """Tokens that greedy decoding appended, and how far its logits are from those of one forward pass over all of them.

    `distance` is relative (L2) where `generate` gives its logits; else how much the forward pass prefers another token than
    the one generated, at worst, in root mean squares of the logits. `step` is where. `scores` are what each token was chosen
    from, [new tokens, V], and `asked` is how many tokens were asked for.
    """

    tokens: tuple[int, ...]
    distance: float
    step: int
    scores: Any = field(default=None, compare=False, repr=False)
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One implementation, end to end: against itself when it is run again, captured, and generating.

    `room` is the distance that rounding explains; `captured` is None where what was captured holds no logits.
    """

    repeated: Agreement
    captured: Agreement | None
    generated: Generated | None
    room: float


@dataclass(frozen=True, slots=True)
class Symptom:
    """How two implementations differ end to end. Of captures alone only `outputs` is known, if that: nothing was run.

    `problems` say why no stage can be blamed, `notes` what else is worth knowing. `doubts` are problems unless a stage that
    diverged explains far more.
    """

    outputs: Agreement | None
    reference: Behaviour | None = None
    candidate: Behaviour | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def first_other_token(self) -> int | None:
        """The first generated token that is another one; None where all are the same, or nothing was generated."""
        sides = [side.generated.tokens for side in (self.reference, self.candidate) if side and side.generated]
        if len(sides) < 2 or sides[0] == sides[1]:
            return None
        pairs = enumerate(zip(*sides, strict=False))
        return next((at for at, (one, other) in pairs if one != other), min(map(len, sides)))


def other_way(symptom: Symptom) -> str:
    """Where greedy decoding goes another way though rounding does not explain it; empty where it does, or nowhere does."""
    at = symptom.first_other_token
    if at is None or symptom.reference is None or symptom.candidate is None:
        return ""
    sides = [side.generated for side in (symptom.reference, symptom.candidate) if side.generated]
    short = min(sides, key=lambda side: len(side.tokens))
    if at == len(short.tokens):
        return f"one stops after {at} new tokens, and the other goes on" if at < short.asked else ""
    room = max(symptom.reference.room, symptom.candidate.room)
    token, rival = (side.tokens[at] for side in sides)
    scores = sides[0].scores[at]
    finite = scores[scores.isfinite()]
    noise = room * (finite - finite.mean()).square().mean().sqrt().item()
    margin = (scores[token] - scores[rival]).item() if rival < len(scores) else math.inf
    if margin <= noise:
        return ""
    return f"the reference is ahead by {margin:.3g} at new token {at + 1} (rounding explains {noise:.3g})"


def agreement(first: Any, second: Any, room: float = 0.0) -> Agreement:
    """Hold logits against each other. A vocabulary that one side pads is compared as far as both have it.

    `room`: the relative distance that rounding explains, from which the noise of a flip's margin follows. Raises PvError
    (`Exit.ASK`) where the two are not logits of equally many positions.
    """
    import torch

    if first.ndim != 2 or second.ndim != 2 or len(first) != len(second) or not len(first):
        seen = f"{list(first.shape)} and {list(second.shape)}"
        raise PvError(
            f"the outputs are {seen}: logits [positions, vocabulary] of the same tokens are needed",
            hint="capture both with the same tokens, and the stage of the logits",
        )
    width = min(first.shape[1], second.shape[1])
    one, other = (side.detach().to("cpu", torch.float64)[:, :width] for side in (first, second))
    kl = (one.log_softmax(-1).exp() * (one.log_softmax(-1) - other.log_softmax(-1))).nan_to_num(math.nan).sum(-1)
    known = bool(kl.isfinite().all())
    off = _off(one, other)
    return Agreement(
        positions=len(one),
        identical=first.shape == second.shape and not off.any().item(),
        relative_l2=off.norm().item() / max(one[one.isfinite()].norm().item(), torch.finfo(torch.float64).tiny),
        worst=_by_position(one, off).max().item(),
        mean_kl=max(0.0, kl.mean().item()) if known else math.nan,
        max_kl=max(0.0, kl.max().item()) if known else math.nan,
        worst_position=int(off.norm(dim=-1).argmax()),
        flips=_flips(one, other, room),
    )


def apart(first: Tensor, second: Tensor) -> Tensor:
    """How far logits [n, V] are from each other at every position [n], relative to the first (L2), as far as both have it."""
    import torch

    width = min(first.shape[1], second.shape[1])
    one, other = (side.detach().to("cpu", torch.float64)[:, :width] for side in (first, second))
    return _by_position(one, _off(one, other))


def _by_position(one: Tensor, off: Tensor) -> Tensor:
    import torch

    size: Tensor = one.nan_to_num(0.0, 0.0, 0.0).norm(dim=-1).clamp_min(torch.finfo(torch.float64).tiny)
    found: Tensor = off.norm(dim=-1) / size
    return found


def _off(one: Tensor, other: Tensor) -> Tensor:
    """|other − one|, 0 where both have the same infinity or are NaN, infinite where only one of them is so."""
    off = (other - one).abs()
    off[(one == other) | (one.isnan() & other.isnan())] = 0.0
    return off.nan_to_num(math.inf, posinf=math.inf)


def _flips(one: Tensor, other: Tensor, room: float) -> tuple[Flip, ...]:
    firsts, seconds = one.argmax(-1).tolist(), other.argmax(-1).tolist()
    spread = (one - one.mean(-1, keepdim=True)).square().mean(-1).sqrt().tolist()
    return tuple(
        Flip(at, token, rival, (one[at, token] - one[at, rival]).item(), room * spread[at])
        for at, (token, rival) in enumerate(zip(firsts, seconds, strict=True))
        if token != rival
    )


def problems_of(name: str, side: Behaviour) -> tuple[str, ...]:
    """Why no stage of the implementation called `name` can be blamed, whatever it generates."""
    found = []
    if side.repeated.worst > side.room:
        seen = f"relative L2 {side.repeated.worst:.3g} at the worst position"
        found.append(f"{name} does not repeat itself: two equal passes differ by {seen}; is dropout on?")
    elif side.captured is not None and side.captured.worst > _room_watched(side):
        seen = f"relative L2 {side.captured.worst:.3g} at the worst position"
        found.append(
            f"{name} gives other logits while it is captured ({seen}): what was captured is not the path that fails"
        )
    return tuple(found)


def _decoded_otherwise(name: str, side: Behaviour, reference: Behaviour | None, outputs: Agreement | None) -> str:
    """That decoding is further from a forward pass than rounding explains, and where; empty where it is not."""
    room = _room_decoding(side, reference, outputs.relative_l2 if outputs else 0.0)
    if side.generated is None or side.generated.distance <= room:
        return ""
    return (
        f"{name}.generate does not compute what its forward pass does: at new token {side.generated.step + 1} of "
        f"{len(side.generated.tokens)} their logits are {side.generated.distance:.3g} apart (rounding explains {room:.3g}). "
        "Captured is the forward pass, so no stage of it can be blamed for what generate does"
    )


def _room_watched(side: Behaviour) -> float:
    """How far a pass may be from the same pass while it is captured: one rounding, if two passes are the same in every bit."""
    return max(LEAST_ROOM, side.room / ROOM_IN_ROUNDINGS) if side.repeated.identical else side.room


def _room_decoding(side: Behaviour, reference: Behaviour | None, apart: float) -> float:
    """How far the logits of decoding may be from those of a forward pass: no further than a few times the reference's. What
    that costs in a wider dtype says nothing of a candidate's; there it is how far the two forward passes are `apart`."""
    room = max(side.room, _DECODED)
    if reference is None or reference.generated is None:
        return room
    cost = reference.generated.distance if side.room <= reference.room else max(reference.generated.distance, apart)
    usual = max(cost, side.room / ROOM_IN_ROUNDINGS)
    return min(room, max(LEAST_ROOM, _DECODING * usual))


def notes_of(name: str, side: Behaviour) -> tuple[str, ...]:
    """What else there is to know of it: results that are not always the same."""
    found = []
    if not side.repeated.identical and side.repeated.worst <= side.room:
        seen = f"relative L2 {side.repeated.relative_l2:.3g}"
        found.append(f"{name} is not deterministic: two equal passes differ by {seen}, within rounding")
    elif side.captured is not None and 0 < side.captured.worst <= _room_watched(side):
        seen = f"relative L2 {side.captured.relative_l2:.3g}"
        found.append(f"{name} gives other bits while it is captured ({seen}, within rounding)")
    return tuple(found)


def symptom_of(
    outputs: tuple[Tensor | None, Tensor | None],
    behaviours: tuple[Behaviour | None, Behaviour | None] = (None, None),
    names: Sequence[str] = ("the reference", "the candidate"),
) -> Symptom:
    """What is to be said before any stage, from the logits of both (end to end, or captured where nothing was run)."""
    room = max((side.room for side in behaviours if side), default=LEAST_ROOM)
    one, other = outputs
    both = None if one is None or other is None else agreement(one, other, room)
    rows = [(name, side) for name, side in zip(names, behaviours, strict=True) if side]
    steady = behaviours[0]
    problems: list[str] = []
    notes: list[str] = []
    doubts: list[str] = []
    for name, side in rows:
        problems += problems_of(name, side)
        notes += notes_of(name, side)
        if otherwise := _decoded_otherwise(name, side, None if side is steady else steady, both):
            little = side.generated and both and side.generated.distance <= _LITTLE * both.worst
            (doubts if little else problems).append(otherwise)
    return Symptom(both, *behaviours, tuple(problems), tuple(notes), tuple(doubts))
