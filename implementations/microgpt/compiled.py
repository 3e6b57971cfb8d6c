"""Two of microGPT's kernels, compiled by torch into C++ at their first call: needs a C++ compiler, and some seconds for each
shape that is new in kind (an axis of 1, another dtype, gradients wanted).

What they compute, refuse and do with NaN is said in `kernels`. Anything that could not be compiled whole is an error: nothing
falls back to eager code in silence.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch._functorch.config
from torch import Tensor

from implementations.microgpt import kernels

torch._functorch.config.donated_buffer = False  # as in eager code, a graph may be kept and walked again
_KINDS = 32  # of arguments, each compiled by itself: 2 dtypes, an axis of 1 or not, gradients wanted or not


def _compiled(kernel: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    one_at_a_time = {"compile_threads": 1}  # more would leave a pool of threads behind
    compiled = torch.compile(kernel, fullgraph=True, dynamic=True, recompile_limit=_KINDS, options=one_at_a_time)

    def call(x: Tensor) -> Tensor:
        kernels._require_rows(x)  # in compiled code, raising would be an error of the compiler's own
        return compiled(x)

    return call


rms_norm = _compiled(kernels.rms_norm)
softmax = _compiled(kernels.softmax)
