"""Commands as cold processes that take turns: how long each takes, of processors and on the wall."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PV = (sys.executable, "-P", "-c", "from pv.cli import entry; entry()")
"""As the installed script `pv` begins; `python -m` adds its own 3 ms."""


class Command(NamedTuple):
    """A process to run in `home`, after `before` was called; `environment` is added to this process's own."""

    words: Sequence[str | Path]
    home: Path
    environment: Mapping[str, str] = {}
    before: Callable[[], object] = lambda: None


class Taken(NamedTuple):
    """One run: seconds of processors (its children's too) and on the wall, how it ended, what it said."""

    processor: float
    wall: float
    exit: int
    out: str


def in_turns(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Taken]]:
    """`rounds` runs of each, one after the other; one more of each before, which compiles what an installation has compiled."""
    with tempfile.TemporaryDirectory(prefix="pv-benchmark-compiled-") as compiled:
        found: dict[str, list[Taken]] = {name: [] for name in commands}
        for _ in range(rounds + 1):
            for name, command in commands.items():
                found[name].append(_run(command, compiled))
    return {name: runs[1:] for name, runs in found.items()}


def _run(command: Command, compiled: str) -> Taken:
    command.before()
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPYCACHEPREFIX": compiled, **command.environment}
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        words = [str(word) for word in command.words]
        process = subprocess.Popen(words, cwd=command.home, env=environment, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().decode(errors="replace")
    return Taken(usage.ru_utime + usage.ru_stime, wall, process.returncode, said)


def middle(runs: Sequence[Taken]) -> tuple[float, float]:
    """The medians, of processors and on the wall."""
    return statistics.median(one.processor for one in runs), statistics.median(one.wall for one in runs)


def ratio(what: str, ours: Sequence[Taken], theirs: Sequence[Taken], most: float, *, by_wall: bool = False) -> bool:
    """Print how many times longer `ours` take; whether that is at most `most`, by time of processors or on the wall."""
    processor, wall = (one / other for one, other in zip(middle(ours), middle(theirs), strict=True))
    return _line(
        what,
        f"{processor:.2f} times ({wall:.2f} on the wall)",
        f"{most:g} times",
        ours,
        met=(wall if by_wall else processor) <= most,
    )


def over(what: str, ours: Sequence[Taken], theirs: Sequence[Taken], most: float) -> bool:
    """Print how many milliseconds longer `ours` take; whether that is at most `most`, by time of processors."""
    processor, wall = (1e3 * (one - other) for one, other in zip(middle(ours), middle(theirs), strict=True))
    said = f"{processor:.0f} ms over ({wall:.0f} on the wall)"
    return _line(what, said, f"{most:g} ms", ours, met=processor <= most)


def _line(what: str, said: str, most: str, runs: Sequence[Taken], *, met: bool) -> bool:
    times = [one.processor for one in runs]
    spread = (max(times) - min(times)) / statistics.median(times)
    print(
        f"{'ok  ' if met else 'MISS'} {what}: {said}; at most {most}, spread {spread:.0%} of {len(runs)} runs",
        flush=True,
    )
    return met
