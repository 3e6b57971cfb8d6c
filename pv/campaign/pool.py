"""Worker processes: a task goes in, and exactly one of an answer or the cause of its absence comes out.

A process is started for every task. Where the system can fork safely, it is forked from one that has torch loaded, so that
costs milliseconds and nothing a trial does to its process reaches another; elsewhere a clean worker is used again.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

from pv.campaign.worker import Worker, context, start
from pv.falsify.work import Task
from pv.verdict import Verdict

_LOOK = 0.25  # seconds between two looks at the memory of the workers

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Event(Generic[T]):
    """What happened to the task submitted under `key`: `answer`, or `lost` with the cause, or (neither) a sign of life."""

    key: T
    answer: Mapping[str, Any] | None = None
    lost: str = ""
    message: Mapping[str, Any] = field(default_factory=dict)
    printed: str = ""

    @property
    def ended(self) -> bool:
        """Whether this is the last of its task."""
        return self.answer is not None or bool(self.lost)


@dataclass(slots=True, eq=False)
class _Busy(Generic[T]):
    """A worker and the task it has; `deadline` by the monotonic clock. One in which a trial `errored` is not used again."""

    worker: Worker
    key: T
    task: Task
    deadline: float
    errored: bool = False


class Pool(Generic[T]):
    """At most `jobs` tasks at a time; `with Pool(2) as pool` ends every process on the way out, whatever happened."""

    def __init__(self, jobs: int, kind: BaseContext | None = None) -> None:
        self._jobs = max(1, jobs)
        self._context = kind or context()
        self._reuses = self._context.get_start_method() == "spawn"
        self._busy: list[_Busy[T]] = []
        self._idle: list[Worker] = []

    def __enter__(self) -> Pool[T]:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in [*(busy.worker for busy in self._busy), *self._idle]:
            worker.end()
        self._busy, self._idle = [], []

    @property
    def jobs(self) -> int:
        """How many tasks may run at a time."""
        return self._jobs

    @property
    def free(self) -> int:
        """How many more tasks may be submitted now."""
        return self._jobs - len(self._busy)

    def submit(self, key: T, task: Task) -> None:
        """Start `task` in a process of its own; what becomes of it is an event of `key`."""
        worker = self._idle.pop() if self._idle else start(self._context)
        self._busy.append(_Busy(worker, key, task, time.monotonic() + task.timeout))
        worker.give(pickle.dumps(task))

    def abandon(self, unwanted: Callable[[T], bool]) -> None:
        """End the tasks whose key is `unwanted`; nothing more is heard of them."""
        for busy in [busy for busy in self._busy if unwanted(busy.key)]:
            self._busy.remove(busy)
            busy.worker.end()

    def events(self) -> Iterator[Event[T]]:
        """Wait until something happens, or a moment, and say what happened; nothing when nothing is under way."""
        if not self._busy:
            return
        soonest = min(busy.deadline for busy in self._busy)
        handles = [handle for busy in self._busy for handle in busy.worker.handles()]
        ready = set(map(id, wait(handles, timeout=min(_LOOK, max(0.0, soonest - time.monotonic())))))
        for busy in list(self._busy):
            if busy in self._busy:  # it was not abandoned because of what another one said
                yield from self._heard(busy, ready)

    def _heard(self, busy: _Busy[T], ready: set[int]) -> Iterator[Event[T]]:
        worker = busy.worker
        if id(worker.output) in ready:
            worker.drain()
        if id(worker.connection) in ready:
            worker.receive()
        messages, worker.messages = worker.messages, []
        for message in messages:
            if isinstance(message.get("answer"), dict):
                yield self._answered(busy, message["answer"])
                return
            if "alive" in message:  # a step with a time of its own has begun
                limit = busy.task.timeout
                busy.deadline = time.monotonic() + min(limit, float(message.get("within", limit)))
            busy.errored |= message.get("unit", {}).get("verdict") == Verdict.ERRORED.value
            yield Event(busy.key, message=message)
            if busy not in self._busy:
                return
        if cause := _why_lost(busy):
            yield self._lose(busy, cause)

    def _answered(self, busy: _Busy[T], value: Mapping[str, Any]) -> Event[T]:
        busy.worker.drain()
        self._busy.remove(busy)
        errored = busy.errored or value.get("verdict") == Verdict.ERRORED.value
        if self._reuses and not (errored or value.get("tampered") or "failed" in value):
            self._idle.append(busy.worker)
        else:
            busy.worker.end()
        return Event(busy.key, answer=value, printed=busy.worker.printed())

    def _lose(self, busy: _Busy[T], cause: str) -> Event[T]:
        busy.worker.drain()
        self._busy.remove(busy)
        busy.worker.end()
        return Event(busy.key, lost=cause, printed=busy.worker.printed())


def _why_lost(busy: _Busy[Any]) -> str:
    """Why no answer of a worker will come, or none that could be waited for; empty while there is hope."""
    worker = busy.worker
    if worker.flood:
        return worker.flood
    if worker.closed or not worker.process.is_alive():
        return worker.why_ended()
    if worker.shared() > busy.task.memory:
        return f"it took more than {busy.task.memory / 2**30:g} GiB of shared memory"
    return worker.why_silent(busy.task.timeout) if time.monotonic() >= busy.deadline else ""
