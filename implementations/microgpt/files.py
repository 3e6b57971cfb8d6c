"""Files that are written whole or not at all, a folder that one process writes at a time, and what cannot be used."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Unusable(ValueError):
    """What somebody gave cannot be used. The text names it, what was seen, and what is needed."""


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` into the file at `path`: a temporary file beside it, synced, then renamed. Raises OSError.

    To be called by the one process that holds the folder (`held`): the temporary file has a fixed name, so that what a
    killed process left is written over and not left for ever.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make `folder` if it is not there, and be the only process in this block; a process that ends lets go by itself.

    Raises Unusable for what is no folder and while another holds it (where there is no flock(2), as on Windows, nobody is
    kept out), and OSError.
    """
    if folder.exists() and not folder.is_dir():
        raise Unusable(f"{folder}: it is no folder; an empty folder or none is needed")
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable(f"{folder}: another process is training there; wait for it or take another folder") from None
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # Windows cannot open a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
