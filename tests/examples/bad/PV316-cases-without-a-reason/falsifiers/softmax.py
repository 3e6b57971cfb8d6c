"""Attacks softmax."""

from hypothesis import strategies as st

from pv import Case, falsifier, fault

CONTRACT = "softmax-v1"
ROWS = st.builds(Case, x=st.none())


@falsifier("FALSIFY-SM-001", cases={"rows": ROWS})
def rows_sum_to_one(subject, case, check):
    check.close(subject(case.x).sum(-1), 1.0)


@fault("softmax/unit_sum")
def scaled(y, case):
    return y * 1.5
