"""Targets of bindings are found in the text of a project, and nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.source.target import TargetFound, find_target, target_finder

FILES = {
    "lib/__init__.py": "from .core import soft as softmax, Model\nfrom torch import relu\nfrom .ring import ring\n",
    "lib/ring.py": "from . import ring\nfrom .ring import ring\n",
    "lib/core.py": """\
raise RuntimeError("imported")
import torch


def soft(x): ...


class Base:
    def forward(self, x): ...


class Model(Base):
    class Inner:
        def run(self): ...

    def step(self): ...

    size: int


gelu = torch.nn.functional.gelu
if torch:

    def conditional(): ...

try:
    pass
finally:

    def last(): ...
""",
    "src/app.py": "def main(): ...\n",
    "broken.py": "def f(:\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("target", "path", "line"),
    [
        ("lib.core:soft", "lib/core.py", 5),
        ("lib:softmax", "lib/core.py", 5),
        ("lib:Model.step", "lib/core.py", 16),
        ("lib:Model.forward", "lib/core.py", 9),
        ("lib:Model.Inner.run", "lib/core.py", 14),
        ("lib:Model", "lib/core.py", 12),
        ("lib.core:gelu", "lib/core.py", 21),
        ("lib.core:conditional", "lib/core.py", 24),
        ("lib.core:last", "lib/core.py", 30),
        ("lib:relu", "lib/__init__.py", 2),
        ("app:main", "src/app.py", 1),
    ],
)
def test_a_target_is_found_where_it_is_defined(root: Path, target: str, path: str, line: int) -> None:
    assert find_target(root, [".", "src"], target) == TargetFound(path, line)


@pytest.mark.parametrize(
    ("target", "problem", "hint"),
    [
        ("lib.core:sfot", "lib/core.py defines no 'sfot'", "did you mean 'soft'?"),
        ("lib.croe:soft", "there is no module 'lib.croe' in the project", "did you mean 'lib.core'?"),
        ("lbi.core:soft", "there is no module 'lbi.core' in the project", "looked below ., src"),
        ("lib:Model.stpe", "class Model in lib/core.py defines no 'stpe'", "did you mean 'step'?"),
        ("lib:Model.size", "class Model in lib/core.py defines no 'size'", "known: Inner, step"),
        ("lib.core:soft.x", "'soft' in lib/core.py is no class: it has no 'x'", ""),
        ("broken:f", "broken.py:1:7: this is not Python", "mend the syntax"),
        ("lib.core", "'lib.core' names no function", ""),
        ("..lib:soft", "there is no module '..lib' in the project", ""),
        ("lib:ring", "ring is re-exported in a circle", ""),
        ("", "there is no module ''", ""),
    ],
)
def test_a_target_that_is_not_there_is_explained_with_what_is_near(
    root: Path, target: str, problem: str, hint: str
) -> None:
    found = find_target(root, [".", "src"], target)
    assert problem in found.problem
    assert hint in found.hint


def test_a_finder_reads_each_file_once(root: Path) -> None:
    find = target_finder(root, ["."])
    assert find("lib.core:soft").problem == ""
    (root / "lib/core.py").unlink()
    assert find("lib.core:soft").problem == ""
    assert target_finder(root, ["."])("lib.core:soft").problem == "there is no module 'lib.core' in the project"
