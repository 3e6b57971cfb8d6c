"""The falsifiers of microGPT have teeth, and what only looks at shape or finiteness has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from conftest import ROOT
from hypothesis import strategies as st
from microgpt_trials import drawn, the_contract, trials

from pv.contract.model import Equation, ValueSpec
from pv.falsify.cases import Case, regions
from pv.falsify.check import Check
from pv.falsify.judge import Trial
from pv.falsify.outcome import Outcome
from pv.falsify.subject import Subject
from pv.falsify.teeth import TEETH_EXAMPLES, TEETH_FEW, run_trial
from pv.falsify.work import Plan
from pv.verdict import Verdict


def but_trainings(names: Sequence[str], *slow: str) -> list[Any]:
    """`names` as parameters, the `slow` ones left to `make test-all`: each of their cases is a training of 2,000 steps."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in names]


TESTS = but_trainings([test.id for test in the_contract().tests], "FALSIFY-MG-050")
INVARIANTS = [name for test in the_contract().tests for name in test.binds_to]
ANSWERED = [name for name in INVARIANTS if name != "read_checkpoint/rejects_damage"]  # which is about raising
SHAPED = ("forward_pass/shape", "checkpoint_files/format")  # which are about it
FILES = ("checkpoint_files", "read_checkpoint")  # few texts and bytes are a checkpoint: the falsifiers bring their own
Judge = Callable[[Subject, Case, Check], None]
on_few_and_on_many = pytest.mark.parametrize(
    "examples", [TEETH_FEW, pytest.param(TEETH_EXAMPLES, marks=pytest.mark.slow)]
)


@pytest.fixture(scope="module")
def by_test() -> Iterator[dict[str, Trial]]:
    with trials(ROOT) as all_trials:
        yield {trial.test: trial for trial in all_trials}


@pytest.mark.parametrize("test", TESTS)
def test_every_falsifier_holds_and_catches_the_fault_of_its_invariant(test: str, by_test: dict[str, Trial]) -> None:
    outcome = run_trial(by_test[test], Plan(examples=20))

    assert (outcome.verdict, outcome.reason) == (Verdict.HELD, "")
    assert {tooth.invariant for tooth in outcome.teeth} == {clause.name for clause in by_test[test].invariants}


def test_every_invariant_is_bound_by_one_test() -> None:
    every = sorted(clause.name for clause in the_contract().invariants())
    assert sorted(name for test in the_contract().tests for name in test.binds_to) == every


@on_few_and_on_many
@pytest.mark.parametrize("invariant", but_trainings(ANSWERED, "training/learns"))
def test_a_check_of_finiteness_alone_is_vacuous(invariant: str, examples: int, by_test: dict[str, Trial]) -> None:
    outcome = attacked_by(only_finite, invariant, by_test, examples)

    assert (outcome.verdict, outcome.reason) == (Verdict.VACUOUS, missed(outcome, invariant))


@on_few_and_on_many
@pytest.mark.parametrize(
    "invariant", but_trainings([name for name in ANSWERED if name not in SHAPED], "training/learns")
)
def test_a_check_of_the_shape_alone_is_vacuous(invariant: str, examples: int, by_test: dict[str, Trial]) -> None:
    equation = the_contract().equation(invariant.partition("/")[0])
    assert equation is not None

    outcome = attacked_by(only_shape(equation), invariant, by_test, examples)

    assert (outcome.verdict, outcome.reason) == (Verdict.VACUOUS, missed(outcome, invariant))


def test_a_check_of_the_shape_is_enough_for_the_invariant_about_it(by_test: dict[str, Trial]) -> None:
    equation = the_contract().equation("forward_pass")
    assert equation is not None

    assert attacked_by(only_shape(equation), "forward_pass/shape", by_test, TEETH_FEW).verdict is Verdict.HELD


def attacked_by(judge: Judge, invariant: str, by_test: dict[str, Trial], examples: int) -> Outcome:
    """The trial of the test bound to `invariant`, with another falsifier, on cases inside the equation's domain.

    Each fault is tried on `examples` of them under every seed: to miss one is to look at them all.
    """
    trial = next(trial for trial in by_test.values() if trial.invariants[0].name == invariant)
    falsifier = replace(trial.falsifier, function=judge, examples=examples)
    if trial.equation.name not in FILES:
        cases = st.sampled_from(drawn(trial.equation.name, regions(trial.equation)))
        falsifier = replace(falsifier, cases=(("drawn", cases),), because="")
    return run_trial(replace(trial, falsifier=falsifier), Plan(examples))


def missed(outcome: Outcome, invariant: str) -> str:
    """Why it must be vacuous: not because the fault is gross, but because it is not seen."""
    return f"it does not catch the fault {outcome.teeth[0].fault} of {invariant}"


def only_finite(subject: Subject, case: Case, check: Check) -> None:
    for value in returned(subject(*case)):
        if isinstance(value, torch.Tensor):
            check.that(bool(value.isfinite().all()), "a value is not finite")
        else:
            check.that(not isinstance(value, float) or math.isfinite(value), "a value is not finite")


def only_shape(equation: Equation) -> Judge:
    def judge(subject: Subject, case: Case, check: Check) -> None:
        sizes = sizes_of(equation, case)
        for value, spec in zip(returned(subject(*case)), equation.returns, strict=True):
            if isinstance(value, torch.Tensor):
                check.shape(value, [sizes.get(side, side) for side in spec.shape])
            else:
                check.that(isinstance(value, KINDS[spec.type]), f"a value is {value!r}")

    return judge


KINDS = {"integer": (int, list), "text": str, "real": float}


def returned(output: Any) -> tuple[Any, ...]:
    return output if isinstance(output, tuple) else (output,)


def sizes_of(equation: Equation, case: Case) -> dict[int | str, int]:
    """What the shape letters of `equation` stand for in `case`."""
    sizes: dict[int | str, int] = {}
    for spec, value in zip(equation.arguments, case, strict=True):
        sizes.update(_sizes(spec, value))
    return sizes


def _sizes(spec: ValueSpec, value: Any) -> dict[int | str, int]:
    if spec.type == "tensor":
        return {letter: size for letter, size in zip(spec.shape, value.shape, strict=True) if isinstance(letter, str)}
    return {spec.name: value} if spec.type == "integer" else {}
