"""What a project stands behind: the scope its evidence must speak for and how much of it there must be."""

from __future__ import annotations

from dataclasses import dataclass

from pv.ledger.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Policy:
    """`cases` distinct valid ones over all strata, and `stratum` in each, unless there are no more than that."""

    cases: int = 200
    stratum: int = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """Accepted values by key (python, torch, device, dtypes, threads); "2.13" accepts 2.13 and 2.13.0, not 2.130."""

    accepted: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def outside(self, receipt: Receipt) -> str:
        """Why the receipt speaks for something else; empty when it is in scope."""
        has = dict(receipt.scope)
        for key, values in self.accepted:
            wrong = [value for value in has.get(key, ()) if not any(_covers(wanted, value) for wanted in values)]
            if wrong or key not in has:
                return f"{key} {', '.join(wrong) or 'unknown'}, the project's scope is {', '.join(values)}"
        return ""


def _covers(wanted: str, value: str) -> bool:
    return value == wanted or value.startswith(f"{wanted}.")
