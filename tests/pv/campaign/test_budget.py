"""What is run when: every trial once, more cases for those that need them, and nothing begun when the time is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from small_project import FILES, write_project

from pv.campaign.budget import Budget, Rounds
from pv.campaign.order import Bench, Order, orders_of
from pv.campaign.run import Finished
from pv.falsify.outcome import Outcome
from pv.falsify.work import Plan, Work
from pv.ledger.receipt import Stratum
from pv.project import Project, project_at
from pv.verdict import Verdict


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def works(root: Path, count: int) -> list[Work]:
    project = project_at(write_project(root))
    [(contract, test)] = project.select([], [])
    binding = project.subject(contract, test)
    assert binding is not None
    return [Work(contract, test, binding) for _ in range(count)]


def orders(root: Path, count: int) -> list[Order]:
    return [Order(work, Plan(200, 0), 60.0) for work in works(root, count)]


def finished(order: Order, verdict: Verdict = Verdict.HELD, *rows: Stratum) -> Finished:
    return Finished(order.work, Outcome(verdict, "", rows or (Stratum("x", order.plan.examples, False),)), {})


def drain(budget: Budget, clock: Clock, verdicts: dict[Work, Verdict], seconds: float, most: int = 20) -> list[Order]:
    """What the budget gives, one at a time, each taking `seconds`."""
    given: list[Order] = []
    while len(given) < most and (order := budget.next()) is not None:
        given.append(order)
        clock.now += seconds
        budget.done(finished(order, verdicts.get(order.work, Verdict.HELD)))
    return given


def test_without_more_rounds_each_is_run_once_in_order(tmp_path: Path) -> None:
    clock, asked = Clock(), orders(tmp_path, 3)
    budget = Budget(asked, clock=clock)
    assert drain(budget, clock, {}, 1.0) == asked
    assert budget.not_begun == ()


def test_what_was_not_begun_in_time_is_named_and_what_was_begun_is_not(tmp_path: Path) -> None:
    clock, asked = Clock(), orders(tmp_path, 4)
    budget = Budget(asked, seconds=10.0, clock=clock)
    assert drain(budget, clock, {}, 6.0) == asked[:2]
    assert budget.not_begun == (asked[2].work, asked[3].work)
    assert budget.why_not == "the time budget was spent"


def test_the_time_left_is_spent_on_new_and_more_cases_of_the_thinnest_first(tmp_path: Path) -> None:
    clock, asked = Clock(), orders(tmp_path, 2)
    budget = Budget(asked, rounds=Rounds.MORE, seconds=5.5, clock=clock)
    given = drain(budget, clock, {}, 1.0)
    plans = [(asked.index(next(one for one in asked if one.work is order.work)), order.plan) for order in given]
    assert plans == [
        (0, Plan(200, 0)), (1, Plan(200, 0)), (0, Plan(400, 1)), (1, Plan(400, 1)), (0, Plan(800, 2)), (1, Plan(800, 2)),
    ]  # fmt: skip


def test_a_trial_that_takes_long_gets_other_cases_but_not_more(tmp_path: Path) -> None:
    clock, [asked] = Clock(), orders(tmp_path, 1)
    budget = Budget([asked], rounds=Rounds.MORE, seconds=25.0, clock=clock)
    assert [order.plan for order in drain(budget, clock, {}, 10.0)] == [Plan(200, 0), Plan(200, 1), Plan(200, 2)]


@pytest.mark.parametrize("verdict", [Verdict.FALSIFIED, Verdict.ERRORED, Verdict.VACUOUS, Verdict.NOT_MEASURED])
def test_more_cases_help_only_what_held(verdict: Verdict, tmp_path: Path) -> None:
    clock, asked = Clock(), orders(tmp_path, 2)
    budget = Budget(asked, rounds=Rounds.MORE, seconds=3.5, clock=clock)
    given = drain(budget, clock, {asked[0].work: verdict}, 1.0)
    assert [order.work for order in given] == [asked[0].work, asked[1].work, asked[1].work, asked[1].work]


def test_a_trial_that_saw_all_there_is_needs_no_more(tmp_path: Path) -> None:
    clock, [asked] = Clock(), orders(tmp_path, 1)
    budget = Budget([asked], rounds=Rounds.MORE, seconds=9.0, clock=clock)
    order = budget.next()
    assert order is asked
    budget.done(finished(order, Verdict.HELD, Stratum("x", 17, True)))
    assert budget.next() is None


def test_until_falsified_ends_with_the_first_and_not_before(tmp_path: Path) -> None:
    clock, asked = Clock(), orders(tmp_path, 3)
    budget = Budget(asked, rounds=Rounds.UNTIL_FALSIFIED, clock=clock)
    assert len(drain(budget, clock, {}, 1.0, most=20)) == 20
    budget = Budget(asked, rounds=Rounds.UNTIL_FALSIFIED, clock=clock)
    given = drain(budget, clock, {asked[1].work: Verdict.FALSIFIED}, 1.0)
    assert (given, budget.not_begun) == (asked[:2], (asked[2].work,))
    assert budget.why_not == "something was falsified"


def test_while_all_that_is_left_is_under_way_there_is_nothing_to_begin(tmp_path: Path) -> None:
    clock, [asked] = Clock(), orders(tmp_path, 1)
    budget = Budget([asked], rounds=Rounds.MORE, jobs=2, clock=clock)
    first = budget.next()
    assert first is asked
    assert budget.next() is None
    budget.done(finished(first))
    again = budget.next()
    assert again is not None
    assert (again.plan, again.parts) == (Plan(400, 1), 2), "alone, it may use every process"


# --- what is ordered

SLOW = FILES["falsifiers/double.py"].replace(
    '@falsifier("FALSIFY-D-001")', '@falsifier("FALSIFY-D-001", examples=300, timeout=7.5, slow=True)'
)


def one_order(root: Path, bench: dict[str, object], *, falsifier: str = SLOW) -> Order:
    project = project_at(write_project(root, {"falsifiers/double.py": falsifier}))
    [order] = orders_of(selected(project), Bench(project.root, project.sources, project.today, **bench))  # type: ignore[arg-type] # each as it is
    return order


def selected(project: Project) -> Sequence[Work]:
    return [Work(*pair, row) for pair in project.select([], []) if (row := project.subject(*pair)) is not None]


def test_what_a_falsifier_asks_for_counts_unless_it_is_insisted(tmp_path: Path) -> None:
    said = one_order(tmp_path, {"jobs": 1})
    assert (said.plan.examples, said.timeout, said.slow) == (300, 7.5, True)
    both = frozenset(("examples", "timeout"))
    over = one_order(tmp_path, {"jobs": 1, "plan": Plan(40), "timeout": 5.0, "insisted": both})
    assert (over.plan.examples, over.timeout) == (40, 5.0)
    silent = one_order(tmp_path, {"jobs": 1, "plan": Plan(40)}, falsifier=FILES["falsifiers/double.py"])
    assert (silent.plan.examples, silent.timeout, silent.slow) == (40, 60.0, False)


def test_few_slow_and_large_trials_are_spread_over_every_process(tmp_path: Path) -> None:
    plain = FILES["falsifiers/double.py"]
    assert one_order(tmp_path, {"jobs": 1}, falsifier=plain).parts == 1
    assert one_order(tmp_path, {"jobs": 3}, falsifier=plain).parts == 3
    for falsifier, plan, parts in ((plain, Plan(200), 1), (plain, Plan(5000), 2), (SLOW, Plan(200), 2)):
        project = project_at(write_project(tmp_path, {"falsifiers/double.py": falsifier}))
        bench = Bench(project.root, project.sources, project.today, plan, jobs=2)
        many = [*selected(project), *selected(project), *selected(project)]
        assert [order.parts for order in orders_of(many, bench)] == [parts] * 3


def test_slow_ones_come_last(tmp_path: Path) -> None:
    contract = FILES["contracts/double-v1.yaml"] + SECOND
    text = (
        SLOW + '\n\n@falsifier("FALSIFY-D-002")\ndef other(subject, case, check):\n    is_twice(subject, case, check)\n'
    )
    project = project_at(write_project(tmp_path, {"contracts/double-v1.yaml": contract, "falsifiers/double.py": text}))
    found = orders_of(selected(project), Bench(project.root, project.sources, project.today))
    assert [(order.work.test.id, order.slow) for order in found] == [("FALSIFY-D-002", False), ("FALSIFY-D-001", True)]


SECOND = """\
  - id: FALSIFY-D-002
    rule: as the first
    prediction: as the first
    binds_to: [double/twice]
    if_fails: look at the first
"""
