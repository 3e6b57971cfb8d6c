"""What a project stands behind: the scope its evidence must speak for and how much of it there must be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

from pv.finding import Finding, Place, Severity
from pv.ledger.receipt import Receipt


class Lowered(NamedTuple):
    """A threshold of the policy that asks less than pv does by itself."""

    key: str
    value: int
    default: int

    def __str__(self) -> str:
        return f"policy {self.key} = {self.value:,} is below the built-in {self.default:,}"


@dataclass(frozen=True, slots=True)
class Policy:
    """`cases` distinct valid ones over all strata, and `stratum` in each, unless there are no more than that."""

    cases: int = 200
    stratum: int = 10

    @property
    def lowered(self) -> tuple[Lowered, ...]:
        """What is below its default."""
        built_in = Policy()
        rows = (Lowered(row.name, getattr(self, row.name), getattr(built_in, row.name)) for row in fields(self))
        return tuple(row for row in rows if row.value < row.default)


@dataclass(frozen=True, slots=True)
class Scope:
    """Accepted values by key (python, torch, device, dtypes, threads); "2.13" accepts 2.13 and 2.13.0, not 2.130."""

    accepted: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def outside(self, receipt: Receipt) -> str:
        """Why the receipt speaks for something else; empty when it is in scope."""
        if not self.accepted:
            return ""
        has = dict(receipt.scope)
        for key, values in self.accepted:
            wrong = [value for value in has.get(key, ()) if not any(_covers(wanted, value) for wanted in values)]
            if wrong or key not in has:
                return f"{key} {', '.join(wrong) or 'unknown'}, the project's scope is {', '.join(values)}"
        return ""


ANYWHERE = Scope()
"""Of a project that does not say what it stands behind."""


def below_defaults(policy: Policy, named: Collection[tuple[str, int]], place: Mapping[str, Place]) -> Iterator[Finding]:
    """PV409 for each threshold of `policy` that is lowered and not `named` as (key, value); `place` is where each is set."""
    for row in policy.lowered:
        if (row.key, row.value) not in named:
            hint = f"raise it, or say that this is known: pv gate --policy {row.key}={row.value}"
            yield Finding("PV409", Severity.ERROR, place[row.key], str(row), hint)


def _covers(wanted: str, value: str) -> bool:
    return value == wanted or value.startswith(f"{wanted}.")
