"""Files that a library opened without the interpreter, which has no audit event for them: those still mapped or open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment] # asked for below


def held_files(root: str) -> set[str]:
    """Names below `root` of the files that this process has mapped, or open for reading; none where no /proc tells."""
    return {name for name in (*_mapped(), *_open()) if name.startswith(root)}


def _mapped() -> Iterator[str]:
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        yield line[line.find("/") :] if "/" in line else ""


def _open() -> Iterator[str]:
    try:
        handles = os.listdir("/proc/self/fd")  # noqa: PTH208 -- numbers, not files of a folder
    except OSError:
        return
    for handle in handles:
        try:
            if fcntl is not None and fcntl.fcntl(int(handle), fcntl.F_GETFL) & os.O_ACCMODE != os.O_WRONLY:
                yield os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115 -- what it says is no path for a socket
        except OSError:
            continue  # the one that the folder itself was listed with
