"""Digests of code: what changes them, what does not, and that they are the same on every Python."""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pv.finding import Exit, PvError
from pv.source.code import TOP_LEVEL, encode, module_parts, part_of_qualname
from pv.source.syntax import FIELDS

SOURCE = '''\
"""A module."""
import math

EPSILON = 1e-5


def trace(function):
    return function


def norm(x, eps=EPSILON):
    """Divide by the root mean square."""
    # the epsilon is inside the root
    return x / math.sqrt(x * x + eps)


class Model:
    """A model."""

    width = 16

    @trace
    def forward(self, tokens):
        return [norm(token) for token in tokens]

    class Head:
        def forward(self, x): return lambda y: x + y


if EPSILON:
    def chosen(): return 1
else:
    def chosen(): return 2
'''

# The values are those of Python 3.11.7, 3.12.1 and 3.13.0. They are the format: a change here is a new tag.
GOLDEN = {
    TOP_LEVEL: "0222fab0d856ad7b260244e94d28400ee9e072b0e4fdb13169b7130e77d1543f",
    "trace": "7c88fbf21782b232ba758a28e4ef40e937fe7d7821339a91032d349ebfa53ec7",
    "norm": "107a1386e92a109b72a3012236ba7fab1c793fbd93ca989ee67f10456fded39b",
    "Model.forward": "b0ddd58684f80e3ce256e1cd2c150e14be8526016457317b2a67680b75b1f06f",
    "Model.Head.forward": "d1497b00cb3ffa288524b8437bfd645fbc00c5eb28815fca1a668fa6a62708ca",
    "chosen": "c890dadc835ec8a36ee84d44ea4e82f0e2e4a6e78f94120219f075294cba73b2",
    "whole": "6747f5d764f7f44a6e75a55e3ef47ae9985ed03b493f6d50f95f31a8e3cded3c",
    "EPSILON": "2bdc988f0c5d416053552079455b105207c058d85d738b39f563a7df1f2893fa",
}

# As much of the grammar of 3.11 as a page holds.
GRAMMAR = r"""
from __future__ import annotations
import a.b as c, d
from . import e
from ..f import *
X: int = 0x10
Y = (1, 1.5, 2j, -0.0, 1e400, True, None, ..., "s\ud800", b"\xff", 10**30, 'a' "b")
x[1:2, ::3] = y.z = [*Y, {**w}, {1, 2}, {1: 2}]
del x[0], q
x @= y if a and b or not c else ~d
z = f"{x!r:>{width}.{precision}}{y}" "tail" f"{z=}{w:{u}{v}}"
async def g(a, /, b: int = 1, *args, c, d=2, **kwargs) -> str:
    global h
    async with a as b, c: await d
    async for i in j: yield k
    else: pass
    return [m async for m in n if o if p], {q: r for q in s}, {t for t in u}, (v for v in w)
@dec
class C(Base, metaclass=M):
    def m(self):
        nonlocal_ = (lambda x, *, y=1: (yield x))(1, *a, k=2, **b)
        def inner():
            nonlocal nonlocal_
            yield from nonlocal_
        return inner
while 1 < x <= y != z is not None not in w:
    if (n := 10) > 5: continue
    elif n == 6: break
    raise E from F
else: assert x, "why"
for i in range(3): pass
try: pass
except (A, B) as err: pass
except: pass
else: pass
finally: pass
try: pass
except* E: pass
with open(p) as f, g: pass
match s:
    case 1 | "a": pass
    case {"k": v, **rest} if v: pass
    case [first, *_, last] as whole: pass
    case Point(0, y=None): pass
    case _: pass
"""
GRAMMAR_DIGEST = "979b85963d0522f8d2ea4a27220a35e326580525db4bc1f491cc523df95a5834"


def test_digests_are_those_written_down_and_so_the_same_on_every_python() -> None:
    parts = module_parts(SOURCE)
    named = {name: parts.digest(name) for name in (TOP_LEVEL, *parts.names)}
    assert {**named, "whole": parts.whole_digest(), "EPSILON": parts.definition_digest("EPSILON")} == GOLDEN


def test_the_grammar_page_has_the_digest_written_down() -> None:
    assert module_parts(GRAMMAR).whole_digest() == GRAMMAR_DIGEST


def test_names_are_the_functions_that_are_in_no_other_function() -> None:
    assert module_parts(SOURCE).names == ("trace", "norm", "Model.forward", "Model.Head.forward", "chosen")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    # the epsilon is inside the root\n", ""),
        ('    """Divide by the root mean square."""\n', ""),
        ('"""A module."""', '"""Another text."""'),
        ('    """A model."""\n\n', ""),
        ("EPSILON = 1e-5", "\n\nEPSILON = 0.00001  # small"),
        ("x / math.sqrt(x * x + eps)", "(x / math.sqrt(\n        ((x * x) + eps)\n    ))"),
        ("\n", "\r\n"),
        ('"""A module."""', '\ufeff"""A module."""'),
    ],
)
def test_comments_docstrings_and_formatting_change_nothing(old: str, new: str) -> None:
    assert _changed(SOURCE, SOURCE.replace(old, new)) == set()


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("x * x + eps", "x * x - eps", {"norm"}),
        ("return 2", "return 3", {"chosen"}),
        ("lambda y: x + y", "lambda y: x - y", {"Model.Head.forward"}),
        ("for token in tokens", "for token in tokens if token", {"Model.forward"}),
        ("EPSILON = 1e-5", "EPSILON = 1e-6", {TOP_LEVEL}),
        ("EPSILON = 1e-5", "EPSILON = 1e-5\nprint()", {TOP_LEVEL}),
        ("width = 16", "width = 32", {TOP_LEVEL}),
        ("if EPSILON", "if not EPSILON", {TOP_LEVEL}),
        ("import math", "import cmath as math", {TOP_LEVEL}),
        ("eps=EPSILON", "eps=0", {TOP_LEVEL, "norm"}),
        ("    @trace\n", "", {TOP_LEVEL, "Model.forward"}),
        ("tokens):", "tokens, /):", {TOP_LEVEL, "Model.forward"}),
        ("def trace(function):", "def trace(function) -> None:", {TOP_LEVEL, "trace"}),
        ("def trace(", "async def trace(", {TOP_LEVEL, "trace"}),
    ],
)
def test_a_change_of_meaning_changes_the_parts_it_is_in_and_no_other(old: str, new: str, changed: set[str]) -> None:
    assert _changed(SOURCE, SOURCE.replace(old, new)) == changed


def test_docstrings_count_where_the_module_reads_them() -> None:
    before = 'def f():\n    """One."""\n\nprint(f.__doc__)\n'
    assert _changed(before, before.replace("One", "Two")) == {"f"}
    asked = before.replace("f.__doc__", "getattr(f, '__doc__')")
    assert _changed(asked, asked.replace("One", "Two")) == {"f"}


def test_docstrings_do_not_count_where_only_a_comment_speaks_of_them() -> None:
    before = 'def f():\n    """One."""  # not __doc__\n'
    assert _changed(before, before.replace("One", "Two")) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = True"),
        ("x = 1", "x = 1.0"),
        ("x = 0.0", "x = -0.0"),
        ("x = 1e400", "x = 'inf'"),
        ("x = 'a'", "x = b'a'"),
        ("x = None", "x = ..."),
        ("x = None", "x = 'None'"),
        ("x = 2j", "x = 2.0"),
        (r"x = '\ud83d\ude00'", r"x = '\U0001f600'"),
        (r"x = '\ud83d'", r"x = 'eda0bd'"),
        ("f('ab', 'c')", "f('a', 'bc')"),
        ("f('ab'); f('c')", "f('a'); f('bc')"),
        ("x = ['list', 2]", "x = [['list', 2]]"),
        ("f(a, b)", "f((a, b))"),
        ("{**a}", "{None: a}"),
        ("def f(*, a, b=None): pass", "def f(*, a=None, b): pass"),
        ("f'{x}'", "f'{x!s}'"),
        ("f'a{x}'", "f'{x}a'"),
        ("match x:\n case None: pass", "match x:\n case True: pass"),
        ("from . import a", "from .. import a"),
        ("(x): int = 1", "x: int = 1"),
    ],
)
def test_no_two_meanings_share_a_digest(one: str, other: str) -> None:
    assert module_parts(one).whole_digest() != module_parts(other).whole_digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 'a' 'b'", "x = 'ab'"),
        ("f'a' f'{x}' 'b' f'c'", "f'a{x}bc'"),
        ("x = 0x10", "x = 1_6"),
        ("x = u'a'", "x = 'a'"),
    ],
)
def test_two_spellings_of_one_meaning_share_a_digest(one: str, other: str) -> None:
    assert module_parts(one).whole_digest() == module_parts(other).whole_digest()


def test_the_empty_text_that_python_3_12_leaves_in_a_format_changes_nothing() -> None:
    tree = ast.parse("f'{x:>{w}}'")
    without = encode(tree)
    text = tree.body[0].value.values[0].format_spec  # type: ignore[attr-defined]  # known shape, see the line above
    text.values.append(ast.Constant(""))
    assert encode(tree) == without
    text.values.append(ast.Constant("d"))
    assert encode(tree) != without


def test_several_definitions_of_one_name_are_one_part() -> None:
    parts = module_parts(SOURCE)
    only = module_parts(SOURCE.replace("else:\n    def chosen(): return 2\n", ""))
    assert parts.digest("chosen") != only.digest("chosen")


def test_what_is_no_function_has_no_function_digest() -> None:
    parts = module_parts(SOURCE)
    assert [parts.digest(name) for name in ("EPSILON", "Model", "inner", "")] == [None] * 4


def test_a_definition_is_every_statement_that_binds_the_name() -> None:
    source = "A = 1\nB = 2\nif B:\n    A = 3\ndef f():\n    global A\n    A = 4\nB.x = 1\n"
    changes = ("A = 1", "if B", "A = 4", "B.x = 1", "B = 2")
    digests = {change: module_parts(source.replace(change, change + "0")) for change in ("A = 1", "A = 4", "B.x = 1")}
    digests |= {"if B": module_parts(source.replace("if B", "if not B")), "B = 2": module_parts(source + "B = 3\n")}
    before = module_parts(source)
    seen = {
        name: {at for at in changes if digests[at].definition_digest(name) != before.definition_digest(name)}
        for name in ("A", "B", "f")
    }
    assert seen == {"A": {"A = 1", "A = 4", "if B"}, "B": {"B.x = 1", "B = 2"}, "f": {"A = 4"}}
    assert before.definition_digest("C") is None


@pytest.mark.parametrize(
    ("qualname", "part"),
    [
        ("f", "f"),
        ("f.<locals>.inner", "f"),
        ("f.<locals>.<listcomp>", "f"),
        ("C.m", "C.m"),
        ("C.m.<locals>.D.n", "C.m"),
        ("C.<lambda>", TOP_LEVEL),
        ("<module>", TOP_LEVEL),
        ("<lambda>", TOP_LEVEL),
        ("<lambda>.<locals>.<genexpr>", TOP_LEVEL),
        ("<generic parameters of f>", TOP_LEVEL),
    ],
)
def test_a_code_object_belongs_to_the_outermost_function(qualname: str, part: str) -> None:
    assert part_of_qualname(qualname) == part


def test_a_class_body_belongs_to_the_top_level() -> None:
    parts = module_parts(SOURCE)
    assert [parts.part_of(name) for name in ("Model", "Model.Head", "Model.forward")] == [
        TOP_LEVEL,
        TOP_LEVEL,
        "Model.forward",
    ]


def test_every_code_object_of_a_module_is_covered_by_a_part() -> None:
    source = SOURCE + "def outer():\n    global leaked\n    def leaked(): return [i for i in 'abc']\n"
    parts = module_parts(source)
    known = {*parts.names, TOP_LEVEL}
    pending, seen = [compile(source, "module.py", "exec", dont_inherit=True)], {}
    while pending:
        code = pending.pop()
        seen[code.co_qualname] = parts.part_of(code.co_qualname)
        pending += [constant for constant in code.co_consts if hasattr(constant, "co_qualname")]
    assert set(seen.values()) <= known
    assert seen["leaked"] == "leaked"
    assert parts.digest("leaked") == parts.digest("outer")
    assert _changed(source, source.replace("'abc'", "'abd'")) == {"outer", "leaked"}


def test_a_syntax_error_is_an_error_with_its_line() -> None:
    with pytest.raises(PvError, match=r"^kernels\.py:2:5: this is not Python") as raised:
        module_parts("x = 1\nif x\n", "kernels.py")
    assert raised.value.exit is Exit.MEND


@pytest.mark.parametrize("source", ["a\0b", "a = '\ud800'", "x = " + "+".join("1" * 20_000), "(" * 500])
def test_text_that_the_parser_refuses_is_an_error_without_a_traceback(source: str) -> None:
    with pytest.raises(PvError):
        module_parts(source)


def test_an_invalid_escape_is_no_warning_of_ours(recwarn: pytest.WarningsRecorder) -> None:
    module_parts(r"x = '\d'")
    assert list(recwarn) == []


def test_nesting_that_the_parser_reads_is_hashed() -> None:
    chain = "if x == 0: pass\n" + "".join(f"elif x == {i}: pass\n" for i in range(400))
    other = chain.replace("elif x == 399", "elif x == 400")
    assert module_parts(chain).whole_digest() != module_parts(other).whole_digest()


def test_an_unknown_node_is_refused_by_name() -> None:
    class Spell(ast.stmt):
        _fields = ("words",)

    with pytest.raises(PvError, match=r"syntax node Spell of Python 3\.\d+ is not part of the digest format"):
        encode(ast.Module([Spell()], []))


def test_an_unknown_field_is_refused_only_when_it_holds_something() -> None:
    class Import(ast.Import):
        _fields = ("names", "is_lazy")

    names = [ast.alias("math")]
    plain = ast.Import(names)
    lazy, eager = Import(names), Import(names)
    lazy.is_lazy, eager.is_lazy = 1, 0  # type: ignore[attr-defined]  # as a Python to come might add
    assert encode(eager) == encode(plain)
    with pytest.raises(PvError, match=r"Import\.is_lazy"):
        encode(lazy)


def test_the_table_covers_every_node_class_of_this_python() -> None:
    assert _uncovered(FIELDS) == set()


def test_the_table_test_can_fail() -> None:
    assert _uncovered({name: fields for name, fields in FIELDS.items() if name != "Match"}) == {"Match"}
    assert _uncovered({**FIELDS, "If": ("test", "body")}) == {"If.orelse"}


CORPUS = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"))[::3][:60]


@settings(max_examples=len(CORPUS), deadline=None)
@given(st.sampled_from(CORPUS))
def test_reformatting_changes_no_digest(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert _changed(source, ast.unparse(ast.parse(source))) == set()


def _changed(before: str, after: str) -> set[str]:
    """The parts whose digests differ; the whole must differ exactly when one of them does."""
    one, other = module_parts(before), module_parts(after)
    changed = {name for name in {TOP_LEVEL, *one.names, *other.names} if one.digest(name) != other.digest(name)}
    assert bool(changed) == (one.whole_digest() != other.whole_digest())
    return changed


def _uncovered(table: dict[str, tuple[str, ...]]) -> set[str]:
    """Node classes that the parser makes and `table` lacks, and fields with a meaning that it does not read."""
    leaves = [cls for name in dir(ast) if name not in _DEPRECATED and _is_node(cls := getattr(ast, name))]
    missing = {cls.__name__ for cls in leaves if cls.__name__ not in table}
    ignored = {"ctx", "type_comment", "type_ignores", "kind", "lineno", "tag"}
    unread = {
        f"{cls.__name__}.{field}"
        for cls in leaves
        if cls.__name__ in table
        for field in set(cls._fields) - set(table[cls.__name__]) - ignored
    }
    return missing | unread


_DEPRECATED = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Index", "ExtSlice", "Suite", "AugLoad", "AugStore"}
_DEPRECATED |= {"Param"}


def _is_node(value: object) -> bool:
    """Whether `value` is a node class that is no base of others: `ast.If`, not `ast.stmt`."""
    abstract = {"AST", "mod", "stmt", "expr", "expr_context", "boolop", "operator", "unaryop", "cmpop", "slice"}
    abstract |= {"excepthandler", "pattern", "type_ignore", "type_param"}
    return isinstance(value, type) and issubclass(value, ast.AST) and value.__name__ not in abstract


def test_this_python_is_one_the_format_was_written_for() -> None:
    assert (3, 11) <= sys.version_info[:2] <= (3, 14)
