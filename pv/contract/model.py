"""A contract as values: what the rules judge, the cases are drawn from and the digests are taken of.

Built from a document that satisfies the schema (`pv.contract.read`); nothing here reads files. Named tuples: making
the class takes a tenth of a millisecond where a dataclass takes half of one, in every command.
"""

# No `from __future__ import annotations`: a named tuple whose types are values is made in little more than half the time.

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from pv.finding import Place
from pv.level import Level


class Holds(Enum):
    """In what sense an invariant holds of floating-point code."""

    EXACT = "exact"
    BOUNDED = "bounded"
    REAL = "real"


# What clauses can be about that the smoke check looks at too: no mutant that gets past it can break them.
SMOKE_ABOUT = ("shape", "dtype", "finiteness", "error")


class Range(NamedTuple):
    """The values admitted: `min` and `max` belong to it, `below` does not and may name an integer argument or dimension."""

    min: float | int | None = None
    max: float | int | None = None
    below: float | int | str | None = None


class Tolerance(NamedTuple):
    """|observed − expected| ≤ absolute + relative · |expected| + of_largest · L, element by element.

    L is the largest |expected| of the tensor that is compared.
    """

    absolute: float
    relative: float = 0.0
    of_largest: float = 0.0


class ValueSpec(NamedTuple):
    """One argument or one returned value of an equation.

    `type` is tensor, integer, real or text. A tensor has `dtypes` (or takes that of the argument named `like`) and a
    `shape` of integers and letters; a text has an `alphabet`. `constraint` is "simplex": along the last axis the values are
    at least 0 and sum to 1. `strata` names the regions every trial must visit. `normal` is the standard deviation
    when values are drawn from N(0, normal²) by a seed rather than one by one. With `gradient`, the caller may ask for the
    gradient in this tensor: it comes with requires_grad on and off.
    """

    name: str
    place: Place
    type: str
    dtypes: tuple[str, ...] = ()
    like: str | None = None
    shape: tuple[int | str, ...] = ()
    range: Range = Range()
    constraint: str | None = None
    alphabet: str | None = None
    normal: float | None = None
    strata: tuple[str, ...] = ()
    nan: bool = False
    infinity: bool = False
    gradient: bool = False


class Dimension(NamedTuple):
    """A shape letter and the sizes it takes, both ends included."""

    name: str
    place: Place
    min: int
    max: int


class Invariant(NamedTuple):
    """A clause: what must hold of an equation, in what sense, and how closely for each dtype.

    `about` is value, gradient, shape, dtype, finiteness or error: what a check of it looks at. A fault of an
    invariant about values has to get past a check of shape, dtype and finiteness.
    """

    equation: str
    id: str
    place: Place
    statement: str
    holds: Holds
    about: str = "value"
    tolerances: tuple[tuple[str, Tolerance], ...] = ()

    @property
    def name(self) -> str:
        """`equation/invariant`, as `binds_to` spells it."""
        return f"{self.equation}/{self.id}"

    def tolerance(self, dtype: str) -> Tolerance | None:
        """The tolerance for `dtype`, or None when the contract states none."""
        return dict(self.tolerances).get(dtype)


class Equation(NamedTuple):
    """A named mapping with its domain in structure, and the invariants that must hold of it."""

    name: str
    place: Place
    formula: str
    domain: str
    codomain: str
    dimensions: tuple[Dimension, ...] = ()
    arguments: tuple[ValueSpec, ...] = ()
    returns: tuple[ValueSpec, ...] = ()
    invariants: tuple[Invariant, ...] = ()


class FalsificationTest(NamedTuple):
    """A `FALSIFY-…` entry. `not_applicable` maps the kinds live and oracle to the reason they cannot apply."""

    id: str
    place: Place
    binds_to: tuple[str, ...]
    rule: str
    prediction: str
    if_fails: str
    status: Level | None = None
    not_applicable: tuple[tuple[str, str], ...] = ()

    @property
    def equation(self) -> str:
        """The equation its first clause belongs to; a test attacks one equation (rule PV202)."""
        return self.binds_to[0].partition("/")[0]


class TableCell(NamedTuple):
    """Where a claim stands: the cell under `column` in the row whose first cell is `row`, in a section's table."""

    section: str
    row: str
    column: str


class Phrase(NamedTuple):
    """The words between `before` and `after`, in a paragraph or a list below the heading `section`."""

    section: str
    before: str
    after: str


class Block(NamedTuple):
    """What stands between `before` and `after` in one line of a fenced block below the heading `section`."""

    section: str
    before: str
    after: str


class StaticBadge(NamedTuple):
    """The right half of the static badge whose left half is `label`."""

    label: str


class DrawnText(NamedTuple):
    """What stands between `before` and `after` in a text of an SVG drawing."""

    before: str
    after: str


class Constant(NamedTuple):
    """The constant `name` of the Python file `path`, relative to the project's root: `N`, `Config.width`, `SIZES[0]`."""

    path: str
    name: str


class Promised(NamedTuple):
    """How many falsification tests of a contract are promised at just this level, about one subject."""

    contract: str
    subject: str
    level: str


class PromisedTest(NamedTuple):
    """The level at which a test is promised; with the figure `residual`, the largest that its promised receipts saw."""

    contract: str
    subject: str
    test: str
    figure: str = ""


class Released(NamedTuple):
    """The version of a contract that was released last."""

    contract: str


class DataValue(NamedTuple):
    """The value of the file `path`, relative to the project's root, below `key`; `kind` is json, toml or yaml."""

    kind: str
    path: str
    key: tuple[str | int, ...]


class Count(NamedTuple):
    """How many `what` there are: files of the pattern `which`, contracts, tests of the contract `which` (or all)."""

    what: str
    which: str


class Parameters(NamedTuple):
    """How many elements the tensors of a file have together, by its header."""

    path: str


class Recorded(NamedTuple):
    """What a command printed when it was last recorded; below `key`, if there is one, of the JSON that it printed."""

    command: tuple[str, ...]
    key: tuple[str | int, ...] = ()


Source = Constant | Promised | PromisedTest | Released | DataValue | Count | Parameters | Recorded
Where = TableCell | Phrase | Block | StaticBadge | DrawnText


class Claim(NamedTuple):
    """What the place `where` of `document` must show: the value of `source`.

    `document` is relative to the project's root. `form` says how the value is written: "{:,}" gives 4,192; the default
    "{}" the shortest text that reads back as the value. With several `sources`, by the names of the holes of `form`,
    `source` is the first. `holds` is equal, at_most, at_least or about (within `absolute` or `relative`).
    """

    id: str
    place: Place
    document: str
    where: Where
    source: Source
    form: str = "{}"
    sources: tuple[tuple[str, Source], ...] = ()
    holds: str = "equal"
    absolute: float = 0.0
    relative: float = 0.0


class Documents(NamedTuple):
    """Files that are documents. `ignore` are (words, reason): numbers in these words need no claim."""

    files: str
    place: Place
    sections: tuple[str, ...] = ()
    bound: bool = False
    ignore: tuple[tuple[str, str], ...] = ()


class Contract(NamedTuple):
    """One contract file. `name` is its stem, `NAME-vN`.

    >>> import pv
    >>> contract = pv.open_project().contract("microgpt-v1")
    >>> contract.equation("rms_norm").formula
    'rms_norm(x)[k] = x[k] / √(mean(x[k]²) + ε), ε = 1e-5'
    >>> contract.tests[3].id, contract.tests[3].binds_to
    ('FALSIFY-MG-004', ('rms_norm/formula',))
    """

    name: str
    path: str
    place: Place
    version: str
    description: str
    equations: tuple[Equation, ...]
    tests: tuple[FalsificationTest, ...]
    claims: tuple[Claim, ...] = ()
    documents: tuple[Documents, ...] = ()

    def equation(self, name: str) -> Equation | None:
        """The equation called `name`, if there is one."""
        return next((equation for equation in self.equations if equation.name == name), None)

    def invariants(self) -> Iterator[Invariant]:
        """Every invariant of every equation, in the order written."""
        for equation in self.equations:
            yield from equation.invariants

    def invariant(self, name: str) -> Invariant | None:
        """The invariant that `binds_to` calls `name` (`equation/invariant`), if there is one."""
        for equation in self.equations:
            if name.startswith(equation.name):
                for invariant in equation.invariants:
                    if name.endswith(invariant.id) and invariant.name == name:
                        return invariant
        return None


class Binding(NamedTuple):
    """(contract, equation, name) → the code it stands for, and how a call reaches it.

    `target` is `module:function` or `module:Class.method`; empty for the adapter `command`, which has a `command` instead.
    `not_applicable` maps what clauses can be about to the reason why those do not apply to this code. `live` is the command
    that a user would run and that calls this code. `within`, of a reference, are the ids of the invariants whose tolerance is
    how far a subject may be from it; without any, it may not be off at all.
    """

    contract: str
    equation: str
    name: str
    place: Place
    role: str
    default: bool
    target: str
    adapter: str = "function"
    factory: str | None = None
    command: tuple[str, ...] = ()
    exchange: str = "safetensors"
    requires: tuple[str, ...] = ()
    not_applicable: tuple[tuple[str, str], ...] = ()
    live: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The target, or the command as a shell would be told it."""
        if self.target:
            return self.target
        import shlex

        return shlex.join(self.command)
