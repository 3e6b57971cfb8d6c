"""Python's cyclic garbage collector, put off while very many objects are made that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Nothing that is made inside may refer back to itself: the collector walks through all of it, and has nothing to free.

    Nor soon afterwards: what was made is held to the end, and is therefore counted among the old.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.unfreeze()
            gc.enable()
