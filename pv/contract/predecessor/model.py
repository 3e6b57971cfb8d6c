"""A contract of the predecessor as values: views of its document that know the aliases and both forms of `equations`.

Built from a document that satisfies the predecessor's schema; nothing here reads files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pv.contract.document import Document
from pv.finding import Finding

Pointer = tuple[str | int, ...]

# The names of one thing, the dialect's own first.
PROPERTY = ("property", "statement")
FORMAL = ("formal", "verification")
RULE = ("rule", "description")
PREDICTION = ("prediction", "expected")
COMMAND = ("test", "command")
IF_FAILS = ("if_fails", "fails_if")
ALIASES = {"obligation": (PROPERTY, FORMAL), "test": (RULE, PREDICTION, COMMAND, IF_FAILS)}


class Item(NamedTuple):
    """One entry of a list or mapping, and where it stands: an equation, an obligation, a test, a harness, a rule."""

    at: Pointer
    body: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """The text under the first of `names` that holds one; empty when none does."""
        body = self.body
        for name in names:
            value = body.get(name)
            if value and type(value) is str:  # most rules ask, of every entry
                return value
        return ""

    def key(self, *names: str) -> Pointer:
        """Where that text stands; the item itself when none of `names` is there."""
        return next(((*self.at, name) for name in names if self.body.get(name)), self.at)

    @property
    def tolerance(self) -> float | None:
        """The number under `tolerance`."""
        return self.body.get("tolerance")


class PredecessorContract(NamedTuple):
    """One contract of the predecessor. `name` is its file's stem; equations are by name in either form."""

    name: str
    version: str
    kind: str
    equations: Mapping[str, Item]
    obligations: tuple[Item, ...]
    tests: tuple[Item, ...]
    harnesses: tuple[Item, ...]
    enforcement: tuple[Item, ...]
    phases: tuple[Item, ...]
    gate: Item
    depends_on: tuple[str, ...]
    checks: tuple[tuple[Pointer, str], ...] = ()
    """The checks of the gate and of the enforcement, and where each stands."""


class PredecessorFile(NamedTuple):
    """A file in one of the predecessor's formats (`layout`: contract, family or binding).

    `contract` is None when `findings` holds anything, and for the other two layouts.
    """

    document: Document
    layout: str
    contract: PredecessorContract | None
    findings: tuple[Finding, ...]
