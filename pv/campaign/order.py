"""How hard a campaign tries, and what it is asked to run: each trial with the cases and the time that it may take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pv.assess.freshness import Today
from pv.assess.policy import Policy
from pv.falsify.work import DEFAULT_EXAMPLES, Plan, Work
from pv.source.falsifiers import FalsifierEntry
from pv.verdict import Kind

TIMEOUT = 60.0
MEMORY = 4 * 2**30
# So many cases are worth a second process even when there are other trials to run beside them.
MANY = 5_000


def cores() -> int:
    """How many processes may run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What the trials of a campaign are run with.

    `timeout` is in seconds for a trial's cases, and again for each step of its proof; `memory` in bytes beyond what torch
    itself takes. What a falsifier declares for itself counts instead of `plan.examples` and `timeout`, unless these are
    among those `insisted` on.
    """

    root: Path
    sources: tuple[str, ...]
    today: Today
    plan: Plan = field(default_factory=Plan)
    jobs: int = field(default_factory=cores)
    timeout: float = TIMEOUT
    memory: int = MEMORY
    insisted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One trial to run: its cases and seed, its seconds, and over how many processes its cases are spread."""

    work: Work
    plan: Plan
    timeout: float
    parts: int = 1
    slow: bool = False


def plan_of(policy: Policy, examples: int | None, seed: int) -> Plan:
    """As many cases as are asked for; where nobody asks, enough for `policy`, in each stratum too."""
    if examples is not None:
        return Plan(examples, seed)
    return Plan(max(DEFAULT_EXAMPLES, policy.cases), seed, policy.stratum)


def orders_of(works: Sequence[Work], bench: Bench) -> tuple[Order, ...]:
    """An order for each of `works`, those of slow falsifiers last.

    Over how many processes its cases are spread changes nothing but the time that a trial takes.
    """
    few = len(works) < bench.jobs
    return tuple(sorted((_order(work, bench, few=few) for work in works), key=lambda order: order.slow))


def is_slow(work: Work, today: Today) -> bool:
    """Whether the falsifier of `work` says that it is slow."""
    entry = _entry(work, today)
    return entry is not None and entry.slow


def _order(work: Work, bench: Bench, *, few: bool) -> Order:
    entry = _entry(work, bench.today)
    plan, timeout, slow = bench.plan, bench.timeout, False
    if entry is not None:
        slow = entry.slow
        plan = Plan(entry.examples, plan.seed) if entry.examples and "examples" not in bench.insisted else plan
        timeout = entry.timeout if entry.timeout and "timeout" not in bench.insisted else timeout
    parts = bench.jobs if (few or slow or plan.examples >= MANY) and work.kind is not Kind.LIVE else 1
    return Order(work, plan, timeout, parts, slow)


def _entry(work: Work, today: Today) -> FalsifierEntry | None:
    """Its only falsifier; where there is none, or are more, the trial itself will say so."""
    entries = today.index.falsifiers_of(work.contract.name, work.test.id)
    return entries[0] if len(entries) == 1 else None
