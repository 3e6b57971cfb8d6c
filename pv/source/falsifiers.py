"""The falsifiers, faults and strata of a project, found by their decorators in the syntax tree."""

# No `from __future__ import annotations`: a named tuple whose types are values is made in little more than half the time.

import ast
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pv.finding import Finding, Place, PvError, Severity
from pv.source.syntax import Function, Unparsed, place_of, read_source, try_parse


class FalsifierEntry(NamedTuple):
    """A function marked `@falsifier("FALSIFY-…")`; `contract` is what its module's `CONTRACT` names, if anything.

    The place is that of the id in the decorator, its path relative to the project's root. `examples` (cases), `timeout`
    (seconds) and `slow` are what the decorator says of them.
    """

    id: str
    path: str
    line: int
    column: int
    function: str
    contract: str | None
    examples: int | None = None
    timeout: float | None = None
    slow: bool = False

    @property
    def place(self) -> Place:
        """Where the id is written."""
        return Place(self.path, self.line, self.column)


class FaultEntry(NamedTuple):
    """A function marked `@fault("equation/invariant")`; otherwise as `FalsifierEntry`."""

    invariant: str
    path: str
    line: int
    column: int
    function: str
    contract: str | None

    @property
    def place(self) -> Place:
        """Where the invariant is written."""
        return Place(self.path, self.line, self.column)


class StratumEntry(NamedTuple):
    """A function marked `@stratum("tensor", "checkerboard", …)`; otherwise as `FalsifierEntry`."""

    type: str
    name: str
    path: str
    line: int
    column: int
    function: str

    @property
    def place(self) -> Place:
        """Where the type is written."""
        return Place(self.path, self.line, self.column)


class Seen(NamedTuple):
    """Something in the falsifier, or in a function it uses: where, in which function, and what it does."""

    place: Place
    function: str
    what: str


class Attack(NamedTuple):
    """What is remarkable about one falsifier.

    `unused` are the roles, of subject and check, that it does nothing with. `unexplained` is the place of its decorator
    when that brings cases of its own and no reason.
    """

    comparisons: tuple[Seen, ...] = ()
    asserts: tuple[Seen, ...] = ()
    unused: tuple[str, ...] = ()
    unexplained: Place | None = None


class Parsed(NamedTuple):
    """A module of the falsifiers folder; `path` is relative to the project's root."""

    path: str
    source: str
    tree: ast.Module


@dataclass(frozen=True)
class FalsifierIndex:
    """Every falsifier, fault and stratum below a folder, in the order of paths and lines; `findings` on files that hide some.

    `modules` are the files they were found in, by path, and those beside them.
    """

    falsifiers: tuple[FalsifierEntry, ...] = ()
    faults: tuple[FaultEntry, ...] = ()
    findings: tuple[Finding, ...] = ()
    modules: Mapping[str, Parsed] = field(default_factory=dict, compare=False, repr=False)
    strata: tuple[StratumEntry, ...] = ()

    def falsifiers_of(self, contract: str, test: str) -> tuple[FalsifierEntry, ...]:
        """The falsifiers of `test`; those of a module that names another contract are not."""
        return tuple(entry for entry in self._by_test.get(test, ()) if entry.contract in (None, contract))

    def faults_of(self, contract: str) -> tuple[FaultEntry, ...]:
        """The faults that may be meant for `contract`: its own, and those of modules that name no contract."""
        return tuple(entry for entry in self.faults if entry.contract in (None, contract))

    def faults_for(self, contract: str, invariants: Collection[str]) -> tuple[FaultEntry, ...]:
        """Those of `faults_of` that break one of `invariants`."""
        names, homes = dict.fromkeys(invariants), (None, contract)
        found = [entry for name in names for home in homes for entry in self._by_invariant.get((name, home), ())]
        return tuple(found)

    def strata_of(self, named: Collection[tuple[str, str]]) -> tuple[StratumEntry, ...]:
        """The project's own among the strata `named` by (type, name)."""
        return tuple(entry for entry in self.strata if (entry.type, entry.name) in named)

    @cached_property
    def _by_test(self) -> Mapping[str, list[FalsifierEntry]]:
        found: dict[str, list[FalsifierEntry]] = {}
        for entry in self.falsifiers:
            found.setdefault(entry.id, []).append(entry)
        return found

    @cached_property
    def _by_invariant(self) -> Mapping[tuple[str, str | None], list[FaultEntry]]:
        found: dict[tuple[str, str | None], list[FaultEntry]] = {}
        for entry in self.faults:
            found.setdefault((entry.invariant, entry.contract), []).append(entry)
        return found


def index_falsifiers(root: Path, folder: Path, contracts: Collection[str] | None = None) -> FalsifierIndex:
    """What every `.py` file below `folder` marks; paths are relative to `root`. Parses, never imports.

    With `contracts`, what is surely about others only may be left out.
    """
    found = [item for path in _modules(folder) for item in _marks(path, path.relative_to(root).as_posix(), contracts)]
    return FalsifierIndex(
        tuple(item for item in found if isinstance(item, FalsifierEntry)),
        tuple(item for item in found if isinstance(item, FaultEntry)),
        tuple(item for item in found if isinstance(item, Finding)),
        {item.path: item for item in found if isinstance(item, Parsed)},
        tuple(item for item in found if isinstance(item, StratumEntry)),
    )


def _modules(folder: Path) -> Iterator[Path]:
    """In order of their paths; symlinked folders, hidden ones and caches are not entered."""
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        yield from (Path(directory, name) for name in sorted(files) if name.endswith(".py"))


Marked = FalsifierEntry | FaultEntry | StratumEntry | Finding


def _marks(path: Path, shown: str, contracts: Collection[str] | None) -> Iterator[Marked | Parsed]:
    hint = "until it parses, its falsifiers, faults and strata do not count"
    try:
        source = read_source(path, shown) if path.is_file() else ""
    except PvError as error:
        yield Finding("PV310", Severity.ERROR, Place(shown), error.message, hint)
        return
    if contracts is not None and is_about_others(source, contracts):
        return
    tree = try_parse(source, shown)
    if isinstance(tree, Unparsed):
        yield Finding("PV310", Severity.ERROR, tree.place, tree.message, hint)
        return
    yield Parsed(shown, source, tree)
    contract = _contract(tree)
    for statement in tree.body:
        if isinstance(statement, Function):
            for decorator in statement.decorator_list:
                yield from _mark(decorator, statement.name, contract, source, shown)


_NAMING = re.compile(r"^CONTRACT\b.*$", re.MULTILINE)
# By `@falsifier(…, contract=…)`, or with a stratum, which is for whoever asks.
_NAMING_ANOTHER = re.compile(r"\bcontract[\s\\]*[=#]|stratum")


def is_about_others(source: str, contracts: Collection[str]) -> bool:
    """Whether a module of falsifiers is about none of `contracts`, as far as it can be told from its beginning.

    What ends with the line of `CONTRACT` and parses is the beginning of the module, whatever follows.
    """
    line = _NAMING.search(source)
    # Identifiers in other signs than ASCII may mean the same as `contract`.
    if line is None or not source.isascii() or _NAMING_ANOTHER.search(source):
        return False
    beginning = try_parse(source[: line.end()], "")
    named = None if isinstance(beginning, Unparsed) else _contract(beginning)
    return named is not None and named not in contracts


def _contract(tree: ast.Module) -> str | None:
    """The text that the module assigns to `CONTRACT`."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="CONTRACT")], value=ast.Constant(value=str(name))):
                return name
            case ast.AnnAssign(target=ast.Name(id="CONTRACT"), value=ast.Constant(value=str(name))):
                return name
    return None


def _mark(decorator: ast.expr, function: str, contract: str | None, source: str, shown: str) -> Iterator[Marked]:
    match decorator:
        case ast.Call(func=ast.Name(id="falsifier" | "fault" | "stratum" as kind)):
            pass
        case ast.Call(func=ast.Attribute(attr="falsifier" | "fault" | "stratum" as kind)):
            pass
        case _:
            return
    values = {str(given.arg): given.value for given in decorator.keywords}
    values |= dict(zip(_NAMES[kind], decorator.args, strict=False))
    place = place_of(values.get(_NAMES[kind][0], decorator), source, shown)
    names = [text for name in _NAMES[kind] if (text := _text(values.get(name))) is not None]
    if len(names) < len(_NAMES[kind]):
        seen = f"@{kind} of {function} names nothing that can be read without running it"
        yield Finding("PV310", Severity.ERROR, place, seen, f"write the name as a literal text: @{kind}(…)")
        return
    contract = _text(values.get("contract")) or contract
    at = (shown, place.line, place.column, function)
    if kind == "stratum":
        yield StratumEntry(names[0], names[1], *at)
    elif kind == "fault":
        yield FaultEntry(names[0], *at, contract)
    else:
        budget = _budget(values)
        for name in budget.unread:
            seen = f"{name} of {function} is nothing that can be read without running it"
            hint = "write a number above 0 (slow: True or False)"
            yield Finding("PV310", Severity.ERROR, place_of(values[name], source, shown), seen, hint)
        yield FalsifierEntry(names[0], *at, contract, budget.examples, budget.timeout, budget.slow)


_NAMES = {"falsifier": ("test",), "fault": ("invariant",), "stratum": ("type", "name")}


class _Budget(NamedTuple):
    examples: int | None
    timeout: float | None
    slow: bool
    unread: tuple[str, ...]


def _budget(values: Mapping[str, ast.expr]) -> _Budget:
    """What a falsifier says of its own examples, seconds and slowness, and which of these cannot be read."""
    examples = timeout = None
    slow = False
    unread = []
    for name in ("examples", "timeout", "slow"):
        match name, values.get(name):
            case _, None | ast.Constant(value=None):
                pass
            case "slow", ast.Constant(value=bool(said)):
                slow = said
            case "examples", ast.Constant(value=int(said)) if said > 0 and not isinstance(said, bool):
                examples = said
            case "timeout", ast.Constant(value=int(said) | float(said)) if said > 0 and not isinstance(said, bool):
                timeout = float(said)
            case _:
                unread.append(name)
    return _Budget(examples, timeout, slow, tuple(unread))


def _text(value: ast.expr | None) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
