"""Attacks softmax."""

from pv import falsifier, fault

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def rows_sum_to_one(subject, case, check):
    check.close(subject(shifted(case.x, 2.0)).sum(-1), 1.0)


def shifted(x, distance):
    assert distance > 0
    return x + distance


@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
