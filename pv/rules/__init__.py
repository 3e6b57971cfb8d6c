"""Judging contracts: `check` runs every rule, `catalogue` and `describe` explain them."""

from pv.rules import documents, domain, elsewhere, floats, identity, predecessor, promises, references, suppress, whole
from pv.rules.registry import Judged, ProjectFacts, Rule, catalogue, check, describe
from pv.rules.whole import check_project

__all__ = [
    "Judged",
    "ProjectFacts",
    "Rule",
    "catalogue",
    "check",
    "check_project",
    "describe",
    "documents",
    "domain",
    "elsewhere",
    "floats",
    "identity",
    "predecessor",
    "promises",
    "references",
    "suppress",
    "whole",
]
