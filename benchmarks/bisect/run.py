"""Does `pv bisect` name the stage that is wrong, and stay silent where none is? Beside it, what other rules say.

    python benchmarks/bisect/run.py [--quick] [--calibrate] [--shape LAYERSxTOKENS] [--dtype DTYPE] [--jobs N]

A decoder of random weights, written plainly, and a fused port of it, right or with one fault in a layer drawn at random; pv is
given the two callables and the map. Seeds 100 … are judged. `--calibrate` takes seeds 0 … 19 of every shape instead, the faults
of as many of them as are judged, and prints by shape the ratios that the thresholds in pv/bisect/thresholds.py were fixed by;
`--quick` takes two seeds of the smallest model, `--shape` and `--dtype` only the models of that kind. Exit 1: something was not
found where it is, or all of it took longer than 25 minutes.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import multiprocessing
import os
import platform
import random
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from candidate import SUBTLE, Candidate, Fault  # noqa: E402 -- found on the path just set
from outcomes import CASES, CORRECT, DTYPES, PARTS, Job, Outcome, calibration, table  # noqa: E402 -- as above
from pair import MAP, PORT_MAP, captured  # noqa: E402 -- as above
from peers import first_stage, rules  # noqa: E402 -- as above
from reference import Reference, Sizes  # noqa: E402 -- as above

from pv.bisect.described import Described  # noqa: E402 -- as above
from pv.bisect.floor import floors_of  # noqa: E402 -- as above
from pv.bisect.judge import bisect  # noqa: E402 -- as above
from pv.bisect.ladder import climb  # noqa: E402 -- as above
from pv.bisect.result import Bisection, Label, Meaning, Ratios, Verdict  # noqa: E402 -- as above
from pv.tensors.place import Place  # noqa: E402 -- as above

SHAPES = ((12, 96, 20), (12, 2048, 5), (32, 96, 5))
CALIBRATED = 20
BUDGET = 25 * 60.0


def main() -> int:
    """All cases of all models, a table of them; 1 where pv was wrong once."""
    options = _options()
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {options.jobs} processes of one thread",
        flush=True,
    )
    jobs = jobs_of(options)
    began, outcomes = time.monotonic(), []
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for of_one in pool.imap_unordered(all_cases, jobs):
            outcomes += of_one
            print(f"\r{len(outcomes)}/{sum(len(job.cases) for job in jobs)}", end="", file=sys.stderr, flush=True)
    took = time.monotonic() - began
    print(file=sys.stderr)
    for dtype in dict.fromkeys(job.dtype for job in jobs):
        table(dtype, [each for each in outcomes if each.job.dtype == dtype])
    wrong = [each for each in outcomes if not each.right["pv bisect"]]
    for each in wrong:
        print(f"WRONG {each.job} {each.case}: {each.said}")
    calibration(outcomes)
    late = took > BUDGET and not options.calibrate
    print(
        f"{len(outcomes)} cases in {took / 60:.1f} minutes ({'MISS' if late else 'ok'}: judging takes at most {BUDGET / 60:g})"
    )
    print(f"{'MISS' if wrong else 'ok  '} pv bisect: {len(outcomes) - len(wrong)} of {len(outcomes)} right")
    return 1 if wrong or late else 0


def _options() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--quick", action="store_true", help="two seeds of 12 layers and 96 tokens")
    asked.add_argument("--calibrate", action="store_true", help="seeds 0 … 19 of every shape instead of 100 …")
    shapes = [f"{layers}x{tokens}" for layers, tokens, _ in SHAPES]
    asked.add_argument("--shape", choices=shapes, help="models of this alone")
    asked.add_argument("--dtype", choices=DTYPES, help="models in this alone")
    asked.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    options = asked.parse_args()
    if not jobs_of(options):
        asked.error(f"--quick has no models of {options.shape}")
    return options


def jobs_of(options: argparse.Namespace) -> list[Job]:
    """Every model asked for, the slow ones first; of what is only calibrated with, the correct port alone."""
    jobs = []
    for layers, tokens, judged in ((12, 96, 2),) if options.quick else SHAPES:
        most = max(judged, CALIBRATED) if options.calibrate and not options.quick else judged
        for dtype, at in itertools.product(DTYPES, range(most)):
            cases = CASES if at < judged else (CORRECT,)
            jobs.append(Job(layers, tokens, dtype, at + (0 if options.calibrate else 100), cases))
    asked = [job for job in jobs if options.shape in (None, job.shape) and options.dtype in (None, job.dtype)]
    return sorted(asked, key=lambda job: -len(job.cases) * job.layers * job.tokens**2)


def all_cases(job: Job) -> list[Outcome]:
    """The cases of one model; the floors of the reference are measured once."""
    torch.set_num_threads(1)
    dtype, drawn = getattr(torch, job.dtype), random.Random(job.seed)
    reference = Reference(Sizes(layers=job.layers), job.seed, dtype)
    tokens = torch.randint(reference.sizes.vocabulary, (job.tokens,), generator=torch.Generator().manual_seed(job.seed))
    one = captured(reference, tokens, MAP)
    known = rules()
    floors, outcomes = None, []
    for case in job.cases:
        fault = None if case == CORRECT else Fault(case, drawn.randrange(job.layers), drawn.random())
        other = captured(Candidate(reference, fault), tokens, PORT_MAP)
        floors = floors or floors_of(Described(MAP, reference, tokens), one, other)
        found = bisect(one, other, MAP, reference, tokens, floors)
        outcome = Outcome(job, case)
        truth = {Place(stage, fault.layer) for stage in fault.truth} if fault else set()
        outcome.right = {name: right(first_stage(rule, one, other), truth) for name, rule in known.items()}
        if case in SUBTLE:
            outcome.right["pv bisect"] = on_the_ladder(outcome, found, reference, fault, tokens, truth)
        else:
            outcome.right["pv bisect"] = exact(found, truth)
            outcome.said = said(found)
        ratios(outcome, found, truth)
        outcomes.append(outcome)
    return outcomes


def right(place: Place | None, truth: set[Place]) -> bool:
    """Whether the first stage that a rule flags is a wrong one, or it flags none where none is."""
    return place in truth if truth else place is None


def exact(found: Bisection, truth: set[Place]) -> bool:
    """No alarm where nothing is wrong; else the very stages, one source, and everything before it within the floor."""
    if not truth:
        return found.verdict in (Verdict.IDENTICAL, Verdict.WITHIN_FLOOR)
    first = min(at for at, each in enumerate(found.stages) if each.place in truth)
    clean = all(each.label in (Label.CLEAN, Label.NOT_VISIBLE) for each in found.stages[:first])
    return found.verdict is Verdict.DIVERGED and set(found.at) == truth and not found.more and clean


def on_the_ladder(
    outcome: Outcome, found: Bisection, reference: Reference, fault: Fault, tokens: torch.Tensor, truth: set[Place]
) -> bool:
    """Whether the ladder says that it is semantics, at the very stage; and on its rung of float32 too, as `said` tells."""

    def again(dtype: torch.dtype) -> Bisection:
        wide = copy.deepcopy(reference).to(dtype)
        sides = captured(wide, tokens, MAP), captured(Candidate(wide, fault), tokens, PORT_MAP)
        return bisect(*sides, MAP, wide, tokens)

    ladder = climb(found, getattr(torch, outcome.job.dtype), again)
    rungs = {outcome.job.dtype: exact(found, truth), **{rung.dtype: set(rung.at) == truth for rung in ladder.rungs}}
    outcome.right |= {f"  rung {dtype}": hit for dtype, hit in rungs.items()}
    outcome.said = f"{said(found)}; {ladder.meaning.value}: {ladder.said}"
    silent = found.verdict is Verdict.WITHIN_FLOOR or exact(found, truth)
    return silent and ladder.meaning is Meaning.SEMANTICS and set(ladder.at) == truth


def said(found: Bisection) -> str:
    """The verdict and where, in short."""
    more = f", and {[[str(place) for place in each] for each in found.more]}" if found.more else ""
    unclean = [f"{each.place} {each.label.text}" for each in found.stages if each.label not in _QUIET][:4]
    return f"{found.verdict.label} at {[str(place) for place in found.at]}{more} ({', '.join(unclean)})"


_QUIET = (Label.CLEAN, Label.NOT_VISIBLE)


def ratios(outcome: Outcome, found: Bisection, truth: set[Place]) -> None:
    """The local ratio at the truth, the largest anywhere else; the largest inherited ones of a correct port, and how many
    stages of a faulty one are over the floor."""
    local = {each.place: each.local.worst for each in found.stages if each.local}
    outcome.seen = min((local[place] for place in truth), default=0.0)
    outcome.beside = max((ratio for place, ratio in local.items() if place not in truth), default=0.0)
    inherited = [each.inherited for each in found.stages if each.inherited]
    outcome.carried = sum(each.label in (Label.CARRIER, Label.AMPLIFIER) for each in found.stages)
    outcome.inherited = Ratios(*(max(getattr(each, part) for each in inherited) for part in PARTS))


if __name__ == "__main__":
    raise SystemExit(main())
