"""A shelf of immutable JSON files, each named by the SHA-256 of its own bytes.

Two processes, or two branches, may add files at the same time: equal content is the same file, different content is another
file, and nothing is ever rewritten. So there are no locks, and any union of two shelves is a shelf.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pv.digest import canonical, sha256
from pv.finding import Exit, PvError
from pv.ledger.pieces import decode

MAX_BYTES = 8 * 1024 * 1024
_USUAL = 64 * 1024  # bytes; what is smaller is read at once, without a question about its size
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_NAME = re.compile(r"[0-9a-f]{64}\.json")

Read = TypeVar("Read")


class Stored(NamedTuple):
    """One file of a shelf: where it lies, the digest its name claims, and what it holds.

    `problem` says why it cannot be believed; `value` is then None.
    """

    path: Path
    name: str
    value: Any
    problem: str = ""


def add(folder: Path, value: Any) -> Path:
    """Write `value` into `folder` under its own digest, durably, and return the file; an equal file stays as it is.

    One that was damaged since is written again: under this name there is only one content.
    Raises PvError when the folder cannot be written.
    """
    data = canonical(value) + b"\n"
    target = folder / f"{sha256(data)}.json"
    if target.exists() and not read(target).problem:
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, target, data)
    except OSError as error:
        raise PvError(
            f"cannot write {target}: {error.strerror or error}",
            exit=Exit.ASK,
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error
    return target


def name_of(value: Any) -> str:
    """The name under which `add` would write `value`."""
    return sha256(canonical(value) + b"\n")


def read(path: Path) -> Stored:
    """One file, checked against its own name; a problem is said, never raised."""
    text = read_text(path.parent, path.name)
    return text if isinstance(text, Stored) else parse(path, text)


def read_text(folder: Path, file: str) -> str | Stored:
    """What the file called `file` holds, if it is what its name says."""
    name = file.removesuffix(".json")
    try:
        # A shelf has thousands of files: to make a Path of each takes as long as to read it, and a stream half as long.
        handle = os.open(f"{folder}{os.sep}{file}", _READING)
        try:
            data = os.read(handle, _USUAL)
            known = len(data) < _USUAL and b"\r" not in data and sha256(data) == name
            if not known:
                data = _to_its_end(handle, data)
        finally:
            os.close(handle)
    except OSError as error:
        return _unbelievable(folder, file, f"cannot be read: {error.strerror or error}")
    if len(data) > MAX_BYTES:
        return _unbelievable(folder, file, f"larger than {MAX_BYTES:,} bytes")
    if not known:
        data = data.replace(b"\r\n", b"\n")  # a checkout may have turned line ends; the name is of the bytes as written
        if sha256(data) != name:
            return _unbelievable(folder, file, "does not hold what its name says: it was changed, cut short or renamed")
    try:
        return data.decode()
    except ValueError:
        return _unbelievable(folder, file, "is not JSON")


def _to_its_end(handle: int, data: bytes) -> bytes:
    """What follows `data` in the open file, too; of one that is too large no more than shows that."""
    while len(data) <= MAX_BYTES and (more := os.read(handle, MAX_BYTES + 1 - len(data))):
        data += more
    return data


def _unbelievable(folder: Path, file: str, problem: str) -> Stored:
    return Stored(folder / file, file.removesuffix(".json"), None, problem)


def parse(path: Path, text: str) -> Stored:
    """The file at `path` with the value that `text`, which it holds, is in canonical form."""
    name = path.name.removesuffix(".json")
    try:
        value, same = decode(text.removesuffix("\n"))
    except (ValueError, RecursionError):
        return Stored(path, name, None, "is not JSON")
    if not same or not text.endswith("\n"):
        return Stored(path, name, None, "is not canonical JSON: it was not written by pv")
    return Stored(path, name, value)


def read_shelf(folder: Path) -> Iterator[Stored]:
    """Every file of the sub-folders of `folder` (one per contract), by folder and name; see `open_shelf`."""
    return open_shelf(folder, lambda home, file: read(home / file))


def open_shelf(
    folder: Path,
    reader: Callable[[Path, str], Read | Stored],
    skip: Callable[[str, str], bool] = lambda home, file: False,
) -> Iterator[Read | Stored]:
    """The files of a shelf as `reader` gives them (asked with their folder and name), but those to `skip` (with both names).

    A file with another kind of name is given with a problem, so that nobody hides one among them.
    """
    for home, file, below in files_below(folder):
        if skip(home.name, file):
            continue
        if below != 1:
            problem = "does not belong here: a shelf has one folder for each contract"
            yield Stored(home / file, file, None, problem)
        elif _NAME.fullmatch(file):
            yield reader(home, file)
        elif file.startswith(".tmp-"):
            yield Stored(home / file, file, None, "is left over from an interrupted write; it can be deleted")
        else:
            yield Stored(home / file, file, None, "does not belong here: its name is no digest")


def files_below(folder: Path) -> Iterator[tuple[Path, str, int]]:
    """Folder and name of every file below `folder` in their order, with the number of folders between the two."""
    for place, inner, files in os.walk(folder):
        inner.sort()
        home = Path(place)
        below = len(home.parts) - len(folder.parts)
        yield from ((home, file, below) for file in sorted(files))


def _write(folder: Path, target: Path, data: bytes) -> None:
    """Temporary file, fsync, link, fsync of the folder: readers see the whole file or none, also after a crash."""
    import tempfile  # of a ledger that is only read nobody asks for it

    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".tmp-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        try:
            os.link(temporary, target)
        except FileExistsError:
            if read(target).problem:
                Path(temporary).replace(target)
        except OSError:
            Path(temporary).replace(target)  # a file system without hard links; the content is the same either way
    finally:
        Path(temporary).unlink(missing_ok=True)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows cannot open a folder; its rename is durable by itself
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
