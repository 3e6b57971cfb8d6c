"""`import pv`: what it gives, that it is lazy and typed, and that every example in its documentation runs."""

from __future__ import annotations

import ast
import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

import pv

HOMES: dict[str, str] = pv._HOMES
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
HEAVY = ("torch", "yaml", "click", "numpy", "hypothesis", "rich", "jinja2", "typing", "dataclasses")


def of_home(name: str) -> Any:
    """The object itself: `pv.bisect` is a package that can be called."""
    return getattr(import_module(HOMES[name]), name)


def failures(found: doctest.DocTest) -> list[str]:
    """What the examples of `found` come to that they do not say."""
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    runner.run(found, out=said.append)
    assert found.examples, f"{found.name} has no example"
    return said


@pytest.mark.parametrize("name", sorted(HOMES))
def test_each_has_an_example_that_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    [found] = doctest.DocTestFinder(recurse=False).find(of_home(name), name, globs={})
    assert failures(found) == []


def test_a_wrong_example_is_seen() -> None:
    found = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert "Expected:\n    3\nGot:\n    2\n" in "".join(failures(found))
    with pytest.raises(AssertionError, match="has no example"):
        failures(doctest.DocTestParser().get_doctest("words\n", {}, "empty", None, 0))


def test_the_page_runs_and_speaks_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = ROOT / "docs/api.md"
    ran = doctest.testfile(str(page), module_relative=False, optionflags=FLAGS)
    assert (ran.failed, ran.attempted > 20) == (0, True)
    text = page.read_text(encoding="utf-8")
    assert [name for name in HOMES if f"`{name}" not in text and f"pv.{name}" not in text] == []


def imported_by(statement: str) -> list[str]:
    script = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.stdout.split()


def test_importing_pv_imports_pv_alone() -> None:
    assert imported_by("import pv") == ["__future__", "pv"]
    assert set(imported_by("import pv; pv.Finding")) & set(HEAVY) == {"typing"}  # the control


def test_a_type_checker_sees_what_is_there() -> None:
    tree = ast.parse(Path(pv.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {name: home for name, home in seen.items() if home != "typing"} == HOMES
    assert sorted(pv.__all__) == sorted([*HOMES, "__version__"])
    assert (ROOT / "pv/py.typed").is_file()


def test_what_is_not_there_is_said_so() -> None:
    with pytest.raises(AttributeError, match="module 'pv' has no attribute 'validat'"):
        pv.validat  # noqa: B018 -- the attribute is what is tried
    assert set(HOMES) <= set(dir(pv))
