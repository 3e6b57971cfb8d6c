"""Receipts: the verdict of one trial made durable, with the digests of everything it speaks of.

The layout below is `pv/receipt-v1` (schemas/receipt-v1.json): later versions of `pv` add keys, none is rewritten.
"""

# No `from __future__ import annotations`: a named tuple whose types are values is made in little more than half the time.

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pv.ledger.pieces import cut, piece, validators
from pv.ledger.store import Stored, open_shelf, parse, read_text
from pv.verdict import Kind, Verdict

FORMAT = "pv/receipt-v1"
DIGESTS = "pv-digest-1"
# Names of parts that are no function: the module around the functions, the whole of it, a data file.
TOP_LEVEL, WHOLE, FILE = "<module>", "<whole>", "<file>"
_SHOWN = {TOP_LEVEL: "top level", WHOLE: "", FILE: ""}
_MARK = ',"depends":'
CAUSES = ("clause", "falsifier", "subject", "reference", "binding", "live")


class Part(NamedTuple):
    """Something a verdict depends on: `what` names it for people, `path` and `name` find it again."""

    path: str
    name: str
    digest: str

    @property
    def what(self) -> str:
        """`implementations/microgpt/kernels.py: rms_norm`, or the name alone for what is no file."""
        name = _SHOWN.get(self.name, self.name)
        return f"{self.path}: {name}" if self.path and name else self.path or name


Depends = tuple[tuple[str, tuple[Part, ...]], ...]
"""Parts by cause (see `CAUSES`), in the order of the alphabet."""


class Stratum(NamedTuple):
    """How many distinct valid cases a trial saw in one stratum, and whether that was all there are."""

    name: str
    distinct: int
    exhausted: bool


class Tooth(NamedTuple):
    """One fault and whether the falsifier's own check caught it, under every seed tried."""

    invariant: str
    fault: str
    caught: bool
    seeds: int


class Mutants(NamedTuple):
    """How many mutants of the subject were tried, how many got past the smoke check, and the one that was killed, if any."""

    tried: int
    past: int
    killed: str


class Residual(NamedTuple):
    """The comparison of a trial that came nearest to its bound; both in the unit of the returned value."""

    invariant: str
    dtype: str
    residual: float
    bound: float

    @property
    def slack(self) -> float:
        """How many times the bound exceeds the largest residual; infinite when nothing differed."""
        return self.bound / self.residual if self.residual else float("inf")


class Receipt(NamedTuple):
    """One run of one falsifier against one subject. From `test` to `digests` it is as in `_Run`."""

    name: str
    folder: Path
    test: str
    contract: str
    equation: str
    subject: str
    target: str
    kind: Kind
    verdict: Verdict
    reason: str
    scope: tuple[tuple[str, tuple[str, ...]], ...]
    residuals: tuple[Residual, ...]
    teeth: tuple[Tooth, ...]
    mutants: Mutants | None
    digests: str
    depends: Depends
    seed: int
    requested: int
    checks: int
    strata: tuple[Stratum, ...]
    counterexample: Any

    def __hash__(self) -> int:
        """That of its name, which is the digest of all: a counterexample is a JSON value, and has none."""
        return hash(self.name)

    @property
    def path(self) -> Path:
        """Its file."""
        return self.folder / f"{self.name}.json"

    @property
    def cases(self) -> int:
        """Distinct valid cases, summed over the strata."""
        return sum([stratum.distinct for stratum in self.strata])

    @property
    def exhausted(self) -> bool:
        """Whether every stratum was exhausted: there are no more cases than these."""
        return bool(self.strata) and all(stratum.exhausted for stratum in self.strata)

    @property
    def slack(self) -> float | None:
        """The smallest slack of its comparisons; None when it compared nothing within a bound."""
        return min((residual.slack for residual in self.residuals), default=None)

    @property
    def bites(self) -> bool:
        """Whether its falsifier caught every fault that was tried, and one was."""
        return bool(self.teeth) and all(tooth.caught for tooth in self.teeth)

    def parts(self, cause: str) -> tuple[Part, ...]:
        """What it depends on under `cause` (see `CAUSES`)."""
        return dict(self.depends).get(cause, ())


class _Run(NamedTuple):
    """Of a receipt, what runs of a test with other cases have in common."""

    test: str
    contract: str
    equation: str
    subject: str
    target: str
    kind: Kind
    verdict: Verdict
    reason: str
    scope: tuple[tuple[str, tuple[str, ...]], ...]
    residuals: tuple[Residual, ...]
    teeth: tuple[Tooth, ...]
    mutants: Mutants | None
    digests: str


def read_receipts(
    folder: Path, skip: Callable[[str, str], bool] = lambda home, file: False
) -> Iterator[Receipt | Stored]:
    """The receipts below `folder` but those to `skip` (see `open_shelf`); what cannot be believed comes as its `Stored`."""
    return open_shelf(folder, _read, skip)


def read_receipt(stored: Stored) -> Receipt | Stored:
    """A stored file as a receipt; a file of another format comes back with that as its problem."""
    from pv.ledger.formats import problem_of

    value, problem = stored.value, problem_of(FORMAT, stored.value)
    if problem:
        return Stored(stored.path, stored.name, None, problem)
    depends = tuple((cause, _parts(parts)) for cause, parts in sorted(value["depends"].items()))
    return _build(stored.path.parent, stored.name, value, depends, _run(value))


def _read(folder: Path, file: str) -> Receipt | Stored:
    text = read_text(folder, file)
    if isinstance(text, Stored):
        return text
    found = _from_pieces(folder, file.removesuffix(".json"), text)
    if found is not None:
        return found
    stored = parse(folder / file, text)
    return stored if stored.problem else read_receipt(stored)


def _from_pieces(folder: Path, name: str, text: str) -> Receipt | None:
    """The receipt that `text` holds, if its pieces show it; what was run, and what it depends on, is mostly known already."""
    head, mark, rest = text.partition(_MARK)
    value = piece(head + "}", validators(FORMAT, "depends")[0]) if mark else None
    known = None if value is None else _rest_of(rest)
    return None if known is None else _build(folder, name, value, *known)


# Files lie by contract: whoever repeats a piece is not far. A part is repeated by what belongs to other contracts, too.
_part = lru_cache(maxsize=65_536)(Part)


@lru_cache(maxsize=256)
def _rest_of(text: str) -> tuple[Depends, _Run] | None:
    """Of what follows the mark of `depends`, to the end of the file; None for what is not canonical or has not the layout."""
    pieces = cut(text, ("digests",))
    if not pieces or not text.endswith("}\n"):
        return None
    depends, run = _depends_of(pieces[0]), _run_of(pieces[1])
    return None if depends is None or run is None else (depends, run)


@lru_cache(maxsize=256)
def _depends_of(text: str) -> Depends | None:
    """None for what is not canonical or does not have the layout."""
    first, *others = sorted(CAUSES)
    start = f'{{"{first}":'
    lists = cut(text[len(start) : -1], others) if text.startswith(start) and text.endswith("}") else []
    found = [(cause, _parts_of(cause, listed)) for cause, listed in zip((first, *others), lists, strict=False)]
    depends = tuple((cause, parts) for cause, parts in found if parts is not None)
    return depends if len(depends) == len(CAUSES) else None


@lru_cache(maxsize=1_024)
def _parts_of(cause: str, text: str) -> tuple[Part, ...] | None:
    value = piece(text, validators(FORMAT, "depends")[1][cause])
    return None if value is None else _parts(value)


def _parts(value: Iterable[Any]) -> tuple[Part, ...]:
    return tuple([_part(part["path"], part["name"], part["digest"]) for part in value])


@lru_cache(maxsize=1_024)
def _run_of(text: str) -> _Run | None:
    """Of what follows the mark of `digests`, to the end of the file."""
    value = piece('{"digests":' + text.removesuffix("\n"), validators(FORMAT, "depends")[2])
    return None if value is None else _run(value)


def _run(value: Any) -> _Run:
    test, subject = value["test"], value["subject"]
    return _Run(
        test=test["id"],
        contract=test["contract"],
        equation=subject["equation"],
        subject=subject["name"],
        target=subject["target"],
        kind=Kind(value["kind"]),
        verdict=Verdict(value["verdict"]),
        reason=value["reason"],
        scope=tuple((key, tuple(values)) for key, values in sorted(value["scope"].items())),
        residuals=tuple(
            Residual(row["invariant"], row["dtype"], float.fromhex(row["residual"]), float.fromhex(row["bound"]))
            for row in value["residuals"]
        ),
        teeth=tuple(Tooth(row["invariant"], row["fault"], row["caught"], row["seeds"]) for row in value["teeth"]),
        mutants=Mutants(**value["mutants"]) if value.get("mutants") else None,
        digests=value["digests"],
    )


def _build(folder: Path, name: str, value: Any, depends: Depends, run: _Run) -> Receipt:
    cases = value["cases"]
    strata = tuple([Stratum(row["name"], row["distinct"], row["exhausted"]) for row in cases["strata"]])
    seen = (cases["seed"], cases["requested"], value["checks"], strata, value["counterexample"])
    return Receipt(name, folder, *run, depends, *seen)
