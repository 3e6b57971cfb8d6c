"""Kept cases run again, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pv.campaign.order import Bench, orders_of
from pv.campaign.pool import Pool
from pv.campaign.site import site_of
from pv.campaign.trial import Trial
from pv.falsify.work import Action, Work


@dataclass(frozen=True, slots=True)
class Replayed:
    """One case run again: `outcome` is fixed, still fails or error, `detail` what the check or the error said."""

    name: str
    outcome: str
    detail: str


def replay(work: Work, cases: Sequence[tuple[str, Mapping[str, Any]]], bench: Bench) -> tuple[Replayed, ...]:
    """Run exactly `cases` (name, encoded arguments) in one process; what ends that process is every case's error.

    Raises PvError when the falsifier or the subject is not found.
    """
    [order] = orders_of([work], bench)
    site = site_of(work, bench.root, bench.sources, bench.today)
    trial = Trial(order, replace(site, pins=()), bench.memory)  # a pin that cannot be read is no error of another case
    again = tuple((arguments, "") for _, arguments in cases)
    with Pool[None](1) as pool:
        pool.submit(None, trial.task(Action.REPLAY, cases=again))
        ended = None
        while ended is None:
            ended = next((event for event in pool.events() if event.ended), None)
    answer = ended.answer or {}
    if "rows" in answer and not answer["tampered"]:
        return tuple(Replayed(name, *row) for (name, _), row in zip(cases, answer["rows"], strict=True))
    cause = ended.lost or answer.get("tampered") or answer["failed"]["reason"]
    return tuple(Replayed(name, "error", cause) for name, _ in cases)
