"""Several processes for many files, by `os.fork`; the answers come back in the order of the files."""

from __future__ import annotations

import marshal
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar

from pv.finding import Exit, PvError

T = TypeVar("T")
R = TypeVar("R")


class Wire(NamedTuple, Generic[R]):
    """How an answer goes through a pipe: as lists, texts and numbers, and back."""

    pack: Callable[[R], Any]
    unpack: Callable[[Any], R]


def worker_count(items: int) -> int:
    """How many processes for `items` pieces of work; one where the system cannot fork."""
    if not hasattr(os, "fork"):
        return 1
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, 8, items))


def spread(items: Sequence[T], work: Callable[[T], R], workers: int, wire: Wire[R]) -> list[R]:
    """`work(item)` of every item, in order; this process does its share, and what the others did comes over `wire`.

    A PvError that `work` raises is raised here. Raises PvError (`Exit.BUG`) when a worker dies.
    """
    if workers < 2:
        return [work(item) for item in items]
    sys.stdout.flush()
    sys.stderr.flush()
    children: list[tuple[int, int]] = []
    try:
        for share in range(1, workers):
            _start(items[share::workers], lambda item: wire.pack(work(item)), children)
        answers = [[work(item) for item in items[::workers]]]
        while children:
            answers.append([wire.unpack(row) for row in _collect(*children.pop(0))])
    finally:
        for pid, pipe in children:
            _end(pid, pipe)
    return [answers[index % workers][index // workers] for index in range(len(items))]


def _start(items: Sequence[T], work: Callable[[T], Any], children: list[tuple[int, int]]) -> None:
    """Add a child that does `items` and writes its answer into a pipe to `children`: its pid and the pipe's reading end."""
    reading, writing = os.pipe()
    # Until each side is ready, an interruption waits: the child must not answer it, the parent must know the child.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        pid = os.fork()
        if not pid:
            _be_child(items, work, reading, writing)
        os.close(writing)
        children.append((pid, reading))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _be_child(items: Sequence[T], work: Callable[[T], Any], reading: int, writing: int) -> NoReturn:
    """Never back into the parent's code: no second output, no clean-up of what is the parent's."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent speaks for all
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(marshal.dumps(_answer(items, work)))  # read by the same Python, in half the time of JSON
        status = 0
    finally:
        os._exit(status)


def _answer(items: Sequence[T], work: Callable[[T], Any]) -> dict[str, object]:
    try:
        return {"done": [work(item) for item in items]}
    except PvError as error:
        return {"message": error.message, "exit": int(error.exit), "hint": error.hint}
    except Exception:
        import traceback

        return {
            "message": f"a worker failed\n{traceback.format_exc()}",
            "exit": int(Exit.BUG),
            "hint": "report it with these lines",
        }


def _collect(pid: int, pipe: int) -> list[Any]:
    """What the child answered; its end is waited for."""
    try:
        with os.fdopen(pipe, "rb", closefd=False) as stream:
            data = stream.read()
    except BaseException:
        _end(pid, pipe)
        raise
    os.close(pipe)
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) == -signal.SIGINT:
        raise KeyboardInterrupt  # Ctrl-C reaches all processes, and this one may be the last
    if status or not data:
        seen = f"a worker ended with {os.waitstatus_to_exitcode(status)} and without an answer"
        hint = "nothing is known in full; run again, with less at once if memory was short"
        raise PvError(seen, exit=Exit.BUG, hint=hint)
    answer = marshal.loads(data)
    if "done" not in answer:
        raise PvError(answer["message"], exit=Exit(answer["exit"]), hint=answer["hint"])
    done: list[Any] = answer["done"]
    return done


def _end(pid: int, pipe: int) -> None:
    """Stop a child whose answer nobody waits for, and leave no zombie."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(pipe)
    except (ProcessLookupError, ChildProcessError, OSError):
        return
