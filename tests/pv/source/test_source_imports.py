"""Which files of a project a module imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.finding import PvError
from pv.source.code import import_closure, imported_modules, module_path


def test_import_statements_are_found_wherever_they_stand() -> None:
    source = """\
import a.b, c as d
from e.f import g, h as i
from j import *
def f():
    import k
    if f:
        from l import m
try:
    import n
except ImportError:
    import o
match f:
    case 1: import p
class C: import q
"""
    names = "a.b c e.f e.f.g e.f.h j k l l.m n o p q"
    assert imported_modules(source, "module", is_package=False) == tuple(names.split())


@pytest.mark.parametrize(
    ("source", "module", "is_package", "names"),
    [
        ("from . import a", "p.q.m", False, ("p.q", "p.q.a")),
        ("from .a import b", "p.q.m", False, ("p.q.a", "p.q.a.b")),
        ("from ..a import b", "p.q.m", False, ("p.a", "p.a.b")),
        ("from . import a", "p.q", True, ("p.q", "p.q.a")),
        ("from .. import a", "p.q", True, ("p", "p.a")),
        ("from . import a", "m", False, ()),
        ("from ... import a", "p.m", False, ()),
    ],
)
def test_relative_imports_are_resolved(source: str, module: str, is_package: bool, names: tuple[str, ...]) -> None:
    assert imported_modules(source, module, is_package) == names


@pytest.mark.parametrize(
    ("before", "test", "names"),
    [
        ("from typing import TYPE_CHECKING", "TYPE_CHECKING", ()),
        ("import typing", "typing.TYPE_CHECKING", ()),
        ("TYPE_CHECKING = False", "TYPE_CHECKING", ()),
        ("TYPE_CHECKING = True", "TYPE_CHECKING", ("heavy",)),
        ("TYPE_CHECKING: bool = 1 > 0", "TYPE_CHECKING", ("heavy",)),
        ("from flags import TYPE_CHECKING", "TYPE_CHECKING", ("heavy",)),
        ("import flags as TYPE_CHECKING", "TYPE_CHECKING", ("heavy",)),
        ("from typing import TYPE_CHECKING", "not TYPE_CHECKING", ("heavy",)),
        ("from typing import TYPE_CHECKING", "TYPE_CHECKING or True", ("heavy",)),
    ],
)
def test_what_only_type_checkers_read_is_not_imported(before: str, test: str, names: tuple[str, ...]) -> None:
    source = f"{before}\nif {test}:\n    import heavy\nelse:\n    import light\n"
    found = set(imported_modules(source, "m", is_package=False)) - {"typing", "typing.TYPE_CHECKING", "flags"}
    assert found - {"flags.TYPE_CHECKING"} == {"light", *names}


def test_the_closure_follows_imports_and_the_packages_on_the_way(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "lib/__init__.py": "from . import setup",
            "lib/setup.py": "import json",
            "lib/core/kernels.py": "from ..tools import helper\nimport torch, lib.gone",
            "lib/tools.py": "def f():\n    from app import main",
            "app.py": "import lib.core.kernels",
            "unrelated.py": "",
        },
    )
    found = import_closure(tmp_path, ["."], "lib.core.kernels")
    assert found == ("app.py", "lib/__init__.py", "lib/core/kernels.py", "lib/setup.py", "lib/tools.py")
    assert import_closure(tmp_path, ["."], "lib.setup") == ("lib/__init__.py", "lib/setup.py")
    assert import_closure(tmp_path, ["."], "json") == ()


def test_modules_are_found_below_the_source_folders_in_their_order(tmp_path: Path) -> None:
    _write(tmp_path, {"src/a.py": "import b", "src/b.py": "", "b/__init__.py": "", "b.py": ""})
    assert module_path(tmp_path, ["src", "."], "b") == "src/b.py"
    assert module_path(tmp_path, ["."], "b") == "b/__init__.py"
    assert module_path(tmp_path, ["."], "a") is None
    assert import_closure(tmp_path, ["src", "."], "a") == ("src/a.py", "src/b.py")


def test_a_file_outside_the_project_is_not_of_it(tmp_path: Path) -> None:
    _write(tmp_path, {"outside.py": "", "project/a.py": "import linked, outside"})
    (tmp_path / "project/linked.py").symlink_to(tmp_path / "outside.py")
    project = tmp_path / "project"
    assert import_closure(project, [".", ".."], "a") == ("a.py",)
    assert [module_path(project, ["."], name) for name in ("../outside", "", "a.", "a b")] == [None] * 4


def test_a_file_that_is_not_python_is_named(tmp_path: Path) -> None:
    _write(tmp_path, {"a.py": "import b", "b.py": "x = 1\nif"})
    with pytest.raises(PvError, match=r"^b\.py:2:3: this is not Python"):
        import_closure(tmp_path, ["."], "a")


def test_a_coding_line_is_honoured(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# coding: latin-1\nx = 'é'\nimport b".encode("latin-1"))
    (tmp_path / "b.py").write_bytes(b"x = '\xe9'")
    with pytest.raises(PvError, match=r"^b\.py: cannot be read as Python source"):
        import_closure(tmp_path, ["."], "a")


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
