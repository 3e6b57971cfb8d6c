"""Figures of the ledger that documents may show: what is promised, and what was released."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pv.assess.ratchet import strongest
from pv.contract.model import Promised, PromisedTest, Released
from pv.finding import Place
from pv.source.constants import Folded, Unfolded

if TYPE_CHECKING:
    from pv.ledger.promotion import Promise, Promotion
    from pv.ledger.receipt import Receipt
    from pv.ledger.release import Release


def promised(asked: Promised, promotions: Iterable[Promotion], shown: str) -> Folded | Unfolded:
    """How many tests are promised at just the level asked for; `shown` is the folder of promotions.

    A promise is what a document may repeat: whether it is supported today is the gate's question.
    """
    about = [promise for promise in strongest(promotions).values() if promise.contract == asked.contract]
    if not any(promise.subject == asked.subject for promise in about):
        return Unfolded(
            f"nothing of {asked.contract} is promised about {asked.subject!r}",
            hint=f"pv ledger promote {asked.contract}",
        )
    count = sum((promise.subject, promise.level.name) == (asked.subject, asked.level) for promise in about)
    return Folded(count, Place(f"{shown}/{asked.contract}"))


def promised_test(
    asked: PromisedTest, promotions: Iterable[Promotion], cited: Callable[[Promise], Sequence[Receipt]], shown: str
) -> Folded | Unfolded:
    """The level at which one test is promised, or the largest residual in the receipts of that promise, as `cited` gives them.

    A residual is what some runs saw: other cases may come to more, so a document can give no more than a bound of it.
    """
    wanted = (asked.contract, asked.test, asked.subject)
    found = [row for row in strongest(promotions).values() if (row.contract, row.test, row.subject) == wanted]
    if not found:
        hint = f"pv ledger promote {asked.test}"
        return Unfolded(f"{asked.test} of {asked.contract} is not promised about {asked.subject!r}", hint=hint)
    if not asked.figure:
        return Folded(found[0].level.name, Place(f"{shown}/{asked.contract}"))
    receipts = cited(found[0])
    seen = [row.residual for receipt in receipts for row in receipt.residuals]
    if not seen or len(receipts) < len(found[0].receipts):
        return Unfolded(f"the receipts of {asked.test} saw no residual, or are not all there", hint="pv ledger verify")
    return Folded(max(seen), Place(f"{shown}/{asked.contract}"))


def released(asked: Released, newest: Release | None, shown: str) -> Folded | Unfolded:
    """The version released last, which is that of `newest`; `shown` is the folder of releases."""
    if newest is None:
        return Unfolded(f"{asked.contract} was never released", hint=f"pv ledger release {asked.contract}")
    return Folded(newest.version, Place(f"{shown}/{asked.contract}/{newest.version}.json"))
