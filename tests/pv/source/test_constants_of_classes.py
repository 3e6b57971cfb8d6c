"""Defaults of classes, items of tuples, and what may bind a constant again unseen: never a wrong value."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.source.constants import Folded, Unfolded, fold_constant

MODULE = """\
from dataclasses import dataclass
from other import Base, SIZES as S
N = 4
@dataclass(frozen=True)
class Config:
    width: int = 4 * N
    betas: tuple = (0.85, (1, 2))
    bare: int
    lazy: int = f()
    if N:
        under: int = 1
class Shadow:
    N = 5
    up = N * 2
class Meta(metaclass=type):
    x = 1
@changes
class Decorated:
    x = 1
"""


def fold(root: Path, name: str, module: str = MODULE) -> Folded | Unfolded:
    (root / "m.py").write_text(module, encoding="utf-8")
    (root / "other.py").write_text("SIZES = (1, 2, 3)\nN = 9\nclass Base:\n    k = 7\n", encoding="utf-8")
    return fold_constant(root, "m.py", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Config.width", 16),
        ("Config.betas[0]", 0.85),
        ("Config.betas[1][-1]", 2),
        ("Base.k", 7),
        ("S[1]", 2),
        ("Shadow.N", 5),
    ],
)
def test_defaults_and_items_are_folded(name: str, value: object, tmp_path: Path) -> None:
    found = fold(tmp_path, name)
    assert isinstance(found, Folded), found
    assert found.value == value


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Config.bare", "no value of its own"),
        ("Config.lazy", "Call is not folded"),
        ("Config.under", "under a condition"),
        ("Config.gone", "no value of its own"),
        ("Config.betas[2]", "there is no item 2"),
        ("Config.width[0]", "only an item of a tuple"),
        ("Shadow.up", "which the class binds too"),
        ("Meta.x", "a metaclass"),
        ("Decorated.x", "a decorator"),
        ("N.x", "is no class"),
    ],
)
def test_what_cannot_be_told_of_a_class_says_why(name: str, said: str, tmp_path: Path) -> None:
    found = fold(tmp_path, name)
    assert isinstance(found, Unfolded), found
    assert said in found.message


@pytest.mark.parametrize("name", ["N", "Config.width", "S[1]"])
def test_a_star_import_below_may_bind_every_name_again(name: str, tmp_path: Path) -> None:
    found = fold(tmp_path, name, MODULE + "from other import *\n")
    assert isinstance(found, Unfolded), found
    assert "star import" in found.message
    assert isinstance(fold(tmp_path, name, "from other import *\n" + MODULE), Folded)


@pytest.mark.parametrize("line", ["globals()['N'] = 5", "exec('N = 5')", "𝖾𝗑𝖾𝖼('N = 5')"])
def test_a_module_that_assigns_unseen_has_no_constants(line: str, tmp_path: Path) -> None:
    found = fold(tmp_path, "N", f"{MODULE}{line}\n")
    assert isinstance(found, Unfolded), found
    assert "may bind any name" in found.message
