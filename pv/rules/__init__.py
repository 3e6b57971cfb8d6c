"""Judging contracts: `check` runs every rule, `catalogue` and `describe` explain them.

The rules of the predecessor's dialect are a package of their own (`pv.rules.predecessor`), imported where a file of it is
judged, or where all rules are listed: most projects hold none, and every command would pay for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pv.rules import (
    comparing,
    documents,
    domain,
    elsewhere,
    falsifiers,
    floats,
    folder,
    identity,
    promises,
    references,
    registry,
    suppress,
    whole,
    writing,
)
from pv.rules.registry import Judged, ProjectFacts, Rule, check
from pv.rules.whole import check_project

__all__ = [
    "Codes",
    "Judged",
    "ProjectFacts",
    "Rule",
    "catalogue",
    "check",
    "check_project",
    "comparing",
    "count_judging",
    "describe",
    "documents",
    "domain",
    "elsewhere",
    "falsifiers",
    "floats",
    "folder",
    "identity",
    "promises",
    "references",
    "suppress",
    "whole",
    "writing",
]


def catalogue() -> Sequence[Rule]:
    """Every rule of both dialects, in the order of codes."""
    _load_all()
    return registry.catalogue()


def describe(code: str) -> str:
    """The text of a rule: the defect, why it matters, how to mend it. Raises PvError when there is no such rule."""
    _load_all()
    return registry.describe(code)


def count_judging(*, predecessor: bool) -> int:
    """How many rules look at a contract of ours, or, with `predecessor`, at contracts of both dialects."""
    own = registry.judging()
    if not predecessor:
        return len(own)
    _load_all()
    from pv.rules.predecessor.judged import codes_of_checks

    return len(own | codes_of_checks())


class Codes(Collection[str]):
    """The codes of every rule, looked up when first asked for: most runs never do."""

    def __contains__(self, code: object) -> bool:
        return any(rule.code == code for rule in catalogue())

    def __iter__(self) -> Iterator[str]:
        return (rule.code for rule in catalogue())

    def __len__(self) -> int:
        return len(catalogue())


def _load_all() -> None:
    import pv.rules.predecessor  # noqa: F401 -- its rules register themselves
