"""Everything but its own bytes that the judgement of a file depends on, as one digest.

Inside a project a rule may look at the bindings, the falsifiers and the code they lead to: all of it counts, whether this
judgement looked at it or not. At other contracts it does not look: what shows only together is found anew from the
judgements' links. What rests on evidence (receipts, promotions, the code they speak of)
is not covered; a judgement that asked for it is not kept (`Judgement.lasting`).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from pv.digest import digest
from pv.root import BINDING, CONTRACTS, FALSIFIERS, read_settings

Told = Callable[[str], str]


class Surroundings:
    """The digests of projects, each taken once, of what is `told` of each of their files: see `file_sha256`, `file_state`."""

    def __init__(self, told: Told | None = None) -> None:
        self._told = told or file_sha256
        self._digests: dict[Path, str] = {}

    def of(self, root: Path | None, *, named: bool) -> str:
        """The digest of what surrounds a file of the project at `root`; `named` decides what the file is judged as."""
        key = root or Path()
        if key not in self._digests:
            self._digests[key] = "" if root is None else _project_digest(root, self._told)
        return f"{'named' if named else 'walked'} {self._digests[key]}"

    def of_whole(self, root: Path) -> str:
        """The digest of what the judgement of a whole project depends on: every contract too."""
        contracts = file_digests(root / CONTRACTS, (".yaml", ".yml"), _is_visible, self._told)
        return f"{self.of(root, named=False)} {contracts}"


def _project_digest(root: Path, told: Told) -> str:
    settings = read_settings(root) or {}
    sources = settings.get("source", [])
    folders = [source for source in (*sources, ".") if isinstance(source, str)] if isinstance(sources, list) else ["."]
    return digest([
        str(root),
        told(str(root / "pyproject.toml")),
        told(str(root / BINDING)),
        file_digests(root / FALSIFIERS, (".py",), _is_visible, told),
        *(file_digests(root / source, (".py",), str.isidentifier, told) for source in dict.fromkeys(folders)),
    ])  # fmt: skip


def _is_visible(name: str) -> bool:
    return not name.startswith(".")


def file_digests(folder: Path, suffixes: tuple[str, ...], enters: Callable[[str], bool], told: Told) -> str:
    """One digest of every file below `folder` that ends in one of `suffixes`, with its path and what is `told` of it.

    Only folders whose name `enters` admits are entered, through symlinks too, as an import would.
    """
    found = hashlib.sha256()
    seen: set[tuple[int, int]] = set()
    for directory, folders, files in os.walk(folder, followlinks=True):
        state = os.stat(directory)  # noqa: PTH116  # a Path for each would double the time of a warm run
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()  # a loop of symlinks
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if enters(name) and name != "__pycache__")
        for name in sorted(name for name in files if name.endswith(suffixes)):
            path = os.path.join(directory, name)  # noqa: PTH118  # as above
            found.update(f"{path}\0{told(path)}\0".encode(errors="surrogatepass"))
    return found.hexdigest()


def file_state(path: str) -> str:
    """What tells the file at `path` from one that was changed since, without reading it.

    Its size, when it and what the file system says of it were last changed, its number there; or why there is none.
    """
    try:
        state = os.stat(path)  # noqa: PTH116  # as above
    except OSError as error:
        return f"unreadable: {error.errno}"
    return f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"


def file_sha256(path: str) -> str:
    """The digest of the file at `path`, or why there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                return "no regular file"
            found, asked = hashlib.sha256(), state.st_size + 1
            while data := os.read(descriptor, asked):
                found.update(data)
                if len(data) < asked:
                    break
            return found.hexdigest()
        finally:
            os.close(descriptor)
    except OSError as error:
        return f"unreadable: {error.errno}"
