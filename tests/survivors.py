"""Who is still running of what a test started: everything that a process starts has its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

MARK = "PV_TEST_SURVIVORS"
PATIENCE = 20.0  # seconds for a system under load to end what it was told to end


def survivors(mark: str) -> list[int]:
    """The processes that were started with `MARK=mark` in their environment and have not ended (on Linux)."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                alive = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[
                    0
                ] != "Z"
                if alive and wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:  # it has just ended
                continue
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether `holds` becomes true before patience ends."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
