"""Mutants of whole functions: what they are called, that text, tree, digest and code agree, and which are left out."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pv.finding import Exit, PvError
from pv.mutants.install import installed, resolve
from pv.mutants.make import Mutant, compile_mutant, control, mutants_of
from pv.source.code import module_parts

ROOT = Path(__file__).resolve().parents[3]
MICROGPT = [f"implementations/microgpt/{name}.py" for name in ("kernels", "model", "optimizer", "tokenizer")]
FUNCTIONS = [(path, name) for path in MICROGPT for name in module_parts((ROOT / path).read_text("utf-8")).names]

# What an edit of the text trips over: brackets, glued words, several lines, wide characters, strings in strings.
AWKWARD = '''\
from __future__ import annotations
import math, functools
import torch

ÉPS = 1e-5
__private = 2

class Outer(dict):
    class Ïnner:
        """A class."""
        @functools.wraps(len,
                         assigned=())
        def f(self, x: torch.Tensor, *xs, n: int = 1 + 1, **named) -> "torch.Tensor":
            """What it does, -1 + 1."""
            é = "é"; y = (x+ÉPS) ** -2 if(n)else-x; y = 2 * (
                x  # first
                + 1
            )
            while(y > 0) : y -= self.__private; n += 1
            with torch.no_grad(), open("x") as file: n = [n for n in range(n) if n if not n]
            text = f"{x!r:>{n + 1}}" f"{'a' + é} {x[n - 1]:.2f}" "tail"
            match n:
                case [1, *rest] if len(rest) > 1: return-x
                case {"a": 1}: y = not-x
            def inner(a, b=n + 1):
                nonlocal y
                y = a @ b.T; x[1:, ..., :n] = -1
                return lambda z: (yield z + a)
            try: n = n if (m := n + 1) else m
            except (ValueError, TypeError) as error: raise TypeError(f"{n + 1}") from error
            finally: n = -math.pi
            assert n < 1, f"{n + 1}"
            return (y
                    .sum(dim=-1, keepdim=True)), \\
                   n

    async def g(self, xs, n): return [await x + 1 async for x in xs if x and n]
'''


def text_of(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def patched(source: str, diff: str) -> str:
    """`source` with the one hunk of `diff` in it; the lines that the hunk expects must be there."""
    _, _, header, *hunk = diff.removesuffix("\n").split("\n")
    _, before, after, _ = header.split()
    start, count = (int(number) for number in before[1:].split(","))
    old = [line[1:] for line in hunk if line[0] in " -"]
    new = [line[1:] for line in hunk if line[0] in " +"]
    lines = source.split("\n")
    assert lines[start - 1 : start - 1 + count] == old
    assert after == f"+{start},{len(new)}"
    return "\n".join([*lines[: start - 1], *new, *lines[start - 1 + count :]])


def code_in(source: str, path: str, qualname: str) -> CodeType:
    """The code object that `qualname` has when the whole module is compiled."""
    pending = [compile(source, path, "exec", dont_inherit=True)]
    while pending:
        code = pending.pop(0)
        if code.co_qualname == qualname:
            return code
        pending.extend(constant for constant in code.co_consts if isinstance(constant, CodeType))
    raise AssertionError(qualname)


def shape_of(code: CodeType) -> tuple[object, ...]:
    """A code object without its places: an edit of one line may be written on another."""
    inner = tuple(shape_of(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return code.co_qualname, code.co_flags, code.co_argcount, names, code.co_code, repr(inner)


def agree(path: str, source: str, mutant: Mutant) -> None:
    """The mutant's text, tree and code are the same program."""
    edited = patched(source, mutant.diff)
    assert module_parts(edited).digest(mutant.function) == mutant.digest, mutant.diff
    assert shape_of(compile_mutant(mutant)) == shape_of(code_in(edited, path, mutant.function)), mutant.diff


@pytest.mark.parametrize(("path", "function"), FUNCTIONS)
def test_every_mutant_of_microgpt_is_one_program_in_text_tree_and_code(path: str, function: str) -> None:
    source = text_of(path)
    mutants = mutants_of(path, source, function)
    for mutant in mutants:
        agree(path, source, mutant)
    programs = {module_parts(source).digest(function), *(mutant.digest for mutant in mutants)}
    assert len({mutant.id for mutant in mutants}) == len(mutants) == len(programs) - 1 > 0


@pytest.mark.parametrize("function", ["Outer.Ïnner.f", "Outer.g"])
def test_awkward_text_is_edited_where_the_node_stands(function: str) -> None:
    mutants = mutants_of("awkward.py", AWKWARD, function)
    assert {mutant.operator for mutant in mutants} > {"arithmetic", "term-dropped", "branch"} or function == "Outer.g"
    for mutant in mutants:
        agree("awkward.py", AWKWARD, mutant)


def test_the_check_of_agreement_sees_another_text_and_another_code() -> None:
    source = text_of(MICROGPT[0])
    first, second, *_ = mutants_of(MICROGPT[0], source, "rms_norm")
    assert patched(source, first.diff) != patched(source, second.diff)
    assert shape_of(compile_mutant(first)) != shape_of(compile_mutant(second))


def test_a_mutant_tells_where_it_is_and_what_it_changes() -> None:
    source = "def f(x):\n    # doubled\n    y = (x  +\n         x)\n    return 'é', y - 1  # less one\n"
    (mutant,) = [
        mutant for mutant in mutants_of("k.py", source, "f") if mutant.id == "arithmetic@f:body[1].value.elts[1]"
    ]
    assert (mutant.operator, mutant.path, mutant.function) == ("arithmetic", "k.py", "f")
    assert (mutant.line, mutant.column, mutant.before, mutant.after) == (5, 17, "y - 1", "y + 1")
    assert mutant.diff == (
        "--- a/k.py\n+++ b/k.py\n@@ -3,4 +3,4 @@\n     y = (x  +\n          x)\n"
        "-    return 'é', y - 1  # less one\n+    return 'é', (y + 1)  # less one\n \n"
    )


ONE = """\
def f(x, n):
    y = x * 2 + 1
    if n > 0:
        y = y - x[n]
    return [a + y for a in x if a], n
"""


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["", "    ", "# a + b", "        # x", "\t"]), min_size=5, max_size=5),
    st.lists(st.sampled_from(["", "  # n - 1", " ", ";"]), min_size=4, max_size=4),
)
def test_comments_blank_lines_and_layout_change_no_id(above: list[str], behind: list[str]) -> None:
    first, second, *rest = ONE.splitlines()
    ends = [behind[0], "" if behind[1] == ";" else behind[1], *behind[2:]]  # `if n > 0:;` is not Python
    body = [line + end for line, end in zip([second, *rest], ends, strict=True)]
    laid_out = "\n".join(line for pair in zip(above, [first, *body], strict=True) for line in pair)
    laid_out = laid_out.replace("x * 2 + 1", "((x*2) +\n  1)")
    assert told("a.py", laid_out) == told("a.py", ONE)


def test_another_program_has_other_ids() -> None:
    assert told("a.py", ONE.replace("x * 2 + 1", "x * 2")) != told("a.py", ONE)


def told(path: str, source: str) -> list[tuple[str, str, str, str]]:
    return [(mutant.id, mutant.before, mutant.after, mutant.digest) for mutant in mutants_of(path, source, "f")]


def test_equal_programs_are_one_mutant_and_the_original_is_none() -> None:
    mutants = mutants_of("k.py", "def f(x):\n    return x[1]\n", "f")
    assert [(mutant.id, mutant.after) for mutant in mutants] == [
        ("returned@f:body[0].value", "x"),
        ("index@f:body[0].value.slice", "2"),
        ("index@f:body[0].value.slice#2", "0"),
    ]  # `constant` proposes 2 and 0 too
    assert mutants_of("k.py", "def f(x): return x + x\n", "f")[1].after == "x"
    assert [mutant.after for mutant in mutants_of("k.py", "def f(x): return x + x\n", "f")].count("x") == 1


def test_a_mutant_that_would_need_another_function_object_is_left_out() -> None:
    plain = "class A(B):\n    def f(self):\n        return other().f() + 1\n"
    assert "1" in [mutant.after for mutant in mutants_of("k.py", plain, "A.f")]
    # without `super` the method has no cell for its class
    assert "1" not in [mutant.after for mutant in mutants_of("k.py", plain.replace("other", "super"), "A.f")]
    # without its `yield` it is no generator
    assert "1" in [mutant.after for mutant in mutants_of("k.py", "def f(x):\n    y = (x) + 1\n    yield y\n", "f")]
    assert "1" not in [mutant.after for mutant in mutants_of("k.py", "def f(x):\n    y = (yield x) + 1\n", "f")]


def test_a_deletion_after_which_the_module_does_not_compile_is_left_out() -> None:
    source = "def f(x):\n    def g():\n        nonlocal y\n        y = 1\n    if x:\n        y = 2\n    return y\n"
    assert all(mutant.operator != "statement-deleted" for mutant in mutants_of("k.py", source, "f"))


def test_a_name_defined_twice_is_told_apart_by_its_first_line() -> None:
    source = "class A:\n    @property\n    def x(self): return 1\n    @x.setter\n    def x(self, y): self.y = y + 1\n"
    assert {mutant.line for mutant in mutants_of("k.py", source, "A.x", line=2)} == {3}
    assert {mutant.line for mutant in mutants_of("k.py", source, "A.x", line=4)} == {5}
    assert {mutant.line for mutant in mutants_of("k.py", source, "A.x")} == {5}
    with pytest.raises(PvError, match=r"defines no function 'A\.x' that begins on line 3"):
        mutants_of("k.py", source, "A.x", line=3)


@pytest.mark.parametrize("name", ["g", "A", "f.<locals>.inner", "A.B"])
def test_what_is_no_outermost_function_is_refused(name: str) -> None:
    with pytest.raises(PvError, match="defines no function") as refused:
        mutants_of("k.py", "class A:\n    B = 1\ndef f():\n    def inner(): return 1\n", name)
    assert refused.value.hint == "it defines f; a function inside a function belongs to the outer one"


def test_a_text_that_is_not_python_is_refused() -> None:
    with pytest.raises(PvError, match=r"k\.py:1:7") as refused:
        mutants_of("k.py", "def f(:", "f")
    assert refused.value.exit is Exit.MEND


def function_of(path: str, name: str) -> FunctionType:
    return resolve(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)


@pytest.mark.parametrize(("path", "name"), FUNCTIONS)
def test_mutants_and_control_fit_the_function_that_python_made(path: str, name: str) -> None:
    function = function_of(path, name)
    source = text_of(path)
    line = function.__code__.co_firstlineno
    for mutant in mutants_of(path, source, name, line=line):
        with installed(function, compile_mutant(mutant, filename=function.__code__.co_filename)):
            assert function.__code__.co_filename.endswith(path)
    same = control(path, source, name, line=line, filename=function.__code__.co_filename)
    assert same.co_code != function.__code__.co_code
    with installed(function, same):
        pass


def test_the_control_does_what_the_original_does() -> None:
    namespace: dict[str, object] = {}
    source = 'def f(x):\n    """Twice."""\n    return x * 2\ndef g():\n    """Only this."""\n'
    exec(compile(source, "k.py", "exec", dont_inherit=True), namespace)  # noqa: S102 -- the text above
    for name, arguments in (("f", (21,)), ("g", ())):
        function = namespace[name]
        assert isinstance(function, FunctionType)
        before, code, doc = function(*arguments), function.__code__, function.__doc__
        with installed(function, control("k.py", source, name)):
            assert function.__code__.co_code != code.co_code
            assert function(*arguments) == before
            assert function.__code__.co_consts[0] == doc


def test_mutants_are_made_without_torch_and_hypothesis() -> None:
    script = (
        "import sys\nfrom pv.mutants import install, make, output\n"
        f"assert make.mutants_of('k.py', open({str(ROOT / MICROGPT[0])!r}, encoding='utf-8').read(), 'rms_norm')\n"
        "print(sorted({'torch', 'hypothesis', 'numpy'} & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
    loaded = subprocess.run(
        [sys.executable, "-c", script.replace("import sys\n", "import sys, numpy\n")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout == "['numpy']\n"
