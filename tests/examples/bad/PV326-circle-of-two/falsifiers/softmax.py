from pv.falsify import falsifier

CONTRACT = "softmax-v1"


@falsifier("FALSIFY-SM-001")
def values_are_not_negative(subject, case, check):
    check.true((subject(case.x) >= 0).all())
