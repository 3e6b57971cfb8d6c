"""The kernels: values against torch's own, gradients against finite differences, refusals by value and bound."""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.autograd.gradcheck import GradcheckError

from implementations.microgpt.config import MASK_VALUE, RMS_EPSILON
from implementations.microgpt.kernels import causal_mask, one_hot, rms_norm, softmax, weighted_sample

INFINITY = math.inf
NAN = math.nan


def rows(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


def test_one_hot_marks_the_index_of_each_row():
    encoded = one_hot(torch.tensor([2, 0]), 3)
    assert encoded.dtype == torch.float32
    assert encoded.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


def test_one_hot_takes_a_dtype_and_no_indices():
    assert one_hot(torch.tensor([1]), 2, dtype=torch.float64).dtype == torch.float64
    assert one_hot(torch.tensor([], dtype=torch.int64), 5).shape == (0, 5)


def test_one_hot_times_a_matrix_selects_its_rows_exactly():
    table, indices = rows(5, 4).float(), torch.tensor([4, 4, 0])
    assert torch.equal(one_hot(indices, 5) @ table, table[indices])


@pytest.mark.parametrize(
    ("indices", "num_classes", "message"),
    [
        (torch.tensor([0, 5]), 3, r"index 5 is outside 0 … 2 \(3 classes\)"),
        (torch.tensor([3]), 3, r"index 3 is outside 0 … 2 \(3 classes\)"),
        (torch.tensor([2, -1]), 3, r"index -1 is outside 0 … 2 \(3 classes\)"),
        (torch.tensor([0]), 0, "num_classes is 0; at least 1"),
        (torch.tensor([0.0]), 3, r"\[1\] torch.float32; \[n\] torch.int64"),
        (torch.tensor([[0]]), 3, r"\[1, 1\] torch.int64; \[n\] torch.int64"),
    ],
)
def test_one_hot_refuses_and_names_value_and_bound(indices, num_classes, message):
    with pytest.raises(ValueError, match=message):
        one_hot(indices, num_classes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rms_norm_equals_torchs(dtype):
    x = rows(3, 5, 16).to(dtype)
    torch.testing.assert_close(rms_norm(x), torch.nn.functional.rms_norm(x, (16,), eps=RMS_EPSILON))


def test_rms_norm_has_its_epsilon_inside_the_root():
    tiny = torch.full((1, 4), 1e-3, dtype=torch.float64)
    inside = 1e-3 / math.sqrt(1e-6 + RMS_EPSILON)
    outside = 1e-3 / (1e-3 + RMS_EPSILON)
    assert rms_norm(tiny)[0, 0].item() == pytest.approx(inside, rel=1e-12)
    assert inside != pytest.approx(outside, rel=0.5)


def test_rms_norm_gives_each_row_the_norm_of_its_width():
    assert rms_norm(100 * rows(5, 16)).norm().item() == pytest.approx(math.sqrt(5) * 4, rel=1e-6)


def test_rms_norm_keeps_zero_at_zero_and_its_gradient_finite():
    x = torch.zeros(2, 4, requires_grad=True)
    rms_norm(x).sum().backward()
    assert rms_norm(x).tolist() == [[0.0] * 4] * 2
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.full((2, 4), RMS_EPSILON**-0.5))


def test_rms_norm_treats_nan_and_infinity_as_documented():
    normed = rms_norm(torch.tensor([[NAN, 1.0], [INFINITY, 1.0], [3e38, 1.0], [1.0, 1.0]]))
    assert normed[0].isnan().all()
    assert normed[1, 0].isnan()
    assert normed[1, 1] == 0
    assert normed[2].tolist() == [0.0, 0.0]
    assert normed[3].isfinite().all()


def test_rms_norm_has_the_gradient_of_its_formula():
    x = rows(3, 6)
    assert gradcheck(rms_norm, x)
    assert gradgradcheck(rms_norm, x)


def test_a_detached_scale_is_caught_by_the_gradient_check():
    def detached(x: torch.Tensor) -> torch.Tensor:
        return x / (x.detach().square().mean(-1, keepdim=True) + RMS_EPSILON).sqrt()

    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradcheck(detached, rows(3, 6))


def test_causal_mask_is_zero_up_to_the_diagonal_and_the_mask_value_above():
    masked = MASK_VALUE
    assert causal_mask(3).tolist() == [[0, masked, masked], [0, 0, masked], [0, 0, 0]]
    assert causal_mask(1, torch.float64).dtype == torch.float64


@pytest.mark.parametrize("n", [0, -1])
def test_causal_mask_refuses_a_size_below_one(n):
    with pytest.raises(ValueError, match=f"n is {n}; at least 1"):
        causal_mask(n)


@pytest.mark.parametrize("dtype", [torch.float16, torch.int64])
def test_causal_mask_refuses_a_dtype_that_cannot_hold_its_value(dtype):
    with pytest.raises(ValueError, match=rf"{dtype} cannot hold the mask value -1000000000\.0"):
        causal_mask(2, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_softmax_equals_torchs(dtype):
    x = rows(4, 3, 7).to(dtype)
    torch.testing.assert_close(softmax(x), torch.softmax(x, -1))


def test_softmax_of_huge_finite_input_is_finite():
    assert softmax(torch.tensor([[3e38, -3e38, 3e38], [1e9, 0.0, 0.0]])).tolist() == [[0.5, 0, 0.5], [1, 0, 0]]


def test_softmax_treats_nan_and_infinity_as_documented():
    probabilities = softmax(torch.tensor([[NAN, 0], [INFINITY, 0], [-INFINITY, -INFINITY], [-INFINITY, 0], [0, 0]]))
    assert probabilities[:3].isnan().all()
    assert probabilities[3:].tolist() == [[0.0, 1.0], [0.5, 0.5]]


@pytest.mark.parametrize("x", [rows(3, 5), torch.zeros(2, 4, dtype=torch.float64, requires_grad=True)])
def test_softmax_has_the_gradient_of_its_formula_at_ties_too(x):
    assert gradcheck(softmax, x)
    assert gradgradcheck(softmax, x)


def test_a_detached_normaliser_is_caught_by_the_gradient_check():
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradcheck(lambda x: x.exp() / x.detach().exp().sum(-1, keepdim=True), rows(3, 5))


@pytest.mark.parametrize("kernel", [rms_norm, softmax])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.tensor([1, 2]), "dtype is torch.int64; a floating-point dtype"),
        (torch.empty(3, 0), r"shape is \[3, 0\]; a last axis of at least 1"),
        (torch.tensor(1.0), r"shape is \[\]; a last axis of at least 1"),
    ],
)
def test_row_kernels_refuse_and_name_value_and_bound(kernel, x, message):
    with pytest.raises(ValueError, match=message):
        kernel(x)


@pytest.mark.parametrize(
    ("probabilities", "draw", "index"),
    [
        ([0.25, 0.5, 0.25], 0.0, 0),
        ([0.25, 0.5, 0.25], 0.25, 0),
        ([0.25, 0.5, 0.25], 0.26, 1),
        ([0.25, 0.5, 0.25], 0.75, 1),
        ([0.25, 0.5, 0.25], 0.76, 2),
        ([0.0, 0.0, 1.0], 0.5, 2),
        ([0.0, 1.0], 0.0, 0),
        ([0.25, 0.25], 0.9, 1),
        ([1.0], 0.9, 0),
    ],
)
def test_weighted_sample_takes_the_first_index_that_reaches_the_draw(probabilities, draw, index):
    assert weighted_sample(torch.tensor(probabilities), draw) == index


def test_weighted_sample_compares_in_float64():
    # In float32, 0.1 rounds up and a draw just under 1 rounds to 1.
    assert weighted_sample(torch.tensor([0.1, 0.9]), 0.1) == 0
    assert weighted_sample(torch.tensor([0.5, 0.5, 0.0]), 1 - 2**-53) == 1


@pytest.mark.parametrize(
    ("probabilities", "draw", "message"),
    [
        (torch.empty(0), 0.5, r"\[0\] torch.float32; \[V\] with V of at least 1"),
        (torch.ones(1, 2), 0.5, r"\[1, 2\] torch.float32; \[V\]"),
        (torch.tensor([0, 1]), 0.5, "torch.int64; .* floating-point"),
        (torch.tensor([0.5, -0.5]), 0.5, "probability 1 is -0.5; at least 0"),
        (torch.tensor([NAN, 0.5]), 0.5, "probability 0 is nan; at least 0"),
        (torch.tensor([INFINITY, 0.5]), 0.5, "probability 0 is inf; .* finite"),
        (torch.zeros(3), 0.5, "all 3 probabilities are 0; a sum above 0"),
        (torch.ones(1), 1.0, r"draw is 1\.0; 0 ≤ draw < 1"),
        (torch.ones(1), -0.1, r"draw is -0\.1; 0 ≤ draw < 1"),
        (torch.ones(1), NAN, r"draw is nan; 0 ≤ draw < 1"),
    ],
)
def test_weighted_sample_refuses_and_names_value_and_bound(probabilities, draw, message):
    with pytest.raises(ValueError, match=message):
        weighted_sample(probabilities, draw)
