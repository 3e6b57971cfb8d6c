"""Cases lie in the domain that the contract states, visit the stratum they are drawn for, and are the same everywhere."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis.errors import Unsatisfiable

from pv.contract.model import Dimension, Equation, Holds, Invariant, Range, ValueSpec
from pv.falsify.cases import _ROWS, Case, regions
from pv.falsify.declare import Falsifier, Fault
from pv.falsify.encode import fingerprint
from pv.falsify.explore import explore
from pv.falsify.subject import Subject
from pv.falsify.teeth import run_trial
from pv.falsify.trial import Outcome, Plan, Trial, attack
from pv.finding import Place, PvError
from pv.verdict import Verdict

HERE = Place("c.yaml")
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
N = Dimension("n", HERE, 1, 6)


def equation(*arguments: ValueSpec, dimensions: tuple[Dimension, ...] = (N,)) -> Equation:
    return Equation("eq", HERE, "f", "d", "c", dimensions, arguments)


def spec(type_: str, name: str = "x", **fields: Any) -> ValueSpec:
    return ValueSpec(name, HERE, type_, **{"range": Range(), **fields})


def tensor(*strata: str, dtypes: tuple[str, ...] = ("float32",), **fields: Any) -> ValueSpec:
    return spec("tensor", strata=strata, dtypes=dtypes, **{"shape": ("n",), **fields})


def always_held(subject: Subject, case: Case, check: Any) -> None:
    check.that(subject(*case) is None, "something")


def trial_on(target: Equation, **more: Any) -> Trial:
    invariant = Invariant("eq", "it", HERE, "holds", Holds.EXACT, about="shape")
    names = tuple(argument.name for argument in target.arguments)
    fault = Fault("eq/it", lambda output, case: 0, False)
    falsifier = more.get("falsifier", Falsifier("T", always_held))
    return Trial("T", target, (invariant,), falsifier, (fault,), Subject(lambda *values: None, names))


def measured(target: Equation, examples: int = 40) -> tuple[Outcome, list[Case]]:
    """The trial of something that always holds, and the cases it was asked about."""
    seen: list[Case] = []

    def remember(subject: Subject, case: Case, check: Any) -> None:
        seen.append(case)
        check.that(True, "")

    return attack(trial_on(target, falsifier=Falsifier("T", remember)), Plan(examples)), seen


def drawn(target: Equation, count: int = 40) -> list[Case]:
    """Cases of every region as they are drawn, whether or not they are in it."""
    seen: list[Case] = []
    for region in regions(target):
        explore(region, seen.append, examples=count, seed=1, shrink=False)
    return seen


# --- every row of the table


OPEN = Range()
PLAIN = {
    ("integer", "ordinary"): spec("integer", range=Range(-3, 900)),
    ("integer", "edges"): spec("integer", range=Range(0, below=40)),
    ("real", "ordinary"): spec("real", range=Range(0, below=1)),
    ("real", "edges"): spec("real", range=Range(0, below=1)),
    ("text", "ordinary"): spec("text", alphabet="ab", range=Range(2, 9)),
    ("text", "empty"): spec("text", alphabet="ab", range=Range(0, 9)),
    ("text", "foreign"): spec("text", alphabet="ab", range=Range(2, 8)),
    ("tensor", "nan"): tensor(nan=True, dtypes=FLOATS),
    ("tensor", "infinite"): tensor(infinity=True, dtypes=FLOATS),
    ("tensor", "edges"): tensor(dtypes=FLOATS, range=Range(-0.7, 0.3)),
}


@pytest.mark.parametrize(("type_", "stratum"), sorted(_ROWS))
def test_every_stratum_reaches_its_share_with_cases_that_are_in_it(type_: str, stratum: str) -> None:
    plain = PLAIN.get((type_, stratum), tensor(dtypes=FLOATS))
    argument = ValueSpec(**{**{name: getattr(plain, name) for name in plain.__slots__}, "strata": (stratum,)})
    target = equation(argument, spec("real", "other", range=Range(0, 1)))
    outcome, seen = measured(target)
    assert (outcome.verdict, outcome.reason) == (Verdict.HELD, "")
    share = Plan(40).share(len(outcome.strata))
    assert {row.name for row in outcome.strata if row.distinct < share and not row.exhausted} == set()
    holds = _ROWS[type_, stratum].holds
    in_it = [case for case in seen if holds(case.x, argument)]
    assert len({fingerprint(case.values) for case in in_it}) >= share


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("within", [
    Range(), Range(-1e9, 1e9), Range(0, below=1), Range(0.1, 0.1001), Range(100, 200), Range(-200, -100), Range(-0.1, 0.1),
    Range(0), Range(max=0), Range(below=0), Range(0, 60000),
], ids=repr)  # fmt: skip
@pytest.mark.parametrize("stratum", ["ordinary", "huge", "denormal", "zeros", "ties", "edges", "one_sided", "size_one"])
def test_a_float_is_never_drawn_outside_its_range(dtype: str, within: Range, stratum: str) -> None:
    target = equation(tensor(stratum, dtypes=(dtype,), range=within))
    try:
        cases = drawn(target, 12)
    except Unsatisfiable:
        cases = []
    for case in cases:
        wide = case.x.to(torch.float64)
        assert case.x.dtype is getattr(torch, dtype)
        assert bool(wide.isfinite().all())
        assert bool((wide >= (within.min if within.min is not None else -math.inf)).all())
        assert bool((wide <= (within.max if within.max is not None else math.inf)).all())
        assert bool((wide < (within.below if within.below is not None else math.inf)).all())


@pytest.mark.parametrize("dtype", [*INTEGERS, "bool"])
@pytest.mark.parametrize("within", [Range(), Range(0, 1), Range(0, below=1), Range(0, 100000)], ids=repr)
def test_an_integer_is_never_drawn_outside_its_range_or_dtype(dtype: str, within: Range) -> None:
    cases = drawn(equation(tensor("ordinary", "ties", "size_one", dtypes=(dtype,), range=within)), 15)
    tops = [float(top) for top in (within.max, 0 if within.below else None) if top is not None]
    assert {case.x.dtype for case in cases} == {getattr(torch, dtype)}
    assert all(float(case.x.to(torch.float64).max()) <= min(tops, default=math.inf) for case in cases)
    assert within.min is None or all(float(case.x.to(torch.float64).min()) >= within.min for case in cases)


@pytest.mark.parametrize("stratum", ["zeros", "denormal", "one_sided"])
def test_a_stratum_that_the_range_excludes_is_not_measured(stratum: str) -> None:
    outcome, seen = measured(equation(tensor(stratum, range=Range(1, 2))))
    assert (outcome.verdict, seen) == (Verdict.NOT_MEASURED, [])
    assert outcome.reason == f"too few distinct cases: x.{stratum} 0; at least 20 are needed in each stratum"


@pytest.mark.parametrize(("target", "message"), [
    (equation(tensor("empty")), "the tensor argument 'x' has no stratum 'empty'; it can have "),
    (equation(tensor("nan")), "'x' admits finite values only, which 'nan' is not"),
    (equation(tensor("infinite", nan=True)), "'x' admits finite values only, which 'infinite' is not"),
    (equation(tensor("huge", constraint="simplex")), "'x' is a simplex, which 'huge' is not"),
    (equation(tensor("one_sided", constraint="simplex")), "'x' is a simplex, which 'one_sided' is not"),
])  # fmt: skip
def test_a_stratum_that_cannot_be_is_refused_and_says_so(target: Equation, message: str) -> None:
    with pytest.raises(PvError, match="eq: ") as caught:
        regions(target)
    assert message in caught.value.message


def test_text_keeps_its_alphabet_and_its_length() -> None:
    for case in drawn(equation(spec("text", alphabet="ab", range=Range(2, 8), strata=("ordinary",)))):
        assert 2 <= len(case.x) <= 8
        assert set(case.x) <= set("ab")
    for longest in (1, 2, 7, 8):
        cases = drawn(equation(spec("text", alphabet="ab", range=Range(1, longest), strata=("foreign",))))
        assert all(1 <= len(case.x) <= longest and set(case.x) - set("ab") for case in cases)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_simplex_is_not_negative_and_sums_to_one(dtype: str) -> None:
    argument = tensor("ordinary", "ties", "edges", "size_one", dtypes=(dtype,), constraint="simplex", shape=("n", "V"))
    cases = drawn(equation(argument, dimensions=(N, Dimension("V", HERE, 1, 9))), 25)
    assert len(cases) > 60
    for case in cases:
        sums = case.x.to(torch.float64).sum(-1)
        assert bool((case.x >= 0).all())
        assert bool(((sums - 1).abs() <= case.x.shape[-1] * torch.finfo(case.x.dtype).eps).all())


# --- how arguments depend on each other


def test_letters_are_shared_and_integer_arguments_are_letters_and_bounds() -> None:
    target = equation(
        tensor("ordinary", dtypes=("int64",), shape=("n", "count"), range=Range(0, below="count")),
        spec("tensor", "like_x", like="x", shape=("n",), range=Range(0, 5)),
        spec("integer", "index", range=Range(0, below="count")),
        spec("integer", "count", range=Range(1, 5), strata=("edges",)),
        spec("real", "part", range=Range(0, below="count")),
    )
    for case in drawn(target):
        assert list(case.values) == ["x", "like_x", "index", "count", "part"]
        assert case.x.shape == (len(case.like_x), case.count)
        assert case.like_x.dtype is torch.int64
        assert 0 <= int(case.x.min()) <= int(case.x.max()) < case.count
        assert 0 <= case.index < case.count
        assert 0 <= case.part < case.count
        assert 1 <= len(case.like_x) <= 6


def test_every_dtype_gets_a_region_and_like_follows_it() -> None:
    target = equation(tensor(dtypes=FLOATS), spec("tensor", "y", like="x", shape=("n",)))
    found = regions(target)
    assert [region.name for region in found] == [f"x.{dtype}" for dtype in FLOATS]
    for region, dtype in zip(found, FLOATS, strict=True):
        seen: list[Case] = []
        explore(region, seen.append, examples=10, seed=0, shrink=False)
        assert {(case.x.dtype, case.y.dtype) for case in seen} == {(getattr(torch, dtype), getattr(torch, dtype))}


def test_an_argument_that_declares_nothing_has_one_ordinary_region() -> None:
    assert [region.name for region in regions(equation(tensor()))] == ["ordinary"]


def test_a_case_reads_as_its_arguments() -> None:
    case = Case({"x": 1}, values_of=2)
    assert (case.x, case["values_of"], list(case), repr(case)) == (1, 2, [1, 2], "Case(x=1, values_of=2)")
    with pytest.raises(AttributeError, match="the case has no argument 'y'; it has x, values_of"):
        _ = case.y


# --- counting


def test_a_finite_domain_is_exhausted_and_said_so() -> None:
    outcome, seen = measured(equation(spec("integer", range=Range(1, 12), strata=("ordinary", "edges"))), 200)
    assert {row.name: (row.distinct, row.exhausted) for row in outcome.strata} == {
        "x.ordinary": (12, True),
        "x.edges": (2, True),
    }
    assert {case.x for case in seen} == set(range(1, 13))


def test_a_larger_domain_is_not_called_exhausted() -> None:
    outcome, _ = measured(equation(spec("integer", range=Range(1, 5000), strata=("ordinary",))), 50)
    assert [(row.distinct >= 50, row.exhausted) for row in outcome.strata] == [(True, False)]


def test_zeros_of_few_shapes_are_exhausted() -> None:
    outcome, _ = measured(equation(tensor("zeros", dtypes=("float32",))), 40)
    assert [(row.distinct, row.exhausted) for row in outcome.strata] == [(6, True)]


def test_a_case_is_fingerprinted_by_its_bits() -> None:
    alike = [{"x": torch.tensor([0.0])}, {"x": torch.tensor([-0.0])}, {"x": torch.tensor([[0.0]])}, {"y": torch.tensor([0.0])},
             {"x": 0}, {"x": 0.0}, {"x": False}, {"x": "0"}, {"x": [0]}, {"x": (0,)}, {"x": None}]  # fmt: skip
    assert len({fingerprint(values) for values in alike}) == len(alike)
    assert fingerprint({"x": torch.arange(6)[::2]}) == fingerprint({"x": torch.tensor([0, 2, 4])})


# --- the same everywhere


DRAW = """
import sys
{before}
sys.path.insert(0, {here!r})
from test_cases import equation, tensor, trial_on, spec, FLOATS
from pv.contract.model import Range
from pv.falsify.trial import Plan, attack
more = spec("text", "t", alphabet="ab"), spec("real", "r", range=Range(0, 1))
target = equation(tensor("ordinary", "huge", dtypes=FLOATS), *more)
print(attack(trial_on(target), Plan(60, seed={seed})).cases_digest)
"""


def test_two_processes_draw_the_same_cases_whatever_else_they_loaded(tmp_path: Path) -> None:
    """Hypothesis mines constants from every loaded module that is no library's: such a module must change nothing."""
    numbers = ", ".join(str(n * 1.37) for n in range(500))
    (tmp_path / "mined.py").write_text(f"NUMBERS = [{numbers}]\nTEXTS = ['abab', 'bbb', 'ba']\n", encoding="utf-8")

    def digest(before: str, seed: int = 0) -> str:
        here = str(__file__.rpartition("/")[0])
        program = DRAW.format(before=before, here=here, seed=seed)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        return done.stdout

    plain = digest("")
    assert len(plain) == 65
    assert digest(f"sys.path.insert(0, {str(tmp_path)!r}); import mined, unittest") == plain
    assert digest("", seed=1) != plain


def test_regions_differ_in_what_they_draw() -> None:
    digests = [
        run_trial(trial_on(equation(tensor(name))), Plan(20)).cases_digest for name in ("ordinary", "ties", "huge")
    ]
    assert all(left != right for left, right in pairwise(digests))
