"""What is known of the texts of a project's modules, kept in the user's cache folder between two runs of `pv gate`.

By the SHA-256 of their bytes, in a file named for this very `pv` and Python: nothing is known of a text that has changed,
nor by another `pv`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pv.digest import digest
from pv.source.memory import Memory
from pv.validate.cache import FORMAT, cache_folder_of_gate, read_trusted, this_pv, write_trusted


@contextmanager
def remembered(root: Path) -> Iterator[Memory]:
    """The memory of the project at `root`, kept when all went well and it grew.

    Without a place for caches, and in CI, an empty one.
    """
    folder = cache_folder_of_gate()
    if folder is None:
        yield Memory()
        return
    path = folder / f"{digest([FORMAT, this_pv(), 'modules', str(root)])[:40]}.json"
    known = read_trusted(path).get("modules", {})
    memory = Memory(known if isinstance(known, dict) else {})
    yield memory
    if memory.grew:
        write_trusted(path, {"modules": memory.kept})
