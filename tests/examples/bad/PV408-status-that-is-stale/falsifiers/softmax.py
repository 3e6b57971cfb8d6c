"""Attacks softmax."""

from pv import falsifier, fault

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def rows_sum_to_one(subject, case, check):
    check.close(subject(case.x).sum(-1), 1.0)


@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
