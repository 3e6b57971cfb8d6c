"""Adam (Kingma & Ba 2015, algorithm 1) with microGPT's constants: one pure step, and the rates of all of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from implementations.microgpt.config import ADAM_EPSILON, BETA1, BETA2, LR


def adam_step(
    parameter: Tensor, gradient: Tensor, m: Tensor, v: Tensor, step: int, learning_rate: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The parameter and both moments after step number `step` (from 1); nothing is changed in place.

    Equation: m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², θ - α (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε).
    All four tensors share one shape (any) and one floating dtype, and the results have them too.
    Not scanned: NaN stays NaN in its own entry; an infinite gradient makes its parameter NaN, a finite one whose square
    overflows leaves it as it was.
    Raises ValueError for unlike shapes or dtypes, a dtype that is not floating, step < 1, a learning rate that is
    negative or not finite, and a negative v.
    """
    _require_alike(parameter, gradient=gradient, m=m, v=v)
    if step < 1:
        raise ValueError(f"step is {step}; at least 1 is needed")
    if not 0.0 <= learning_rate < math.inf:
        raise ValueError(f"learning_rate is {learning_rate!r}; at least 0 and finite is needed")
    if bool((v < 0).any()):
        raise ValueError(f"v holds {float(v[v < 0][0])!r}; at least 0 is needed")
    m = BETA1 * m + (1 - BETA1) * gradient
    v = BETA2 * v + (1 - BETA2) * gradient * gradient
    m_hat = m / (1 - BETA1**step)
    v_hat = v / (1 - BETA2**step)
    return parameter - learning_rate * m_hat / (torch.sqrt(v_hat) + ADAM_EPSILON), m, v


def linear_decay(step: int, num_steps: int) -> float:
    """The learning rate of a step counted from 0: LR · (1 - step / num_steps), LR at the first and 0 at `num_steps`.

    Raises ValueError for num_steps < 1 and for a step outside 0 … num_steps.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps is {num_steps}; at least 1 is needed")
    if not 0 <= step <= num_steps:
        raise ValueError(f"step {step} is outside 0 … {num_steps}")
    return LR * (1 - step / num_steps)


def _require_alike(parameter: Tensor, **others: Tensor) -> None:
    if not parameter.is_floating_point():
        raise ValueError(f"dtype is {parameter.dtype}; a floating-point dtype is needed")
    for name, other in others.items():
        if other.shape != parameter.shape or other.dtype != parameter.dtype:
            seen, needed = (f"{list(tensor.shape)} {tensor.dtype}" for tensor in (other, parameter))
            raise ValueError(f"{name} is {seen}; {needed}, as the parameter, is needed")
