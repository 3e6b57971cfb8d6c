"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, data: bytes | memoryview, *, mode: int = 0o644) -> None:
    """Put `data` into the file at `path`: a temporary file in its folder, synced, then renamed.

    Raises OSError, also where something is that is no file: a device such as /dev/null must not be replaced by one.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "there is something that is no regular file", str(path))
    with _temporary(path, data, mode) as temporary:
        temporary.replace(path)


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """As `write_whole`, where there is no file yet. Raises FileExistsError when there is one, and leaves it as it is."""
    with _temporary(path, data, mode) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            with path.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
    if os.name == "posix":  # Windows cannot open a folder; its links are durable by themselves
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _temporary(path: Path, data: bytes | memoryview, mode: int) -> Iterator[Path]:
    """A synced file beside `path` that holds `data`, gone afterwards unless it was renamed."""
    temporary = path.with_name(f".tmp-{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb", opener=_for_us_alone) as stream:  # `Path.open` takes no opener
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
