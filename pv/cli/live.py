"""What a campaign is doing right now, on standard error where that is a terminal: a line a trial, and how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.live import Live
    from rich.progress import Progress, TaskID

    from pv.campaign.run import Signal
    from pv.falsify.work import Work


class Display(Protocol):
    """Told of every sign of life, and of every trial that is done."""

    def show(self, signal: Signal) -> None:
        """A trial is under way."""

    def done(self, work: Work) -> None:
        """It is done."""

    def aside(self) -> AbstractContextManager[None]:
        """Out of the way while something is printed on the same terminal."""


@contextmanager
def live(total: int) -> Iterator[Display]:
    """A display of `total` trials until the end of the block; results printed meanwhile appear above it."""
    if not sys.stderr.isatty() or not total:
        yield _Nothing()
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    trials = Progress(
        TextColumn("{task.description}"),
        TextColumn("{task.fields[stage]:10}"),
        TextColumn("{task.fields[cases]:>8,} cases"),
        TextColumn("{task.fields[rate]:>8,.0f} examples/s"),
        console=console,
    )
    whole = Progress(
        TextColumn("falsifying"), BarColumn(), MofNCompleteColumn(), TextColumn("ETA"), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    with Live(Group(trials, whole), console=console, transient=True, redirect_stdout=False) as display:
        yield _Lines(display, trials, whole, total)


class _Nothing:
    def show(self, signal: Signal) -> None:
        pass

    def done(self, work: Work) -> None:
        pass

    def aside(self) -> AbstractContextManager[None]:
        return nullcontext()


class _Lines:
    def __init__(self, display: Live, trials: Progress, whole: Progress, total: int) -> None:
        self._display, self._trials, self._whole = display, trials, whole
        self._bar = whole.add_task("", total=total)
        self._total, self._begun = total, 0
        self._lines: dict[Work, tuple[TaskID, float]] = {}

    def show(self, signal: Signal) -> None:
        if signal.work not in self._lines:
            self._begin(signal.work)
        line, since = self._lines[signal.work]
        if signal.doing == "attack":
            rate = signal.cases / max(time.monotonic() - since, 1e-9)
            self._trials.update(line, stage=signal.doing, cases=signal.cases, rate=rate)
        else:
            stage = f"mutant {signal.mutant}" if signal.mutant else signal.doing
            self._trials.update(line, stage=stage, cases=signal.cases)

    def done(self, work: Work) -> None:
        if work in self._lines:
            self._trials.remove_task(self._lines.pop(work)[0])
        self._whole.advance(self._bar)

    @contextmanager
    def aside(self) -> Iterator[None]:
        if not sys.stdout.isatty():
            yield
            return
        self._display.stop()
        try:
            yield
        finally:
            self._display.start()

    def _begin(self, work: Work) -> None:
        name = f"{work.test.id} {work.binding.name}"
        self._lines[work] = self._trials.add_task(name, stage="", cases=0, rate=0.0), time.monotonic()
        self._begun += 1
        if self._begun > self._total:  # another round
            self._whole.update(self._bar, total=self._begun)
