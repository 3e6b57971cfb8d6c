"""A command on a terminal of its own, as wide as it is told to be; what it wrote there."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path


def on_a_terminal(command: Sequence[str], folder: Path, columns: int, **environment: str) -> str:
    """What `command` writes to a terminal of `columns`; both of its streams go there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR", "CI")}
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, close_fds=True,
        env={**kept, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    said = bytearray()
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:
        pass  # Linux says so that nobody is left who writes
    os.close(ours)
    process.wait()
    return said.decode("utf-8").replace("\r\n", "\n")


def pv_on_a_terminal(arguments: Sequence[str], folder: Path, columns: int, **environment: str) -> str:
    """The same of `pv`."""
    return on_a_terminal([sys.executable, "-m", "pv", *arguments], folder, columns, **environment)
