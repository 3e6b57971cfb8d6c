"""Attacks softmax."""

from pv import falsifier, fault

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def rows_sum_to_one(subject, case, check):
    y = sums(subject(case.x))
    assert y.shape == case.x.shape[:-1]
    check.close(y, 1.0)


def sums(y):
    assert y.isfinite().all()
    return y.sum(-1)


@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
