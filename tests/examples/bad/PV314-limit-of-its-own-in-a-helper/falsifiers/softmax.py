"""Attacks softmax."""

from falsifiers.helpers import far, near
from pv import falsifier, fault

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def rows_sum_to_one(subject, case, check):
    sums = subject(case.x).sum(-1)
    check.that(near(sums, 1.0), f"the sums are {sums}")
    check.that(not any(far(total) for total in sums.tolist()), f"the sums are {sums}")


@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
