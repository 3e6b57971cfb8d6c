"""`@falsifier` and `@fault`: how a module says which functions attack which clause.

The decorators only mark; nothing runs and nothing is registered globally. `pv` finds the marks in the syntax tree
(`pv.source.falsifiers`) and reads them from the imported module when a trial needs them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from pv.finding import Exit, PvError

F = TypeVar("F", bound=Callable[..., Any])
ROLES = ("subject", "case", "check")


@dataclass(frozen=True, slots=True)
class Falsifier:
    """A marked function: `function(subject, case, check)`, its parameters in any order.

    `cases` maps names of strata to Hypothesis strategies of `Case`; empty when the cases come from the
    equation's arguments.
    """

    test: str
    function: Callable[..., Any]
    cases: tuple[tuple[str, Any], ...] = ()


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


def falsifier(test: str, *, cases: Any = None) -> Callable[[F], F]:
    """Mark a function as the falsifier of the falsification test `test` (`"FALSIFY-MG-003"`).

    Its parameters are roles: `subject` (call it with the equation's arguments), `case` (the arguments drawn, by name) and
    `check` (the only thing that asserts). `cases` is a Hypothesis strategy of `Case`, or a mapping from names of strata to
    such strategies, for what the equation's `arguments` cannot say (input outside the domain, say); by default the
    cases are derived from `arguments`. Raises TypeError when the function has other parameters.
    """
    by_stratum = cases if isinstance(cases, Mapping) else {} if cases is None else {"cases": cases}

    def mark(function: F) -> F:
        parameters = tuple(inspect.signature(function).parameters)
        if not set(parameters) <= set(ROLES) or not {"subject", "check"} <= set(parameters):
            raise TypeError(
                f"falsifier {function.__name__!r} takes {', '.join(parameters) or 'nothing'}; "
                "its parameters are roles: subject and check, and case where it needs the arguments"
            )
        _unmarked(function)
        function.__pv_falsifier__ = Falsifier(test, function, tuple(by_stratum.items()))  # type: ignore[attr-defined] # the mark
        return function

    return mark


def fault(invariant: str) -> Callable[[F], F]:
    """Mark a function as a fault of `invariant` (`"one_hot/one_per_row"`): it returns what a violation would return.

    `f(output, case)` changes the subject's output; `f(subject, case)` calls the subject itself (or does not).
    """

    def mark(function: F) -> F:
        _unmarked(function)
        first = next(iter(inspect.signature(function).parameters), "")
        function.__pv_fault__ = Fault(invariant, function, first == "subject")  # type: ignore[attr-defined] # the mark
        return function

    return mark


def _unmarked(function: Callable[..., Any]) -> None:
    """A second mark would replace the first, and what the first names would go without."""
    if hasattr(function, "__pv_falsifier__") or hasattr(function, "__pv_fault__"):
        raise TypeError(f"{function.__name__!r} is marked twice: write a function for each falsifier and each fault")


def falsifier_in(module: ModuleType, function: str) -> Falsifier:
    """The falsifier that `module` marks under the name `function`; raises PvError when the mark is not there."""
    found = getattr(getattr(module, function, None), "__pv_falsifier__", None)
    if not isinstance(found, Falsifier):
        raise PvError(f"{module.__name__}.{function} is no falsifier once imported", exit=Exit.MEND)
    return found


def fault_in(module: ModuleType, function: str) -> Fault:
    """The fault that `module` marks under the name `function`; raises PvError when the mark is not there."""
    found = getattr(getattr(module, function, None), "__pv_fault__", None)
    if not isinstance(found, Fault):
        raise PvError(f"{module.__name__}.{function} is no fault once imported", exit=Exit.MEND)
    return found
