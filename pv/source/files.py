"""Files of a project, named by paths relative to its root."""

from __future__ import annotations

from pathlib import Path, PurePosixPath


def project_file(root: Path, path: str) -> Path | None:
    """The regular file that `path` names, or None when there is none; see `leaves` for paths that must be refused."""
    if leaves(root, path):
        return None
    try:
        return root / path if (root / path).is_file() else None
    except OSError:
        return None


def leaves(root: Path, path: str) -> bool:
    """Whether `path` may lie outside `root`: absolute, with `..`, or through a symlink that escapes."""
    if (
        not path
        or "\0" in path
        or "\\" in path
        or PurePosixPath(path).is_absolute()
        or ".." in PurePosixPath(path).parts
    ):
        return True
    try:
        return not (root / path).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop of symlinks
        return True
