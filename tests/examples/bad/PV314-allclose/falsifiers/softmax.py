"""Attacks softmax."""

import torch

from pv import falsifier, fault

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def rows_sum_to_one(subject, case, check):
    sums = subject(case.x).sum(-1)
    check.that(torch.allclose(sums, torch.ones_like(sums)), f"the sums are {sums}")


@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
