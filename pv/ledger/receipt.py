"""Receipts: the verdict of one trial made durable, with the digests of everything it speaks of.

The layout below is `pv/receipt-v1` (schemas/receipt-v1.json): later versions of `pv` add keys, none is rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pv.ledger.store import Stored, read_shelf
from pv.verdict import Kind, Verdict

FORMAT = "pv/receipt-v1"
DIGESTS = "pv-digest-1"
# Names of parts that are no function: the module around the functions, the whole of it, a data file.
TOP_LEVEL, WHOLE, FILE = "<module>", "<whole>", "<file>"
_SHOWN = {TOP_LEVEL: "top level", WHOLE: "", FILE: ""}
CAUSES = ("clause", "falsifier", "subject", "reference", "binding", "live")


@dataclass(frozen=True, slots=True)
class Part:
    """Something a verdict depends on: `what` names it for people, `path` and `name` find it again."""

    path: str
    name: str
    digest: str

    @property
    def what(self) -> str:
        """`implementations/microgpt/kernels.py: rms_norm`, or the name alone for what is no file."""
        name = _SHOWN.get(self.name, self.name)
        return f"{self.path}: {name}" if self.path and name else self.path or name


@dataclass(frozen=True, slots=True)
class Stratum:
    """How many distinct valid cases a trial saw in one stratum, and whether that was all there are."""

    name: str
    distinct: int
    exhausted: bool


@dataclass(frozen=True, slots=True)
class Tooth:
    """One fault and whether the falsifier's own check caught it, under every seed tried."""

    invariant: str
    fault: str
    caught: bool
    seeds: int


@dataclass(frozen=True, slots=True)
class Mutants:
    """How many mutants of the subject were tried, how many got past the smoke check, and the one that was killed, if any."""

    tried: int
    past: int
    killed: str


@dataclass(frozen=True, slots=True)
class Residual:
    """The comparison of a trial that came nearest to its bound; both in the unit of the returned value."""

    invariant: str
    dtype: str
    residual: float
    bound: float

    @property
    def slack(self) -> float:
        """How many times the bound exceeds the largest residual; infinite when nothing differed."""
        return self.bound / self.residual if self.residual else float("inf")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One run of one falsifier against one subject."""

    name: str
    path: Path
    test: str
    contract: str
    equation: str
    subject: str
    target: str
    kind: Kind
    verdict: Verdict
    reason: str
    depends: tuple[tuple[str, tuple[Part, ...]], ...]
    scope: tuple[tuple[str, tuple[str, ...]], ...]
    seed: int
    requested: int
    checks: int
    strata: tuple[Stratum, ...]
    residuals: tuple[Residual, ...]
    teeth: tuple[Tooth, ...]
    mutants: Mutants | None
    counterexample: Any = field(hash=False)  # a JSON value, which has none; `name` is the digest of all
    digests: str

    @property
    def cases(self) -> int:
        """Distinct valid cases, summed over the strata."""
        return sum(stratum.distinct for stratum in self.strata)

    @property
    def exhausted(self) -> bool:
        """Whether every stratum was exhausted: there are no more cases than these."""
        return bool(self.strata) and all(stratum.exhausted for stratum in self.strata)

    @property
    def slack(self) -> float | None:
        """The smallest slack of its comparisons; None when it compared nothing within a bound."""
        return min((residual.slack for residual in self.residuals), default=None)

    def parts(self, cause: str) -> tuple[Part, ...]:
        """What it depends on under `cause` (see `CAUSES`)."""
        return dict(self.depends).get(cause, ())


def read_receipts(folder: Path, skip: Callable[[Path], bool] = lambda path: False) -> Iterator[Receipt | Stored]:
    """The receipts below `folder` but those to `skip`; what cannot be believed comes as its `Stored`, with the problem."""
    for stored in read_shelf(folder, skip):
        yield stored if stored.problem else read_receipt(stored)


def read_receipt(stored: Stored) -> Receipt | Stored:
    """A stored file as a receipt; a file of another format comes back with that as its problem."""
    from pv.ledger.formats import problem_of

    problem = problem_of(FORMAT, stored.value)
    if problem:
        return Stored(stored.path, stored.name, None, problem)
    return _build(stored)


# Receipts of one project are about the same parts again and again.
_part = lru_cache(maxsize=65_536)(Part)


def _build(stored: Stored) -> Receipt:
    value = stored.value
    cases, test, subject = value["cases"], value["test"], value["subject"]
    return Receipt(
        name=stored.name,
        path=stored.path,
        test=test["id"],
        contract=test["contract"],
        equation=subject["equation"],
        subject=subject["name"],
        target=subject["target"],
        kind=Kind(value["kind"]),
        verdict=Verdict(value["verdict"]),
        reason=value["reason"],
        depends=tuple(
            (cause, tuple([_part(part["path"], part["name"], part["digest"]) for part in parts]))
            for cause, parts in sorted(value["depends"].items())
        ),
        scope=tuple((key, tuple(values)) for key, values in sorted(value["scope"].items())),
        seed=cases["seed"],
        requested=cases["requested"],
        checks=value["checks"],
        strata=tuple(Stratum(row["name"], row["distinct"], row["exhausted"]) for row in cases["strata"]),
        residuals=tuple(
            Residual(row["invariant"], row["dtype"], float.fromhex(row["residual"]), float.fromhex(row["bound"]))
            for row in value["residuals"]
        ),
        teeth=tuple(Tooth(row["invariant"], row["fault"], row["caught"], row["seeds"]) for row in value["teeth"]),
        mutants=Mutants(**value["mutants"]) if value.get("mutants") else None,
        counterexample=value["counterexample"],
        digests=value["digests"],
    )
