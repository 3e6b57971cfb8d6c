"""Everything that one call of `pv bisect` came to, for a report: the verdict, and what was asked before it."""

from __future__ import annotations

from dataclasses import dataclass

from pv.bisect.paths import Ran
from pv.bisect.pins import Pin
from pv.bisect.relation import Related
from pv.bisect.result import Bisection
from pv.bisect.symptom import Symptom


@dataclass(frozen=True, slots=True)
class Outcome:
    """`names` are what the caller called the two sides, `tokens` what both read, `next` the commands that go on from here."""

    names: tuple[str, str]
    tokens: tuple[int, ...]
    bisection: Bisection
    symptom: Symptom
    related: Related
    ran: tuple[Ran, ...]
    pins: tuple[Pin, ...] = ()
    next: tuple[str, ...] = ()
