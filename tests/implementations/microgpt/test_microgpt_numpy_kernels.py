"""The kernels in numpy: what torch's give, also for NaN and infinity, the same refusals, and neither torch nor a warning."""

import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from implementations.microgpt import kernels, numpy_kernels
from implementations.microgpt.config import MASK_VALUE

INFINITY = math.inf
NAN = math.nan
ROWS = [
    [[1.5, -2.0, 0.25], [0.0, 0.0, 0.0]],
    [[3e38, -3e38, 3e38], [1e-45, 0.0, -1e-45]],
    [[NAN, 1.0, 2.0], [INFINITY, 1.0, 0.0]],
    [[-INFINITY, -INFINITY, -INFINITY], [-INFINITY, 0.0, 1.0]],
    [[7.0]],
]


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", ["rms_norm", "softmax"])
def test_row_kernels_equal_torchs(name, rows, dtype):
    found = getattr(numpy_kernels, name)(np.array(rows, dtype))
    expected = getattr(kernels, name)(torch.tensor(rows, dtype=getattr(torch, dtype)))
    assert (found.dtype, found.shape) == (np.dtype(dtype), tuple(expected.shape))
    torch.testing.assert_close(torch.from_numpy(found), expected, equal_nan=True)


def test_row_kernels_keep_half_precision_and_more_axes():
    x = np.ones((2, 3, 4), np.float16)
    assert (numpy_kernels.rms_norm(x).dtype, numpy_kernels.softmax(x).shape) == (np.float16, (2, 3, 4))


def test_one_hot_marks_the_index_of_each_row_in_the_dtype_asked_for():
    assert numpy_kernels.one_hot(np.array([2, 0]), 3).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert numpy_kernels.one_hot(np.array([1]), 2).dtype == np.float32
    assert numpy_kernels.one_hot(np.array([1]), 2, dtype=np.float64).dtype == np.float64
    assert numpy_kernels.one_hot(np.array([], np.int64), 5).shape == (0, 5)


def test_causal_mask_is_zero_up_to_the_diagonal_and_the_mask_value_above():
    masked = MASK_VALUE
    assert numpy_kernels.causal_mask(3).tolist() == [[0, masked, masked], [0, 0, masked], [0, 0, 0]]
    assert (numpy_kernels.causal_mask(1).dtype, numpy_kernels.causal_mask(1, np.float64).dtype) == (
        np.float32,
        np.float64,
    )


@pytest.mark.parametrize(("probabilities", "draw"), [
    ([0.25, 0.5, 0.25], 0.0), ([0.25, 0.5, 0.25], 0.25), ([0.25, 0.5, 0.25], 0.26), ([0.25, 0.5, 0.25], 0.76),
    ([0.0, 1.0], 0.0), ([0.25, 0.25], 0.9), ([1.0], 0.9), ([0.1, 0.9], 0.1), ([0.5, 0.5, 0.0], 1 - 2**-53),
])  # fmt: skip
def test_weighted_sample_takes_the_index_that_torchs_takes(probabilities, draw):
    found = numpy_kernels.weighted_sample(np.array(probabilities, np.float32), draw)
    assert (type(found), found) == (int, kernels.weighted_sample(torch.tensor(probabilities), draw))


def test_weighted_sample_adds_up_to_infinity_without_a_word():
    assert numpy_kernels.weighted_sample(np.array([0.0, 1.7e308, 1.7e308]), 0.5) == 1


@pytest.mark.parametrize(("name", "arguments", "message"), [
    ("one_hot", (np.array([0, 5]), 3), r"index 5 is outside 0 … 2 \(3 classes\)"),
    ("one_hot", (np.array([2, -1]), 3), r"index -1 is outside 0 … 2 \(3 classes\)"),
    ("one_hot", (np.array([0]), 0), "num_classes is 0; at least 1"),
    ("one_hot", (np.array([0.0]), 3), r"\[1\] float64; \[n\] int64"),
    ("one_hot", (np.array([[0]]), 3), r"\[1, 1\] int64; \[n\] int64"),
    ("rms_norm", (np.array([1, 2]),), "dtype is int64; a floating-point dtype"),
    ("rms_norm", (np.empty((3, 0)),), r"shape is \[3, 0\]; a last axis of at least 1"),
    ("softmax", (np.array(1.0),), r"shape is \[\]; a last axis of at least 1"),
    ("causal_mask", (0,), "n is 0; at least 1"),
    ("causal_mask", (2, np.float16), r"float16 cannot hold the mask value -1000000000\.0"),
    ("causal_mask", (2, np.int64), "int64 cannot hold the mask value"),
    ("weighted_sample", (np.empty(0), 0.5), r"\[0\] float64; \[V\] with V of at least 1"),
    ("weighted_sample", (np.array([0, 1]), 0.5), "int64; .* floating-point"),
    ("weighted_sample", (np.array([0.5, -0.5]), 0.5), "probability 1 is -0.5; at least 0"),
    ("weighted_sample", (np.array([NAN, 0.5]), 0.5), "probability 0 is nan; at least 0"),
    ("weighted_sample", (np.array([INFINITY, 0.5]), 0.5), "probability 0 is inf; .* finite"),
    ("weighted_sample", (np.zeros(3), 0.5), "all 3 probabilities are 0; a sum above 0"),
    ("weighted_sample", (np.ones(1), 1.0), r"draw is 1\.0; 0 ≤ draw < 1"),
    ("weighted_sample", (np.ones(1), NAN), r"draw is nan; 0 ≤ draw < 1"),
])  # fmt: skip
def test_what_is_refused_is_named_with_its_bound(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(numpy_kernels, name)(*arguments)


@pytest.mark.parametrize(("module", "torch_too"), [("numpy_kernels", False), ("kernels", True)])
def test_they_need_no_torch(module, torch_too):
    code = f"import sys, implementations.microgpt.{module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(torch_too)
