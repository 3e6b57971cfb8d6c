"""The compiled kernels: eager's values and gradients, for every kind of argument there is, and never eager code instead."""

import pytest
import torch
from conftest import require_program

from implementations.microgpt import kernels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compiled():
    require_program("c++", "g++")
    from implementations.microgpt import compiled

    return compiled


@pytest.mark.parametrize("name", ["rms_norm", "softmax"])
def test_values_and_gradients_are_those_of_eager_code_for_every_kind_of_argument(compiled, name):
    """More kinds than torch would compile by default before it falls back."""
    generator = torch.Generator().manual_seed(0)
    for dtype in (torch.float32, torch.float64):
        for shape in ((3, 5), (1, 5), (3, 1), (1, 1), (7, 9)):
            x = torch.randn(shape, generator=generator, dtype=dtype)
            torch.testing.assert_close(getattr(compiled, name)(x), getattr(kernels, name)(x))
            gradients = []
            for kernel in (getattr(compiled, name), getattr(kernels, name)):
                leaf = x.clone().requires_grad_()
                kernel(leaf).square().sum().backward(retain_graph=True)
                gradients.append(leaf.grad)
            torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("name", ["rms_norm", "softmax"])
def test_what_is_refused_is_refused_as_in_eager_code(compiled, name):
    with pytest.raises(ValueError, match=r"dtype is torch\.int64"):
        getattr(compiled, name)(torch.tensor([1, 2]))


def test_what_cannot_be_compiled_is_an_error_and_no_eager_result(compiled):
    broken = compiled._compiled(lambda x: x * float(str(x)))
    with pytest.raises(torch._dynamo.exc.Unsupported):
        broken(torch.ones(1))
