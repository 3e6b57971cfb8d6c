"""Being imported is enough."""

import torch

from pv import falsifier

CONTRACT = "hostile-v1"

torch.set_default_dtype(torch.float64)


@falsifier("FALSIFY-HOST-081")
def has_changed_the_default_dtype(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)
