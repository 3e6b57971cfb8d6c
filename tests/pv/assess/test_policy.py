"""A policy below the built-in thresholds is seen, and named where it is accepted."""

from __future__ import annotations

from pv.assess.policy import Policy, below_defaults
from pv.finding import Exit, Place

PLACES = {"cases": Place("pyproject.toml", 3, 1), "stratum": Place("pyproject.toml", 4, 1)}


def test_only_what_is_below_its_default_is_lowered() -> None:
    assert Policy().lowered == ()
    assert Policy(cases=1000, stratum=50).lowered == ()
    assert [str(row) for row in Policy(cases=199, stratum=9).lowered] == [
        "policy cases = 199 is below the built-in 200",
        "policy stratum = 9 is below the built-in 10",
    ]


def test_a_lowered_threshold_is_refused_unless_it_is_named_as_it_is() -> None:
    policy = Policy(cases=50, stratum=5)
    every = list(below_defaults(policy, (), PLACES))
    assert [(row.code, row.severity.exit, row.place.line) for row in every] == [
        ("PV409", Exit.MEND, 3),
        ("PV409", Exit.MEND, 4),
    ]
    assert "pv gate --policy cases=50" in every[0].hint
    assert [row.place.line for row in below_defaults(policy, [("cases", 50)], PLACES)] == [4]
    assert [row.place.line for row in below_defaults(policy, [("cases", 20), ("stratum", 5)], PLACES)] == [3]
