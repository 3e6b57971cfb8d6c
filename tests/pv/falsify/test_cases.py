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
from pv.falsify.cases import Case, regions
from pv.falsify.declare import Falsifier, Fault
from pv.falsify.encode import fingerprint
from pv.falsify.explore import explore
from pv.falsify.judge import Trial
from pv.falsify.outcome import Outcome
from pv.falsify.strata import KNOWN
from pv.falsify.subject import Subject
from pv.falsify.teeth import run_trial
from pv.falsify.trial import attack
from pv.falsify.work import Plan
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
    name = fields.pop("name", "x")
    return spec("tensor", name, strata=strata, dtypes=dtypes, **{"shape": ("n",), **fields})


def always_held(subject: Subject, case: Case, check: Any) -> None:
    check.that(subject(*case) is None, "something")


def trial_on(target: Equation, **more: Any) -> Trial:
    invariant = Invariant("eq", "it", HERE, "holds", Holds.EXACT, about="shape")
    names = tuple(argument.name for argument in target.arguments)
    fault = Fault("eq/it", lambda output, case: 0, False)
    falsifier = more.get("falsifier", Falsifier("T", always_held))
    subject = more.get("subject", Subject(lambda *values: None, names))
    return Trial("T", target, (invariant,), falsifier, (fault,), subject)


def measured(target: Equation, examples: int = 40) -> tuple[Outcome, list[Case]]:
    """The trial of something that always holds, and the cases it was asked about."""
    seen: list[Case] = []

    def remember(subject: Subject, case: Case, check: Any) -> None:
        seen.append(case)
        subject(*case)
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


@pytest.mark.parametrize(("type_", "stratum"), sorted(KNOWN))
def test_every_stratum_reaches_its_share_with_cases_that_are_in_it(type_: str, stratum: str) -> None:
    plain = PLAIN.get((type_, stratum), tensor(dtypes=FLOATS))
    argument = plain._replace(strata=(stratum,))
    target = equation(argument, spec("real", "other", range=Range(0, 1)))
    outcome, seen = measured(target)
    assert (outcome.verdict, outcome.reason) == (Verdict.HELD, "")
    share = Plan(40).share(len(outcome.strata))
    assert {row.name for row in outcome.strata if row.distinct < share and not row.exhausted} == set()
    holds = KNOWN[type_, stratum].holds
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


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("within", [Range(), Range(-90, 20), Range(0, 100), Range(below=0)], ids=repr)
def test_huge_integers_are_in_the_upper_half_of_the_range_or_dtype(dtype: str, within: Range) -> None:
    if dtype == "uint8" and within.below == 0:
        return  # it has none
    info = torch.iinfo(getattr(torch, dtype))
    low = max(info.min, within.min if within.min is not None else info.min)
    high = min(info.max, within.max if within.max is not None else info.max, -1 if within.below == 0 else info.max)
    for case in drawn(equation(tensor("huge", dtypes=(dtype,), range=within)), 15):
        values = case.x.tolist()
        assert low <= min(values) <= max(values) <= high
        assert max(map(abs, values)) >= max(-low, high) // 2


@pytest.mark.parametrize("stratum", ["zeros", "denormal", "one_sided"])
def test_a_stratum_that_the_range_excludes_is_not_measured(stratum: str) -> None:
    outcome, seen = measured(equation(tensor(stratum, range=Range(1, 2))))
    assert (outcome.verdict, seen) == (Verdict.NOT_MEASURED, [])
    assert outcome.reason == f"too few distinct cases: x.{stratum} 0; 40 are needed in each stratum"


@pytest.mark.parametrize(("target", "message"), [
    (equation(tensor("empty")), "the tensor argument 'x' has no stratum 'empty'; it can have "),
    (equation(tensor("nan")), "'x' admits finite values only, which 'nan' is not"),
    (equation(tensor("infinite", nan=True)), "'x' admits finite values only, which 'infinite' is not"),
    (equation(tensor("denormal", dtypes=("float32", "int8"))), "'x' may be int8, which 'denormal' is not"),
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


@pytest.mark.parametrize("shape", [(), (0,), (1,), (5,), (3, 0), (1, 7), (4, 1), (2, 3, 4)], ids=str)
@pytest.mark.parametrize(
    "within", [Range(-3, 4), Range(0, 1), Range(0.5, 1.75), Range(-2, -1), Range(), Range(max=0)], ids=repr
)
@pytest.mark.parametrize("count", [12, pytest.param(25, marks=pytest.mark.slow)])
def test_every_shape_is_filled_whatever_the_pattern(shape: tuple[int, ...], within: Range, count: int) -> None:
    strata = ("ordinary", "huge", "ties", "edges")
    for case in drawn(equation(tensor(*strata, shape=shape, dtypes=("float32", "int16"), range=within)), count):
        assert case.x.shape == shape


def test_a_dtype_that_holds_nothing_of_the_range_is_not_measured() -> None:
    outcome, _ = measured(equation(tensor("ordinary", dtypes=("float32", "int16"), range=Range(0.25, 0.75))))
    assert outcome.verdict is Verdict.NOT_MEASURED
    assert outcome.reason.startswith("too few distinct cases: x.int16 0;")


def test_what_breaks_kernels_is_among_the_ordinary_cases() -> None:
    cases = drawn(equation(tensor("ordinary", shape=("n", "m")), dimensions=(N, Dimension("m", HERE, 1, 32))), 500)
    rows = [row for case in cases for row in case.x if case.x.shape[0] > 1 and case.x.shape[1] > 3]
    for what, holds in {
        "a row of zeros among others": lambda x: bool((x == 0).all(-1).any()) and bool(x.any()),
        "zeros of both signs": lambda x: bool(((x == 0) & x.signbit()).any() and ((x == 0) & ~x.signbit()).any()),
        "equal rows": lambda x: len(x) > 1 and bool((x == x[:1]).all()) and len(x[0].unique()) > 3,
        "rows of very different size": lambda x: float(x.abs().amax(-1).max() / (x.abs().amax(-1).min() + 1e-30)) > 1e3,
    }.items():
        assert any(holds(case.x) for case in cases), what
    for what, holds in {
        "one entry": lambda row: int((row != 0).sum()) == 1,
        "ascending": lambda row: bool((row[1:] > row[:-1]).all()),
        "descending": lambda row: bool((row[1:] < row[:-1]).all()),
        "constant": lambda row: bool((row == row[0]).all()) and bool(row.any()),
        "magnitudes far apart": lambda row: (
            float(row.abs().max() / (row.abs().min() + 1e-30)) > 1e4 and bool(row.all())
        ),
    }.items():
        assert any(holds(row) for row in rows), what
    assert {1, 32} <= {case.x.shape[1] for case in cases}


def test_rows_of_a_simplex_sum_to_one_without_rounding_now_and_then() -> None:
    argument = tensor("ordinary", constraint="simplex", shape=("V",))
    cases = drawn(equation(argument, dimensions=(Dimension("V", HERE, 3, 9),)), 100)
    eighths = [case for case in cases if bool((case.x * 16 == (case.x * 16).round()).all()) and float(case.x.max()) < 1]
    assert len(eighths) > 10


# --- gradients


def test_a_gradient_is_a_region_on_and_one_off() -> None:
    target = equation(
        tensor(gradient=True), spec("tensor", "y", like="x", shape=("n",), gradient=True), tensor(name="z")
    )
    on, off, *of_y = regions(target)
    assert [region.name for region in (on, off, *of_y)] == ["x.grad", "x.no_grad", "y.grad", "y.no_grad"]
    for region, wanted in ((on, True), (off, False)):
        seen: list[Case] = []
        explore(region, seen.append, examples=20, seed=0, shrink=False)
        assert {case.x.requires_grad for case in seen} == {wanted}
        assert {case.y.requires_grad for case in seen} == {True, False}
        assert not any(case.z.requires_grad for case in seen)
        assert all(region.holds(case) for case in seen)
    assert not on.holds(Case(x=torch.zeros(1)))
    assert off.holds(Case(x=torch.zeros(1)))


def test_strata_of_an_argument_with_a_gradient_come_with_either() -> None:
    seen: list[Case] = []
    region, *_ = regions(equation(tensor("huge", gradient=True)))
    explore(region, seen.append, examples=30, seed=0, shrink=False)
    assert {case.x.requires_grad for case in seen} == {True, False}


def test_a_kernel_that_refuses_a_gradient_is_found_where_the_contract_admits_it() -> None:
    def twice(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(x.numpy() * 2)

    def is_twice(subject: Subject, case: Case, check: Any) -> None:
        check.equal(subject(case.x), case.x.detach() * 2)

    for admitted, verdict in ((False, Verdict.HELD), (True, Verdict.ERRORED)):
        target = equation(tensor("ordinary", gradient=admitted))
        trial = trial_on(target, falsifier=Falsifier("T", is_twice), subject=Subject(twice, ("x",)))
        outcome = attack(trial, Plan(40))
        assert outcome.verdict is verdict
    assert "requires grad" in outcome.reason


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
    tensors = [
        torch.tensor([0.0]),
        torch.tensor([-0.0]),
        torch.tensor([[0.0]]),
        torch.tensor([0.0], requires_grad=True),
    ]
    plain = [0, 0.0, False, "0", [0], (0,), None]
    alike = [{"y": torch.tensor([0.0])}, *({"x": value} for value in (*tensors, *plain))]
    assert len({fingerprint(values) for values in alike}) == len(alike)
    assert fingerprint({"x": torch.arange(6)[::2]}) == fingerprint({"x": torch.tensor([0, 2, 4])})


# --- the same everywhere


DRAW = """
import sys
sys.path[:0] = {paths!r}
import mined, unittest
from test_cases import digest
print(digest(0))
"""


def digest(seed: int) -> str:
    """What stands for all the cases of an attack under `seed`."""
    more = spec("text", "t", alphabet="ab"), spec("real", "r", range=Range(0, 1))
    target = equation(tensor("ordinary", "huge", dtypes=FLOATS), *more)
    return attack(trial_on(target), Plan(60, seed=seed)).cases_digest


def test_two_processes_draw_the_same_cases_whatever_else_they_loaded(tmp_path: Path) -> None:
    """Hypothesis mines constants from every loaded module that is no library's: such a module must change nothing."""
    numbers = ", ".join(str(n * 1.37) for n in range(500))
    (tmp_path / "mined.py").write_text(f"NUMBERS = [{numbers}]\nTEXTS = ['abab', 'bbb', 'ba']\n", encoding="utf-8")
    program = DRAW.format(paths=[str(Path(__file__).parent), str(tmp_path)])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(digest(0)) == 64
    assert done.stdout == f"{digest(0)}\n"
    assert digest(1) != digest(0)


def test_regions_differ_in_what_they_draw() -> None:
    digests = [
        run_trial(trial_on(equation(tensor(name))), Plan(20)).cases_digest for name in ("ordinary", "ties", "huge")
    ]
    assert all(left != right for left, right in pairwise(digests))
