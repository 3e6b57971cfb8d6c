"""Figures of the ledger that documents may show: what is promised, and what was released."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pv.assess.promises import strongest
from pv.contract.model import Promised, Released
from pv.finding import Place
from pv.ledger.promotion import Promotion
from pv.ledger.release import Release
from pv.source.constants import Folded, Unfolded


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


def released(asked: Released, releases: Sequence[Release], shown: str) -> Folded | Unfolded:
    """The version released last, of `releases` in their order; `shown` is the folder of releases."""
    versions = [release.version for release in releases if release.contract == asked.contract]
    if not versions:
        return Unfolded(f"{asked.contract} was never released", hint=f"pv ledger release {asked.contract}")
    return Folded(versions[-1], Place(f"{shown}/{asked.contract}/{versions[-1]}.json"))
