"""Trials side by side: each attacked in a process or more, proved in another, and made into a receipt as soon as it is done."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pv.campaign.capture import Capture, Cases, Key, key_of
from pv.campaign.depends import Dependencies
from pv.campaign.order import Bench, Order, orders_of
from pv.campaign.pool import Event, Pool
from pv.campaign.record import receipt_value
from pv.campaign.site import site_of
from pv.campaign.trial import Answer, Trial, confirmed, errored, failed_outcome, judged, proved, verdict_of
from pv.falsify.outcome import Outcome
from pv.falsify.wire import unit_of
from pv.falsify.work import Action, Task, Work
from pv.finding import PvError
from pv.verdict import Kind, Verdict

__all__ = ["Bench", "Feed", "Finished", "Signal", "Watch", "run_campaign", "run_orders"]


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A trial that ran: what it came to, its receipt, what it printed, and the captured cases of a live one."""

    work: Work
    outcome: Outcome
    receipt: dict[str, Any]
    printed: str = ""
    captured: Cases = ()


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """A sign of life: `cases` judged so far in the trial, in the stage `doing` (attack, prove or replay).

    `mutant` counts from 1: the one that the proof is at, or 0.
    """

    work: Work
    doing: str
    cases: int
    mutant: int = 0


Watch = Callable[[Signal], None]


class Feed(Protocol):
    """What a campaign runs: asked for the next trial when there is room for one, told of each that is done."""

    def next(self) -> Order | None:
        """A trial to begin now; None when there is none, as long as nothing under way is done."""

    def done(self, finished: Finished) -> None:
        """A trial that was begun is done."""


def run_campaign(works: Sequence[Work], bench: Bench, watch: Watch = lambda signal: None) -> Iterator[Finished]:
    """Run `works`; each result is given as soon as it is there, in the order in which they are done.

    What goes wrong with one trial, whatever it does to its process, is that trial's `errored`; the others run on.
    """
    yield from run_orders(_Listed(orders_of(works, bench)), bench, watch)


def run_orders(
    feed: Feed, bench: Bench, watch: Watch = lambda signal: None, pulse: Callable[[], None] = lambda: None
) -> Generator[Finished, None, None]:
    """Run what `feed` gives, otherwise as `run_campaign`; closed before its end, it ends every process.

    `pulse` is called several times a second; what it raises ends the campaign.
    """
    with Pool[_Step](bench.jobs) as pool:
        yield from _Campaign(feed, bench, watch, pool).run(pulse)


class _Listed:
    def __init__(self, orders: Sequence[Order]) -> None:
        self._orders = deque(orders)

    def next(self) -> Order | None:
        return self._orders.popleft() if self._orders else None

    def done(self, finished: Finished) -> None:
        pass


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A task of a trial."""

    trial: Trial
    task: Task


class _Campaign:
    def __init__(self, feed: Feed, bench: Bench, watch: Watch, pool: Pool[_Step]) -> None:
        self._pool = pool
        self._feed = feed
        self._bench = bench
        self._watch = watch
        self._depends = Dependencies(bench.root, bench.sources, bench.today)
        self._queue: deque[_Step] = deque()
        self._captures: defaultdict[Key, Capture] = defaultdict(Capture)

    def run(self, pulse: Callable[[], None]) -> Iterator[Finished]:
        while True:
            yield from self._fill()
            if self._pool.free == self._pool.jobs:
                return
            for event in self._pool.events():
                pulse()  # first: what ends this process may have ended the one that this event is about
                yield from self._happened(event)
            pulse()

    def _fill(self) -> Iterator[Finished]:
        """Begin as much as there is room for: what follows on trials under way first."""
        while self._pool.free:
            if self._queue:
                step = self._queue.popleft()
                self._pool.submit(step, step.task)
                continue
            order = self._feed.next()
            if order is None:
                return
            try:
                trial = self._begin(order)
            except PvError as error:
                yield self._finish(order, Outcome(verdict_of(error.exit), error.told))
                continue
            self._watch(Signal(order.work, Action.ATTACK.value, 0))
            if order.work.kind is not Kind.LIVE:
                self._queue += [_Step(trial, task) for task in trial.attacks()]
                continue
            capture = self._captures[key_of(order.work)]
            self._queue += [_Step(trial, task) for task in capture.wait(trial)]
            yield from self._captured(capture)

    def _begin(self, order: Order) -> Trial:
        bench = self._bench
        return Trial(order, site_of(order.work, bench.root, bench.sources, bench.today), bench.memory)

    def _captured(self, capture: Capture) -> Iterator[Finished]:
        """The trials that waited for `capture` go on, or end with it."""
        if not capture.ended:
            return
        waiting, capture.waiting = capture.waiting, []
        for trial in waiting:
            problem = capture.problem(trial.order.work)
            if problem is None:
                self._queue.append(_Step(trial, capture.attack(trial)))
            else:
                yield self._finish(trial.order, problem, trial)

    def _happened(self, event: Event[_Step]) -> Iterator[Finished]:
        step, trial = event.key, event.key.trial
        if step.task.action is Action.CAPTURE:
            trial.printed += event.printed
            if event.ended:
                capture = self._captures[key_of(trial.order.work)]
                capture.end(event)
                yield from self._captured(capture)
            return
        if step.task.action is Action.ATTACK and trial.outcome is not None:
            return  # it was answered while the rest was being read
        trial.printed += event.printed
        if not event.ended:
            self._heard(step, event)
        if step.task.action is Action.ATTACK:
            outcome = self._attacked(step, event)
        elif event.ended and event.answer is None and trial.mutant:
            self._queue.appendleft(_Step(trial, replace(step.task, proof=trial.without_mutant())))
            outcome = None
        else:
            outcome = _followed(trial, step.task.action, event) if event.ended else None
        if outcome is not None:
            yield self._finish(trial.order, outcome, trial)

    def _heard(self, step: _Step, event: Event[_Step]) -> None:
        trial = step.trial
        if "cases" in event.message and trial.outcome is None:
            trial.parts[step.task.part].cases = int(event.message["cases"])
        cases = sum(part.cases for part in trial.parts) if trial.outcome is None else trial.outcome.valid
        if "alive" in event.message:
            trial.mutant = str(event.message.get("mutant", ""))
        if "proof" in event.message:
            trial.proof = event.message["proof"]
        mutant = len(trial.proof["done"]) + 1 if trial.mutant else 0
        self._watch(Signal(trial.order.work, step.task.action.value, cases, mutant))

    def _attacked(self, step: _Step, event: Event[_Step]) -> Outcome | None:
        """What the attack came to, when that ends the trial; otherwise what follows on it is to be done next."""
        trial, part = step.trial, step.trial.parts[step.task.part]
        if "unit" in event.message:
            part.units.append((unit_of(event.message["unit"]), event.message))
        elif not event.ended:
            return None
        part.answer, part.lost = event.answer, event.lost
        outcome = judged(trial)
        if outcome is None:
            return None
        trial.outcome = outcome
        self._queue = deque(other for other in self._queue if other.trial is not trial)
        self._pool.abandon(lambda other: other.trial is trial)
        if outcome.verdict is Verdict.HELD:
            cases = tuple((row.arguments, row.outputs) for row in outcome.recorded)
            functions = self._depends.functions(trial.seen)
            self._queue.appendleft(_Step(trial, trial.task(Action.PROVE, cases=cases, functions=functions)))
        elif outcome.counterexample is not None:
            again = ((outcome.counterexample.arguments, ""),)
            self._queue.appendleft(_Step(trial, trial.task(Action.REPLAY, cases=again)))
        else:
            return outcome
        return None

    def _finish(self, order: Order, outcome: Outcome, trial: Trial | None = None) -> Finished:
        seen: Sequence[Answer] = trial.seen if trial else ()
        live = self._captures[key_of(order.work)] if order.work.kind is Kind.LIVE else Capture()
        held = outcome.verdict is Verdict.HELD
        depends, problem = self._depends.of(order.work, seen, held=held, capture=live.seen)
        if problem:
            outcome = Outcome(Verdict.ERRORED, problem, scope=outcome.scope)
        value = receipt_value(order.work, outcome, order.plan, depends, self._bench.root, live.counts)
        finished = Finished(order.work, outcome, value, trial.printed if trial else "", live.cases)
        self._feed.done(finished)
        return finished


def _followed(trial: Trial, action: Action, event: Event[_Step]) -> Outcome:
    """What the trial came to, once its attack was followed by another process."""
    answer = event.answer
    assert trial.outcome is not None, "a proof follows an attack"
    if answer is None:
        return errored(trial.outcome, event.lost)
    if "failed" in answer:
        return failed_outcome(answer["failed"])
    if answer["tampered"]:
        return errored(trial.outcome, f"the trial is void: {answer['tampered']}")
    return confirmed(trial.outcome, answer) if action is Action.REPLAY else proved(trial.outcome, answer)
