"""`pv`: contract-driven verification for tensor programs. Importing it does nothing; names below load on first use.

What each is for, with examples: docs/api.md.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not from `typing`, which would be most of what importing pv costs; type checkers know the name
if TYPE_CHECKING:
    from typing import Any

    from pv.assess.levels import Assessment
    from pv.bisect.doors import bisect
    from pv.checkpoints.read import read_checkpoint
    from pv.cli import main
    from pv.cli.gate import examine
    from pv.compare.doors import diff_values
    from pv.contract.model import Contract
    from pv.contract.read import read_contract
    from pv.falsify.casefile import load_case
    from pv.falsify.cases import Case
    from pv.falsify.check import Check
    from pv.falsify.declare import falsifier, fault, stratum
    from pv.falsify.strategy import cases
    from pv.falsify.subject import Subject
    from pv.finding import Finding, PvError, Severity
    from pv.level import Level
    from pv.project.open import open_project
    from pv.project.project import Project
    from pv.stages.capture import capture
    from pv.tensors.folder import open_capture
    from pv.tensors.place import Place
    from pv.verdict import Verdict

__version__ = "0.1.0"
__all__ = [
    "Assessment",
    "Case",
    "Check",
    "Contract",
    "Finding",
    "Level",
    "Place",
    "Project",
    "PvError",
    "Severity",
    "Subject",
    "Verdict",
    "__version__",
    "bisect",
    "capture",
    "cases",
    "diff_values",
    "examine",
    "falsifier",
    "fault",
    "load_case",
    "main",
    "open_capture",
    "open_project",
    "read_checkpoint",
    "read_contract",
    "stratum",
]

_HOMES = {
    "Assessment": "pv.assess.levels",
    "bisect": "pv.bisect.doors",
    "read_checkpoint": "pv.checkpoints.read",
    "main": "pv.cli",
    "examine": "pv.cli.gate",
    "diff_values": "pv.compare.doors",
    "Contract": "pv.contract.model",
    "read_contract": "pv.contract.read",
    "load_case": "pv.falsify.casefile",
    "Case": "pv.falsify.cases",
    "Check": "pv.falsify.check",
    "falsifier": "pv.falsify.declare",
    "fault": "pv.falsify.declare",
    "stratum": "pv.falsify.declare",
    "cases": "pv.falsify.strategy",
    "Subject": "pv.falsify.subject",
    "Finding": "pv.finding",
    "PvError": "pv.finding",
    "Severity": "pv.finding",
    "Level": "pv.level",
    "open_project": "pv.project.open",
    "Project": "pv.project.project",
    "capture": "pv.stages.capture",
    "open_capture": "pv.tensors.folder",
    "Place": "pv.tensors.place",
    "Verdict": "pv.verdict",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pv' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
