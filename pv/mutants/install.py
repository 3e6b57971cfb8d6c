"""Putting a mutant's code where the original's is, for a while: in the function object, so that every alias sees it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakSet

from pv.finding import PvError
from pv.mutants.home import signature

# A function's code is one for the whole process, and so is the knowledge that it has been exchanged.
_EXCHANGED: WeakSet[FunctionType] = WeakSet()


def resolve(module: ModuleType, qualname: str) -> FunctionType:
    """The Python function that runs when `qualname` (`rms_norm`, `Adam.step`) of `module` is called.

    Looks through decorators that keep `__wrapped__` (functools.wraps, lru_cache), partial objects, static and class
    methods, and the getter of a property. An inherited method is the function of the class that defines it: its own
    `__module__`, `__code__.co_qualname` and `co_firstlineno` say where its text is.
    Raises PvError when there is no such name, or no Python function behind it (a class, a builtin, something compiled).
    """
    found: Any = module
    for name in qualname.split("."):
        try:
            # a class is not asked, but read: asking would run descriptors and hide what they wrap
            found = getattr(found, name) if isinstance(found, ModuleType) else inspect.getattr_static(found, name)
        except AttributeError:
            raise PvError(
                f"{module.__name__}:{qualname} is not there: nothing is called {name!r}",
                hint="mend the target in contracts/binding.yaml",
            ) from None
    behind = _behind(found)
    if not isinstance(behind, FunctionType):
        hint = (
            "name a method of it"
            if isinstance(behind, type)
            else "only a function written in Python has code to mutate"
        )
        kind = "class" if isinstance(behind, type) else type(behind).__name__
        raise PvError(f"{module.__name__}:{qualname} is a {kind}: there is no Python function behind it", hint=hint)
    return behind


@contextmanager
def installed(function: FunctionType, code: CodeType) -> Iterator[None]:
    """`function` runs `code` inside the `with`, under all its names and in all threads; afterwards its own again.

    Raises PvError when another code is installed in it already, and when `code` is that of another function, or of
    another version of its file: name, first line, flags, arguments and free variables must be the same.
    """
    original = function.__code__
    if function in _EXCHANGED:
        raise PvError(
            f"{function.__qualname__} has another code installed already: one mutant at a time",
            hint="end the one before the next begins",
        )
    own, other = signature(original), signature(code)
    if own != other:
        what = f"{code.co_qualname} (line {code.co_firstlineno})"
        differ = " and ".join(f"the {name}" for name in own if own[name] != other[name])
        raise PvError(
            f"the code of {what} cannot stand in for {original.co_qualname} (line {original.co_firstlineno}): {differ} differ",
            hint="was the file changed after it was imported?",
        )
    _EXCHANGED.add(function)
    try:
        function.__code__ = code
        yield
    finally:
        function.__code__ = original
        _EXCHANGED.discard(function)


def _behind(found: Any) -> Any:
    """What is reached when every wrapper is taken off."""
    seen: set[int] = set()
    while id(found) not in seen:
        seen.add(id(found))
        if isinstance(found, functools.partial | functools.partialmethod | functools.cached_property):
            found = found.func
        elif isinstance(found, staticmethod | classmethod | MethodType):
            found = found.__func__
        elif isinstance(found, property):
            found = found.fget
        else:
            found = getattr(found, "__wrapped__", found)
    return found
