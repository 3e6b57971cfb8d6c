"""A trial believes no falsifier: what each of the five verdicts takes, and what does not get past."""

from __future__ import annotations

import math
import re
import sys
import unittest
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume
from hypothesis import strategies as st

from pv.contract.model import Dimension, Equation, Holds, Invariant, Range, Tolerance, ValueSpec
from pv.falsify.cases import Case
from pv.falsify.declare import Falsifier, Fault
from pv.falsify.encode import decode
from pv.falsify.judge import Trial
from pv.falsify.outcome import Outcome
from pv.falsify.subject import Subject
from pv.falsify.teeth import TEETH_EXAMPLES, TEETH_SEEDS, Corpus, run_trial
from pv.falsify.work import Plan
from pv.finding import Place
from pv.ledger.receipt import Stratum, Tooth
from pv.verdict import Verdict

HERE = Place("c.yaml")
X = ValueSpec("x", HERE, "tensor", dtypes=("float32",), shape=("n",), range=Range(-100, 100), strata=("ordinary",))
VECTOR = Equation("double", HERE, "2x", "d", "c", (Dimension("n", HERE, 1, 5),), (X,))
NUMBER = Equation("double", HERE, "2x", "d", "c", (), (ValueSpec("x", HERE, "integer", range=Range(0, 400)),))


def clause(id_: str = "twice", about: str = "value") -> Invariant:
    tolerance = (("float32", Tolerance(1e-4, 1e-5)),)
    return Invariant("double", id_, HERE, f"the statement of {id_}", Holds.BOUNDED, about, tolerance)


def double(x: Any) -> Any:
    return 2 * x


def is_twice(subject: Subject, case: Case, check: Any) -> None:
    check.close(subject(case.x), 2 * case.x.double(), clause="double/twice")


def is_twice_the_number(subject: Subject, case: Case, check: Any) -> None:
    check.equal(subject(case.x), 2 * case.x)


def one_more(output: Any, case: Case) -> Any:
    return output + 1


def fault(function: Callable[..., Any], invariant: str = "double/twice", *, wraps: bool = False) -> Fault:
    return Fault(invariant, function, wraps)


def attempt(
    falsifier: Callable[..., None],
    subject: Callable[..., Any] = double,
    *,
    faults: tuple[Fault, ...] = (fault(one_more),),
    equation: Equation = VECTOR,
    invariants: tuple[Invariant, ...] = (clause(),),
    cases: tuple[tuple[str, Any], ...] = (),
    examples: int = 60,
    seed: int = 0,
) -> Outcome:
    names = tuple(argument.name for argument in equation.arguments)
    trial = Trial("T", equation, invariants, Falsifier("T", falsifier, cases), faults, Subject(subject, names))
    return run_trial(trial, Plan(examples, seed))


def verdict(*arguments: Any, **named: Any) -> tuple[Verdict, str]:
    outcome = attempt(*arguments, **named)
    return outcome.verdict, outcome.reason


# --- held


def test_a_trial_that_holds_says_how_much_it_looked_at() -> None:
    outcome = attempt(is_twice)
    assert (outcome.verdict, outcome.reason, outcome.counterexample) == (Verdict.HELD, "", None)
    [stratum] = outcome.strata
    assert (stratum.name, stratum.distinct >= 60, stratum.exhausted) == ("x.ordinary", True, False)
    assert outcome.checks == outcome.valid >= stratum.distinct
    assert outcome.dtypes == ("float32",)
    assert outcome.teeth == (Tooth("double/twice", "one_more", True, TEETH_SEEDS),)
    assert [key for key, _ in outcome.nearest] == [("double/twice", "float32")]


def test_an_equal_trial_gives_an_equal_outcome_and_another_seed_other_cases() -> None:
    first, again, other = attempt(is_twice), attempt(is_twice), attempt(is_twice, seed=1)
    assert [getattr(first, name) for name in first.__slots__] == [getattr(again, name) for name in again.__slots__]
    assert other.cases_digest != first.cases_digest


def test_the_teeth_are_tried_under_three_seeds_and_on_every_fault() -> None:
    calls: list[str] = []

    def noted(output: Any, case: Case) -> Any:
        calls.append("noted")
        return output + 1

    outcome = attempt(is_twice, faults=(fault(one_more), fault(noted)))
    assert (outcome.verdict, len(outcome.teeth), TEETH_SEEDS) == (Verdict.HELD, 2, 3)
    assert len(calls) >= 3


# --- falsified


def test_teeth_are_tried_on_no_more_cases_than_the_falsifier_says_it_needs() -> None:
    def drawn(examples: int | None) -> int:
        falsifier = Falsifier("T", is_twice_the_number, examples=examples)
        trial = Trial("T", NUMBER, (clause(),), falsifier, (fault(one_more),), Subject(double, ["x"]))
        return len(Corpus(trial).cases(0, TEETH_EXAMPLES))

    assert (drawn(5), drawn(None)) == (5, TEETH_EXAMPLES)


def test_a_broken_subject_is_falsified_with_the_smallest_case() -> None:
    outcome = attempt(is_twice_the_number, lambda x: 2 * x + (x > 17), equation=NUMBER, examples=200)
    assert outcome.verdict is Verdict.FALSIFIED
    assert outcome.counterexample is not None
    assert outcome.counterexample.arguments == {"x": 18}
    assert (outcome.counterexample.failure.observed, outcome.counterexample.failure.expected) == ("37", "36")
    assert outcome.counterexample.stratum == "ordinary"
    assert outcome.teeth == ()


def test_the_smallest_case_of_a_tensor_is_one_that_a_person_can_read() -> None:
    outcome = attempt(is_twice, lambda x: torch.where(x > 3, 3 * x, 2 * x))
    assert outcome.counterexample is not None
    x = decode(outcome.counterexample.arguments["x"])
    assert x.shape == (1,)
    assert 3 < x.item() <= 4


def swallows(subject: Subject, case: Case, check: Any) -> None:
    try:
        is_twice(subject, case, check)
    except Exception:
        check.that(True, "")


def turns_away(subject: Subject, case: Case, check: Any) -> None:
    try:
        is_twice(subject, case, check)
    except AssertionError:
        assume(False)


def raises_another(subject: Subject, case: Case, check: Any) -> None:
    try:
        is_twice(subject, case, check)
    except AssertionError:
        raise KeyError("x") from None


@pytest.mark.parametrize("falsifier", [is_twice, swallows, turns_away, raises_another])
def test_a_failed_check_counts_whatever_the_falsifier_makes_of_it(falsifier: Callable[..., None]) -> None:
    outcome = attempt(falsifier, lambda x: 2 * x + 1)
    assert (outcome.verdict, outcome.counterexample is not None) == (Verdict.FALSIFIED, True)
    assert verdict(falsifier) == (Verdict.HELD, "")


# --- vacuous


def only_finite(subject: Subject, case: Case, check: Any) -> None:
    check.that(bool(torch.isfinite(subject(case.x)).all()), "not finite")


def only_shape(subject: Subject, case: Case, check: Any) -> None:
    check.shape(subject(case.x), list(case.x.shape))


def everything_is_a_failure(subject: Subject, case: Case, check: Any) -> None:
    try:
        output = subject(case.x)
    except Exception:
        check.that(False, "raised")
        return
    check.that(bool(torch.isfinite(output).all()), "not finite")


def nan_in_place(output: Any, case: Case) -> Any:
    output[0] = math.nan
    return output


def to_nan(output: Any, case: Case) -> Any:
    return output * math.nan


def one_longer(output: Any, case: Case) -> Any:
    return torch.cat([output, output[:1]])


def widened(output: Any, case: Case) -> Any:
    return output.double()


def own_call(subject: Subject, case: Case) -> Any:
    return subject(case.x) * math.inf


def test_without_a_fault_nothing_shows_that_the_check_can_fail() -> None:
    reason = "no fault of double/twice is written: nothing shows that this check can fail"
    assert verdict(is_twice, faults=()) == (Verdict.VACUOUS, reason)
    assert verdict(is_twice, faults=(fault(one_more, "double/other"),)) == (Verdict.VACUOUS, reason)


@pytest.mark.parametrize("falsifier", [only_finite, only_shape])
def test_a_falsifier_that_looks_at_the_shape_or_finiteness_alone_is_vacuous(falsifier: Callable[..., None]) -> None:
    outcome = attempt(falsifier)
    assert (outcome.verdict, outcome.reason) == (
        Verdict.VACUOUS,
        "it does not catch the fault one_more of double/twice",
    )
    assert outcome.teeth == (Tooth("double/twice", "one_more", False, TEETH_SEEDS),)


@pytest.mark.parametrize("falsifier", [only_finite, only_shape, everything_is_a_failure, is_twice])
@pytest.mark.parametrize("gross", [to_nan, nan_in_place, one_longer, widened, own_call])
def test_a_gross_fault_gives_no_teeth(falsifier: Callable[..., None], gross: Callable[..., Any]) -> None:
    said, reason = verdict(falsifier, faults=(fault(gross, wraps=gross is own_call),))
    assert said is Verdict.VACUOUS
    assert reason.startswith(f"the fault {gross.__name__} of double/twice proves nothing: it returns ")


def test_a_number_that_is_not_finite_is_a_gross_fault_too() -> None:
    said, reason = verdict(
        lambda subject, check, case: check.that(math.isfinite(subject(case.x)), "not finite"), lambda x: float(x.sum()),
        faults=(fault(to_nan),),
    )  # fmt: skip
    assert said is Verdict.VACUOUS
    assert reason.endswith("proves nothing: it returns a not finite float where the subject returns a finite float")


def test_what_is_about_the_shape_may_be_shown_by_a_gross_fault() -> None:
    shape = clause("shape", "shape")
    assert verdict(only_shape, invariants=(shape,), faults=(fault(one_longer, "double/shape"),)) == (Verdict.HELD, "")
    finite = clause("finite", "finiteness")
    assert verdict(only_finite, invariants=(finite,), faults=(fault(to_nan, "double/finite"),)) == (Verdict.HELD, "")


def test_a_fault_that_only_another_clause_catches_is_not_caught() -> None:
    def both(subject: Subject, case: Case, check: Any) -> None:
        check.close(subject(case.x), 2 * case.x.double(), clause="double/twice")
        check.shape(subject(case.x), list(case.x.shape), clause="double/even")

    invariants = (clause(), clause("even", "shape"))
    faults = (fault(one_more), fault(one_more, "double/even"))
    said, reason = verdict(both, invariants=invariants, faults=faults)
    assert (said, reason) == (Verdict.VACUOUS, "it does not catch the fault one_more of double/even")
    bare = (fault(one_more), fault(lambda output, case: output[:0], "double/even"))
    both_ways = attempt(lambda subject, case, check: (check.shape(subject(case.x), list(case.x.shape), clause="double/even"),
                        is_twice(subject, case, check))[0], invariants=invariants, faults=bare)  # fmt: skip
    assert both_ways.verdict is Verdict.HELD


@pytest.mark.parametrize("falsifier", [
    lambda subject, check, case: subject(case.x),
    lambda subject, check, case: check.that(True, "") if case.x.numel() > 99 else None,
    lambda subject, check, case: [check.that(bool(v == 0), "") for v in subject(case.x)[:0]],
    lambda subject, check, case: check.close(subject(case.x), 2 * case.x.double()) if case.x.sum() > 0 else None,
], ids=["no check", "never-true if", "empty loop", "returns early for some"])  # fmt: skip
def test_a_case_without_a_check_makes_the_trial_vacuous(falsifier: Callable[..., None]) -> None:
    said, reason = verdict(falsifier)
    assert said is Verdict.VACUOUS
    assert reason.startswith("no check was executed for the case Case(x=tensor([")


# --- errored


def changes_its_argument(x: Any) -> Any:
    y = 2 * x
    x += 1
    return y


def raise_in(error: BaseException) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        raise error

    return call


def test_what_the_subject_raises_is_an_error_with_its_place() -> None:
    def divides(x: Any) -> Any:
        return 1 // 0

    said, reason = verdict(is_twice, divides)
    line = divides.__code__.co_firstlineno + 1
    assert said is Verdict.ERRORED
    assert reason == f"ZeroDivisionError: integer division or modulo by zero ({__file__}:{line})"


@pytest.mark.parametrize("error", [
    SystemExit(0), GeneratorExit(), unittest.SkipTest("no"), pytest.skip.Exception("no"), MemoryError(), RecursionError("deep"),
], ids=repr)  # fmt: skip
def test_nothing_that_a_subject_raises_ends_the_run(error: BaseException) -> None:
    said, reason = verdict(is_twice, raise_in(error))
    assert said is Verdict.ERRORED
    assert reason.startswith(type(error).__name__)


@pytest.mark.parametrize("error", [SystemExit(0), pytest.skip.Exception("no")], ids=repr)
def test_nothing_that_is_raised_while_faults_are_tried_ends_the_run(error: BaseException) -> None:
    def leaves(subject: Subject, case: Case, check: Any) -> None:
        if bool((subject(case.x) != 2 * case.x).any()):
            raise error
        check.that(True, "")

    said, reason = verdict(leaves)
    assert said is Verdict.VACUOUS
    assert reason.startswith(f"the fault one_more of double/twice proves nothing: {type(error).__name__}")


@pytest.mark.parametrize("where", ["subject", "fault"])
def test_an_interruption_comes_out(where: str) -> None:
    stop = raise_in(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        attempt(is_twice, stop if where == "subject" else double, faults=(fault(stop),))


def test_a_subject_that_changes_its_argument_is_an_error() -> None:
    assert verdict(lambda subject, check, case: check.that(subject(case.x) is not None, ""), changes_its_argument) == (
        Verdict.ERRORED,
        "an argument was changed in place, by the subject or by the falsifier",
    )


def test_an_answer_that_is_not_the_same_twice_is_an_error() -> None:
    first: set[float] = set()

    def forgets(x: Any) -> Any:
        seen = float(x.sum()) in first
        first.add(float(x.sum()))
        return 2 * x if seen else 2 * x + 1

    said, reason = verdict(is_twice, forgets)
    assert (said, reason) == (Verdict.ERRORED, "not reproducible: the same case gave another answer the second time")


def test_a_missing_tolerance_is_an_error_that_names_it() -> None:
    def doubled(subject: Subject, case: Case, check: Any) -> None:
        check.close(subject(case.x).double(), 2 * case.x.double())

    assert verdict(doubled) == (
        Verdict.ERRORED,
        "double/twice states no tolerance for float64; add one to the contract",
    )


def test_cases_that_cannot_be_kept_are_an_error() -> None:
    cases = (("odd", st.just(Case(x=object()))),)
    said, reason = verdict(lambda subject, check: check.that(True, ""), cases=cases)
    assert (said, reason.split(" (")[0]) == (Verdict.ERRORED, "TypeError: a case cannot hold a object")


# --- not measured


def test_an_impossible_assumption_is_the_falsifiers_fault() -> None:
    def never(subject: Subject, case: Case, check: Any) -> None:
        assume(False)

    said, reason = verdict(never)
    assert said is Verdict.VACUOUS
    assert re.fullmatch(r"the falsifier turned away (\d+) of \1 cases", reason)


def test_a_nearly_impossible_assumption_is_too() -> None:
    def hardly(subject: Subject, case: Case, check: Any) -> None:
        assume(case.x == 7)
        check.equal(subject(case.x), 14)

    outcome = attempt(hardly, equation=NUMBER, faults=(fault(one_more),))
    assert (outcome.verdict, outcome.strata) == (Verdict.VACUOUS, (Stratum("ordinary", 1, False),))


def small(top: int) -> Equation:
    return Equation("double", HERE, "2x", "d", "c", (), (ValueSpec("x", HERE, "integer", range=Range(0, top)),))


def test_a_small_domain_of_which_most_is_turned_away_is_not_exhausted() -> None:
    def from_(least: int) -> Callable[..., None]:
        def judge(subject: Subject, case: Case, check: Any) -> None:
            assume(case.x >= least)
            check.equal(subject(case.x), 2 * case.x)

        return judge

    turned = attempt(from_(15), equation=small(15))
    assert (turned.verdict, turned.strata) == (Verdict.VACUOUS, (Stratum("ordinary", 1, False),))
    assert turned.reason == "the falsifier turned away 15 of 16 cases"
    most = attempt(from_(1), equation=small(15))
    assert (most.verdict, most.strata) == (Verdict.HELD, (Stratum("ordinary", 15, True),))


def test_an_assumption_true_of_every_fourth_case_is_made_up_for() -> None:
    def quarter(subject: Subject, case: Case, check: Any) -> None:
        assume(case.x % 4 == 0)
        check.equal(subject(case.x), 2 * case.x)

    outcome = attempt(quarter, equation=NUMBER, examples=40)
    assert (outcome.verdict, outcome.strata[0].distinct) == (Verdict.HELD, 40)


def test_a_small_domain_with_many_encodings_is_seen_to_be_all_there_is() -> None:
    halves = (("halves", st.builds(Case, x=st.integers(0, 10**6).map(lambda x: x % 7))),)
    outcome = attempt(is_twice_the_number, equation=NUMBER, cases=halves)
    assert (outcome.verdict, outcome.strata) == (Verdict.HELD, (Stratum("halves", 7, True),))


def test_own_cases_are_strata_of_their_own_and_each_is_needed() -> None:
    cases = (("low", st.builds(Case, x=st.integers(0, 500))), ("none", st.builds(Case, x=st.nothing())))
    assert verdict(is_twice_the_number, equation=NUMBER, cases=cases) == (
        Verdict.NOT_MEASURED,
        "too few distinct cases: none 0; 30 are needed in each stratum",
    )
    both = attempt(is_twice_the_number, equation=NUMBER, cases=cases[:1])
    assert (both.verdict, [row.name for row in both.strata]) == (Verdict.HELD, ["low"])


def test_every_stratum_gets_its_share() -> None:
    assert [Plan(200).share(strata) for strata in (1, 3, 200, 201)] == [200, 67, 1, 1]


def test_a_trial_leaves_no_profile_behind() -> None:
    assert sys.getprofile() is None
    attempt(is_twice)
    assert sys.getprofile() is None
