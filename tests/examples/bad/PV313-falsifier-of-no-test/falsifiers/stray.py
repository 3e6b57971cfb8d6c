"""Attacks a test that is written nowhere."""

from pv import falsifier, fault


@falsifier("FALSIFY-SM-01")
def rows_sum_to_one(subject, case, check):
    check.close(subject(case.x).sum(-1), 1.0)


@fault("softmax/unit_summ")
def scaled(y, case):
    return y * 1.5
