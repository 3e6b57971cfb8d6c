"""A shelf of immutable JSON files, each named by the SHA-256 of its own bytes.

Two processes, or two branches, may add files at the same time: equal content is the same file, different content is another
file, and nothing is ever rewritten. So there are no locks, and any union of two shelves is a shelf.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pv.digest import canonical, sha256
from pv.finding import Exit, PvError

MAX_BYTES = 8 * 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{64}\.json")
# Of what these read, `canonical` has nothing to make plain: so it can be written again without it, several times as fast.
# A number that is no integer is text in canonical form; here it becomes what is written otherwise.
_DECODER = json.JSONDecoder(parse_float=lambda text: None, parse_constant=lambda text: None)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Stored:
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
        raise PvError(f"cannot write {target}: {error.strerror or error}", exit=Exit.ASK) from error
    return target


def name_of(value: Any) -> str:
    """The name under which `add` would write `value`."""
    return sha256(canonical(value) + b"\n")


def read(path: Path) -> Stored:
    """One file, checked against its own name; a problem is said, never raised."""
    name = path.name.removesuffix(".json")
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 -- a shelf has thousands, and a Path takes as long again
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                return Stored(path, name, None, f"larger than {MAX_BYTES:,} bytes")
            # A checkout may have turned line ends; the name is of the bytes as written.
            data = stream.readall().replace(b"\r\n", b"\n")
    except OSError as error:
        return Stored(path, name, None, f"cannot be read: {error.strerror or error}")
    if sha256(data) != name:
        return Stored(path, name, None, "does not hold what its name says: it was changed, cut short or renamed")
    try:
        text = data.decode()
        value = _DECODER.decode(text)
        same = _ENCODER.encode(value) + "\n" == text
    except (ValueError, RecursionError):
        return Stored(path, name, None, "is not JSON")
    if not same:
        return Stored(path, name, None, "is not canonical JSON: it was not written by pv")
    return Stored(path, name, value)


def read_shelf(folder: Path, skip: Callable[[Path], bool] = lambda path: False) -> Iterator[Stored]:
    """Every file of the sub-folders of `folder` (one per contract), by folder and name, but those to `skip`.

    A file with another kind of name is given with a problem, so that nobody hides one among them.
    """
    for path, below in _files(folder):
        if skip(path):
            continue
        if below != 1:
            yield Stored(path, path.name, None, "does not belong here: a shelf has one folder for each contract")
        elif _NAME.fullmatch(path.name):
            yield read(path)
        elif path.name.startswith(".tmp-"):
            yield Stored(path, path.name, None, "is left over from an interrupted write; it can be deleted")
        else:
            yield Stored(path, path.name, None, "does not belong here: its name is no digest")


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file below `folder` in the order of their paths, with the number of folders between the two."""
    for place, inner, names in os.walk(folder):
        inner.sort()
        home = Path(place)
        for name in sorted(names):
            yield home / name, len(home.parts) - len(folder.parts)


def _write(folder: Path, target: Path, data: bytes) -> None:
    """Temporary file, fsync, link, fsync of the folder: readers see the whole file or none, also after a crash."""
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
