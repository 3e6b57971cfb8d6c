"""A promise above its support is a finding: error or unmeasured, as the cause is; the strongest promise counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest
from receipts import NONE, promise, receipt

from pv.assess.freshness import Cause
from pv.assess.levels import Assessment
from pv.assess.promises import broken_promises, standing, unsupported
from pv.assess.promote import by_level, promotable
from pv.assess.ratchet import key_of, strongest
from pv.finding import Finding, Place, Severity
from pv.ledger.promotion import Promise, Promotion
from pv.level import Level

PARTIAL = Level.PARTIAL_ALGORITHM_LEVEL
HELD = receipt("a" * 64)


def assessed(level: Level, *, stale: bool = False, test: str = "FALSIFY-D-001", verdict: str = "held") -> Assessment:
    causes = (Cause("subject", "kernels/double.py: double", "changed"),) if stale else ()
    run = None if level is Level.NO_CHECK else receipt("a" * 64, verdict=verdict, reason="x")
    row = Assessment("double-v1", test, "double", "plain", level, level, causes, run, ("something more",))
    return row._replace(stopped=None if stale else run, receipts=() if run is None else (run,))


def promotion(name: str, *promises: Promise) -> Promotion:
    return Promotion(name, Path(f"ledger/promotions/double-v1/{name}.json"), promises)


def broken(promotions: Sequence[Promotion], *rows: Assessment) -> list[Finding]:
    return list(broken_promises(promotions, {key_of(row): row for row in rows}, "ledger"))


@pytest.mark.parametrize("support", [PARTIAL, Level.FUNCTIONAL, Level.DISCHARGED])
def test_a_promise_that_is_supported_is_no_finding(support: Level) -> None:
    assert broken([promotion("p", promise(NONE))], assessed(support)) == []
    assert broken([], assessed(Level.FALSIFIED)) == []


EARN = "pv falsify --id FALSIFY-D-001, then pv ledger promote FALSIFY-D-001 --to PARTIAL"


@pytest.mark.parametrize(("now", "severity", "because", "hint"), [
    (assessed(Level.NO_EVIDENCE, stale=True), Severity.UNMEASURED,
     "NO EVIDENCE: stale, subject changed (kernels/double.py: double)", EARN),
    (assessed(Level.NO_EVIDENCE), Severity.UNMEASURED, "NO EVIDENCE: something more", EARN),
    (assessed(Level.NO_EVIDENCE, verdict="vacuous"), Severity.ERROR, "NO EVIDENCE: something more",
     "mend what pv show FALSIFY-D-001 says, then pv falsify --id FALSIFY-D-001"),
    (assessed(Level.NO_EVIDENCE, verdict="not_measured"), Severity.UNMEASURED, "NO EVIDENCE: something more",
     "mend what pv show FALSIFY-D-001 says, then pv falsify --id FALSIFY-D-001"),
    (assessed(Level.FALSIFIED, verdict="falsified"), Severity.ERROR, "FALSIFIED: something more", "pv show FALSIFY-D-001"),
    (assessed(Level.NO_CHECK), Severity.ERROR, "NO CHECK: something more", "write a falsifier for FALSIFY-D-001"),
])  # fmt: skip
def test_pv402_a_promise_above_its_support(now: Assessment, severity: Severity, because: str, hint: str) -> None:
    [row] = broken([promotion("p", promise(NONE))], now)
    assert (row.code, row.severity, row.place.path, row.hint) == (
        "PV402", severity, "ledger/promotions/double-v1/p.json", hint,
    )  # fmt: skip
    assert row.message == f"FALSIFY-D-001 (double, plain) is promised at PARTIAL, supported is {because}"
    assert row.severity.exit.value == {Severity.ERROR: 1, Severity.UNMEASURED: 3}[severity]


def test_a_promise_is_not_dropped_by_saying_that_the_test_does_not_apply() -> None:
    excused = assessed(Level.NOT_APPLICABLE)._replace(default=False, not_applicable="no autograd", receipt=None)
    [row] = broken([promotion("p", promise(NONE))], excused)
    assert (row.code, row.severity, row.hint) == (
        "PV402",
        Severity.ERROR,
        "take `not_applicable` out of the binding plain of double",
    )


def test_a_promise_about_one_subject_says_nothing_of_another() -> None:
    other = assessed(Level.FALSIFIED, verdict="falsified")._replace(subject="numpy", default=False)
    assert broken([promotion("p", promise(NONE))], assessed(PARTIAL), other) == []
    about_other = promise(NONE)._replace(subject="numpy")
    [row] = broken([promotion("p", about_other)], assessed(PARTIAL), other)
    assert (row.code, row.hint) == ("PV402", "pv show FALSIFY-D-001 --subject numpy")
    assert row.message.startswith("FALSIFY-D-001 (double, numpy) is promised at PARTIAL")


def test_what_is_unsupported_is_told_by_test_and_subject() -> None:
    weak = assessed(Level.NO_EVIDENCE)
    rows = {key_of(row): row for row in (weak, weak._replace(subject="numpy"))}
    assert unsupported([promotion("p", promise(NONE))], rows) == {key_of(weak)}
    assert unsupported([promotion("p", promise(NONE))], {key_of(weak): assessed(PARTIAL)}) == set()


def test_pv403_a_promise_about_something_that_is_gone() -> None:
    [row] = broken([promotion("p", promise(NONE))], assessed(PARTIAL, test="FALSIFY-D-002"))
    assert (row.code, row.severity) == ("PV403", Severity.ERROR)
    assert row.message.endswith("is promised at PARTIAL, but there is no such test or subject any more")


def test_the_strongest_promise_counts_whatever_the_order() -> None:
    weak, strong = promise(NONE), promise(NONE, level=Level.DISCHARGED)
    files = [promotion("a", strong), promotion("b", weak), promotion("c", weak, promise(NONE, test="FALSIFY-D-002"))]
    for order in permutations(files):
        assert strongest(order) == {
            key_of(weak): strong,
            ("double-v1", "FALSIFY-D-002", "double", "plain"): files[2].promises[1],
        }
        rows = broken(order, assessed(PARTIAL), assessed(PARTIAL, test="FALSIFY-D-002"))
        assert [(row.code, row.place.path) for row in rows] == [("PV402", "ledger/promotions/double-v1/a.json")]


def test_an_iterator_of_promotions_is_read_once() -> None:
    rows = broken_promises(iter([promotion("p", promise(NONE))]), {}, "ledger")
    assert [row.code for row in rows] == ["PV403"]


def test_each_row_is_promised_at_what_it_supports_and_the_same_again_adds_nothing() -> None:
    rows = [
        assessed(PARTIAL),
        assessed(Level.NO_EVIDENCE, test="FALSIFY-D-002"),
        assessed(Level.FALSIFIED, test="FALSIFY-D-003"),
    ]
    first = promotable(rows, {})
    assert first.new == (Promise("double-v1", "FALSIFY-D-001", "double", "plain", PARTIAL, ("a" * 64,)),)
    assert (first.already, first.refused) == ((), tuple(rows[1:]))
    again = promotable(rows, {key_of(rows[0]): first.new})
    assert (again.new, again.already) == ((), first.new)
    higher = promotable([assessed(Level.FUNCTIONAL)], {key_of(rows[0]): first.new})
    assert [row.level for row in higher.new] == [Level.FUNCTIONAL]


def test_promises_are_filed_by_contract_and_level() -> None:
    weak, other, strong = promise(NONE), promise(NONE, test="FALSIFY-D-002"), promise(NONE, level=Level.DISCHARGED)
    assert by_level([other, strong, weak]) == {
        ("double-v1", PARTIAL): [weak, other],
        ("double-v1", Level.DISCHARGED): [strong],
    }


def test_what_waits_for_a_run_is_not_counted_as_broken() -> None:
    severities = {"PV402": (Severity.ERROR, Severity.UNMEASURED, Severity.UNMEASURED, Severity.WARNING)}
    severities |= {"PV403": (Severity.ERROR,), "PV605": (Severity.WARNING,), "PV606": (Severity.NOTE,)}
    found = [Finding(code, one, Place("l"), "", "") for code, each in severities.items() for one in each]
    assert standing(found) == {"broken": 2, "unmeasured": 2, "waived": 1, "lapsed": 1, "retracted": 1}
