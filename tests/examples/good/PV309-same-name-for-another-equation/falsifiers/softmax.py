"""Attacks softmax."""

from pv import falsifier, fault

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def rows_sum_to_one(subject, case, check):
    check.close(subject(case.x).sum(-1), 1.0)


@falsifier("FALSIFY-SM-002")
def counts_are_equal(subject, case, check):
    check.equal(subject(case.x), len(case.x))


@fault("count/one_more")
@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
