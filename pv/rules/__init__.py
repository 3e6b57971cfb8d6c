"""Judging contracts: `check` runs every rule, `catalogue` and `describe` explain them."""

from pv.rules import documents, domain, floats, identity, promises, references
from pv.rules.registry import Judged, ProjectFacts, Rule, catalogue, check, describe

__all__ = [
    "Judged",
    "ProjectFacts",
    "Rule",
    "catalogue",
    "check",
    "describe",
    "documents",
    "domain",
    "floats",
    "identity",
    "promises",
    "references",
]
