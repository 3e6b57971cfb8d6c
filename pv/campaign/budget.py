"""What is run next: every trial once, and then, where there is time to spend, more cases for those that need them most."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from pv.assess.need import thinnest
from pv.campaign.order import Order
from pv.campaign.run import Finished
from pv.falsify.work import Work
from pv.verdict import Verdict

MOST_EXAMPLES = 10**7


class Rounds(Enum):
    """What follows on the first round: nothing, more cases while there is time, or more until something is falsified."""

    ONE = "one"
    MORE = "more"
    UNTIL_FALSIFIED = "until falsified"


@dataclass(slots=True, eq=False)
class _Run:
    """The last run of a trial: when it began, how long it took, and the cases of its thinnest stratum so far."""

    order: Order
    began: float
    took: float = 0.0
    least: int = 0
    round: int = 0


class Budget:
    """A feed of `orders` in the order given, for at most `seconds`.

    Each later round of a trial has a seed of its own and twice the cases, as long as they take a small part of its time.
    A trial that was falsified or errored needs no more cases, nor one that has seen all there are.
    """

    def __init__(
        self,
        orders: Sequence[Order],
        *,
        rounds: Rounds = Rounds.ONE,
        seconds: float = math.inf,
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = deque(orders)
        self._rounds = rounds
        self._jobs = jobs
        self._clock = clock
        self._end = clock() + seconds
        self._running: dict[Work, _Run] = {}
        self._open: dict[Work, _Run] = {}
        self._falsified = False

    @property
    def not_begun(self) -> tuple[Work, ...]:
        """What was never run."""
        return tuple(order.work for order in self._first)

    @property
    def why_not(self) -> str:
        """Why it was not."""
        return "something was falsified" if self._stopped else "the time budget was spent"

    @property
    def _stopped(self) -> bool:
        return self._falsified and self._rounds is Rounds.UNTIL_FALSIFIED

    def next(self) -> Order | None:
        """What to begin now; None when there is nothing, or no time."""
        now = self._clock()
        if now >= self._end or self._stopped:
            return None
        if self._first:
            run = _Run(self._first.popleft(), now)
        elif self._open:
            last = min(self._open.values(), key=lambda run: (run.least, run.round))
            run = _Run(self._harder(self._open.pop(last.order.work)), now, least=last.least, round=last.round + 1)
        else:
            return None
        self._running[run.order.work] = run
        return run.order

    def done(self, finished: Finished) -> None:
        """A trial is done: does it need more?"""
        run = self._running.pop(finished.work)
        run.took = self._clock() - run.began
        run.least += thinnest(finished.outcome.strata)
        self._falsified |= finished.outcome.verdict is Verdict.FALSIFIED
        exhausted = all(row.exhausted for row in finished.outcome.strata)
        if self._rounds is not Rounds.ONE and finished.outcome.verdict is Verdict.HELD and not exhausted:
            self._open[finished.work] = run

    def _harder(self, run: _Run) -> Order:
        """The next round of a trial."""
        order = run.order
        room = run.took < order.timeout / 8
        examples = min(order.plan.examples * (2 if room else 1), MOST_EXAMPLES)
        alone = len(self._open) + len(self._running) < self._jobs
        parts = self._jobs if alone or order.slow else 1
        return replace(order, plan=replace(order.plan, examples=examples, seed=order.plan.seed + 1), parts=parts)
