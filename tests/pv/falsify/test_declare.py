"""What a mark says is checked when the module is imported."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import pytest
from hypothesis import strategies as st

from pv.falsify.cases import Case
from pv.falsify.declare import Falsifier, OwnStratum, falsifier, falsifier_in, fault, stratum, stratum_in
from pv.finding import PvError

CASES = st.just(Case(x=1))


def attacks(subject: Any, case: Any, check: Any) -> None: ...


def marked(**said: Any) -> Falsifier:
    """The mark that `@falsifier` with these words leaves."""

    def fresh(subject: Any, case: Any, check: Any) -> None: ...

    found: Falsifier = falsifier("FALSIFY-A-001", **said)(fresh).__pv_falsifier__  # type: ignore[attr-defined] # the mark
    return found


def test_a_mark_keeps_what_it_says() -> None:
    found = marked(cases={"odd": CASES}, because="no argument is odd", examples=50, timeout=2.5, slow=True)
    assert (found.test, found.cases, found.because) == ("FALSIFY-A-001", (("odd", CASES),), "no argument is odd")
    assert (found.examples, found.timeout, found.slow) == (50, 2.5, True)
    plain = marked()
    assert (plain.cases, plain.because, plain.examples, plain.timeout, plain.slow) == ((), "", None, None, False)


@pytest.mark.parametrize("said", [
    {"cases": CASES}, {"cases": CASES, "because": ""}, {"because": 7}, {"cases": CASES, "because": 7},
])  # fmt: skip
def test_own_cases_and_the_reason_for_them_go_together(said: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="cases come from the equation's arguments; with cases= goes because="):
        marked(**said)


def test_strata_of_its_own_are_not_called_as_those_of_arguments_are() -> None:
    with pytest.raises(TypeError, match=r"called without a dot, not 'x\.huge'"):
        marked(cases={"x.huge": CASES}, because="none is drawn")


@pytest.mark.parametrize(("said", "error", "message"), [
    ({"examples": 0}, ValueError, "examples is above 0, not 0"),
    ({"examples": -3}, ValueError, "examples is above 0, not -3"),
    ({"examples": 2.5}, TypeError, "examples is a number, not 2.5"),
    ({"examples": True}, TypeError, "examples is a number, not True"),
    ({"timeout": 0.0}, ValueError, "timeout is above 0, not 0.0"),
    ({"timeout": math.inf}, ValueError, "timeout is above 0, not inf"),
    ({"timeout": math.nan}, ValueError, "timeout is above 0, not nan"),
    ({"timeout": "10m"}, TypeError, "timeout is a number, not '10m'"),
    ({"slow": 1}, TypeError, "slow is True or False, not 1"),
])  # fmt: skip
def test_a_budget_that_is_none_is_refused(said: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        marked(**said)


def test_a_function_is_marked_once() -> None:
    marks = (falsifier("FALSIFY-A-001"), fault("a/b"), stratum("tensor", "b", holds=attacks))
    for first in marks:
        for second in marks:

            def function(subject: Any, case: Any, check: Any) -> None: ...

            with pytest.raises(TypeError, match="'function' is marked twice"):
                second(first(function))


def test_a_stratum_is_found_by_its_function_and_nothing_else_is() -> None:
    module = ModuleType("m")
    marked = stratum("tensor", "a", holds=attacks)(lambda draw, spec, drawn: None)
    vars(module).update(marked=marked, plain=attacks)
    found = stratum_in(module, "marked")
    assert (found.type, found.name, found.holds, found.sizes) == ("tensor", "a", attacks, None)
    assert isinstance(found, OwnStratum)
    for name, read in (("plain", stratum_in), ("absent", stratum_in), ("plain", falsifier_in)):
        with pytest.raises(PvError, match=f"m.{name} is no (stratum|falsifier) once imported"):
            read(module, name)


@pytest.mark.parametrize(("said", "message"), [
    (("tensr", "a"), "'tensr' is no type of an argument: tensor, integer, real, text"),
    (("tensor", "Check Board"), "a stratum is called by small letters, digits and _, not 'Check Board'"),
])  # fmt: skip
def test_a_stratum_that_no_contract_could_name_is_refused(said: tuple[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stratum(*said, holds=attacks)
