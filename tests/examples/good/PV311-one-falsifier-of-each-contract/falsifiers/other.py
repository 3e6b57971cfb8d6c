from pv import falsifier

CONTRACT = "other-v1"


@falsifier("FALSIFY-SM-001")
def other(subject, check):
    check.equal(subject(), 1)
