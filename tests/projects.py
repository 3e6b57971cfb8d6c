"""A small project to be changed: one contract without a finding, its kernel, its falsifier and its binding."""

from __future__ import annotations

import shutil
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent / "examples/good/PV303-PV304-PV306-everything-named"
CONTRACT = "contracts/softmax-v1.yaml"


def softmax_project(target: Path) -> Path:
    """The example project that has no finding, at `target`; with a pyproject.toml that says nothing yet."""
    shutil.copytree(EXAMPLE, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "pyproject.toml").write_text("[tool.pv]\n", encoding="utf-8")
    return target
