"""A model that is in no file: every tensor it would save, once, with its values where numpy can hold them."""

from __future__ import annotations

import torch

from pv.checkpoints import statistics
from pv.cli.tensors import measured
from pv.introspect.fresh import fresh_checkpoint


class _Model(torch.nn.Module):
    """A weight under two names, a buffer, and one that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Parameter(torch.ones(3, 4))
        self.same = self.one
        self.register_buffer("kept", torch.arange(2))
        self.register_buffer("dropped", torch.zeros(5), persistent=False)


def test_buffers_are_there_and_what_two_names_share_is_there_once() -> None:
    found = fresh_checkpoint("m", _Model())
    assert [(row.name, row.dtype, row.shape) for row in found.tensors] == [
        ("one", "F32", (3, 4)),
        ("kept", "I64", (2,)),
    ]
    assert (found.parameters, found.size) == (14, 64)
    assert [statistics(row).mean for row in found.tensors] == [1, 0.5]


def test_dtypes_that_numpy_has_not_are_widened_and_one_that_is_no_number_is_not_measured() -> None:
    model = torch.nn.Module()
    model.register_buffer("small", torch.tensor([1.5, -2.0]).to(torch.float8_e4m3fn))
    model.register_buffer("brain", torch.tensor([1.5, -2.0], dtype=torch.bfloat16))
    model.register_buffer("complex", torch.ones(2, dtype=torch.complex64))
    rows = [measured(row) for row in fresh_checkpoint("m", model).tensors]
    assert [(row.entry.dtype, row.statistics and row.statistics.mean, row.unmeasured) for row in rows] == [
        ("F8_E4M3", -0.25, ""), ("BF16", -0.25, ""),
        ("complex64", None, "values of complex64, which is not decoded here (save it in a dtype of real numbers)"),
    ]  # fmt: skip
