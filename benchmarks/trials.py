"""Trials of microGPT in this process: what one example costs beside bare Hypothesis, and how soon planted faults are found."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis
import torch
from hypothesis import HealthCheck, Phase, settings
from planted import DEFAULTS, PLANTED, Planted

from falsifiers.microgpt import distribution, normalised, rows_of
from implementations.microgpt.kernels import one_hot, rms_norm, softmax
from pv.campaign.site import site_of
from pv.falsify.cases import Case, Region
from pv.falsify.check import Check, Falsified
from pv.falsify.judge import Trial
from pv.falsify.load import Loader
from pv.falsify.stage import trial_of
from pv.falsify.subject import Subject
from pv.falsify.trace import Tracer
from pv.falsify.trial import attack, seed_of
from pv.falsify.work import Action, Plan, Task, Work
from pv.project import project_at
from pv.verdict import Verdict

EXAMPLES, SEEDS = 200, 20
NOT_FOUND = EXAMPLES + 1


def within(seen: torch.Tensor, wanted: torch.Tensor, absolute: float, relative: float) -> None:
    """The assertion of `check.close`, in plain torch."""
    assert bool(((seen.double() - wanted).abs() <= absolute + relative * wanted.abs()).all())


def rms_formula(case: Case) -> None:
    single = case.x.dtype == torch.float32
    tolerance = (1e-37, 1e-6) if single else (1e-300, 2e-15)
    within(rms_norm(case.x), rows_of(normalised, case.x), *tolerance)


def rms_odd(case: Case) -> None:
    assert torch.equal(rms_norm(-case.x), -rms_norm(case.x))


def softmax_formula(case: Case) -> None:
    single = case.x.dtype == torch.float32
    tolerance = (1e-37, 1e-5) if single else (1e-300, 1e-13)
    within(softmax(case.x), rows_of(distribution, case.x), *tolerance)


def softmax_sum(case: Case) -> None:
    tolerance = 1e-5 if case.x.dtype == torch.float32 else 1e-13
    within(softmax(case.x).double().sum(dim=-1), torch.ones(case.x.shape[0], dtype=torch.float64), tolerance, 0.0)


def one_hot_at_index(case: Case) -> None:
    assert bool((one_hot(*case).gather(-1, case.indices[:, None]) == 1.0).all())


PLAIN: Mapping[str, Callable[[Case], None]] = {
    "FALSIFY-MG-002": one_hot_at_index,
    "FALSIFY-MG-004": rms_formula,
    "FALSIFY-MG-006": rms_odd,
    "FALSIFY-MG-012": softmax_formula,
    "FALSIFY-MG-013": softmax_sum,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one example costs: seconds of processor time with bare Hypothesis, and how many times that `pv` takes.

    `plain` is without, `traced` with the tracing of what the subject enters; both are medians over pairs of runs with equal
    seeds. `examples` is how many a trial has.
    """

    test: str
    bare: float
    plain: float
    traced: float
    examples: int


@contextmanager
def trials(root: Path) -> Iterator[Callable[[str], tuple[Trial, Trial]]]:
    """Gives the trial of a test, first without tracing and then with it."""
    project = project_at(root)
    tracer, aside = Tracer(project.root), Tracer(project.root)
    loader = Loader(project.root, project.sources, tracer)

    def named(test: str) -> tuple[Trial, Trial]:
        [(contract, found)] = project.select([test], [])
        binding = project.subject(contract, found)
        assert binding is not None, f"{test} has no subject"
        work = Work(contract, found, binding)
        site = site_of(work, project.root, project.sources, project.today)
        traced = trial_of(Task(Action.ATTACK, work, site, Plan(EXAMPLES), 60.0, 2**32), loader, tracer, aside)
        names = [argument.name for argument in traced.equation.arguments]
        return replace(traced, subject=Subject(loader.target(binding.target), names)), traced

    with loader.active():
        torch.set_num_threads(1)
        yield named


def costs(root: Path, repeats: int) -> Iterator[Cost]:
    """What one example of each property costs, in runs that alternate."""
    with trials(root) as named:
        for test, body in PLAIN.items():
            plain, traced = named(test)
            for warm in (bare, ours):  # the first run imports and compiles
                warm(plain, body, 0)
            rows = [
                (bare(plain, body, seed), ours(plain, body, seed), ours(traced, body, seed)) for seed in range(repeats)
            ]
            plain_times, traced_times = (
                statistics.median(row[column][0] / row[0][0] for row in rows) for column in (1, 2)
            )
            yield Cost(test, statistics.median(row[0][0] for row in rows), plain_times, traced_times, rows[0][1][1])


def bare(trial: Trial, body: Callable[[Case], None], seed: int) -> tuple[float, int]:
    """Processor seconds for one example, and how many there were: the same strategies, seeds and number of examples."""
    every, count = trial.regions(), 0

    def counted(case: Case) -> None:
        nonlocal count
        count += 1
        body(case)

    share = Plan(EXAMPLES).share(len(every))
    began = time.process_time()
    for region in every:
        explored(region, counted, share, seed_of(trial.test, region.name, seed, 0, 0))
    return (time.process_time() - began) / count, count


def explored(region: Region, body: Callable[[Case], None], examples: int, seed: int) -> None:
    """Hypothesis as anybody would call it who wants neither a database nor deadlines."""
    run = settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    hypothesis.seed(seed)(run(hypothesis.given(case=region.strategy)(body)))()


def ours(trial: Trial, _: Callable[[Case], None], seed: int) -> tuple[float, int]:
    """As `bare`, of the attack that `pv falsify` makes."""
    began = time.process_time()
    outcome = attack(trial, Plan(EXAMPLES, seed))
    seconds = time.process_time() - began
    assert outcome.verdict is Verdict.HELD, f"{trial.test}: {outcome.reason}"
    return seconds / outcome.valid, outcome.valid


@dataclass(frozen=True, slots=True)
class Found:
    """Examples to the first counterexample of one planted fault, one for each seed; `NOT_FOUND` where there was none."""

    name: str
    ours: tuple[int, ...]
    theirs: tuple[int, ...]

    @property
    def worse(self) -> bool:
        """Whether ours is later, by the median."""
        return statistics.median(self.ours) > statistics.median(self.theirs)


def finds(root: Path, seeds: int = SEEDS) -> Iterator[Found]:
    """Every planted fault, found by `pv` and by the same falsifier on Hypothesis' default strategies."""
    with trials(root) as named:
        for planted in PLANTED:
            plain, _ = named(planted.test)
            names = [argument.name for argument in plain.equation.arguments]
            faulty = replace(plain, subject=Subject(planted.function, names), pins=())
            yield Found(
                planted.name,
                tuple(first_of_ours(faulty, seed) for seed in range(seeds)),
                tuple(first_of_theirs(faulty, planted, seed) for seed in range(seeds)),
            )


def first_of_ours(trial: Trial, seed: int) -> int:
    """Which case was the first to break it."""
    outcome = attack(trial, Plan(EXAMPLES, seed), shrink=False)
    return outcome.valid + 1 if outcome.verdict is Verdict.FALSIFIED else NOT_FOUND


def first_of_theirs(trial: Trial, planted: Planted, seed: int) -> int:
    """As `first_of_ours`, with cases of Hypothesis' own."""
    count = 0

    def body(case: Case) -> None:
        nonlocal count
        count += 1
        trial.call(trial.subject, case, Check(trial.invariants))

    run: Any = settings(
        max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,), report_multiple_bugs=False,
    )  # fmt: skip
    try:
        hypothesis.seed(seed)(run(hypothesis.given(case=DEFAULTS[planted.test])(body)))()
    except Falsified:
        return count
    return NOT_FOUND
