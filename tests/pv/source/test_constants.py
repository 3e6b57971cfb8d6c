"""Constants folded from syntax trees: the value Python would give, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pv.finding import Place
from pv.source.constants import Folded, Unfolded, fold_constant


@pytest.mark.parametrize(
    "expression",
    [
        "16",
        "1e-5",
        "True",
        "None",
        "'text' + 'more'",
        "(1, (2.5, 'a'), ())",
        "-(+3)",
        "2 * 8 - 3 / 4 + 7 // 2 % 3",
        "2 ** 10",
        "2 ** -1",
        "2 ** 0.5",
        "-1e400",
        "(1, 2) + (3,)",
        "(10, 20, 30)[-1]",
        "((1, 2), 3)[0][1]",
        "True + 1",
        "-0.0",
        "4 * 27 * 16 + 64",
    ],
)
def test_expressions_fold_to_what_python_makes_of_them(tmp_path: Path, expression: str) -> None:
    expected = eval(expression)  # noqa: S307 - the oracle, over the literals above
    assert repr(_fold(tmp_path, f"X = {expression}\n")) == repr(Folded(expected, Place("config.py", 1, 1)))


_NUMBERS = st.integers(-99, 99) | st.floats(-99, 99).map(lambda number: round(number, 3))
_SIGNS = st.sampled_from(("+", "-", "*", "/", "//", "%"))  # no powers: the oracle would not come back
_SUMS = st.recursive(
    _NUMBERS.map(str), lambda inner: st.builds("({} {} {})".format, inner, _SIGNS, inner), max_leaves=12
)


@given(_SUMS)
def test_arithmetic_is_that_of_python(tmp_path_factory: pytest.TempPathFactory, expression: str) -> None:
    folded = _fold(tmp_path_factory.getbasetemp(), f"X = {expression}\n")
    try:
        expected = eval(expression)  # noqa: S307 - the oracle, over generated arithmetic
    except ZeroDivisionError:
        assert isinstance(folded, Unfolded)
    else:
        assert isinstance(folded, Folded)
        assert repr(folded.value) == repr(expected)


def test_constants_of_the_same_file_are_followed(tmp_path: Path) -> None:
    source = "N_EMBD: int = 16\nN_HEAD = 4\n\nBOTH = A, B = (N_EMBD, N_HEAD)\nX: float\nX = BOTH[0] // A + B\n"
    assert _fold(tmp_path, source) == Folded(5, Place("config.py", 6, 1))


def test_columns_count_characters(tmp_path: Path) -> None:
    assert _fold(tmp_path, "ä = 'é'; X = ä\r\n") == Folded("é", Place("config.py", 1, 10))


def test_imported_constants_are_followed_to_where_they_are_assigned(tmp_path: Path) -> None:
    _write(tmp_path, "pkg/__init__.py", "from .sizes import WIDTH as OUT\n")
    _write(tmp_path, "pkg/sizes.py", "import pkg.deep.more\nWIDTH = pkg.deep.more.BASE * 2\n")
    _write(tmp_path, "pkg/deep/more.py", "from ..base import BASE\n")
    _write(tmp_path, "pkg/base.py", "\nBASE = 8\n")
    sources = {
        "from pkg.sizes import WIDTH as X": Folded(16, Place("pkg/sizes.py", 2, 1)),
        "from pkg import OUT as X": Folded(16, Place("pkg/sizes.py", 2, 1)),
        "import pkg.base\nimport pkg.sizes\nX = pkg.sizes.WIDTH + pkg.base.BASE": Folded(24, Place("config.py", 3, 1)),
        "import pkg.base as b\nX = b.BASE": Folded(8, Place("config.py", 2, 1)),
        "from pkg import base, sizes\nX = base.BASE": Folded(8, Place("config.py", 2, 1)),
        "from .pkg import base\nX = base.BASE": Folded(8, Place("config.py", 2, 1)),
        "from .pkg.base import BASE as X": Folded(8, Place("pkg/base.py", 2, 1)),
        "from . import pkg\nX = pkg.base.BASE": Folded(8, Place("config.py", 2, 1)),
    }
    assert {source: _fold(tmp_path, source) for source in sources} == sources


def test_absolute_imports_are_looked_up_in_the_source_folders(tmp_path: Path) -> None:
    _write(tmp_path, "src/lib/a.py", "from lib.b import X\n")
    _write(tmp_path, "src/lib/b.py", "X = 1\n")
    assert fold_constant(tmp_path, "src/lib/a.py", "X", sources=("src",)) == Folded(1, Place("src/lib/b.py", 1, 1))
    assert isinstance(fold_constant(tmp_path, "src/lib/a.py", "X"), Unfolded)


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("X = 1\nX = 2", 2, "bound more than once (lines 1, 2)"),
        ("X = 1\nX += 2", 2, "bound more than once (lines 1, 2)"),
        ("X = 1\ndel X", 2, "bound more than once"),
        ("X = 1\ndef f():\n    global X\n    X = 2", 2, "bound more than once"),
        ("if True:\n    X = 1", 2, "under a condition"),
        ("try:\n    from a import X\nexcept ImportError:\n    X = None", 4, "bound more than once (lines 2, 4)"),
        ("for X in (1, 2): pass", 1, "bound by For"),
        ("with a as X: pass", 1, "bound by With"),
        ("Y = (X := 3)", 1, "NamedExpr is not folded"),
        ("X, *Y = 1, 2, 3", 1, "in a way that is not followed"),
        ("X, Y = (1, 2, 3)", 1, "in a way that is not followed"),
        ("def X(): pass", 1, "bound by FunctionDef"),
        ("class X: pass", 1, "bound by ClassDef"),
        ("import X", 1, "bound by Import"),
        ("from json import decoder as X", 1, "comes from json, no file of the project"),
        ("from ... import X", 1, "comes from ..., no file of the project"),
        ("X = Y\nY = X", 1, "X is defined by itself: X → Y → X"),
        ("X = X", 1, "X is defined by itself: X → X"),
        ("X = Y\nY = 1", 1, "Y is assigned only below, on line 2"),
        ("X = Z", 1, "has no constant 'Z'"),
        ("from a import *\nX = Z", 2, "star imports are not followed"),
        ("import math\nX = math.pi", 2, "….pi is not a constant of a module of the project"),
        ("X = f().a", 1, "….a is not a constant"),
        ("X = float('inf')", 1, "Call is not folded"),
        ("X = [1]", 1, "List is not folded"),
        ("X = 1j", 1, "this constant is not folded"),
        ("X = b'a'", 1, "this constant is not folded"),
        ("X = f'{1}'", 1, "JoinedStr is not folded"),
        ("X = not 1", 1, "Not of 1 is not folded"),
        ("X = -'a'", 1, "USub of 'a' is not folded"),
        ("X = 'a' * 9", 1, "Mult of 'a' and 9 is not folded"),
        ("X = 1 << 9", 1, "LShift of 1 and 9 is not folded"),
        ("X = 'ab'[0]", 1, "only an item of a tuple is folded"),
        ("X = (1, 2)[2]", 1, "there is no item 2 in a tuple of 2"),
        ("X = (1, 2)[True]", 1, "only an item of a tuple is folded"),
        ("X = 1 / 0", 1, "division by zero"),
        ("X = 1e300 ** 2", 1, "1e+300 and 2: Numerical result out of range"),
        ("X = (-8) ** 0.5", 1, "complex"),
        ("X = 9 ** 9 ** 9", 1, "the power is too large"),
        ("X = 2 ** -99999", 1, "the power is too large"),
        ("X = 0x" + "f" * 2000, 1, "an integer of 8,000 bits is too large"),
        ("X = '" + "a" * 10_001 + "'", 1, "a str of length 10,001 is too long"),
        ("X = " + "-" * 200 + "1", 1, "too long to fold"),
        ("X = " + "1 + " * 10_000 + "1", 1, "cannot parse"),
        ("X = (" + "1, " * 10_001 + ")", 1, "too long to fold"),
        ("".join(f"A{i} = A{i - 1}, A{i - 1}\n" for i in range(1, 40)).replace("A0", "1") + "X = A39", 0, "too long"),
        ("".join(f"A{i} = A{i - 1}\n" for i in range(1, 200)).replace("A0", "1") + "X = A199", 0, "steps away"),
        ("X = 1\nX = = 2", 2, "this is not Python"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_says_why_and_where(tmp_path: Path, source: str, line: int, reason: str) -> None:
    folded = _fold(tmp_path, source)
    assert isinstance(folded, Unfolded)
    assert reason in folded.message
    assert folded.place is not None
    assert folded.place.path == "config.py"
    assert line in (0, folded.place.line)


def test_imports_that_go_round_are_found(tmp_path: Path) -> None:
    _write(tmp_path, "a.py", "from b import X\n")
    _write(tmp_path, "b.py", "from a import X\n")
    assert fold_constant(tmp_path, "a.py", "X") == Unfolded("X is defined by itself: X → X → X", Place("a.py", 1, 1))


def test_a_missing_name_comes_with_the_nearest(tmp_path: Path) -> None:
    _write(tmp_path, "config.py", "N_EMBD = 16\n")
    folded = fold_constant(tmp_path, "config.py", "N_EMBED")
    assert folded == Unfolded("config.py has no constant 'N_EMBED'", None, "did you mean N_EMBD?")


@pytest.mark.parametrize("path", ["../config.py", "/etc/passwd", "a/../config.py", "linked.py", "", "a\0b"])
def test_a_path_that_leads_out_of_the_project_is_refused(tmp_path: Path, path: str) -> None:
    _write(tmp_path, "config.py", "X = 1\n")
    _write(tmp_path, "project/a/b.py", "X = 1\n")
    (tmp_path / "project/linked.py").symlink_to(tmp_path / "config.py")
    folded = fold_constant(tmp_path / "project", path, "X")
    assert isinstance(folded, Unfolded)
    assert "leads out of the project" in folded.message


def test_a_link_inside_the_project_is_followed(tmp_path: Path) -> None:
    _write(tmp_path, "config.py", "X = 1\n")
    (tmp_path / "linked.py").symlink_to("config.py")
    assert fold_constant(tmp_path, "linked.py", "X") == Folded(1, Place("linked.py", 1, 1))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_bytes(b"X = '\xff'\n")
    (tmp_path / "folder").mkdir()
    folded = [fold_constant(tmp_path, path, "X") for path in ("config.py", "folder", "missing.py", "x" * 300)]
    messages = [one.message.partition(":")[0] for one in folded if isinstance(one, Unfolded)]
    assert messages == ["config.py", "there is no file 'folder'", "there is no file 'missing.py'", messages[3]]
    assert messages[3].startswith("there is no file 'xxx")


def _fold(root: Path, source: str) -> Folded | Unfolded:
    _write(root, "config.py", source)
    return fold_constant(root, "config.py", "X")


def _write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text.encode())
