"""What judging came to, kept in the user's cache folder under everything that it depends on.

One file of JSON for each command line; read only when it is the user's own and nobody else could have written it.
A judgement is taken from it when the bytes of the file are the same, and `around` (everything else it depends on) too.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.validate.surroundings import Surroundings, file_digests, file_state

if TYPE_CHECKING:
    from pv.validate.judgement import Row

FORMAT = "pv/cache-1"
MAX_BYTES = 64 * 1024 * 1024
MAX_FILES = 32
"""Kept files, two a command line; the oldest go first."""


class Cache:
    """The judgements of one command line: those of earlier runs, and those to keep."""

    def __init__(self, path: Path, known: dict[str, Any], around: Surroundings) -> None:
        self.path = path
        self.known = known
        self.kept: dict[str, Any] = {}
        self.around = around

    def find(self, name: str, data: str, around: str) -> Row | None:
        """What was kept of `name` under the digests `data` and `around`; None when there is nothing, or another."""
        entry = self.known.get(name)
        if (
            not isinstance(entry, list)
            or len(entry) != 3
            or entry[:2] != [data, around]
            or not isinstance(entry[2], list)
        ):
            return None
        self.kept[name] = entry
        return entry[2]

    def keep(self, name: str, data: str, around: str, row: Row) -> None:
        """Take down `row` under its digests."""
        self.kept[name] = [data, around, row]

    def names(self) -> dict[str, str]:
        """The digest of each file of which something was kept."""
        return {name: entry[0] for name, entry in self.kept.items() if not name.startswith("\0")}

    def save(self) -> None:
        """Write what was kept, if it differs from what was known. A cache that cannot be written is none."""
        if self.kept == self.known:
            return
        write_trusted(self.path, {"rows": self.kept})


def open_cache(path: Path, around: Surroundings | None = None) -> Cache:
    """The cache in the file `path`; an empty one when it cannot be trusted. `around`: digests taken already."""
    rows = read_trusted(path).get("rows", {})
    return Cache(path, rows if isinstance(rows, dict) else {}, around or Surroundings())


def cache_folder() -> Path | None:
    """Where caches of the user lie on this system; None where no such place is known."""
    environment = os.environ
    if sys.platform == "win32":
        base = environment.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = environment.get("XDG_CACHE_HOME") or f"{environment.get('HOME', '')}/Library/Caches"
    else:
        base = environment.get("XDG_CACHE_HOME") or f"{environment.get('HOME', '')}/.cache"
    return Path(base, "pv-contracts", "validate") if Path(base).is_absolute() else None


def cache_folder_of_gate() -> Path | None:
    """The same for what shuts or opens a gate: None where `CI` is set, for there a job before may have left what is found."""
    return None if os.environ.get("CI") else cache_folder()


@cache
def this_pv() -> tuple[str, ...]:
    """What `pv` itself is: its own sources and schemas, the Python, and the libraries it reads with.

    Of its files their states: by less than these Python decides, too, whether a module has to be compiled again.
    """
    from importlib.util import find_spec

    package = Path(__file__).resolve().parent.parent
    homes = [package / "schemas", package.parent / "schemas"]
    parts = [file_digests(package, (".py",), str.isidentifier, file_state)]
    parts += [file_digests(home, (".json",), str.isidentifier, file_state) for home in homes if home.is_dir()]
    for name in ("yaml", "jsonschema_rs"):
        spec = find_spec(name)
        state = Path(spec.origin).stat() if spec and spec.origin else None
        parts.append(f"{name} {state.st_size} {state.st_mtime_ns}" if state else name)
    return sys.version, sys.platform, *parts


def read_trusted(path: Path) -> dict[str, Any]:
    """What `write_trusted` put into `path`; empty when it is not there, not ours, too large, torn or of another format."""
    try:
        if not _is_ours(path.parent.lstat(), stat.S_ISDIR):
            return {}
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            data = file.read(MAX_BYTES) if _is_ours(state, stat.S_ISREG) and state.st_size <= MAX_BYTES else b"{}"
        value = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) and value.get("format") == FORMAT else {}


def _is_ours(state: os.stat_result, is_kind: Any) -> bool:
    """Whether it is of the kind asked for, belongs to the user, and only the user may write or read it."""
    if not is_kind(state.st_mode):
        return False
    return not hasattr(os, "geteuid") or (state.st_uid == os.geteuid() and not state.st_mode & 0o077)


def write_trusted(path: Path, value: dict[str, Any]) -> None:
    """Keep `value` in the file `path`, for the user alone; where that does not work, nothing is kept."""
    from pv.write import write_whole

    data = json.dumps({"format": FORMAT, **value}, separators=(",", ":")).encode()
    folder = path.parent
    if len(data) > MAX_BYTES:
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not _is_ours(folder.lstat(), stat.S_ISDIR):
            return
        write_whole(path, data, mode=0o600)
        others = sorted(folder.glob("*.json"), key=lambda other: other.stat().st_mtime, reverse=True)
        for old in others[MAX_FILES:]:
            old.unlink(missing_ok=True)
    except OSError:
        return
