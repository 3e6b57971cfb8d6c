"""How training goes, on stderr: a bar on a terminal, otherwise a line from time to time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # it needs torch, and what is wrong with the options is told without
    from implementations.microgpt.training import State

_LINES = 10  # of a whole training
_EVERY = 20  # steps between two looks of the bar: telling it takes as long as a tenth of a step


def shown(states: Iterable[State], first: int, steps: int) -> Iterator[State]:
    """`states`, of steps after number `first` up to `steps`, and a word about some of them."""
    began = time.perf_counter()
    with _bar(first, steps) if sys.stderr.isatty() else _lines(steps) as look:
        for state in states:
            look(state, (state.step - first) / (time.perf_counter() - began))
            yield state


def tell(line: str) -> None:
    """Print `line` on stderr. Nobody has to read it: where it cannot be written, it and all after it go nowhere."""
    with _unheard():
        print(line, file=sys.stderr)


def drop(stream: TextIO) -> None:
    """Send nowhere what was and will be written to `stream`, what Python flushes at its end too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _unheard() -> Iterator[None]:
    try:
        yield
    except OSError:  # a pipe that was closed, a terminal that is gone, a full disk: training goes on without a word
        drop(sys.stderr)


@contextmanager
def _bar(first: int, steps: int) -> Iterator[Callable[[State, float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    said = TextColumn("loss {task.fields[loss]}  {task.fields[rate]} steps/s")
    progress = Progress(BarColumn(), MofNCompleteColumn(), said, TimeRemainingColumn(), console=Console(stderr=True))
    task = progress.add_task("", total=steps, completed=first, loss="–", rate="–")

    def look(state: State, rate: float) -> None:
        if state.step % _EVERY == 0 or state.step == steps:
            progress.update(task, completed=state.step, loss=f"{state.mean_loss:.3f}", rate=f"{rate:,.0f}")

    with _unheard():
        progress.start()
    try:
        yield look
    finally:
        with _unheard():
            progress.stop()


@contextmanager
def _lines(steps: int) -> Iterator[Callable[[State, float], None]]:
    every = max(1, steps // _LINES)

    def look(state: State, rate: float) -> None:
        if state.step % every == 0 or state.step == steps:
            line = f"step {state.step:>{len(str(steps))}} of {steps}  loss {state.mean_loss:.3f}  {rate:,.0f} steps/s"
            tell(line)

    yield look
