"""What a subject answers to a case, so that two subjects can be held against each other bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pv.contract.model import Equation
from pv.falsify.cases import Case
from pv.falsify.comparison import in_float64
from pv.falsify.encode import fingerprint
from pv.falsify.judge import copied
from pv.falsify.subject import Subject
from pv.falsify.telling import short


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What one case came to: `bits` are equal where nothing can be told apart, `values` the tensors and numbers returned.

    `kind` is type, shape and dtype in words, or the exception.
    """

    bits: bytes
    kind: str
    values: tuple[Tensor, ...] = ()


def answer_to(subject: Subject, case: Case, *, gradients: bool) -> Answered:
    """What `subject` makes of `case`: its output, with `gradients` also that of a fixed weighted sum of it, or its error."""
    given = _with_gradients(case) if gradients else copied(case)
    try:
        with subject.in_force():
            output = subject(*given)
            values = {"output": output, "arguments": list(given)}  # what it did to its arguments is part of its answer
            if gradients:
                values["gradients"] = _gradients(output, given)
        bits = fingerprint(_plain(values))
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        return Answered(said.encode(errors="backslashreplace"), f"it raises {said}"[:200])
    return Answered(bits, _kind(output), tuple(_numbers(output)))


def wants_gradients(equation: Equation) -> bool:
    """Whether a clause of the equation is about gradients: then they are part of what its subject answers."""
    return any(invariant.about == "gradient" for invariant in equation.invariants)


def farthest(one: Answered, other: Answered) -> tuple[float, float]:
    """(|Δ|, magnitude of `one`) where the values of two answers of one kind are farthest apart, relatively."""
    worst = (0.0, 0.0)
    for mine, others in zip(one.values, other.values, strict=True):
        if mine.numel() and mine.shape == others.shape:
            away, size = (mine - others).abs().reshape(-1), mine.abs().reshape(-1)
            at = int(torch.nan_to_num(away / (size + 1e-300), nan=float("inf")).argmax())
            worst = max(worst, (float(away[at]), float(size[at])), key=lambda pair: pair[0] / (pair[1] + 1e-300))
    return worst


def _with_gradients(case: Case) -> Case:
    return Case({name: _leaf(value) for name, value in copied(case).values.items()})


def _leaf(value: Any) -> Any:
    return value.detach().requires_grad_() if isinstance(value, Tensor) and value.is_floating_point() else value


def _gradients(output: Any, case: Case) -> list[Tensor | None]:
    outputs = [value for value in _parts(output) if isinstance(value, Tensor) and value.grad_fn is not None]
    inputs = [value for value in case if isinstance(value, Tensor) and value.requires_grad]
    if not outputs or not inputs:
        return []
    drawn = torch.Generator().manual_seed(0)
    weighted = [(value * torch.randn(value.shape, generator=drawn, dtype=value.dtype)).sum() for value in outputs]
    found = torch.autograd.grad(weighted, inputs, allow_unused=True)
    return [None if one is None else one + 0.0 for one in found]  # no check tells −0.0 from 0.0


def _parts(output: Any) -> Iterator[Any]:
    if isinstance(output, (list, tuple)):
        for item in output:
            yield from _parts(item)
    elif isinstance(output, Mapping):
        for item in output.values():
            yield from _parts(item)
    else:
        yield output


def _numbers(output: Any) -> Iterator[Tensor]:
    for part in _parts(output):
        if isinstance(part, (Tensor, int, float)):
            yield in_float64(part)


def _plain(value: Any) -> Any:
    """`value` as `fingerprint` reads it: without a graph; what no case can hold by its text."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_plain, value)]
    return value if value is None or isinstance(value, (bool, int, float, str, bytes)) else short(value)


def _kind(output: Any) -> str:
    if isinstance(output, Tensor):
        return f"a {output.dtype} of shape {list(output.shape)}"
    if isinstance(output, (list, tuple)):
        return f"{type(output).__name__} ({', '.join(map(_kind, output))})"
    return type(output).__name__
