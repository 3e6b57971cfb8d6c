"""A tensor in a few numbers, where the tensor itself would be too much to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SQUARES_LOST = 1e-15  # below it float32 has too few bits for a square, and in the end none


@dataclass(frozen=True, slots=True)
class Statistics:
    """A tensor in short: numbers over its finite values, and how many of the others there are.

    Of a tensor with no finite value all four are NaN. Computed in the tensor's own dtype (float32 for half precision), so
    that a forward pass is hardly slower for it, and in float64 where a number would not be finite, or the squares of all
    would be lost; integers in float64. A complex number is two.
    """

    shape: tuple[int, ...]
    dtype: str
    min: float
    max: float
    mean: float
    rms: float
    nan: int = 0
    inf: int = 0

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)


def statistics(value: Any) -> Statistics:
    """The statistics of the tensor `value`."""
    wide = _wide(value)
    found = _numbers(wide)
    nan = inf = 0
    if not all(map(_finite, found)):  # one look at four numbers in place of one at every value
        nan, inf = int(wide.isnan().sum()), int(wide.isinf().sum())
        found = _rescaled(wide[wide.isfinite()].double())
    elif 0 < max(map(abs, found)) < _SQUARES_LOST:
        found = _rescaled(wide.double())
    return Statistics(tuple(value.shape), str(value.dtype).removeprefix("torch."), *found, nan, inf)


def _wide(value: Any) -> Any:
    import torch

    if value.is_complex():
        return torch.view_as_real(value.resolve_conj()).to(torch.float64)
    if value.dtype in (torch.float32, torch.float64):
        return value
    return value.float() if value.is_floating_point() else value.double()


def _rescaled(value: Any) -> tuple[float, float, float, float]:
    """The numbers of a float64 tensor whose squares, or whose sum, float64 may not hold either."""
    if not value.numel() or not (size := value.abs().max().item()):
        return _numbers(value)
    _, _, mean, rms = _numbers(value / size)
    return value.min().item(), value.max().item(), mean * size, rms * size


def _numbers(value: Any) -> tuple[float, float, float, float]:
    import torch

    count = value.numel()
    if not count:
        return (float("nan"),) * 4
    flat = value.reshape(-1)
    # `dot`: vector_norm takes twice as long, and sums float32 one by one. It fetches what the processor's cache has lost twice
    # as fast as aminmax does, and so comes first.
    squares, mean = torch.dot(flat, flat), flat.mean()
    low, high, average, total = torch.stack([*torch.aminmax(flat), mean, squares]).tolist()
    return low, high, average, float((total / count) ** 0.5)


def _finite(number: float) -> bool:
    return number - number == 0
