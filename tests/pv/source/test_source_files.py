"""Paths of a project's files: what leads out of it is refused, through links too."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.source.files import leaves, project_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a file, and links to it, out of the project, to nothing and to themselves."""
    (tmp_path / "outside.py").touch()
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.py").touch()
    for name, to in {
        "in.py": "a.py",
        "out.py": "../outside.py",
        "up": "..",
        "gone.py": "none.py",
        "loop": "loop",
    }.items():
        (root / name).symlink_to(to)
    return root


@pytest.mark.parametrize(
    ("path", "outside", "there"),
    [
        ("a.py", False, True),
        ("in.py", False, True),
        ("./a.py", False, True),
        ("none.py", False, False),
        ("gone.py", False, False),
        ("loop", False, False),
        ("loop/a.py", False, False),
        ("out.py", True, False),
        ("up/outside.py", True, False),
        ("up", True, False),
        ("../outside.py", True, False),
        ("/etc/passwd", True, False),
        ("a\\b.py", True, False),
        ("a\0b", True, False),
        ("", True, False),
    ],
)
def test_a_path_is_inside_or_leads_out(path: str, outside: bool, there: bool, root: Path) -> None:
    assert leaves(root, path) is outside
    assert (project_file(root, path) is not None) is there


def test_a_root_behind_a_link_holds_its_files(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert project_file(tmp_path / "link", "in.py") is not None
    assert leaves(tmp_path / "link", "up")
    assert not leaves(tmp_path / "link", ".")
