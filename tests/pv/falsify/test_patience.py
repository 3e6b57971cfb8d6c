"""How long a mutant may take follows from what the subject itself takes."""

from __future__ import annotations

from typing import Any

import pytest

from pv.falsify.patience import Patience


@pytest.mark.parametrize(("case", "cases", "call", "whole"), [
    (0.001, 700, 10.0, 10.0),  # a quick subject: ten seconds for all of it
    (0.5, 700, 10.0, 1050.0),
    (5.0, 21, 50.0, 315.0),
    (5.0, 1, 50.0, 15.0),
])  # fmt: skip
def test_a_slow_subject_gives_its_mutants_time(case: float, cases: int, call: float, whole: float) -> None:
    said: list[Any] = []
    Patience(said.append, case, cases).begin("a mutant", {"done": ["another"]})

    [message] = said
    within = message.pop("within")
    assert message == {"alive": "a mutant", "mutant": "a mutant", "proof": {"done": ["another"]}}
    assert within == call if call < whole else 0 < within <= whole
