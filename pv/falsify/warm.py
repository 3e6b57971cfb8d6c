"""What every trial would do first, done once, before the processes that run trials are forked from this one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=1, database=None, derandomize=True)
@given(st.integers(0, 1))
def _first_run(number: int) -> None:
    """Hypothesis looks for generators of random numbers among all objects: a tenth of a second, with torch loaded."""


_first_run()
