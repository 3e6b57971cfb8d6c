"""Attacks softmax."""

from pv import falsifier, fault

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def rows_sum_to_one(subject, case, check):
    y = subject(case.x)
    steep = (case.x - case.x.mean()).abs().max().item() > 1e-3
    check.close(y.sum(-1), 1.0)
    check.at_most((y - 0.5).abs(), 0.5)
    check.that(abs(len(y) - len(case.x)) <= 0, "a row is missing")
    check.that(isclose(y, case.x) or not steep, f"the largest is elsewhere in {y}")


def isclose(y, x):
    return (y.argmax(-1) == x.argmax(-1)).all().item()


@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
