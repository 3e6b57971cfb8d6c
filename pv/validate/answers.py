"""The whole answer to a command line, kept for when nothing that it depends on has changed: then nothing is judged at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pv.digest import digest
from pv.root import find_root
from pv.validate.cache import FORMAT, Cache, cache_folder, open_cache, read_trusted, this_pv, write_trusted
from pv.validate.items import Item
from pv.validate.surroundings import Surroundings, file_sha256, file_state


class Asked(NamedTuple):
    """A command line and all that its answer depends on: `names` has the digest of every file, `key` one of everything."""

    rows: Path
    """Where the judgements of these files are kept."""
    path: Path
    key: str
    names: dict[str, str]
    around: Surroundings

    def open_cache(self) -> Cache:
        """What is known of each of the files."""
        return open_cache(self.rows, self.around)

    def answer(self) -> tuple[str, int] | None:
        """What was answered before, and with which exit; None when it has to be found out."""
        kept = read_trusted(self.path)
        text, exit = kept.get("text"), kept.get("exit")
        if kept.get("key") != self.key or not isinstance(text, str) or type(exit) is not int:
            return None
        return text, exit

    def keep(self, text: str, exit: int, judged: dict[str, str]) -> None:
        """Take down the answer; not if a file has changed since it was asked for, or rests on what the key does not cover."""
        if judged == self.names:
            write_trusted(self.path, {"key": self.key, "text": text, "exit": exit})


def ask(operands: Sequence[str], items: Sequence[Item], options: Sequence[object]) -> Asked | None:
    """What `pv validate` is asked with `options`; None where there is no place for caches."""
    folder = cache_folder()
    if folder is None:
        return None
    command = [FORMAT, this_pv(), str(Path.cwd()), list(operands)]
    names = {item.shown: file_sha256(f"{item.folder}/{item.name}") for item in items}
    around, roots = (
        Surroundings(file_state),
        {folder: find_root(Path(folder)) for folder in {item.folder for item in items}},
    )
    kinds = sorted(
        {around.of(roots[folder], named=named) for folder, named in {(item.folder, item.named) for item in items}}
    )
    whole = sorted(around.of_whole(root) for root in set(roots.values()) if root is not None)
    return Asked(
        folder / f"{digest(command)[:40]}.json",
        folder / f"{digest([command, options])[:40]}.json",
        digest([names, kinds, whole, [(item.folder, item.named) for item in items]]),
        names,
        around,
    )
