"""The project: what `[tool.pv]` says, and what lies in its folders."""

from __future__ import annotations

from pv.project.files import contracts_in, file_of, yaml_paths
from pv.project.open import open_project, project_at
from pv.project.project import Project
from pv.project.selection import matches
from pv.root import BINDING, CONTRACTS, FALSIFIERS, INDEX, LEDGER, SHELF, find_root

__all__ = [
    "BINDING",
    "CONTRACTS",
    "FALSIFIERS",
    "INDEX",
    "LEDGER",
    "SHELF",
    "Project",
    "contracts_in",
    "file_of",
    "find_root",
    "matches",
    "open_project",
    "project_at",
    "yaml_paths",
]
