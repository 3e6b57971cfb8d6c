"""Answers of a slow subject are kept, and nothing that matters is hidden by it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pv.falsify.cases import Case
from pv.falsify.remember import Remembered, behind
from pv.falsify.subject import Subject, smoke_of


class Counted:
    """A function that knows how often it was called."""

    def __init__(self, answer: Any = None) -> None:
        self.calls, self._answer = 0, answer

    def __call__(self, *values: Any, **named: Any) -> Any:
        self.calls += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer(*values, **named) if callable(self._answer) else self._answer


@pytest.mark.parametrize(
    "output",
    [1, 0.5, "name", None, [1, (2, "x")], {"a": torch.ones(2)}, torch.ones(3)],
    ids=lambda output: repr(output),
)
def test_an_equal_call_is_made_once(output: Any) -> None:
    function = Counted(output)
    remembered = Remembered(function)

    assert repr(remembered(torch.ones(2), k=1)) == repr(remembered(torch.ones(2), k=1)) == repr(output)
    assert function.calls == 1
    remembered(torch.ones(2), k=2)
    remembered(torch.ones(2, dtype=torch.float64), k=1)
    assert function.calls == 3


def test_what_is_given_out_is_nobody_elses() -> None:
    remembered = Remembered(Counted(lambda: torch.zeros(2)))
    for _ in range(2):
        remembered().add_(1)
    assert remembered().tolist() == [0.0, 0.0]


def test_what_is_not_done_is_called_again() -> None:
    graph = Counted(lambda x: 2 * x)
    remembered = Remembered(graph)
    for _ in range(2):
        remembered(torch.ones(1, requires_grad=True)).sum().backward()
    rest = Counted(lambda: iter([1]))
    lazy = Remembered(rest)
    assert list(lazy()) == list(lazy()) == [1]
    assert (graph.calls, rest.calls) == (2, 2)


def test_an_error_is_not_kept_and_what_no_case_can_hold_is_passed_on() -> None:
    failing, taking = Counted(ValueError("no")), Counted(1)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            Remembered(failing)()
        assert Remembered(taking)(object()) == 1
    assert (failing.calls, taking.calls) == (2, 2)


def test_no_more_is_kept_than_there_is_room() -> None:
    function = Counted(lambda n: torch.zeros(n))
    remembered = Remembered(function, room=100)
    for _ in range(2):
        for n in (20, 10):  # 80 bytes and then 40
            remembered(n)
    assert function.calls == 3


def test_altered_outputs_share_the_call_and_other_code_has_answers_of_its_own() -> None:
    function = Counted(lambda x: x + 1)
    subject = Subject(function, ["x"])
    subject.remember()
    wrong = subject.altered(lambda plain, again, case: again() * 2)
    assert [subject(1), subject(1), wrong(1)] == [2, 2, 4]
    assert function.calls == 1

    other = subject.edited(subject.in_force)  # what it computes would be something else
    assert [other(1), other(1)] == [2, 2]
    assert function.calls == 2
    assert subject.afresh(1) == 2
    assert (function.calls, behind(function)) == (3, function)

    subject.remember()  # anew, and not on top: code that is exchanged is what is called
    assert [subject(1), subject.edited(subject.in_force)(1), function.calls] == [2, 2, 5]


def test_an_answer_that_is_not_the_same_twice_is_still_seen() -> None:
    drawn = iter(range(100))
    subject = Subject(lambda x: float(next(drawn)), ["x"])
    subject.remember()
    assert "something else each time" in smoke_of(subject, lambda: Case(x=1), twice=True)
    steady = Subject(lambda x: 1.0, ["x"])
    steady.remember()
    assert smoke_of(steady, lambda: Case(x=1), twice=True) == "a finite float"


def test_whoever_asked_is_told_before_each_call() -> None:
    told: list[int] = []
    subject = Subject(lambda x: x, ["x"])
    subject.announce(lambda: told.append(1))
    subject.remember()
    assert [subject(1), subject(1), len(told)] == [1, 1, 2]
