"""What a bisection would not have seen: the smallest error, stage by stage."""

from __future__ import annotations

from torch import Tensor

from pv.bisect.result import Power
from pv.bisect.spread import Spread, limits
from pv.bisect.thresholds import SOURCE


def power_of(local: Spread, plain: Spread, unit: float) -> Power:
    """The smallest relative L2 error that is sure to make a stage a source whose floor is `local`, `plain` and `unit`: in all
    of the tensor, in any one token, in any one channel. Beyond 1 it could be all zero and not be seen."""
    noise = limits(local, [local, plain], unit)
    return Power(
        mean=SOURCE * noise.whole / local.scale if local.scale else 0.0,
        row=SOURCE * _largest(noise.rows, local.row_scale),
        column=SOURCE * _largest(noise.columns, local.column_scale),
    )


def _largest(noise: Tensor, scale: Tensor) -> float:
    """Of the rows or columns that hold something; what is to be all zero is seen at any size."""
    held = scale > 0
    return (noise[held] / scale[held]).max().item() if held.any() else 0.0
