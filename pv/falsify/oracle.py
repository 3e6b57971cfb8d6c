"""The subject held against a reference: whenever it is called, so is that, with copies of the same arguments.

What a reference returns is values: they are compared in float64, and types, shapes and structure have to be the same. Not a
number in the same place on both sides agrees, and so does the same infinity.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from hypothesis.errors import HypothesisException
from torch import Tensor

from pv.contract.model import Invariant
from pv.falsify.check import Check, Falsified, Probed
from pv.falsify.comparison import in_float64
from pv.falsify.subject import Subject
from pv.falsify.telling import short
from pv.finding import PvError

Given = tuple[list[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """A reference, and the invariants within whose tolerance a subject has to be of it; without any, exactly there.

    `clause` is the one of the test under which it is told that they differ.
    """

    reference: Subject
    bounds: tuple[Invariant, ...]
    clause: Invariant
    arguments: tuple[str, ...]
    probed: Probed = field(default_factory=set)

    def beside(self, subject: Subject, check: Check) -> Subject:
        """`subject`, each of whose calls is also the reference's; where they differ, a check of `check` has failed."""

        def call(*values: Any, **named: Any) -> Any:
            given = [detached(value) for value in values], {name: detached(value) for name, value in named.items()}
            try:
                output = subject(*values, **named)
            except (PvError, Falsified, HypothesisException):
                raise
            except Exception as error:
                self._raised(error, given, check)
                raise
            self._returned(output, given, check)
            return output

        return Subject(call, self.arguments)

    def _raised(self, error: Exception, given: Given, check: Check) -> None:
        try:
            wanted = f"returns {short(self._refer(given))}"
        except PvError:
            raise
        except Exception as expected:
            wanted = _raises(expected)
        self._judge(check, lambda inner: inner.equal(_raises(error), wanted))

    def _returned(self, output: Any, given: Given, check: Check) -> None:
        try:
            expected = self._refer(given)
        except PvError:
            raise
        except Exception as error:
            wanted = _raises(error)
            self._judge(check, lambda inner: inner.equal(f"returns {short(output)}", wanted))
            return
        self._compare(output, expected, check)

    def _refer(self, given: Given) -> Any:
        """What the reference makes of it. It is watched by itself, and whoever watched before goes on."""
        before, threads = sys.getprofile(), threading.getprofile()
        try:
            return self.reference(*given[0], **given[1])
        finally:
            sys.setprofile(before)
            threading.setprofile(threads)

    def _compare(self, seen: Any, wanted: Any, check: Check) -> None:
        match seen:
            case Tensor() if isinstance(wanted, Tensor):
                self._compare_tensors(seen.detach(), wanted.detach(), check)
            case float() if type(wanted) is float:
                self._compare_tensors(in_float64(seen), in_float64(wanted), check)
            case list() | tuple() if type(wanted) is type(seen) and len(wanted) == len(seen):
                for one, other in zip(seen, wanted, strict=True):
                    self._compare(one, other, check)
            case Mapping() if isinstance(wanted, Mapping) and list(wanted) == list(seen):
                for key in seen:
                    self._compare(seen[key], wanted[key], check)
            case _ if type(seen) is type(wanted):
                self._judge(check, lambda inner: inner.equal(seen, wanted))
            case _:
                self._judge(check, lambda inner: inner.equal(_kind(seen), _kind(wanted)))

    def _compare_tensors(self, seen: Tensor, wanted: Tensor, check: Check) -> None:
        if wanted.dtype not in (seen.dtype, torch.float64):
            self._judge(check, lambda inner: inner.equal(seen.dtype, wanted.dtype))
        dtype = str(seen.dtype).removeprefix("torch.")
        bound = next((clause for clause in self.bounds if clause.tolerance(dtype) is not None), None)
        one, other = _without_what_agrees(seen, wanted)
        if bound is not None and seen.is_floating_point():
            self._judge(check, lambda inner: inner.close(one, other), bound)
        elif one.dtype == other.dtype:
            self._judge(check, lambda inner: inner.equal(one, other))
        else:
            self._judge(check, lambda inner: inner.equal(in_float64(one), in_float64(other)))

    def _judge(self, check: Check, compare: Callable[[Check], None], bound: Invariant | None = None) -> None:
        """What `compare` does with a check of its own counts as done by `check`, and its failure is one of `clause`."""
        inner = Check((bound or self.clause,), self.probed)
        with suppress(Falsified):
            compare(inner)
        check.take(inner, self.clause)


def detached(value: Any) -> Any:
    """A copy of `value` whose tensors have memory of their own and belong to no graph."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, (list, tuple)):
        return type(value)(detached(item) for item in value)
    if isinstance(value, Mapping):
        return {key: detached(item) for key, item in value.items()}
    return value


def _without_what_agrees(seen: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Both, with zeros where both are not a number or the same infinity, which no comparison of numbers could tell."""
    if seen.shape != wanted.shape or not seen.is_floating_point() or not wanted.is_floating_point():
        return seen, wanted
    alike = (seen.isnan() & wanted.isnan()) | (seen.isinf() & (seen.double() == wanted.double()))
    return seen.masked_fill(alike, 0.0), wanted.masked_fill(alike, 0.0)


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _raises(error: Exception) -> str:
    kind = type(error)
    return (
        f"raises {kind.__qualname__}"
        if kind.__module__ == "builtins"
        else f"raises {kind.__module__}.{kind.__qualname__}"
    )
