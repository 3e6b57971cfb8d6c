"""The same two sides in wider dtypes: is their difference what they compute, how they round, or what they compute it in?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch

from pv.bisect.result import Bisection, Ladder, Meaning, Rung, Verdict
from pv.finding import PvError

RUNGS = (torch.float32, torch.float64)
_JUDGED = (Verdict.IDENTICAL, Verdict.WITHIN_FLOOR, Verdict.DIVERGED)


def climb(first: Bisection, dtype: torch.dtype, again: Callable[[torch.dtype], Bisection]) -> Ladder:
    """What the difference that `first` found in `dtype` is, from `again(wider)`: both sides, with the same rounded weights, in
    float32 and in float64, as far as they are wider than `dtype`.

    In float64 next to nothing is left of rounding, so a difference that stays is meant: semantics. `again` may raise PvError,
    or what torch raises for a dtype that a kernel does not know: that rung then says so.
    """
    rungs = tuple(_rungs(dtype, again))
    judged = [rung for rung in rungs if rung.verdict in _JUDGED]
    if not judged:
        said = f"nothing is wider than {_name(dtype)}" if not rungs else "neither side could be judged in a wider dtype"
        return Ladder(Meaning.NONE, rungs, said=said)
    top = judged[-1]
    if top.verdict is not Verdict.DIVERGED:
        return _gone(first, dtype, rungs, top)
    if top.causes and all(cause.narrow for cause in top.causes):
        said = f"in {top.dtype} the two still differ, by a narrower dtype within {_places(top)}: {top.causes[0].said}"
        return Ladder(Meaning.DTYPE_POLICY, rungs, top.at, top.enclosing, said)
    over = f"{top.ratio:,.3g} times the floor" if top.ratio is not None else "over the floor"
    said = f"in {top.dtype} the two still differ, at {_places(top)}, {over}: they compute something else"
    return Ladder(Meaning.SEMANTICS, rungs, top.at, top.enclosing, said)


def _rungs(dtype: torch.dtype, again: Callable[[torch.dtype], Bisection]) -> Iterator[Rung]:
    for wider in RUNGS:
        if torch.finfo(wider).eps >= torch.finfo(dtype).eps:
            continue
        try:
            found = again(wider)
        except (PvError, RuntimeError, NotImplementedError, TypeError) as error:
            yield Rung(_name(wider), None, said=f"{type(error).__name__}: {error}")
            continue
        ratio = max((each.local.worst for each in found.stages if each.local and each.place in found.at), default=None)
        yield Rung(
            _name(wider), found.verdict, found.at, found.enclosing, ratio, found.causes, "; ".join(found.notes[:1])
        )


def _gone(first: Bisection, dtype: torch.dtype, rungs: tuple[Rung, ...], top: Rung) -> Ladder:
    if first.verdict is Verdict.DIVERGED:
        where = ", ".join(map(str, first.at))
        local = [each.local for each in first.stages if each.place in first.at and each.local]
        what = f"rounds more often than {_name(dtype)} must"
        if any(math.isinf(each.worst) for each in local):
            what = f"is not finite in {_name(dtype)}"
        said = f"in {top.dtype} nothing differs: at {where} the candidate {what}"
        return Ladder(Meaning.DTYPE_POLICY, rungs, first.at, first.enclosing, said)
    if first.verdict is Verdict.IDENTICAL:
        return Ladder(Meaning.NONE, rungs, said=f"nothing differs, in {_name(dtype)} or in {top.dtype}")
    return Ladder(Meaning.ROUNDING, rungs, said=f"in {top.dtype} nothing differs: what did is rounding")


def _places(rung: Rung) -> str:
    return ", ".join(map(str, rung.at))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
