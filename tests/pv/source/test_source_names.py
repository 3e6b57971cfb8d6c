"""Which names of a module a definition refers to."""

from __future__ import annotations

import ast

import pytest

from pv.source.code import module_parts, names_used_by
from pv.source.names import bindings, free_names

SOURCE = """\
from torch import Tensor, zeros
import os.path
LIMIT = 3
TABLE = {}
TABLE["a"] = seed()

def seed(): return LIMIT

def leaf(x: Tensor = zeros(1)): return x

def unrelated(): return os.path.join("a", "b")

def middle(y):
    return [leaf(LIMIT) for LIMIT in y]

@middle
def top():
    def inner(): return TABLE
    return inner

class Check(Base):
    def run(self): return unrelated()

def count():
    global total
    total = LIMIT
total = 0
def report(): return total
"""


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("seed", ("LIMIT", "seed")),
        ("leaf", ("Tensor", "leaf", "zeros")),
        ("middle", ("Tensor", "leaf", "middle", "zeros")),
        ("top", ("LIMIT", "TABLE", "Tensor", "leaf", "middle", "seed", "top", "zeros")),
        ("unrelated", ("os", "unrelated")),
        ("Check.run", ("Check", "os", "unrelated")),
        ("report", ("LIMIT", "report", "total")),  # through `count`, which sets it
        ("missing", ()),
    ],
)
def test_names_used_are_followed_through_the_module(name: str, used: tuple[str, ...]) -> None:
    assert names_used_by(SOURCE, name) == used
    assert module_parts(SOURCE).names_used_by(name) == used


def test_every_used_name_has_a_definition_digest() -> None:
    parts = module_parts(SOURCE)
    assert all(parts.definition_digest(name) for name in parts.names_used_by("top"))


def test_a_name_of_nobody_is_a_star_import() -> None:
    source = "from helpers import *\ndef f(): return help_me(len)\ndef g(): return len\n"
    assert (names_used_by(source, "f"), names_used_by(source, "g")) == (("*", "f"), ("g",))


@pytest.mark.parametrize(
    ("source", "free"),
    [
        ("def f(a, *b, c=d, **e): return a, b, c, e, g", {"d", "g"}),
        ("def f():\n x = 1\n def g(): return x, y", {"y"}),
        ("def f():\n global x\n x = 1", {"x"}),
        ("def f():\n x = 1\n def g():\n  global x\n  return x", {"x"}),
        ("def f():\n return [x for x in x]", {"x"}),
        ("def f():\n return [y for x in a for y in x if z]", {"a", "z"}),
        ("def f():\n [x for x in a]\n return x", {"a", "x"}),
        ("def f():\n if (n := a): return n", {"a"}),
        ("def f():\n x[0] = 1\n y.z = 2", {"x", "y"}),
        ("def f():\n for i, (j, k) in a: (i, j, k)", {"a"}),
        ("def f():\n try: a\n except E as e: e", {"E", "a"}),
        ("def f():\n import b.c\n from d import e as g\n return b, g, e", {"e"}),
        ("def f(x):\n match x:\n  case {'k': v, **w}: v, w\n  case [a, *b] as c: a, b, c", set()),
        ("def f():\n class C:\n  y = 1\n  def m(self): return y\n return C", {"y"}),
        ("lambda x: x + y", {"y"}),
        ("@d\ndef f() -> r: pass", {"d", "r"}),
    ],
)
def test_names_local_to_a_scope_are_not_free(source: str, free: set[str]) -> None:
    assert free_names(ast.parse(source)) == free


def test_bindings_are_found_wherever_a_name_is_bound_and_nowhere_else() -> None:
    source = """\
A = B.c = d[0] = 1
if A:
    import e.f, g as h
for i in [k for k in A if (l := k)]: m: int = 1
def n(o):
    global p
    p = q = 1
class R: s = 1
del t
match A:
    case [u, *v] as w: pass
try: pass
except E as x: pass
"""
    assert set(bindings(ast.parse(source))) == set("ABdehilmnpRtuvwx")
