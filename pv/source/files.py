"""Files of a project, named by paths relative to its root."""

from __future__ import annotations

import os
from pathlib import Path


def project_file(root: Path, path: str) -> Path | None:
    """The regular file that `path` names, or None when there is none; see `leaves` for paths that must be refused."""
    if _is_refused(path):
        return None
    file = root / path
    try:  # first whether it is there: most that are asked for are not, and to follow links takes many times as long
        return file if file.is_file() and _is_inside(os.path.realpath(file), os.path.realpath(root)) else None
    except OSError:
        return None


def leaves(root: Path, path: str) -> bool:
    """Whether `path` may lie outside `root`: absolute, with `..`, or through a symlink that escapes.

    A loop of symlinks leads nowhere, and so not outside.
    """
    if _is_refused(path):
        return True
    try:
        real, home = os.path.realpath(root / path), os.path.realpath(root)
    except OSError:
        return True
    return real != home and not _is_inside(real, home)


def _is_refused(path: str) -> bool:
    """Whether it is refused as it is written."""
    return not path or "\0" in path or "\\" in path or path.startswith("/") or ".." in path.split("/")


def _is_inside(real: str, root: str) -> bool:
    home = os.path.normcase(root).rstrip(os.sep) + os.sep
    return os.path.normcase(real).startswith(home)
