"""`check`: the only thing in a falsifier that asserts.

It counts what it does, keeps the comparison that came nearest to its bound, takes tolerances from the contract and from
nowhere else, and refuses what makes comparisons lie: shapes that only match by broadcasting, NaN, infinities.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis.errors import HypothesisException

from pv.contract.model import Holds, Invariant, Tolerance
from pv.finding import Exit, PvError


class Falsified(AssertionError):
    """A check failed: the invariant does not hold of this case."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed check saw. `at` is `path:line` of the check in the falsifier."""

    invariant: str
    message: str
    observed: str
    expected: str
    at: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The comparison with the largest residual-to-bound ratio so far."""

    residual: float
    bound: float


class Check:
    """Asserts on behalf of the invariants one falsification test is bound to.

    Every method takes `clause="equation/invariant"`, which may be left out while the test is bound to a single one.
    """

    def __init__(self, invariants: Sequence[Invariant]) -> None:
        self._invariants = {invariant.name: invariant for invariant in invariants}
        self.count = 0
        self.failure: Failure | None = None
        self.nearest: dict[tuple[str, str], Nearest] = {}

    def that(self, condition: bool, message: str, *, clause: str = "") -> None:
        """`condition` is true; `message` says what was seen when it is not."""
        invariant = self._bound(clause)
        if not isinstance(condition, bool):
            raise TypeError(
                f"check.that takes a bool, not {type(condition).__name__}: reduce tensors with .all().item()"
            )
        self.count += 1
        if not condition:
            self._fail(invariant, message, message, invariant.statement)

    def equal(self, observed: Any, expected: Any, *, clause: str = "") -> None:
        """Every element of `observed` is exactly that of `expected` (same shape and dtype, or a plain number for all).

        Exactly as numbers: 0.0 equals −0.0, NaN equals nothing. Anything but tensors has to be of the same type too.
        """
        invariant = self._bound(clause)
        self.count += 1
        if not _is_tensor(observed) and not _is_tensor(expected):
            if not _is_same(observed, expected):
                self._fail(invariant, "differs", _short(observed), _short(expected))
            return
        seen, wanted = self._comparable(invariant, observed, expected)
        wrong = seen != wanted
        if wrong.any():
            self._fail_at(invariant, seen, wanted, wrong, "differs")

    def close(self, observed: Any, expected: Any, *, clause: str = "", dtype: Any = None) -> None:
        """|observed − expected| ≤ absolute + relative · |expected|, element by element, in float64.

        The tolerance is the clause's for the dtype of `observed`, or for `dtype` when `observed` was widened first.
        Raises PvError (the trial is errored) when the contract states none for it.
        """
        import torch

        invariant = self._bound(clause)
        self.count += 1
        name = _dtype_name(observed, dtype)
        tolerance = self._tolerance(invariant, name)
        seen, wanted = self._comparable(invariant, observed, expected, same_dtype=False)
        residual = (seen - wanted).abs()
        bound = tolerance.absolute + tolerance.relative * wanted.abs()
        self._keep(invariant, name, residual, bound)
        wrong = ~(residual <= bound)  # also true where the residual is NaN
        if wrong.any():
            worst = torch.argmax(torch.where(wrong, residual / bound.clamp_min(1e-300), -1.0).reshape(-1))
            over = f"|Δ| {residual.reshape(-1)[worst].item():.3g} > tolerance {bound.reshape(-1)[worst].item():.3g} ({name})"
            self._fail_at(invariant, seen, wanted, wrong, over, int(worst))

    def at_most(self, observed: Any, limit: Any, *, clause: str = "", dtype: Any = None) -> None:
        """observed ≤ limit element by element; a bounded clause adds its tolerance to the limit, an exact one nothing."""
        self._within(self._bound(clause), observed, limit, dtype, sign=1)

    def at_least(self, observed: Any, limit: Any, *, clause: str = "", dtype: Any = None) -> None:
        """observed ≥ limit element by element; see `at_most`."""
        self._within(self._bound(clause), observed, limit, dtype, sign=-1)

    def shape(self, observed: Any, expected: Sequence[int], *, clause: str = "") -> None:
        """`observed` is a tensor of exactly this shape."""
        invariant = self._bound(clause)
        self.count += 1
        seen = list(getattr(observed, "shape", ())) if _is_tensor(observed) else type(observed).__name__
        if seen != list(expected):
            self._fail(invariant, "has another shape", str(seen), str(list(expected)))

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
        self.count += 1
        try:
            result = call(*arguments)
        except (PvError, Falsified, HypothesisException):
            raise  # the falsifier's own business, not the subject's answer
        except error as raised:
            missing = [str(item) for item in naming if not _names(str(raised), str(item))]
            if missing:
                self._fail(
                    invariant, "the error does not name it", repr(str(raised)), f"a message with {', '.join(missing)}"
                )
            return
        except Exception as raised:
            self._fail(invariant, "another error was raised", _short(raised), error.__name__)
        self._fail(invariant, "nothing was raised", _short(result), error.__name__)

    def _within(self, invariant: Invariant, observed: Any, limit: Any, dtype: Any, *, sign: int) -> None:
        self.count += 1
        seen, wanted = self._comparable(invariant, observed, limit, same_dtype=False)
        room = seen.new_zeros(())
        if invariant.holds is not Holds.EXACT:
            tolerance = self._tolerance(invariant, _dtype_name(observed, dtype))
            room = tolerance.absolute + tolerance.relative * wanted.abs()
        wrong = ~(sign * seen <= sign * wanted + room)
        if wrong.any():
            self._fail_at(invariant, seen, wanted, wrong, "is above the limit" if sign > 0 else "is below the limit")

    def _bound(self, clause: str) -> Invariant:
        if not clause and len(self._invariants) == 1:
            return next(iter(self._invariants.values()))
        if clause not in self._invariants:
            raise PvError(
                f"this check names the clause {clause!r}; its test is bound to {', '.join(self._invariants)}",
                exit=Exit.MEND,
            )
        return self._invariants[clause]

    def _tolerance(self, invariant: Invariant, dtype: str) -> Tolerance:
        tolerance = invariant.tolerance(dtype)
        if tolerance is None:
            raise PvError(
                f"{invariant.name} states no tolerance for {dtype}", exit=Exit.MEND, hint="add one to the contract"
            )
        return tolerance

    def _comparable(
        self, invariant: Invariant, observed: Any, expected: Any, *, same_dtype: bool = True
    ) -> tuple[Any, Any]:
        """Both as tensors of one shape without NaN (in float64 unless exact); fails the check where that cannot be."""
        import torch

        # Python's numbers are float64; as torch's default float32 they would not be those that were computed.
        plain = None if same_dtype else torch.float64
        seen = observed.detach() if _is_tensor(observed) else torch.tensor(observed, dtype=plain)
        if _is_tensor(expected):
            wanted = expected.detach()
        elif isinstance(expected, (bool, int, float)):
            wanted = torch.tensor(expected, dtype=seen.dtype if same_dtype else plain)
            if same_dtype and not _fits(expected, wanted):
                self._fail(invariant, f"{seen.dtype} cannot hold the number expected", _short(observed), repr(expected))
            wanted = wanted.expand(seen.shape)
        else:
            wanted = torch.tensor(expected, dtype=plain)
        if seen.shape != wanted.shape:
            self._fail(invariant, "has another shape", str(list(seen.shape)), str(list(wanted.shape)))
        if same_dtype and seen.dtype != wanted.dtype:
            self._fail(invariant, "has another dtype", str(seen.dtype), str(wanted.dtype))
        if not same_dtype:
            seen, wanted = seen.to(torch.float64), wanted.to(torch.float64)
            if not bool(torch.isfinite(seen).all()) or not bool(torch.isfinite(wanted).all()):
                self._fail_at(
                    invariant, seen, wanted, ~(torch.isfinite(seen) & torch.isfinite(wanted)), "is not finite"
                )
        return seen, wanted

    def _keep(self, invariant: Invariant, dtype: str, residual: Any, bound: Any) -> None:
        if not residual.numel():
            return
        ratio = (residual / bound.clamp_min(1e-300)).reshape(-1)
        worst = int(ratio.argmax())
        now = Nearest(float(residual.reshape(-1)[worst]), float(bound.expand(residual.shape).reshape(-1)[worst]))
        before = self.nearest.get((invariant.name, dtype))
        if before is None or now.residual * before.bound > before.residual * now.bound:
            self.nearest[invariant.name, dtype] = now

    def _fail_at(
        self, invariant: Invariant, seen: Any, wanted: Any, wrong: Any, what: str, flat: int | None = None
    ) -> None:
        import torch

        first = int(wrong.reshape(-1).to(torch.uint8).argmax()) if flat is None else flat
        index = _unravel(first, seen.shape)
        where = f" at {index}" if index else ""
        self._fail(
            invariant,
            f"{what}{where}",
            _number(seen.reshape(-1)[first]),
            _number(wanted.reshape(-1)[first]),
        )

    def _fail(self, invariant: Invariant, message: str, observed: str, expected: str) -> None:
        # Kept as well as raised: a falsifier that swallows the exception has still been answered.
        failure = Failure(invariant.name, message, observed, expected, _caller())
        self.failure = self.failure or failure
        raise Falsified(f"{invariant.name}: {message}: observed {observed}, expected {expected}")


def _unravel(flat: int, shape: Sequence[int]) -> list[int]:
    """The index of the element `flat` in row-major order (torch's own imports all of sympy for it)."""
    index = []
    for side in reversed(shape):
        flat, at = divmod(flat, side)
        index.append(at)
    return index[::-1]


def _caller() -> str:
    """`path:line` of the nearest frame outside this file."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).as_posix()}:{frame.f_lineno}"


def _is_tensor(value: Any) -> bool:
    # By name, so that a value of another kind does not need torch; torch.Size has numel too and is a tuple.
    return any(kind.__module__ == "torch" and kind.__name__ == "Tensor" for kind in type(value).__mro__)


def _is_same(observed: Any, expected: Any) -> bool:
    """Type and value, item by item: a list would call NaN equal to itself, and 1 to True."""
    if type(observed) is not type(expected):
        return False
    if isinstance(observed, (list, tuple)):
        return len(observed) == len(expected) and all(map(_is_same, observed, expected))
    return bool(observed == expected)


def _fits(number: float, rounded: Any) -> bool:
    """Whether `rounded` can stand for the plain `number`: a float may be rounded, not overflow; an integer is exact."""
    if isinstance(number, float) and rounded.is_floating_point():
        return math.isfinite(number) == math.isfinite(rounded.item())
    return bool(rounded.item() == number)


def _dtype_name(observed: Any, dtype: Any) -> str:
    return str(dtype if dtype is not None else getattr(observed, "dtype", "float64")).removeprefix("torch.")


def _names(message: str, item: str) -> bool:
    """Whether `item` stands in `message` as a word: 15 does not name 5, nor does 0.5 or −5 (but 1-5 does)."""
    before = r"(?<!\w)(?<!\d\.)" if item[:1].isalnum() else ""
    sign = r"(?<!\W[-−])(?<!^[-−])" if item[:1].isdigit() else ""
    after = r"(?!\w)(?!\.\d)" if item[-1:].isalnum() else ""
    return re.search(before + sign + re.escape(item) + after, message) is not None


def _number(value: Any) -> str:
    return repr(value.item())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:199] + "…"
