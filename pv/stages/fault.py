"""A model that raises: its fault, told as such."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pv.finding import Exit, PvError

_LONGEST = 600  # characters: some name every weight


@contextmanager
def faults_of(who: str, on: str = "", *, hint: str = "") -> Iterator[None]:
    """Turn what a model raises in the block into a PvError (`Exit.MEND`): `who` raised it, `on` what.

    Not what a hook of ours says, nor that memory or a disk gave out.
    """
    try:
        yield
    except (PvError, MemoryError, OSError):
        raise
    except Exception as error:  # a model is somebody's code, and may raise anything
        said = f"{who} raised {type(error).__name__}: {error}"[:_LONGEST]
        raise PvError(
            said + (f" on {on}"[:_LONGEST] if on else ""),
            exit=Exit.MEND,
            hint=hint or "see that it runs on these tokens by itself; fewer tokens may fit",
        ) from error
