"""Adam: against torch's own, as a pure step, and what it refuses."""

import math

import pytest
import torch

from implementations.microgpt.config import ADAM_EPSILON, BETA1, BETA2, LR
from implementations.microgpt.optimizer import adam_step, linear_decay


def largest_gap_to_torch(betas: tuple[float, float]) -> float:
    """How far ten of our steps end from ten of torch's with these betas."""
    start = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4)
    theirs = torch.nn.Parameter(start.clone())
    ours, m, v = start, torch.zeros_like(start), torch.zeros_like(start)
    oracle = torch.optim.Adam([theirs], betas=betas, eps=ADAM_EPSILON)
    for step in range(10):
        rate = linear_decay(step, 10)
        ours, m, v = adam_step(ours, slope(ours), m, v, step + 1, rate)
        oracle.param_groups[0]["lr"] = rate
        theirs.grad = slope(theirs.detach())
        oracle.step()
    return (ours - theirs).abs().max().item()


def slope(x: torch.Tensor) -> torch.Tensor:
    """The gradient of Σ sin(x · k) with k = 0 … 3 along the last axis."""
    return torch.arange(4.0) * (x * torch.arange(4.0)).cos()


def test_ten_steps_equal_torchs_adam():
    assert largest_gap_to_torch((BETA1, BETA2)) < 1e-12


def test_ten_steps_with_another_beta_do_not():
    assert largest_gap_to_torch((0.9, BETA2)) > 1e-4


def test_the_first_step_moves_by_the_learning_rate_against_the_gradient():
    zero = torch.zeros(2, dtype=torch.float64)
    gradient = torch.tensor([3.0, -0.5], dtype=torch.float64)
    moved, m, v = adam_step(zero, gradient, zero, zero, 1, 0.1)
    torch.testing.assert_close(moved, torch.tensor([-0.1, 0.1], dtype=torch.float64))
    torch.testing.assert_close(m, (1 - BETA1) * gradient)
    torch.testing.assert_close(v, (1 - BETA2) * gradient**2)


def test_a_step_leaves_its_arguments_alone():
    arguments = [torch.full((2,), value) for value in (1.0, 2.0, 3.0, 4.0)]
    adam_step(*arguments, 1, 0.1)
    assert [argument.tolist() for argument in arguments] == [[value] * 2 for value in (1.0, 2.0, 3.0, 4.0)]


def test_nan_stays_in_its_entry_and_infinity_is_treated_as_documented():
    zero = torch.zeros(4)
    moved, _, _ = adam_step(zero, torch.tensor([math.nan, math.inf, 1e30, 1.0]), zero, zero, 1, 0.1)
    assert moved[:2].isnan().all()
    assert moved[2] == 0
    assert moved[3] == pytest.approx(-0.1)


TWO, THREE = torch.zeros(2), torch.zeros(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TWO, TWO, TWO, TWO, 0, 0.1), "step is 0; at least 1"),
        ((TWO, TWO, TWO, TWO, 1, -0.1), r"learning_rate is -0\.1; at least 0 and finite"),
        ((TWO, TWO, TWO, TWO, 1, math.inf), "learning_rate is inf; at least 0 and finite"),
        ((TWO, TWO, TWO, TWO, 1, math.nan), "learning_rate is nan; at least 0 and finite"),
        ((TWO, THREE, TWO, TWO, 1, 0.1), r"gradient is \[3\] torch.float32; \[2\] torch.float32"),
        ((TWO, TWO, THREE, TWO, 1, 0.1), r"m is \[3\] torch.float32; \[2\] torch.float32"),
        ((TWO, TWO, TWO, THREE, 1, 0.1), r"v is \[3\] torch.float32; \[2\] torch.float32"),
        ((TWO, TWO, TWO, TWO.double(), 1, 0.1), r"v is \[2\] torch.float64; \[2\] torch.float32"),
        ((TWO.long(), TWO, TWO, TWO, 1, 0.1), "dtype is torch.int64; a floating-point dtype"),
        ((TWO, TWO, TWO, TWO - 0.5, 1, 0.1), r"v holds -0\.5; at least 0"),
    ],
)
def test_a_wrong_step_is_refused_by_value_and_bound(arguments, message):
    with pytest.raises(ValueError, match=message):
        adam_step(*arguments)


def test_the_learning_rate_decays_in_a_line_to_zero():
    assert [linear_decay(step, 4) for step in range(5)] == pytest.approx([LR, 0.75 * LR, 0.5 * LR, 0.25 * LR, 0])


@pytest.mark.parametrize(
    ("step", "num_steps", "message"),
    [(0, 0, "num_steps is 0; at least 1"), (-1, 5, "step -1 is outside 0 … 5"), (6, 5, "step 6 is outside 0 … 5")],
)
def test_a_step_outside_the_schedule_is_refused(step, num_steps, message):
    with pytest.raises(ValueError, match=message):
        linear_decay(step, num_steps)
