"""`@falsifier`, `@fault` and `@stratum`: how a module says which functions attack which clause, and with what cases.

The decorators only mark; nothing runs and nothing is registered globally. `pv` finds the marks in the syntax tree
(`pv.source.falsifiers`) and reads them from the imported module when a trial needs them.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from pv.finding import Exit, PvError

F = TypeVar("F", bound=Callable[..., Any])
ROLES = ("subject", "case", "check")
TYPES = ("tensor", "integer", "real", "text")


@dataclass(frozen=True, slots=True)
class Falsifier:
    """A marked function: `function(subject, case, check)`, its parameters in any order.

    `cases` maps names of strata to Hypothesis strategies of `Case`; empty when the cases come from the equation's arguments.
    `because` says why it brings its own, or gives the subject others than it was given. `examples` (cases over all strata) and
    `timeout` (seconds) are its own, or None; one that is `slow` is listed apart.
    """

    test: str
    function: Callable[..., Any]
    cases: tuple[tuple[str, Any], ...] = ()
    because: str = ""
    examples: int | None = None
    timeout: float | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A marked way to violate one invariant.

    `function(output, case)` gives the output the violation would have; when its first parameter is called `subject`,
    `function(subject, case)` makes the call itself. `case` holds the arguments of that call.
    """

    invariant: str
    function: Callable[..., Any]
    wraps: bool

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.__name__


@dataclass(frozen=True, slots=True)
class OwnStratum:
    """A marked way to draw values of one type: `draw(draw, spec, drawn)`, and `holds(value, spec)` that recognises them.

    `sizes(min, max, is_last)` narrows the sizes of the value's shape letters; None leaves them as they are.
    """

    type: str
    name: str
    draw: Callable[..., Any]
    holds: Callable[..., Any]
    sizes: Callable[..., Any] | None


def falsifier(
    test: str,
    *,
    cases: Any = None,
    because: str = "",
    examples: int | None = None,
    timeout: float | None = None,
    slow: bool = False,
) -> Callable[[F], F]:
    """Mark a function as the falsifier of the falsification test `test` (`"FALSIFY-MG-003"`).

    Its parameters are roles: `subject` (call it with the equation's arguments), `case` (the arguments drawn, by name) and
    `check` (the only thing that asserts). Its cases come from the equation's `arguments`; what those cannot say (input
    outside the domain, say) is given as `cases`, a Hypothesis strategy of `Case` or a mapping from names of strata to such
    strategies, with the reason in `because`. `examples` is how many cases it needs in place of the run's own number,
    `timeout` how many seconds its trial may take, `slow` that it is to be listed apart and that its proof need not make equal
    calls twice (docs/cases.md).

    >>> import pv
    >>> @pv.falsifier("FALSIFY-CAP-001")
    ... def nothing_leaves_the_cap(subject, case, check):
    ...     check.at_most(subject(case.x).abs(), 30.0)

    Raises TypeError or ValueError when the function has other parameters, or one of these is not what it must be.
    """
    by_stratum = cases if isinstance(cases, Mapping) else {} if cases is None else {"cases": cases}
    _require_reason(test, by_stratum, because)
    _require_budget(examples, timeout, slow)

    def mark(function: F) -> F:
        _require_roles(function)
        _unmarked(function)
        found = Falsifier(test, function, tuple(by_stratum.items()), because, examples, timeout, slow)
        function.__pv_falsifier__ = found  # type: ignore[attr-defined] # the mark
        return function

    return mark


def stratum(
    type: str,  # noqa: A002 -- the contract's own word for it
    name: str,
    *,
    holds: Callable[..., Any],
    sizes: Callable[..., Any] | None = None,
) -> Callable[[F], F]:
    """Mark a function as the way to draw the stratum `name` of arguments of `type` (tensor, integer, real or text).

    `function(draw, spec, drawn)` gives a value: `draw` is Hypothesis' own, `spec` the argument as the contract states it,
    `drawn` what was drawn before (`drawn.shape(spec)`, `drawn.ordinary(draw, spec)`). `holds(value, spec)` says whether a
    value is in the stratum: a case counts for it only then. `sizes(least, greatest, is_last)` narrows the sizes that the
    letters of the argument's shape take. A contract of the project may then name the stratum. See docs/cases.md.

    >>> import pv
    >>> @pv.stratum("integer", "even", holds=lambda value, spec: value % 2 == 0)
    ... def even_numbers(draw, spec, drawn):
    ...     return drawn.ordinary(draw, spec) // 2 * 2

    Raises ValueError for a type or a name that no contract could have.
    """
    if type not in TYPES:
        raise ValueError(f"{type!r} is no type of an argument: {', '.join(TYPES)}")
    if re.fullmatch("[a-z][a-z0-9_]*", name) is None:
        raise ValueError(f"a stratum is called by small letters, digits and _, not {name!r}")

    def mark(function: F) -> F:
        _unmarked(function)
        function.__pv_stratum__ = OwnStratum(type, name, function, holds, sizes)  # type: ignore[attr-defined] # the mark
        return function

    return mark


def fault(invariant: str) -> Callable[[F], F]:
    """Mark a function as a fault of `invariant` (`"one_hot/one_per_row"`): it returns what a violation would return.

    `f(output, case)` changes the subject's output; `f(subject, case)` calls the subject itself (or does not).

    >>> import pv
    >>> @pv.fault("soft_cap/capped")
    ... def no_cap_at_all(y, case):
    ...     return case.x
    """

    def mark(function: F) -> F:
        _unmarked(function)
        first = next(iter(inspect.signature(function).parameters), "")
        function.__pv_fault__ = Fault(invariant, function, first == "subject")  # type: ignore[attr-defined] # the mark
        return function

    return mark


def _unmarked(function: Callable[..., Any]) -> None:
    """A second mark would replace the first, and what the first names would go without."""
    if any(hasattr(function, f"__pv_{kind}__") for kind in ("falsifier", "fault", "stratum")):
        raise TypeError(
            f"{function.__name__!r} is marked twice: write a function for each falsifier, fault and stratum"
        )


def _require_roles(function: Callable[..., Any]) -> None:
    parameters = tuple(inspect.signature(function).parameters)
    if not set(parameters) <= set(ROLES) or not {"subject", "check"} <= set(parameters):
        raise TypeError(
            f"falsifier {function.__name__!r} takes {', '.join(parameters) or 'nothing'}; "
            "its parameters are roles: subject and check, and case where it needs the arguments"
        )


def _require_reason(test: str, cases: Mapping[str, Any], because: object) -> None:
    if not isinstance(because, str) or (cases and not because):
        raise TypeError(
            f"falsifier of {test!r}: cases come from the equation's arguments; with cases= goes because=, "
            "why the arguments cannot give them"
        )
    dotted = next((name for name in cases if "." in name), None)
    if dotted is not None:  # as the strata of arguments are called
        raise TypeError(f"falsifier of {test!r}: a stratum of its own is called without a dot, not {dotted!r}")


def _require_budget(examples: object, timeout: object, slow: object) -> None:
    _positive("examples", examples, (int,))
    _positive("timeout", timeout, (int, float))
    if not isinstance(slow, bool):
        raise TypeError(f"slow is True or False, not {slow!r}")


def _positive(name: str, value: object, kinds: tuple[type, ...]) -> None:
    if value is None:
        return
    if type(value) not in kinds:
        raise TypeError(f"{name} is a number, not {value!r}")
    if not 0 < value < math.inf:  # type: ignore[operator] # one of `kinds`
        raise ValueError(f"{name} is above 0, not {value!r}")


def falsifier_in(module: ModuleType, function: str) -> Falsifier:
    """The falsifier that `module` marks under the name `function`; raises PvError when the mark is not there."""
    found = getattr(getattr(module, function, None), "__pv_falsifier__", None)
    if not isinstance(found, Falsifier):
        raise PvError(
            f"{module.__name__}.{function} is no falsifier once imported",
            exit=Exit.MEND,
            hint="leave the name to the function that is marked",
        )
    return found


def fault_in(module: ModuleType, function: str) -> Fault:
    """The fault that `module` marks under the name `function`; raises PvError when the mark is not there."""
    found = getattr(getattr(module, function, None), "__pv_fault__", None)
    if not isinstance(found, Fault):
        raise PvError(
            f"{module.__name__}.{function} is no fault once imported",
            exit=Exit.MEND,
            hint="leave the name to the function that is marked",
        )
    return found


def stratum_in(module: ModuleType, function: str) -> OwnStratum:
    """The stratum that `module` marks under the name `function`; raises PvError when the mark is not there."""
    found = getattr(getattr(module, function, None), "__pv_stratum__", None)
    if not isinstance(found, OwnStratum):
        raise PvError(
            f"{module.__name__}.{function} is no stratum once imported",
            exit=Exit.MEND,
            hint="leave the name to the function that is marked",
        )
    return found
