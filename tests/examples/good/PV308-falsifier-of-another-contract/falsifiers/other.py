from pv import falsifier, fault

CONTRACT = "other-v1"


@falsifier("FALSIFY-OTHER-001")
def other(subject, check):
    check.equal(subject(), 1)


@fault("other/clause")
def nothing(y, case):
    return y
