"""A level follows from receipts in any order, for today's digests alone, and says what the next one lacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receipts import NONE, depends, receipt, strata, stratum, tooth
from small_project import FILES, write_project

from pv.assess.freshness import Cause, Today, binding_parts, causes
from pv.assess.levels import Assessment, assess
from pv.assess.policy import Policy, Scope
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.finding import Severity
from pv.ledger.receipt import Receipt
from pv.level import Level
from pv.project import Project, project_at
from pv.verdict import Kind, Verdict

PARTIAL = Level.PARTIAL_ALGORITHM_LEVEL
LACKING = (
    "FUNCTIONAL: a `live` command in the binding plain of double",
    "DISCHARGED: a binding of double with `role: reference`",
)
OLD = {"subject": [("kernels/factor.py", "<module>", NONE)]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_at(write_project(tmp_path_factory.mktemp("project")))


def things(project: Project) -> tuple[Contract, FalsificationTest, Binding, Today]:
    [(contract, test)] = project.select([], [])
    binding = project.subject(contract, test)
    assert binding is not None
    return contract, test, binding, project.today


def fresh(project: Project, **more: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """`depends` that is today's, with `more` of it."""
    contract, test, binding, today = things(project)
    parts = {
        "clause": today.clause(contract, test),
        "falsifier": today.falsifier(contract, test),
        "binding": binding_parts(binding),
    }
    plain = {cause: [(part.path, part.name, part.digest) for part in rows] for cause, rows in parts.items()}
    return depends(**{**plain, **more})


def made(project: Project, name: str = "a", old: bool = False, **changes: Any) -> Receipt:
    return receipt(name * (64 // len(name)), **{"depends": fresh(project, **(OLD if old else {})), **changes})


def judged(
    project: Project, *receipts: Receipt, scope: Scope | None = None, not_applicable: Sequence[str] = (),
    test: FalsificationTest | None = None,
) -> Assessment:  # fmt: skip
    contract, own, binding, today = things(project)
    own = (test or own)._replace(not_applicable=tuple((kind, "a reason") for kind in not_applicable))
    return assess(contract, own, binding, receipts, today, scope or Scope(), Policy())


def level(project: Project, *receipts: Receipt, **more: Any) -> tuple[Level, tuple[str, ...]]:
    row = judged(project, *receipts, **more)
    return row.level, row.lacking


# --- what one receipt supports


def test_without_a_falsifier_there_is_no_check_and_without_a_run_no_evidence(project: Project) -> None:
    _, test, _, _ = things(project)
    row = judged(project, test=test._replace(id="FALSIFY-D-009"))
    assert (row.level, row.severity, row.lacking) == (
        Level.NO_CHECK,
        Severity.ERROR,
        ("a falsifier: no function is marked @falsifier('FALSIFY-D-009')",),
    )
    row = judged(project)
    assert (row.level, row.severity, row.receipt, row.stale) == (Level.NO_EVIDENCE, Severity.UNMEASURED, None, ())
    assert row.lacking == ("a run: pv falsify --id FALSIFY-D-001",)


def test_a_fresh_run_that_held_supports_partial_and_says_what_the_next_needs(project: Project) -> None:
    row = judged(project, made(project))
    assert (row.level, row.was, row.verdict) == (PARTIAL, PARTIAL, Verdict.HELD)
    assert row.lacking == LACKING
    assert (row.receipts, row.shown, row.stopped) == ((row.receipt,), (Kind.ALGORITHM,), None)


@pytest.mark.parametrize(("changes", "lacking"), [
    ({"verdict": "vacuous", "reason": "no fault"}, "a run that holds: the last was vacuous: no fault"),
    ({"verdict": "not_measured", "reason": "few"}, "a run that holds: the last was not measured: few"),
    ({"verdict": "errored", "reason": "no"}, "a run that holds: the last was errored: no"),
    ({"teeth": []}, "teeth: no caught fault of double/twice"),
    ({"teeth": [tooth("double/twice", caught=False)]}, "teeth: no caught fault of double/twice"),
    ({"teeth": [tooth("double/twice"), tooth("double/twice", caught=False)]}, "teeth: no caught fault of some invariant"),
    ({"teeth": [tooth("double/other")]}, "teeth: no caught fault of double/twice"),
    ({"checks": 199}, "a check for every case"),
    ({"cases": strata()}, "more cases: no strata; 200 in each stratum"),
    ({"cases": strata(stratum("a", 199))}, "more cases: a 199; 200 in each stratum"),
    ({"cases": strata(stratum("a", 100), stratum("b", 99))}, "more cases: b 99; 100 in each stratum"),
    ({"cases": strata(stratum("a", 0, exhausted=True))}, "more cases: a 0; 200 in each stratum"),
    ({"cases": strata(stratum("a", 3, exhausted=True))}, "more cases: a 3; 200 in each stratum"),
    ({"cases": strata(*(stratum(str(n), 9) for n in range(40))), "checks": 400}, "10 in each stratum"),
])  # fmt: skip
def test_a_run_that_shows_too_little_supports_nothing(project: Project, changes: dict[str, Any], lacking: str) -> None:
    found, said = level(project, made(project, **changes))
    assert found is Level.NO_EVIDENCE
    assert len(said) == 1
    assert lacking in said[0]


@pytest.mark.parametrize("cases", [
    strata(stratum("x.a", 3, exhausted=True)),
    strata(stratum("a", 100), stratum("b", 100)),
    strata(stratum("x.a", 100), stratum("x.b", 1, exhausted=True)),
    strata(stratum("a", 10, exhausted=True)),
    strata(*(stratum(str(n), 10) for n in range(21))),
], ids=range(5))  # fmt: skip
def test_enough_is_enough(project: Project, cases: dict[str, Any]) -> None:
    assert level(project, made(project, cases=cases))[0] is PARTIAL


def test_what_failed_must_be_mended_and_what_is_missing_must_be_run(project: Project) -> None:
    severity = {
        verdict: judged(project, made(project, verdict=verdict, reason="x")).severity
        for verdict in ("falsified", "vacuous", "errored", "not_measured")
    }
    assert severity == {
        "falsified": Severity.ERROR,
        "vacuous": Severity.ERROR,
        "errored": Severity.ERROR,
        "not_measured": Severity.UNMEASURED,
    }
    assert judged(project, made(project, old=True, verdict="vacuous", reason="x")).severity is Severity.UNMEASURED


def test_a_receipt_about_something_else_does_not_count(project: Project) -> None:
    others = [
        {"test": {"id": "FALSIFY-D-002", "contract": "double-v1"}},
        {"test": {"id": "FALSIFY-D-001", "contract": "double-v2"}},
        {"subject": {"equation": "double", "name": "other", "target": "kernels.double:double"}},
        {"subject": {"equation": "triple", "name": "plain", "target": "kernels.double:double"}},
    ]
    assert [judged(project, made(project, **changes)).receipt for changes in others] == [None] * 4


# --- several receipts


def test_falsified_beats_held_for_its_own_digests_only(project: Project) -> None:
    held, broken = made(project, "a"), made(project, "b", verdict="falsified", reason="x")
    row = judged(project, held, broken)
    assert (row.level, row.receipt, row.severity) == (Level.FALSIFIED, broken, Severity.ERROR)
    before = made(project, "b", old=True, verdict="falsified", reason="x")
    assert judged(project, held, before).level is PARTIAL
    row = judged(project, made(project, "a", old=True), broken)
    assert row.level is Level.FALSIFIED


def test_a_stale_receipt_supports_nothing_and_says_why_and_what_it_was(project: Project) -> None:
    row = judged(project, made(project, old=True))
    assert (row.level, row.was, row.severity) == (Level.NO_EVIDENCE, PARTIAL, Severity.UNMEASURED)
    assert row.stale == (Cause("subject", "kernels/factor.py: top level", "changed"),)


def test_of_stale_receipts_the_nearest_speaks(project: Project) -> None:
    far = made(project, "a", depends=depends(**OLD))
    near = made(project, "b", old=True, verdict="vacuous", reason="x")
    row = judged(project, far, near)
    assert (row.receipt, len(row.stale), row.was) == (near, 1, Level.NO_EVIDENCE)


def test_the_ladder_is_climbed_without_a_gap(project: Project) -> None:
    algorithm, live, oracle = (made(project, name, kind=kind) for name, kind in
                               (("a", "algorithm"), ("b", "live"), ("c", "oracle")))  # fmt: skip
    assert level(project, algorithm, live) == (Level.FUNCTIONAL, LACKING[1:])
    assert level(project, algorithm, live, oracle) == (Level.DISCHARGED, ())
    assert level(project, algorithm, oracle)[0] is PARTIAL
    assert level(project, live, oracle) == (Level.NO_EVIDENCE, ("a run: pv falsify --id FALSIFY-D-001",))


def test_a_kind_that_cannot_apply_is_stepped_over_and_grants_nothing(project: Project) -> None:
    algorithm, oracle = made(project, "a"), made(project, "c", kind="oracle")
    assert level(project, algorithm, not_applicable=["live"]) == (PARTIAL, LACKING[1:])
    assert level(project, algorithm, oracle, not_applicable=["live"]) == (Level.DISCHARGED, ())
    assert level(project, algorithm, not_applicable=["live", "oracle"]) == (PARTIAL, ())
    assert level(project, not_applicable=["live", "oracle"])[0] is Level.NO_EVIDENCE


KINDS, VERDICTS = ("algorithm", "live", "oracle"), ("held", "held", "vacuous", "errored", "not_measured", "falsified")


@given(data=st.data())
def test_the_order_of_receipts_does_not_matter(project: Project, data: st.DataObject) -> None:
    rows = data.draw(st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from(VERDICTS), st.booleans(), st.sampled_from([200, 199])), max_size=5,
    ))  # fmt: skip
    receipts = [
        made(project, "0123456789abcdef"[n], old=old, kind=kind, verdict=verdict, reason="x", checks=400,
             cases=strata(stratum("a", count)))
        for n, (kind, verdict, old, count) in enumerate(rows)
    ]  # fmt: skip
    turned = data.draw(st.permutations(receipts))
    assert judged(project, *receipts) == judged(project, *turned, *turned)


@given(st.sets(st.sampled_from(KINDS)), st.booleans())
def test_a_weaker_receipt_never_lowers_a_level(project: Project, kinds: set[str], old: bool) -> None:
    held = [made(project, kind[0], kind=kind) for kind in sorted(kinds)]
    weaker = [
        made(project, "e", old=old, verdict=verdict, reason="x") for verdict in ("vacuous", "errored", "not_measured")
    ]
    assert level(project, *held, *weaker)[0] == level(project, *held)[0]


# --- scope


def test_evidence_outside_the_scope_counts_for_nothing_and_says_so(project: Project) -> None:
    ours = Scope((("torch", ("2.13", "2.14")), ("device", ("cpu",))))
    assert level(project, made(project), scope=ours)[0] is PARTIAL
    elsewhere = made(project, scope={"torch": ["2.130.0"], "device": ["cpu"]})
    lacking = "a run in scope: this one has torch 2.130.0, the project's scope is 2.13, 2.14"
    assert level(project, elsewhere, scope=ours) == (Level.NO_EVIDENCE, (lacking,))
    unknown = made(project, scope={"torch": ["2.13"]})
    assert level(project, unknown, scope=ours)[1] == (
        "a run in scope: this one has device unknown, the project's scope is cpu",
    )
    assert level(project, elsewhere, made(project, "b"), scope=ours)[0] is PARTIAL
    mixed = made(project, scope={"torch": ["2.13"], "device": ["cpu", "cuda"]})
    assert level(project, mixed, scope=ours)[0] is Level.NO_EVIDENCE


# --- causes


def test_every_cause_is_named_by_itself(project: Project) -> None:
    contract, test, binding, today = things(project)
    receipt_ = made(
        project,
        depends=depends(
            clause=[("", "double", NONE), ("", "double/gone", NONE)],
            falsifier=[("falsifiers/double.py", "is_twice", NONE)],
            subject=[
                ("kernels/gone.py", "f", NONE),
                ("kernels/factor.py", "<module>", NONE),
                ("kernels/x.txt", "<file>", NONE),
            ],
            binding=[("", "double, plain", NONE)],
        ),
    )
    assert [str(cause) for cause in causes(receipt_, contract, test, binding, today)] == [
        "clause changed (double)",
        "clause gone (double/gone)",
        "clause new (double/twice)",
        "falsifier new (falsifiers/double.py: falsifier)",
        "falsifier new (falsifiers/double.py: fault)",
        "falsifier changed (falsifiers/double.py: is_twice)",
        "falsifier new (falsifiers/double.py: one_more)",
        "falsifier new (falsifiers/double.py: twice)",
        "falsifier new (falsifiers/expected.py)",
        "subject changed (kernels/factor.py: top level)",
        "subject gone (kernels/gone.py: f)",
        "subject gone (kernels/x.txt)",
        "binding changed (double, plain)",
    ]
    assert causes(made(project), contract, test, binding, today) == ()


def test_digests_of_another_algorithm_are_never_fresh(project: Project) -> None:
    contract, test, binding, today = things(project)
    other = made(project)._replace(digests="pv-digest-0")
    assert [str(cause) for cause in causes(other, contract, test, binding, today)] == [
        "clause not comparable (digests by pv-digest-0)"
    ]


def test_a_project_whose_code_no_longer_parses_is_stale_and_does_not_crash(tmp_path: Path) -> None:
    broken = project_at(write_project(tmp_path, {"kernels/factor.py": "FACTOR ="}))
    row = judged(broken, made(broken, depends=fresh(broken, **OLD)))
    assert [str(cause) for cause in row.stale] == ["subject gone (kernels/factor.py: top level)"]
    assert FILES["kernels/factor.py"] != "FACTOR ="
