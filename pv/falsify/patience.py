"""How long an altered subject may take before it is given up: one that loops must not take the time of all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

Say = Callable[[Mapping[str, Any]], None]

_LEAST = 10.0  # seconds
_CALL = 10  # times what the slowest recorded case took, from one call to the next
_WHOLE = 3  # times what all of its cases should take
_EVERY = 0.2  # seconds between two signs of life


class Patience:
    """Tells the process that asked which mutant is judged, and how long to wait for the next sign of life of it.

    `case` is what the slowest recorded case took, in seconds; one mutant is judged by at most `cases`.
    """

    def __init__(self, say: Say, case: float, cases: int) -> None:
        self._say = say
        self._call = max(_LEAST, _CALL * case)
        self._whole = max(_LEAST, _WHOLE * case * cases)
        self._name, self._end, self._last = "", 0.0, 0.0

    def begin(self, name: str, proof: Mapping[str, Any]) -> None:
        """The next mutant; `proof` is what was shown before it."""
        self._name, self._end = name, time.monotonic() + self._whole
        self._tell({"proof": proof})

    def beat(self) -> None:
        """A call of it begins."""
        if time.monotonic() - self._last >= _EVERY:
            self._tell({})

    def _tell(self, more: Mapping[str, Any]) -> None:
        self._last = time.monotonic()
        within = max(0.0, min(self._call, self._end - self._last))
        self._say({"alive": self._name, "mutant": self._name, "within": within, **more})
