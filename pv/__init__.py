"""`pv`: contract-driven verification for tensor programs. Importing it does nothing; names below load on first use."""

from __future__ import annotations

TYPE_CHECKING = False  # not from `typing`, which would be most of what importing pv costs; type checkers know the name
if TYPE_CHECKING:
    from typing import Any

    from pv.bisect.doors import bisect
    from pv.falsify.casefile import load_case
    from pv.falsify.cases import Case
    from pv.falsify.check import Check
    from pv.falsify.declare import falsifier, fault, stratum
    from pv.falsify.strategy import cases
    from pv.falsify.subject import Subject
    from pv.stages.capture import capture
    from pv.tensors.place import Place

__version__ = "0.1.0"
__all__ = [
    "Case",
    "Check",
    "Place",
    "Subject",
    "__version__",
    "bisect",
    "capture",
    "cases",
    "falsifier",
    "fault",
    "load_case",
    "stratum",
]

_HOMES = {
    "falsifier": "pv.falsify.declare",
    "fault": "pv.falsify.declare",
    "stratum": "pv.falsify.declare",
    "cases": "pv.falsify.strategy",
    "Subject": "pv.falsify.subject",
    "Case": "pv.falsify.cases",
    "Check": "pv.falsify.check",
    "load_case": "pv.falsify.casefile",
    "bisect": "pv.bisect.doors",
    "capture": "pv.stages.capture",
    "Place": "pv.tensors.place",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pv' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
