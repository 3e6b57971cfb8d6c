"""What a rule is and what it judges: one small function each, which registers itself under its code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pv.contract.document import capped
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.contract.quote import nearest
from pv.contract.read import ContractFile
from pv.finding import Exit, Finding, Place, PvError, Severity
from pv.level import Level

if TYPE_CHECKING:  # a contract outside a project is judged without looking at Python
    from pv.source.falsifiers import Attack, FalsifierEntry, FalsifierIndex
    from pv.source.target import TargetFound


class Support(NamedTuple):
    """The level that fresh evidence supports for a test, and what it would support if what is stale were fresh."""

    level: Level
    was: Level


class ProjectFacts(NamedTuple):
    """What rules may ask about the project around a contract.

    `support` gives what evidence supports for a test of the contract being judged, `find_target` where
    the code of a binding stands, `attack` what the text of a falsifier shows, `shared` which modules the code of
    two bindings may both import; they are asked only where a rule needs them.
    """

    bindings: tuple[Binding, ...]
    binding_path: str
    falsifiers: FalsifierIndex
    find_target: Callable[[str], TargetFound]
    support: Callable[[FalsificationTest], Support]
    attack: Callable[[FalsifierEntry], Attack]
    shared: Callable[[Binding, Binding], tuple[str, ...]]


class Judged(NamedTuple):
    """A contract file whose schema holds, and the project it belongs to, if it does."""

    file: ContractFile
    project: ProjectFacts | None = None

    @property
    def contract(self) -> Contract:
        """The file's contract. Raises ValueError when the file holds none: then there is nothing to judge."""
        if self.file.contract is None:
            raise ValueError(f"{self.file.document.path} was to be judged, and holds no contract")
        return self.file.contract

    def at(self, *pointer: str | int) -> Place:
        """Where the value at `pointer` begins, or its nearest ancestor that exists."""
        return self.file.document.place(pointer)

    def key_at(self, *pointer: str | int) -> Place:
        """Where the key of the value at `pointer` begins."""
        return self.file.document.place(pointer, key=True)


Report = tuple[Place, str, str]
"""What a rule yields: the place, what was seen and expected, what to do next."""

Check = Callable[[Judged], Iterator[Report]]
ProjectCheck = Callable[[Judged, ProjectFacts], Iterator[Report]]


class Rule(NamedTuple):
    """One row of the catalogue. `check` is None where another part of `pv` emits the code."""

    code: str
    severity: Severity
    docstring: str
    check: Check | None

    @property
    def text(self) -> str:
        """What `pv rule CODE` prints."""
        return inspect.cleandoc(self.docstring)

    @property
    def summary(self) -> str:
        """The first line of its text."""
        return self.text.partition("\n")[0]


_RULES: dict[str, Rule] = {}


def rule(code: str, severity: Severity = Severity.ERROR) -> Callable[[Check], Check]:
    """Register a function as the rule `code`; its docstring is what `pv rule CODE` prints."""

    def register(check: Check) -> Check:
        _register(code, severity, check.__doc__, check)
        return check

    return register


def project_rule(code: str, severity: Severity = Severity.ERROR) -> Callable[[ProjectCheck], ProjectCheck]:
    """As `rule`, for what can be judged inside a project only; elsewhere PV300 says that it was not."""

    def register(check: ProjectCheck) -> ProjectCheck:
        def in_project(judged: Judged) -> Iterator[Report]:
            if judged.project is not None:
                yield from check(judged, judged.project)

        _register(code, severity, check.__doc__, in_project)
        return check

    return register


def explained(code: str, text: str, severity: Severity = Severity.ERROR) -> None:
    """Register a code that another part of `pv` emits (the loader, the schema, …), so that it can be explained too."""
    _register(code, severity, text, None)


def _register(code: str, severity: Severity, text: str | None, check: Check | None) -> None:
    if code in _RULES:
        raise ValueError(f"rule {code} is registered twice: {_RULES[code].summary!r} and {text!r}")
    if not text:
        raise ValueError(f"rule {code} has no docstring: it is what `pv rule {code}` prints")
    _RULES[code] = Rule(code, severity, text, check)


def check(judged: Judged) -> list[Finding]:
    """What every rule finds, in the order of places; at most 100 per file."""
    found = [
        Finding(rule.code, rule.severity, place, message, hint)
        for rule in _RULES.values()
        if rule.check is not None
        for place, message, hint in rule.check(judged)
    ]
    return list(capped(sorted(found, key=lambda finding: (finding.place, finding.code))))


def judging() -> set[str]:
    """The codes of the rules that look at a contract of ours."""
    return {rule.code for rule in _RULES.values() if rule.check is not None}


def catalogue() -> Sequence[Rule]:
    """Every rule imported so far, in the order of codes; `pv.rules.catalogue` has them all."""
    return tuple(_RULES[code] for code in sorted(_RULES))


def describe(code: str) -> str:
    """The text of a rule: the defect, why it matters, how to mend it. Raises PvError when there is no such rule."""
    if code.upper() not in _RULES:
        raise PvError(f"there is no rule {code!r}", exit=Exit.ASK, hint=nearest(code.upper(), sorted(_RULES)))
    return _RULES[code.upper()].text
