"""Where the project is."""

from __future__ import annotations

from pathlib import Path

from pv.finding import PvError
from pv.project.project import Project
from pv.project.settings import require_settings
from pv.root import find_root, read_settings


def open_project(start: Path | None = None) -> Project:
    """The project around `start` (default: the working directory); raises PvError when there is none.

    >>> import pv
    >>> project = pv.open_project()
    >>> contract = project.contract("microgpt-v1")
    >>> [row.test for row in project.assessments([contract]).values() if row.level is pv.Level.FALSIFIED]
    []
    """
    root = find_root(start or Path.cwd())
    if root is None:
        raise PvError(
            "there is no project here: no pyproject.toml with [tool.pv] and no contracts/binding.yaml in any parent folder",
            hint="run pv in a project, or make one: pv init DIR",
        )
    return project_at(root)


def project_at(root: Path) -> Project:
    """The project whose root is known; raises PvError when its settings are wrong."""
    settings = read_settings(root) or {}
    require_settings(settings)
    return Project(root, settings)
