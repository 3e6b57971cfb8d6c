"""Hypothesis, applied by `pv`: one region of cases, one seed, the same cases on every machine.

The one module that touches Hypothesis' inside. Two things in it are not public API: the corpus of constants it mines from
whatever modules happen to be loaded (switched off: an equal run must draw equal cases) and its reason for stopping. Each
has a fallback: without the first, cases may differ between processes; without the second, nothing is called exhausted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck, Flaky, Unsatisfiable, UnsatisfiedAssumption
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.constants_ast import Constants

from pv.falsify.cases import Case, Region


def explore(region: Region, body: Callable[[Case], None], *, examples: int, seed: int, shrink: bool) -> bool:
    """Call `body` with up to `examples` cases of `region`; True when the region holds no others.

    What `body` raises comes out; with `shrink`, the last case it was called with before that is the smallest one found.
    Raises hypothesis.errors.Unsatisfiable when no case could be made.
    """
    stopped: list[str] = []
    run = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
    )

    def attack(case: Case) -> None:
        body(case)

    test = hypothesis.seed(seed)(run(hypothesis.given(case=region.strategy)(attack)))
    with _no_mined_constants(), _stop_reasons(stopped), contextlib.suppress(FailedHealthCheck):
        test()
    return any("nothing left to do" in reason for reason in stopped)


def within(body: Callable[[], None]) -> None:
    """Call `body` once inside of Hypothesis, where `assume`, `note` and their like mean what a falsifier expects."""
    run = settings(
        max_examples=1, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,)
    )

    def once(_: None) -> None:
        body()

    run(hypothesis.given(st.none())(once))()


# What it holds follows from Hypothesis' own constants alone: to fill it anew for every region costs more than a case.
_CACHE: Any = LRUCache(1024)


@contextlib.contextmanager
def _no_mined_constants() -> Iterator[None]:
    from hypothesis.internal.conjecture import providers

    names = ("_get_local_constants", "CONSTANTS_CACHE")
    before = {name: getattr(providers, name, None) for name in names}
    if None in before.values():
        yield
        return
    _install(providers, {"_get_local_constants": Constants, "CONSTANTS_CACHE": _CACHE})
    try:
        yield
    finally:
        _install(providers, before)


def _install(module: ModuleType, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(module, name, value)


@contextlib.contextmanager
def _stop_reasons(stopped: list[str]) -> Iterator[None]:
    try:
        from hypothesis.statistics import collector
    except ImportError:
        yield
        return
    note: Any = lambda stats: stopped.append(str(stats.get("stopped-because", "")))  # noqa: E731 -- typed as None there
    with collector.with_value(note):
        yield


__all__ = ["Flaky", "Unsatisfiable", "UnsatisfiedAssumption", "explore", "within"]
