"""`check`: the only thing in a falsifier that asserts.

It counts what it does, keeps the comparison that came nearest to its bound, takes tolerances from the contract and from
nowhere else, tries each of them once (half of it must hold, twice must fail), and refuses what makes comparisons lie: see
`pv.falsify.comparison`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import torch
from hypothesis.errors import HypothesisException
from torch import Tensor

from pv.contract.model import Holds, Invariant, Tolerance
from pv.falsify.comparison import (
    Compared,
    Side,
    base,
    compare,
    in_dtype,
    in_float64,
    is_number,
    is_same,
    is_tensor,
    plain,
    probe,
)
from pv.falsify.outcome import Failure, Nearest, nearer
from pv.falsify.telling import index_of, names, readable, short
from pv.finding import Exit, PvError

_HERE = f"{Path(__file__).parent}{os.sep}"

Probed = set[tuple[str, str, Side]]
"""Which tolerances were tried: of an invariant, for a dtype, on a side."""


class Falsified(AssertionError):
    """A check failed: the invariant does not hold of this case."""


class Check:
    """Asserts on behalf of the invariants one falsification test is bound to.

    Every method takes `clause="equation/invariant"`, which may be left out while the test is bound to a single one. What
    cannot be compared honestly raises PvError: the trial is errored.

    >>> import pv
    >>> check = pv.Check([pv.open_project().contract("microgpt-v1").equations[0].invariants[0]])
    >>> check.equal(2 + 2, 4)
    >>> check.equal(2 + 2, 5)
    Traceback (most recent call last):
    pv.falsify.check.Falsified: ...
    """

    __slots__ = ("_count", "_invariants", "_probed", "failure", "nearest")

    def __init__(self, invariants: Sequence[Invariant], probed: Probed | None = None) -> None:
        self._invariants = {invariant.name: invariant for invariant in invariants}
        self._count = 0
        self._probed: Probed = set() if probed is None else probed
        self.failure: Failure | None = None
        self.nearest: dict[tuple[str, str], Nearest] = {}

    @property
    def count(self) -> int:
        """How many checks came to an answer. A comparison of tensors without elements looked at nothing, and is none."""
        return self._count

    def that(self, condition: bool, message: str, *, clause: str = "") -> None:
        """`condition` is true; `message` says what was seen when it is not."""
        invariant = self._bound(clause)
        if not isinstance(condition, bool):
            raise TypeError(
                f"check.that takes a bool, not {type(condition).__name__}: reduce tensors with .all().item()"
            )
        if not condition:
            self._fail(invariant, message, message, invariant.statement)
        self._count += 1

    def equal(self, observed: Any, expected: Any, *, clause: str = "") -> None:
        """Every element of `observed` is exactly that of `expected` (same shape and dtype, or a plain number for all).

        Exactly as numbers: 0.0 equals −0.0, NaN equals nothing, True no number. Anything but tensors has to be of the same
        type too: None, numbers, text, bytes, dtypes, and lists, tuples, dicts and sets of such or of tensors.
        """
        invariant = self._bound(clause)
        if not is_tensor(observed) and not is_tensor(expected):
            if not is_same(observed, expected):
                self._fail(invariant, "differs", short(observed), short(expected))
            self._count += 1
            return
        seen, wanted = self._alike(invariant, observed, expected)
        self._require(invariant, seen, wanted, seen == wanted, "differs")

    def close(self, observed: Any, expected: Any, *, clause: str = "", dtype: Any = None) -> None:
        """|observed − expected| ≤ absolute + relative · |expected|, element by element, in float64.

        The tolerance is the clause's for the dtype of `observed`, or for `dtype` when `observed` was widened first.
        Raises PvError when the contract states none for it, or one that cannot tell right from wrong here.
        """
        invariant, name = self._bound(clause), _dtype_name(observed, dtype)
        tolerance = self._tolerance(invariant, name)
        seen, wanted = self._finite(invariant, observed, expected)
        found = self._compare(invariant, seen, wanted, tolerance, Side.BOTH, name)
        if found.wrong.any():
            worst = int(torch.where(found.wrong, found.residual / _above_zero(found.bound), -1.0).argmax())
            off, most = found.residual.reshape(-1)[worst].item(), found.bound.reshape(-1)[worst].item()
            self._fail_at(invariant, seen, wanted, worst, f"|Δ| {off:.3g} > tolerance {most:.3g} ({name})")
        self._count += bool(seen.numel())

    def at_most(self, observed: Any, limit: Any, *, clause: str = "", dtype: Any = None) -> None:
        """observed ≤ limit element by element; a bounded clause adds its tolerance to the limit, an exact one nothing."""
        self._within(self._bound(clause), observed, limit, dtype, Side.ABOVE)

    def at_least(self, observed: Any, limit: Any, *, clause: str = "", dtype: Any = None) -> None:
        """observed ≥ limit element by element; see `at_most`."""
        self._within(self._bound(clause), observed, limit, dtype, Side.BELOW)

    def shape(self, observed: Any, expected: Sequence[int], *, clause: str = "") -> None:
        """`observed` is a tensor of exactly this shape."""
        invariant = self._bound(clause)
        seen = list(base(observed).shape) if is_tensor(observed) else type(observed).__name__
        if seen != list(expected):
            self._fail(invariant, "has another shape", str(seen), str(list(expected)))
        self._count += 1

    def raises(
        self,
        error: type[Exception],
        call: Callable[..., Any],
        *arguments: Any,
        naming: Sequence[Any] = (),
        clause: str = "",
    ) -> None:
        """`call(*arguments)` raises `error`, with every item of `naming` in its message as a word of its own."""
        invariant = self._bound(clause)
        try:
            result = call(*arguments)
        except (PvError, Falsified, HypothesisException):
            raise  # the falsifier's own business, not the subject's answer
        except error as raised:
            missing = [str(item) for item in naming if not names(str(raised), str(item))]
            if missing:
                self._fail(
                    invariant, "the error does not name it", repr(str(raised)), f"a message with {', '.join(missing)}"
                )
            self._count += 1
            return
        except Exception as raised:
            self._fail(invariant, "another error was raised", short(raised), error.__name__)
        self._fail(invariant, "nothing was raised", short(result), error.__name__)

    def take(self, other: Check, clause: Invariant) -> None:
        """Count what `other` did against a reference as done here, its nearest too; its failure is one of `clause`."""
        self._count += other.count
        for key, now in other.nearest.items():
            self.nearest[key] = nearer(self.nearest.get(key), now)
        if other.failure is not None:
            found = replace(
                other.failure, invariant=clause.name, message=f"{other.failure.message}, against the reference"
            )
            self.failure = self.failure or found
            raise Falsified(f"{clause.name}: {found.message}: observed {found.observed}, expected {found.expected}")

    def _within(self, invariant: Invariant, observed: Any, limit: Any, dtype: Any, side: Side) -> None:
        seen, wanted = self._finite(invariant, observed, limit)
        if invariant.holds is Holds.EXACT:
            wrong = compare(seen, wanted, Tolerance(0.0), side).wrong
        else:
            name = _dtype_name(observed, dtype)
            wrong = self._compare(invariant, seen, wanted, self._tolerance(invariant, name), side, name).wrong
        self._require(invariant, seen, wanted, ~wrong, f"is {side.name.lower()} the limit")

    def _compare(
        self, invariant: Invariant, seen: Tensor, wanted: Tensor, tolerance: Tolerance, side: Side, dtype: str
    ) -> Compared:
        """The comparison within a tolerance, which is tried once for each invariant and dtype; its nearest is kept."""
        found = compare(seen, wanted, tolerance, side)
        if not seen.numel():
            return found
        if (invariant.name, dtype, side) not in self._probed:
            blind = probe(wanted, tolerance, side, dtype)
            if blind:
                raise PvError(
                    f"{invariant.name} cannot be judged within its tolerance: {blind}",
                    exit=Exit.MEND,
                    hint="narrow the tolerance in the contract",
                )
            self._probed.add((invariant.name, dtype, side))
        residual = found.residual.clamp_min(0.0) + 0.0  # −0.0 would be written as another number
        worst = int((residual / _above_zero(found.bound)).argmax())
        now = Nearest(float(residual.reshape(-1)[worst]), float(found.bound.reshape(-1)[worst]))
        self.nearest[invariant.name, dtype] = nearer(self.nearest.get((invariant.name, dtype)), now)
        return found

    def _bound(self, clause: str) -> Invariant:
        if not clause and len(self._invariants) == 1:
            return next(iter(self._invariants.values()))
        if clause not in self._invariants:
            raise PvError(
                f"this check names the clause {clause!r}; its test is bound to {', '.join(self._invariants)}",
                exit=Exit.MEND,
                hint="name one of these in `clause`",
            )
        return self._invariants[clause]

    def _tolerance(self, invariant: Invariant, dtype: str) -> Tolerance:
        tolerance = invariant.tolerance(dtype)
        if tolerance is None:
            raise PvError(
                f"{invariant.name} states no tolerance for {dtype}", exit=Exit.MEND, hint="add one to the contract"
            )
        return tolerance

    def _alike(self, invariant: Invariant, observed: Any, expected: Any) -> tuple[Tensor, Tensor]:
        """Both as tensors of one shape and one dtype, nothing rounded; fails the check where that cannot be."""
        if not is_tensor(observed):
            self._fail(invariant, "is no tensor", short(observed), f"a tensor of shape {list(base(expected).shape)}")
        seen = plain(observed)
        if is_tensor(expected):
            wanted = plain(expected)
        elif not is_number(expected):
            self._fail(invariant, "is a tensor", str(seen.dtype), short(expected))
        else:
            held = in_dtype(expected, seen.dtype)
            if held is None:
                self._fail(invariant, f"{seen.dtype} cannot hold the number expected", short(seen), repr(expected))
            wanted = held if isinstance(expected, (list, tuple)) else held.expand(seen.shape)
        self._same_shape(invariant, seen, wanted)
        if seen.dtype != wanted.dtype:
            self._fail(invariant, "has another dtype", str(seen.dtype), str(wanted.dtype))
        return seen, wanted

    def _finite(self, invariant: Invariant, observed: Any, expected: Any) -> tuple[Tensor, Tensor]:
        """Both in float64, of one shape and without NaN or infinity; fails the check where that cannot be."""
        for value in (observed, expected):
            if not is_tensor(value) and not is_number(value):
                self._fail(invariant, "is no number", short(observed), short(expected))
        seen, wanted = in_float64(observed), in_float64(expected)
        if not is_tensor(expected) and not isinstance(expected, (list, tuple)):
            wanted = wanted.expand(seen.shape)
        self._same_shape(invariant, seen, wanted)
        finite = torch.isfinite(seen) & torch.isfinite(wanted)
        if not finite.all():
            self._fail_at(invariant, seen, wanted, _first(~finite), "is not finite")
        return seen, wanted

    def _same_shape(self, invariant: Invariant, seen: Tensor, wanted: Tensor) -> None:
        if seen.shape != wanted.shape:
            self._fail(invariant, "has another shape", str(list(seen.shape)), str(list(wanted.shape)))

    def _require(self, invariant: Invariant, seen: Tensor, wanted: Tensor, right: Tensor, wrong: str) -> None:
        """Every element is right. Where there is none, nothing was looked at."""
        if not right.all():
            self._fail_at(invariant, seen, wanted, _first(~right), wrong)
        self._count += bool(right.numel())

    def _fail_at(self, invariant: Invariant, seen: Tensor, wanted: Tensor, flat: int, what: str) -> NoReturn:
        index = index_of(flat, seen.shape)
        where = f" at {index}" if index else ""
        numbers = [repr(tensor.reshape(-1)[flat].item()) for tensor in (seen, wanted)]
        self._fail(invariant, f"{what}{where}", *numbers)

    def _fail(self, invariant: Invariant, message: str, observed: str, expected: str) -> NoReturn:
        message, observed, expected = map(readable, (message, observed, expected))
        # Kept as well as raised: a falsifier that swallows the exception has still been answered.
        failure = Failure(invariant.name, message, observed, expected, _caller())
        self.failure = self.failure or failure
        self._count += 1
        raise Falsified(f"{invariant.name}: {message}: observed {observed}, expected {expected}")


def _first(places: Tensor) -> int:
    return int(places.reshape(-1).to(torch.uint8).argmax())


def _above_zero(bound: Tensor) -> Tensor:
    return bound.clamp_min(1e-300)


def _caller() -> str:
    """`path:line` of the nearest frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_HERE) and frame.f_back is not None:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).as_posix()}:{frame.f_lineno}"


def _dtype_name(observed: Any, dtype: Any) -> str:
    own = base(observed).dtype if is_tensor(observed) else torch.float64
    return str(own if dtype is None else dtype).removeprefix("torch.")
