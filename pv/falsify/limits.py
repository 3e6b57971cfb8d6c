"""What a worker process may use, and who hears it: its streams, its memory, its time, its end."""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

_MOST_DESCRIPTORS = 4096
_GRACE = 30.0  # seconds after which a worker ends by itself when nobody ended it: its parent may be gone


def confine(connection: socket.socket, printed: socket.socket) -> None:
    """Read nothing, print into `printed`, hold no descriptor but `connection`, and end with the process that forked us."""
    if sys.platform == "win32":  # a socket is no file descriptor there: only what Python prints is heard
        sys.stdout = sys.stderr = printed.makefile("w", buffering=1, encoding="utf-8", errors="backslashreplace")
    else:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        for stream in (1, 2):
            os.dup2(printed.fileno(), stream)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        printed.close()
        # Those of the process that forked us are inherited: whoever writes into them would disturb every other worker.
        os.closerange(3, connection.fileno())
        os.closerange(connection.fileno() + 1, _MOST_DESCRIPTORS)
    if hasattr(os, "setsid"):
        with suppress(OSError):
            os.setsid()  # Ctrl-C is for the process that asked; what a trial starts can be ended with it
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the process that forked us ignores it
    _end_with_parent()


def limit(seconds: float, memory: int) -> None:
    """A backstop: the process ends `_GRACE` after its time, and allocates at most `memory` more bytes (on Linux)."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    extend(seconds)
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = _data_bytes() + memory
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is expected here; its core is of no use


def extend(seconds: float) -> None:
    """A step with a time of its own begins: the backstop moves with it."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)


def _data_bytes() -> int:
    """What the process has allocated, as the limit counts it (proc(5), VmData)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))


def _end_with_parent() -> None:
    """On Linux the kernel sends SIGKILL when the parent is gone (prctl(2), PR_SET_PDEATHSIG); elsewhere `limit` sees to it.

    What this process starts stays below it even when it detaches itself (PR_SET_CHILD_SUBREAPER), so that it can be found.
    """
    if sys.platform != "linux":
        return
    import ctypes

    system = ctypes.CDLL(None)
    system.prctl(1, signal.SIGKILL)
    system.prctl(36, 1)
