"""One worker process as the process that asks sees it: started, heard, and ended with all that it started."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

PRINTED_KEPT, PRINTED_MOST = 4 * 1024, 8 * 1024 * 1024
ANSWER_MOST = 512 * 1024 * 1024
_SERVE = "pv.falsify.serve"
_WARM = "pv.falsify.warm"
_LAST_WORDS = 2.0  # seconds for the system to report the end of a process whose connection closed


@dataclass(slots=True, eq=False)
class Worker:
    """A process, the messages it sends, and what it prints.

    `messages` are those that arrived since they were last taken; `closed` says that no others will come, or none that a
    worker writes. `flood` says what it sent too much of.
    """

    process: BaseProcess
    connection: socket.socket
    output: socket.socket
    messages: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False
    flood: str = ""
    _received: bytearray = field(default_factory=bytearray)
    _printed: bytes = b""
    _amount: int = 0
    _silent: bool = False

    def handles(self) -> list[Any]:
        """What to wait for."""
        return [self.connection, self.process.sentinel] + ([] if self._silent else [self.output])

    def give(self, data: bytes) -> None:
        """Send a task."""
        self._printed, self._amount = b"", 0
        self.connection.settimeout(_LAST_WORDS)
        with suppress(OSError):  # it is gone already: the next event says so
            self.connection.sendall(len(data).to_bytes(8, "little") + data)
        self.connection.setblocking(False)

    def receive(self) -> None:
        """Take in what it has sent, one message a line."""
        try:
            while data := self.connection.recv(1 << 20):
                self._received += data
                if b"\n" in data:
                    self._split()
                elif len(self._received) > ANSWER_MOST:
                    self.flood = f"its answer is longer than {ANSWER_MOST // 2**20} MiB"
                    return
            self.closed = True
        except BlockingIOError:
            return
        except OSError:
            self.closed = True

    def drain(self) -> None:
        """Take in what it has printed, and keep the end of it."""
        with suppress(OSError):
            while data := self.output.recv(1 << 16):
                self._amount += len(data)
                self._printed = (self._printed + data)[-PRINTED_KEPT:]
                if self._amount > PRINTED_MOST:
                    self.flood = f"it printed more than {PRINTED_MOST // 2**20} MiB"
                    return
            self._silent = True  # it closed its streams: there is nothing to wait for

    def printed(self) -> str:
        """The end of what it printed since it was given its task."""
        text = self._printed.decode("utf-8", "replace")
        return f"… {text}" if self._amount > PRINTED_KEPT else text

    def shared(self) -> int:
        """Bytes of memory that it shares or could share with others: what the limit of its own process leaves out."""
        return _in_status(self.process.pid, "RssShmem")

    def end(self) -> None:
        """End the process and all that it started."""
        pid = self.process.pid
        started = list(_below(pid)) if pid is not None else []
        if pid is not None and hasattr(os, "killpg"):
            with suppress(OSError):  # it has not made a group of its own yet, or is gone
                os.killpg(pid, signal.SIGKILL)
        self.process.kill()
        for other in started:  # also those that left the group
            with suppress(OSError):
                os.kill(other, signal.SIGKILL)
        self.process.join()
        self.connection.close()
        self.output.close()

    def why_ended(self) -> str:
        """The cause of the end of a process that gave no answer."""
        self.process.join(_LAST_WORDS)
        code = self.process.exitcode
        if code is None:
            return "it closed the descriptors of its process"
        if code >= 0:
            return f"it ended its process with exit code {code} (os._exit, or a library that does the same)"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if name == "SIGKILL":
            return "its process was killed (SIGKILL): by somebody, or by the system for want of memory"
        return f"it crashed its process ({name})"

    def why_silent(self, timeout: float) -> str:
        """The cause of no answer within `timeout` seconds."""
        stopped = _state(self.process.pid) == "T"
        return f"it did not finish within {timeout:g} s" + (": it had stopped its process (SIGSTOP)" if stopped else "")

    def _split(self) -> None:
        *lines, rest = bytes(self._received).split(b"\n")
        self._received = bytearray(rest)
        try:
            messages = [json.loads(line) for line in lines]
        except ValueError:
            self.closed = True
            return
        self.messages += [message for message in messages if isinstance(message, dict)]


def context() -> BaseContext:
    """Forking a process that has torch loaded is safe on Linux; macOS's own libraries forbid it, Windows cannot."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([_SERVE, _WARM])
    with _without_main(), _deaf():
        forkserver.ensure_running()
    return found


def start(context: BaseContext) -> Worker:
    """A worker that waits for a task."""
    connection, theirs = socket.socketpair()
    output, printed = socket.socketpair()
    process = context.Process(target=_serve, args=(theirs, printed), daemon=True)  # type: ignore[attr-defined] # every context has it
    with _without_main():
        process.start()
    theirs.close()
    printed.close()
    connection.setblocking(False)
    output.setblocking(False)
    return Worker(process, connection, output)


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started meanwhile does not hear Ctrl-C, which is for this process: it would die with a traceback of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the script of this process, which multiprocessing would run again in every worker: none needs it, some is long."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(connection: socket.socket, printed: socket.socket) -> None:
    """Imported by name in the worker alone: the process that asks needs neither torch nor hypothesis."""
    from importlib import import_module

    import_module(_SERVE).serve(connection, printed)


def _below(pid: int) -> Iterator[int]:
    """The processes that `pid` and its descendants started, by proc(5); none where there is no such thing."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError, ValueError):
            for child in map(int, children.read_text(encoding="ascii").split()):
                yield child
                yield from _below(child)


def _state(pid: int | None) -> str:
    """The state of a process by proc(5); empty where there is no such thing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _in_status(pid: int | None, name: str) -> int:
    """Bytes by proc(5); 0 where there is no such thing."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
