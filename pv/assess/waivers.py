"""Whether a waiver still excuses a broken promise: its date is not over, and what it excuses is exactly what is there now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pv.assess.freshness import Today, binding_parts
from pv.assess.levels import Assessment
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.digest import digest
from pv.ledger.promotion import Promise
from pv.ledger.receipt import Receipt
from pv.ledger.waiver import MAX_DAYS, Excuse, Waiver


@dataclass(frozen=True, slots=True, eq=False)
class Excusing:
    """The waivers there are, the day (UTC) they are held against, and the digest of the state behind a promise today."""

    waivers: tuple[Waiver, ...]
    day: date
    state: Callable[[Promise], str]

    def about(self, target: str, promise: Promise, row: Assessment) -> Iterator[tuple[Waiver, str]]:
        """Each waiver of `promise`, made by the promotion `target`, with why it has lapsed; empty while it holds."""
        for waiver in self.waivers:
            excuse = waiver.excuse_of(promise.test, promise.equation, promise.subject)
            if excuse is not None and (waiver.contract, waiver.target) == (promise.contract, target):
                yield waiver, _lapsed(waiver, excuse, excuse_of(row, self.state(promise)), self.day)


NOTHING_EXCUSED = Excusing((), date.min, lambda promise: "")


def excuse_of(row: Assessment, state: str) -> Excuse:
    """What a waiver written now would excuse of `row`."""
    causes = tuple(sorted(str(cause) for cause in row.stale))
    return Excuse(row.test, row.equation, row.subject, row.level, causes, state)


def state_of(
    contract: Contract, test: FalsificationTest, binding: Binding | None, receipts: Iterable[Receipt], today: Today
) -> str:
    """The digest of clause, falsifier, binding and of all that `receipts` depend on besides, as they are today.

    Causes name what changed; this tells a second change of the same function from the first.
    """
    stated = [*today.clause(contract, test), *today.falsifier(contract, test)]
    stated += [] if binding is None else binding_parts(binding)
    listed = {
        (part.path, part.name)
        for receipt in receipts
        for cause in ("subject", "reference", "live")
        for part in receipt.parts(cause)
    }
    now = [[path, name, today.code.digest(path, name)] for path, name in sorted(listed)]
    return digest(["pv-state-1", [[part.path, part.name, part.digest] for part in stated], now])


def last_day(day: date) -> date:
    """The latest date that a waiver written on `day` may name."""
    return day + timedelta(days=MAX_DAYS)


def _lapsed(waiver: Waiver, then: Excuse, now: Excuse, day: date) -> str:
    if waiver.until > last_day(day):
        return f"it names {waiver.until}, more than {MAX_DAYS} days ahead"
    if day > waiver.until:
        return f"its last day was {waiver.until}"
    if then.level is not now.level:
        return f"it excuses {then.level.short}, and now it is {now.level.short}"
    if then.causes != now.causes:
        return f"it excuses {'; '.join(then.causes) or 'no cause'}, and now it is {'; '.join(now.causes) or 'no cause'}"
    return "" if then.state == now.state else "what the promise depends on has changed again since"
