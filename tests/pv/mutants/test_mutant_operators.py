"""What each operator proposes, and for a near miss beside it that it proposes nothing."""

from __future__ import annotations

import ast
import textwrap

import pytest

from pv.mutants.operators import OPERATORS
from pv.mutants.scope import scope_of
from pv.mutants.site import sites
from pv.source.code import module_parts

HEAD = """\
import math
import config
import torch
import torch.nn.functional as F
from torch import Tensor
from config import EPS, Kind
from elsewhere import norm

LIMIT = 3
NAMES = ("a", "b")

def count(x: Tensor) -> int: ...

def f(x: Tensor, y: Tensor, n: int, xs: list[Tensor], name: str):
"""

# operator, what it edits, what it puts there, what it leaves alone
EXAMPLES = [
    ("axis", "return x.sum(dim=-1)", ["0"], "return x.sum(n=-1)"),
    ("axis", "return x.softmax(1)", ["0", "-1"], "return x.clamp(1)"),
    ("axis", "return torch.sum(x, 0)", ["-1"], "return sum(x, 0)"),
    ("axis", "return x.shape[-1]", ["0"], "return x.strides[-1]"),
    ("index", "return x[n]", ["n + 1", "n - 1"], "return x[name]"),
    ("index", "return x[0, 2]", ["1", "-1", "3", "1"], "return x.shape[0]"),
    ("slice", "return x[1:]", [":", "2:", "1:-1"], "return x[:]"),
    ("slice", "return x[:n]", [":", ":n + 1", ":n - 1", "1:n"], "return x[n]"),
    ("slice", "return x[::2]", [":"], "return x[...]"),
    ("range", "return range(n)", ["range(n + 1)", "range(n - 1)", "range(1, n)"], "return range(*xs)"),
    ("range", "return torch.arange(1, n)", ["torch.arange(2, n)", "torch.arange(0, n)", "torch.arange(1, n + 1)",
                                            "torch.arange(1, n - 1)"], "return torch.full(n, n)"),
    ("constant", "return 2", ["3", "1", "0", "4"], "return True"),
    ("constant", "return 0.5", ["0.505", "1.5", "-0.5", "0.0", "1.0"], "return 'two'"),
    ("constant", "return -1", ["0", "-2", "0", "-2"], "return x.sum(dim=-1)"),
    ("named-constant", "return EPS", ["EPS * 2", "EPS + 1", "0"], "return EPS.real"),
    ("named-constant", "return LIMIT", ["LIMIT * 2", "LIMIT + 1", "0"], "return NAMES"),
    ("named-constant", "return config.EPS", ["config.EPS * 2", "config.EPS + 1", "0"], "return Kind.EPS"),
    ("arithmetic", "return x + y", ["x - y"], "return 'a' + name"),
    ("arithmetic", "return x ** y", ["x * y"], "return x @ y"),
    ("arithmetic", "x //= y", ["x /= y"], "x @= y"),
    ("term-dropped", "return x * y", ["x", "y"], "return -x"),
    ("term-dropped", "return x - y", ["x", "-y"], "return x < y"),
    ("term-dropped", "return x / y", ["x", "1 / y"], "return '%s' % name"),
    ("operands-swapped", "return x - y", ["y - x"], "return x + y"),
    ("operands-swapped", "return x @ y", ["y @ x"], "return x * y"),
    ("sign", "return -x", ["x"], "return x"),
    ("sign", "return x * y", ["-(x * y)"], "return x | y"),
    ("sign", "return len(torch.exp(x))", ["-x"], "return len(norm(x))"),
    ("term-moved-out", "return torch.sqrt(x + EPS)", ["torch.sqrt(x) + EPS"], "return torch.sqrt(x * EPS)"),
    ("term-moved-out", "return (x + EPS).rsqrt()", ["x.rsqrt() + EPS"], "return norm(x + EPS)"),
    ("boundary", "return x < y", ["x <= y"], "return x == y"),
    ("boundary", "return 0 <= x < n", ["0 < x < n", "0 <= x <= n"], "return x in y"),
    ("comparison", "return x < y", ["x > y"], "return x + y"),
    ("comparison", "return x is None", ["x is not None"], "return not x"),
    ("condition", "return x if n < 1 else y", ["not n < 1"], "return x if n == 1 else y"),
    ("condition", "return not x", ["x"], "return -x"),
    ("condition", "return [a for a in xs if a]", ["not a"], "return [a for a in xs]"),
    ("logic", "return x and y", ["x or y", "y", "x"], "return x & y"),
    ("logic", "return x or y or n", ["x and y and n", "y or n", "x or n", "x or y"], "return x | y"),
    ("branch", "if n: x = y", ["False", "True"], "with n: x = y"),
    ("branch", "if n: raise name", ["False"], "assert n"),
    ("branch", "return x if n else y", ["x", "y"], "return n"),
    ("branch", "return [a for a in xs if a]", ["True"], "return [a for a in xs]"),
    ("statement-deleted", "norm(x)", ["pass"], "z = norm(x)"),
    ("statement-deleted", "x = norm(x)", ["pass"], "z, x = norm(x)"),
    ("statement-deleted", "x.a[0] = 1", ["pass"], "yield x"),
    ("statement-deleted", "for a in xs: break", ["pass"], "while n: break"),
    ("statement-deleted", "raise ValueError(name)", ["pass"], "if n: raise ValueError(name)"),
    ("accumulation", "x += y", ["x = y"], "x = x + y"),
    ("returned", "z = norm(x); return z * 2", ["z", "x"], "z = norm(x); return 2"),
    ("elements-swapped", "return x, y, n", ["(y, x, n)", "(x, n, y)"], "return norm((x, y))"),
    ("clamp", "return x.clamp(0, n)", ["x.clamp(None, n)", "x.clamp(0)"], "return x.clamp(min=0, max=n)"),
    ("clamp", "return torch.clamp(x, min=0)", ["x"], "return torch.relu(x)"),
    ("keyword-dropped", "return x.sum(dim=n)", ["x.sum()"], "return x.sum(keepdim=True)"),
    ("keyword-dropped", "return f(a=x, **y)", ["f(**y)", "f(a=x)"], "return f(x, device=y)"),
    ("boolean", "return x.sum(keepdim=True)", ["False"], "return x.sum(keepdim=1)"),
    ("call-dropped", "return x.exp()", ["x"], "return x.item()"),
    ("call-dropped", "return torch.sqrt(x)", ["x"], "return torch.full(x)"),
    ("call-dropped", "return norm(x, y)", ["x"], "norm(x, y)"),
    ("function-swapped", "return x.sum()", ["x.mean()"], "return sum(x)"),
    ("function-swapped", "return math.exp(n)", ["math.expm1(n)"], "return math.sqrt(n)"),
    ("function-swapped", "return max(n, 2)", ["min(n, 2)"], "return norm(n, 2)"),
    ("arguments-swapped", "return torch.where(n, x, y)", ["torch.where(n, y, x)"], "return torch.full(n, x, y)"),
    ("arguments-swapped", "return norm(x, y)", ["norm(y, x)"], "return norm(x, 2)"),
    ("detached", "z = norm(x * n)", ["x.detach()"], "z = len(x * n)"),
    ("detached", "z = x * y", ["(x * y).detach()", "x.detach()", "y.detach()"], "z = x < y"),
    ("detached", "z = norm(x)", ["x.detach()"], "z = count(x)"),
    ("detached", "z = x.exp()", ["x.detach()"], "z = x.item()"),
    ("detached", "z = xs[0] * xs[n]", ["(xs[0] * xs[n]).detach()"], "z = xs"),
    ("detached", "return x", ["x.detach()"], "with torch.no_grad(): return x"),
    ("detached", "return x - norm(y)", ["(x - norm(y)).detach()", "x.detach()", "y.detach()"], "return x.detach() - 1"),
    ("detach-dropped", "return x.detach()", ["x"], "return x.clone()"),
    ("cast-dropped", "return x.to(torch.float64)", ["x"], "return torch.float(x)"),
    ("cast-dropped", "return int(x)", ["x"], "return x if bool(x) else y"),
    ("dtype", "return x.to(torch.float64)", ["torch.float32"], "return x.dtype == torch.float64"),
    ("transposition", "return x.T", ["x"], "return x.t"),
    ("transposition", "return x.transpose(0, 1)", ["x"], "return x.reshape(0, 1)"),
    ("einsum", "return torch.einsum('ij,jk->ik', x, y)", ["'ij,jk->ki'"], "return torch.einsum('ij,jk', x, y)"),
    ("text", "return 'b'", ["'c'", "'a'"], "return 'bc'"),
    ("text", "return ''.join(xs)", ["' '"], "return xs['b']"),
]  # fmt: skip


def proposed(name: str, body: str, head: str = HEAD) -> list[str]:
    """What the operator `name` puts into a function of this body, in source order."""
    (operator,) = [operator for operator in OPERATORS if operator.name == name]
    parts = module_parts(head + textwrap.indent(body, "    "))
    function = parts.functions["f"][0]
    scope = scope_of(function, parts.bindings)
    edits = (new for site in sites(function, scope) for new in operator.edits(site))
    return [ast.unparse(ast.fix_missing_locations(new)) for new in edits]


@pytest.mark.parametrize(("operator", "body", "expected", "near_miss"), EXAMPLES)
def test_an_operator_makes_its_edits_and_leaves_a_near_miss_alone(
    operator: str, body: str, expected: list[str], near_miss: str
) -> None:
    assert proposed(operator, body) == expected
    assert proposed(operator, near_miss) == []


def test_every_operator_has_an_example_a_name_of_its_own_and_a_line_of_description() -> None:
    names = [operator.name for operator in OPERATORS]
    assert sorted(set(names)) == sorted(names)
    assert set(names) == {operator for operator, _, expected, _ in EXAMPLES if expected}
    assert all(operator.description and "\n" not in operator.description for operator in OPERATORS)


@pytest.mark.parametrize(
    "body",
    [
        '"""-1 < 2"""',
        "raise ValueError(f'{n - 1} is not {x[0]}')",
        "if n:\n    seen = f'{n - 1}'\n    raise ValueError(seen)",
        "z: 'list[1 + 1]'",
        "@norm(1 + 1)\ndef g(a: 'a + 1' = 1 + 1) -> 'a + 1': ...",
        "z = lambda a=1 + 1: None",
        "z = f'a{name}b'",
        "z = f'{name:>{n}}'",
    ],
)
def test_texts_types_defaults_decorators_and_messages_are_no_part_of_what_is_computed(body: str) -> None:
    made = {operator.name: proposed(operator.name, body) for operator in OPERATORS}
    # deleting or never taking a branch is an edit of the statement, not of its message
    assert {name for name, edits in made.items() if edits} <= {"branch", "condition", "statement-deleted"}


def test_what_is_computed_beside_a_raise_is_edited() -> None:
    assert proposed("arithmetic", "if n:\n    x.a = n - 1\n    raise ValueError") == ["n + 1"]
    assert proposed("arithmetic", "if n:\n    z = n - 1\n    return z") == ["n + 1"]


def test_nested_functions_are_edited() -> None:
    assert proposed("arithmetic", "def g(a): return lambda: a + 1") == ["a - 1"]


def test_without_torch_in_the_module_nothing_is_detached() -> None:
    assert proposed("detached", "return norm(x * 2)", "def f(x):\n") == []
    assert proposed("detached", "return norm(x * 2)", "import torch\ndef f(x):\n") == ["x.detach()"]
