"""What came of the cases of the benchmark, and the tables of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from candidate import GROSS, SUBTLE

from pv.bisect.result import Ratios
from pv.bisect.thresholds import INHERITED, INHERITED_ROW, SOURCE

DTYPES = ("bfloat16", "float32")
CORRECT = "correct port"
CASES = (CORRECT, *GROSS, *SUBTLE)
PARTS = ("mean", "row", "column")


@dataclass(frozen=True, slots=True)
class Job:
    """One pair of models, and the cases of it."""

    layers: int
    tokens: int
    dtype: str
    seed: int
    cases: tuple[str, ...] = field(default=CASES, repr=False)

    @property
    def shape(self) -> str:
        """As `--shape` takes it."""
        return f"{self.layers}x{self.tokens}"


@dataclass(slots=True)
class Outcome:
    """What came of one case: whether each rule was right, what pv said, and the ratios behind it."""

    job: Job
    case: str
    right: dict[str, bool] = field(default_factory=dict)
    said: str = ""
    seen: float = 0.0
    beside: float = 0.0
    inherited: Ratios = field(default_factory=lambda: Ratios(0.0, 0.0, 0.0))
    carried: int = 0


def table(dtype: str, outcomes: list[Outcome]) -> None:
    """How often each rule was right, by case."""
    print(f"\n{dtype}: right, of the models in the first row; a stage counts when it is the first one flagged")
    counts: dict[str, Counter[str]] = {"models": Counter(each.case for each in outcomes)}
    for each in outcomes:
        for rule, hit in each.right.items():
            counts.setdefault(rule, Counter())[each.case] += hit
    names = sorted(counts, key=lambda name: (name != "models", name != "pv bisect", not name.startswith("  rung")))
    heads = [word[:9] for word in ("correct", *(case.replace(" off by one", " +1") for case in CASES[1:]))]
    print(f"{'':22}" + " ".join(f"{head:>9}" for head in heads))
    for name in names:
        cells = [f"{counts[name][case]:>9}" if case in counts[name] else f"{'':9}"
                 for case in CASES]  # fmt: skip
        print(f"{name:22}" + " ".join(cells))


def calibration(outcomes: list[Outcome]) -> None:
    """The ratios that thresholds lie between, by shape: the worst of many rows is another number than the worst of few."""
    print()
    kinds = {(each.job.layers, each.job.tokens, each.job.dtype): each.job for each in outcomes}
    for _, job in sorted(kinds.items()):
        own = [each for each in outcomes if (each.job.shape, each.job.dtype) == (job.shape, job.dtype)]
        for line in _lines(own):
            print(f"{job.shape} {job.dtype}: {line}")


def _lines(own: list[Outcome]) -> Iterator[str]:
    correct = [each for each in own if each.case == CORRECT]
    wrong = sorted(each.seen for each in own if each.case in GROSS)
    port = f"correct port of {len(correct)} models, largest"
    yield f"{port} local ratio {max(each.beside for each in correct):.2f} (threshold SOURCE {SOURCE:g})"
    for part in PARTS:
        most = max(getattr(each.inherited, part) for each in correct)
        yield f"{port} inherited ratio {most:.2f} ({part}; threshold {INHERITED_ROW if part == 'row' else INHERITED:g})"
    yield f"gross faults, smallest local ratio at the fault {wrong[0]:.1f}, median {wrong[len(wrong) // 2]:.0f}"
    carried = [each.carried for each in own if each.case in GROSS]
    yield f"gross faults, carriers and amplifiers {sum(carried)}"
    yield f"faults, largest local ratio elsewhere {max(each.beside for each in own if each.case != CORRECT):.2f}"
    for case in SUBTLE:
        seen = [each.seen for each in own if each.case == case]
        yield f"{case}: local ratio at the fault in this dtype, {min(seen):.2f} to {max(seen):.1f}"
