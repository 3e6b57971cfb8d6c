"""Answers that are kept, for a subject or a reference that is slow: faults and mutants are judged by the same cases again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pv.falsify.encode import fingerprint

ROOM = 256 * 2**20  # bytes of tensors that one function's answers may take


class Remembered:
    """`function`, called once for equal arguments; whoever asks again is given a copy of what it returned.

    Kept is what is done: numbers, text and tensors without a graph. Whatever else it returns or raises is made anew each time.
    """

    __slots__ = ("_answers", "_room", "function")

    def __init__(self, function: Callable[..., Any], room: int = ROOM) -> None:
        self.function = function
        self._answers: dict[bytes, Any] = {}
        self._room = room

    def __call__(self, *values: Any, **named: Any) -> Any:
        try:
            key = fingerprint({"values": values, "named": named})
        except TypeError:  # no case could hold them either
            return self.function(*values, **named)
        if key not in self._answers:
            output = self.function(*values, **named)
            size = sum(_sizes(output))
            if size > self._room or not is_done(output):
                return output
            self._room -= size
            self._answers[key] = copy.deepcopy(output)
            return output
        return copy.deepcopy(self._answers[key])


def behind(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is called when nothing is remembered."""
    return function.function if isinstance(function, Remembered) else function


def is_done(output: Any) -> bool:
    """Whether nothing of the call that returned `output` can run any more: it is numbers, text and tensors without a graph."""
    if isinstance(output, (list, tuple)):
        return all(is_done(item) for item in output)
    if isinstance(output, dict):
        return all(is_done(item) for item in output.values())
    if hasattr(output, "requires_grad"):
        return not output.requires_grad
    return output is None or isinstance(output, (bool, int, float, complex, str, bytes)) or hasattr(output, "__array__")


def _sizes(output: Any) -> Iterator[int]:
    if isinstance(output, (list, tuple)):
        yield from (size for item in output for size in _sizes(item))
    elif isinstance(output, Mapping):
        yield from (size for item in output.values() for size in _sizes(item))
    else:
        yield int(getattr(output, "nbytes", 0))
