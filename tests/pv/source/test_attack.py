"""What the text of a falsifier shows: comparisons with tolerances of their own, asserts, roles that nothing is done with."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from pv.finding import Place
from pv.source.attack import attack_reader
from pv.source.falsifiers import Attack, Seen, index_falsifiers

IMPORTS = """\
import math
import operator
import torch
import torch as t
import numpy as np
import numpy.testing as npt
import pytest
from functools import partial
from math import isclose as near_enough
from pv import falsifier, fault
from falsifiers import shared
from falsifiers.shared import distance, off, same
from . import shared as beside

TOLERANCE = LIMIT = 1e-6
ONE_STEP: int = 1
CLOSE = torch.allclose
nearly = partial(torch.isclose, rtol=1e-3)
within = lambda a, b: abs(a - b) < 1e-3
"""
SHARED = """\
import torch

def same(a, b):
    return torch.allclose(a, b)

def distance(a, b):
    return (a - b).abs().max().item()

def off(y, limit):
    return distance(y, 1.0) > limit

def isclose(a, b):
    return a == b

def round_trip(a, depth):
    return a if depth == 0 else round_trip(a, depth - 1)

class Comparison:
    def __init__(self, limit):
        self.limit = limit
    def holds(self, a, b):
        return abs(a - b) < self.limit
"""


def attack(root: Path, body: str, *, imports: str = IMPORTS, mark: str = '"FALSIFY-A-1"', **others: str) -> Attack:
    """What is seen in a falsifier whose body is `body`; `others` are modules beside it."""
    folder = root / "falsifiers"
    folder.mkdir(exist_ok=True)
    text = f"{imports}\n@falsifier({mark})\ndef attack(subject, case, check):\n{indent(body, '    ')}\n"
    for name, content in {"a": text, "shared": SHARED, **others}.items():
        (folder / f"{name}.py").write_text(content, encoding="utf-8")
    index = index_falsifiers(root, folder)
    [entry] = index.falsifiers
    return attack_reader(index)(entry)


COMPARED = [
    "check.that(torch.allclose(subject(case.x), case.x), '')",
    "check.that(t.isclose(subject(case.x), case.x).all().item(), '')",
    "check.that(subject(case.x).allclose(case.x), '')",
    "check.that(np.allclose(subject(case.x), 1), '')",
    "npt.assert_almost_equal(subject(case.x), 1.0); check.that(True, '')",
    "torch.testing.assert_close(subject(case.x), case.x); check.that(True, '')",
    "check.that(near_enough(subject(case.x), 1.0), '')",
    "check.that(subject(case.x) == pytest.approx(1.0), '')",
    "from numpy import isclose\ncheck.that(isclose(subject(case.x), 1.0), '')",
    "check.that(CLOSE(subject(case.x), case.x), '')",
    "check.that(nearly(subject(case.x), case.x).all().item(), '')",
    "check.that(all(map(math.isclose, subject(case.x), case.x)), '')",
    "check.that(same(subject(case.x), case.x), '')",
    "check.that(shared.same(subject(case.x), case.x), '')",
    "check.that(beside.same(subject(case.x), case.x), '')",
    "check.that(abs(subject(case.x) - 1.0) < 1e-6, '')",
    "check.that(1e-6 >= abs(subject(case.x) - 1.0), '')",
    "check.that(abs(subject(case.x) - 1.0) < TOLERANCE, '')",
    "check.that((subject(case.x) - case.x).abs().max().item() <= 1e-6, '')",
    "check.that(torch.max(torch.abs(subject(case.x) - case.x)).item() <= 1e-6, '')",
    "check.that(bool(((subject(case.x) - case.x).norm() < 1e-6)), '')",
    "check.that(float(torch.linalg.vector_norm(subject(case.x) - 1)) < 1e-6, '')",
    "check.that(float(((subject(case.x) - case.x) ** 2).mean()) < 1e-6, '')",
    "check.that(torch.dist(subject(case.x), case.x) < 1e-6, '')",
    "check.that(subject(case.x).sub(case.x).abs().lt(1e-6).all().item(), '')",
    "check.that(torch.le(torch.abs(subject(case.x) - 1), 1e-6).all().item(), '')",
    "check.that(operator.lt(abs(subject(case.x) - 1.0), 1e-6), '')",
    "check.that(-1e-6 < subject(case.x) - 1.0 < 1e-6, '')",
    "check.that(subject(case.x) <= 1.0 + 1e-6, '')",
    "check.that(subject(case.x) <= case.limit + LIMIT, '')",
    "check.that(round(subject(case.x), 6) == 1.0, '')",
    "check.equal(subject(case.x).round(decimals=3), case.x.round(decimals=3))",
    "check.that(math.fabs(max(abs(a - b) for a, b in zip(subject(case.x), case.x))) < 1e-6, '')",
    "y = subject(case.x)\nerror = y - case.x\nworst = error.abs().max()\nif worst > 1e-6:\n    check.that(False, '')",
    "y = r = subject(case.x)\nr -= case.x\nif not (abs(r) <= 1e-6).all(): check.that(False, '')",
    "found = []\nfor x in case.x:\n    found.append(subject(x))\ncheck.that(all(abs(y - 1) < 1e-6 for y in found), '')",
    "with torch.no_grad() as _, open(subject(case.x)) as y:\n    check.that(abs(y - 1) < 1e-6, '')",
    "match subject(case.x):\n    case (first, *_): check.that(abs(first - 1) < 1e-6, '')",
    "check.that((y := subject(case.x)) is not None and abs(y - 1) < 1e-6, '')",
    "def near(a, b): return abs(a - b) < 1e-6\ncheck.that(near(subject(case.x), 1), '')",
    "def error(a, b): return abs(a - b)\ncheck.that(error(subject(case.x), 1) < 1e-6, '')",
    "error = lambda a, b: abs(a - b)\ncheck.that(error(subject(case.x), 1) < 1e-6, '')",
    "check.that(all(map(lambda a, b: abs(a - b) < 1e-6, subject(case.x), case.x)), '')",
    "check.that(within(subject(case.x), 1), '')",
    "check.that(all(map(within, subject(case.x), case.x)), '')",
    "check.that(distance(subject(case.x), case.x) < 1e-6, '')",
    "check.that(shared.distance(subject(case.x), case.x) < 1e-6, '')",
    "check.that(not off(subject(case.x), 1e-6), '')",
    "check.that(not off(limit=1e-6, y=subject(case.x)), '')",
    "check.that(not off(*[subject(case.x), 1e-6]), '')",
    "check.that(not off(**dict(y=subject(case.x), limit=1e-6)), '')",
    "check.that(shared.Comparison(1e-6).holds(subject(case.x), case.x), '')",
]
FREE = [
    "check.close(subject(case.x), case.x)",
    "check.at_most((subject(case.x) - case.x).abs(), 1e-6)",
    "check.that(subject(case.x) == 1 and case.x != 2, '')",
    "check.that(torch.equal(subject(case.x), case.x), '')",
    "check.that(0 <= subject(case.x) < len(case.x), '')",
    "check.that(abs(subject(case.x) - 3) <= 1, '')",
    "check.that(abs(subject(case.x) - 3) <= ONE_STEP, '')",
    "check.that(abs(len(subject(case.x)) - len(case.x)) < case.limit, '')",
    "if abs(case.x - 0.5) < 1e-3: return\ncheck.close(subject(case.x), case.x)",
    "far = [x for x in case.x if not math.fabs(x - 0.5) < 1e-3]\ncheck.close(subject(far), far)",
    "check.that(shared.isclose(subject(case.x), case.x), '')",
    "check.that(shared.round_trip(subject(case.x), 2) is not None, '')",
    "check.that(subject(abs(case.x - 1.0)) < 1.0, '')",
    "check.that(subject(case.x).abs() < 30.0, '')",
    "check.that(subject(case.x) < case.limit + 1.5, '')",
    "check.that(round(subject(case.x)) == 3, '')",
    "check.that(subject(case.x) == 3, f'{round(subject(case.x), 3)}')",
    "check.equal(subject(round(case.x, 3)), 1.0)",
    "off = 3\ncheck.equal(subject(off), 1.0)",
    "abs = subject\ncheck.that(abs(case.x - 1.0) < 1.0, '')",
]


@pytest.mark.parametrize("body", COMPARED)
def test_a_tolerance_of_its_own_is_seen(body: str, tmp_path: Path) -> None:
    assert len(attack(tmp_path, body).comparisons) == 1


@pytest.mark.parametrize("body", FREE)
def test_what_allows_nothing_and_what_was_drawn_are_left_alone(body: str, tmp_path: Path) -> None:
    assert attack(tmp_path, body) == Attack()


def test_what_is_seen_is_told_with_its_place_and_its_function(tmp_path: Path) -> None:
    body = "check.that(same(subject(case.é), 1), '')\ncheck.that(subject(1) < 1 + 1e-9 and off(subject(1), 0.1), '')"
    imports = "from falsifiers.shared import *\nfrom falsifiers.shared import off, same"
    assert attack(tmp_path, body, imports=imports).comparisons == (
        Seen(Place("falsifiers/a.py", 6, 16), "attack", "allows a slack of its own"),
        Seen(Place("falsifiers/shared.py", 4, 12), "same",
             "compares with 'torch.allclose', whose tolerance is not that of the clause"),
        Seen(Place("falsifiers/shared.py", 10, 12), "off", "puts a limit of its own on a difference"),
    )  # fmt: skip


def test_functions_that_the_falsifier_does_not_use_are_not_looked_at(tmp_path: Path) -> None:
    assert (
        attack(tmp_path, "check.equal(subject(case.x), 1)", imports=f"{IMPORTS}\nimport falsifiers.shared") == Attack()
    )


@pytest.mark.parametrize(("body", "seen"), [
    ("assert case.x\ncheck.equal(subject(case.x), 1)", ["has an `assert`"]),
    ("if subject(case.x) != 1:\n    raise AssertionError('no')\ncheck.that(True, '')", ["raises AssertionError"]),
    ("check.equal(takes(subject(case.x)), 1)", ["has an `assert`"]),
    ("check.equal(subject(takes(case.x)), 1)", []),
    ("if case.x: raise ValueError\ncheck.equal(subject(case.x), 1)", []),
])  # fmt: skip
def test_asserts_are_seen_in_the_falsifier_and_where_a_helper_judges_the_subject(
    body: str, seen: list[str], tmp_path: Path
) -> None:
    imports = f"{IMPORTS}\ndef takes(y):\n    assert y\n    return y\n"
    assert [one.what for one in attack(tmp_path, body, imports=imports).asserts] == seen


@pytest.mark.parametrize(("mark", "place"), [
    ('"FALSIFY-A-1", cases=CASES', Place("falsifiers/a.py", 2, 2)),
    ('"FALSIFY-A-1", cases=CASES, because=" "', Place("falsifiers/a.py", 2, 2)),
    ('"FALSIFY-A-1", cases=CASES, because=None', Place("falsifiers/a.py", 2, 2)),
    ('"FALSIFY-A-1", cases=CASES, because="outside"', None),
    ('"FALSIFY-A-1", cases=CASES, because=WHY', None),
    ('"FALSIFY-A-1", cases=CASES, **MORE', None),
    ('"FALSIFY-A-1", cases=None', None),
    ('"FALSIFY-A-1"', None),
])  # fmt: skip
def test_cases_of_its_own_need_a_reason(mark: str, place: Place | None, tmp_path: Path) -> None:
    assert attack(tmp_path, "check.equal(subject(case.x), 1)", imports="", mark=mark).unexplained == place


HELPERS = """
def applied(function, x): return function(x)
def compared(holds, y): holds.equal(y, 1)
def dropped(function, holds): return holds(1) if False else None
def circle(function, check): return circle(function, check)
def either(n, holds): return holds.equal(n, 1) if n else either(n - 1, holds)
"""


@pytest.mark.parametrize(("body", "unused"), [
    ("check.equal(subject(case.x), 1)", ()),
    ("compared(check, applied(subject, case.x))", ()),
    ("either(subject(case.x), check)", ()),
    ("call, holds = subject, check.equal\nholds(call(case.x), 1)", ()),
    ("def inner():\n    check.equal(subject(case.x), 1)\ninner()", ()),
    ("check.raises(ValueError, subject, *case)", ()),
    ("unknown(subject, check)", ()),
    ("try:\n    subject(1)\nexcept ValueError:\n    check.that(True, '')", ()),
    ("match case.x:\n    case 1: check.equal(subject(1), 1)", ()),
    ("for x in case.x:\n    check.equal(subject(x), 1)\n    continue", ()),
    ("if not case.x:\n    return\ncheck.equal(subject(case.x), 1)", ()),
    ("raise NotImplementedError('not written yet')", ()),
    ("subject(case.x)", ("check",)),
    ("check.equal(case.x, case.x)", ("subject",)),
    ("pass", ("subject", "check")),
    ("check\nsubject\n_ = check, subject", ("subject", "check")),
    ("_ = check\nprint(subject(case.x), f'{check}', check is None)", ("check",)),
    ("if False:\n    check.equal(subject(case.x), 1)", ("subject", "check")),
    ("if True:\n    subject(case.x)\nelse:\n    check.that(True, '')", ("check",)),
    ("while 0:\n    check.equal(subject(case.x), 1)", ("subject", "check")),
    ("for x in ():\n    check.equal(subject(case.x), 1)", ("subject", "check")),
    ("subject(case.x)\nreturn\ncheck.that(True, '')", ("check",)),
    ("subject(case.x)\nif case.x:\n    return\nraise ValueError", ("check",)),
    ("dropped(check, subject)", ("check",)),
    ("circle(subject, check)", ("subject", "check")),
    ("applied(function=subject, x=check)", ()),
])  # fmt: skip
def test_a_role_that_nothing_is_done_with_is_seen(body: str, unused: tuple[str, ...], tmp_path: Path) -> None:
    assert attack(tmp_path, body, imports=HELPERS).unused == unused


def test_a_falsifier_that_does_not_take_a_role_does_nothing_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('@falsifier("FALSIFY-A-1")\ndef attack(case, check): check.equal(1, 1)\n')
    index = index_falsifiers(tmp_path, tmp_path)
    assert attack_reader(index)(index.falsifiers[0]).unused == ("subject",)


def test_a_hostile_text_costs_little_and_breaks_nothing(tmp_path: Path) -> None:
    deep = " + ".join(["subject(1)"] * 900)
    chain = "\n".join(f"n{i} = n{i + 1}" for i in range(300))
    body = f"{chain}\nn300 = subject(1)\nassert n0{'.a' * 2000}\ncheck.that(abs(({deep}) - n0) < {deep} + 1e-9, '')"
    seen = attack(tmp_path, body)
    assert [one.what for one in (*seen.comparisons, *seen.asserts)] == [
        "puts a limit of its own on a difference", "has an `assert`"
    ]  # fmt: skip


def test_names_that_lead_round_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    circle = "from falsifiers.b import near\n", "from falsifiers.a import near\n"
    body = "check.that(near(subject(case.x), 1), '')\ncheck.that(one(subject(case.x)), '')"
    seen = attack(tmp_path, body, imports=f"{circle[0]}one = two\ntwo = one\n", b=circle[1])
    assert seen == Attack()
