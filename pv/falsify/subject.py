"""The code under test as a falsifier sees it: a callable over the equation's arguments, traced, and faulted on demand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pv.contract.model import Invariant
from pv.falsify.cases import Case
from pv.falsify.declare import Fault
from pv.falsify.encode import fingerprint
from pv.falsify.trace import Tracer

# What a check of these looks at is what the smoke check looks at, so their faults need not get past it.
_SMOKE_ABOUT = ("shape", "dtype", "finiteness", "error")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Call it as the equation is written: `subject(indices, num_classes)`."""

    function: Callable[..., Any]
    arguments: tuple[str, ...]
    tracer: Tracer | None = None

    def __call__(self, *values: Any, **named: Any) -> Any:
        if self.tracer is None:
            return self.function(*values, **named)
        self.tracer.start()
        try:
            return self.function(*values, **named)
        finally:
            self.tracer.stop()


class GrossFault(BaseException):
    """A fault that a check of shape, dtype or finiteness alone would catch: it proves nothing about values.

    No Exception: a falsifier that turns every exception of its subject into a failed check must not catch it.
    """


def faulted(subject: Subject, fault: Fault, invariant: Invariant, gross: list[str]) -> Subject:
    """`subject` with `fault` in it.

    Where the violation would not get past the smoke check (it raises, has another type, shape or dtype, is not finite, or
    differs when called again), the reason goes into `gross` and a call raises GrossFault, unless `invariant` is itself
    about what that check looks at.
    """
    plain = Subject(subject.function, subject.arguments)

    def refuse(reason: str) -> NoReturn:
        gross.append(reason)  # kept as well as raised: a falsifier may catch everything
        raise GrossFault(reason)

    def call(*values: Any, **named: Any) -> Any:
        case = Case(dict(zip(subject.arguments, values, strict=False)), **named)
        if invariant.about in _SMOKE_ABOUT:
            return fault.function(plain if fault.wraps else plain(*values, **named), case)
        right = plain(*values, **named)
        wanted = _smoke(right)  # before the fault, which may change the output in place
        try:
            wrong = fault.function(plain if fault.wraps else right, case)
            again = fault.function(plain if fault.wraps else plain(*values, **named), case)
        except Exception as error:
            refuse(f"it raises {type(error).__name__}: {error}")
        seen = _smoke(wrong)
        if seen != wanted:
            refuse(f"it returns {seen} where the subject returns {wanted}")
        if not _same(wrong, again):
            refuse("it returns something else when it is called again")
        return wrong

    return Subject(call, subject.arguments)


def _same(one: Any, other: Any) -> bool:
    try:
        return fingerprint({"output": one}) == fingerprint({"output": other})
    except TypeError:  # an output that no case could hold either: its faults are compared by their checks alone
        return True


def _smoke(output: Any) -> str:
    """Type, shape, dtype and finiteness of an output, in words."""
    if isinstance(output, (tuple, list)):
        return f"{type(output).__name__} of {len(output)} ({', '.join(_smoke(item) for item in output)})"
    if isinstance(output, Mapping):
        return f"mapping ({', '.join(f'{key!r}: {_smoke(item)}' for key, item in output.items())})"
    if hasattr(output, "shape") and hasattr(output, "dtype"):
        import torch

        finite = "finite" if bool(torch.isfinite(output.detach()).all()) else "not finite"
        return f"a {finite} {output.dtype} of shape {list(output.shape)}"
    if isinstance(output, float):
        return f"a {'finite' if math.isfinite(output) else 'not finite'} {type(output).__name__}"
    return type(output).__name__
