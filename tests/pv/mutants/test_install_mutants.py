"""Another code in a function: seen through every name, gone afterwards, refused where it does not belong."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest

from pv.finding import PvError
from pv.mutants.install import installed, resolve
from pv.mutants.make import compile_mutant, mutants_of

SOURCE = """\
import contextlib
import functools
from math import sqrt

def noted(function):
    @functools.wraps(function)
    def wrapper(*arguments, **named):
        return function(*arguments, **named)
    return wrapper

def f(x):
    return x + 1

alias = f
third = functools.partial(f, 3)

@noted
@functools.lru_cache
def decorated(x):
    return x + 2

@contextlib.contextmanager
def opened(x):
    yield x + 3

class Base:
    def inherited(self, x):
        return x + 4

class A(Base):
    @staticmethod
    def static(x):
        return x + 5

    @classmethod
    def made(cls, x):
        return x + 6

    @property
    def width(self):
        return 7 + 0

    @functools.cached_property
    def depth(self):
        return 8 + 0

    def method(self, x):
        return x + 9

    partial = functools.partialmethod(method, 10)

instance = A()
bound = instance.method
circle = noted(f)
circle.__wrapped__ = circle
"""


@pytest.fixture
def module() -> ModuleType:
    made = ModuleType("kernels")
    exec(compile(SOURCE, "kernels.py", "exec", dont_inherit=True), made.__dict__)  # noqa: S102 -- the text above
    return made


def mutated(qualname: str, line: int | None = None) -> CodeType:
    """The code of `qualname` with its `+` turned."""
    mutants = mutants_of("kernels.py", SOURCE, qualname, line=line)
    return compile_mutant(next(mutant for mutant in mutants if mutant.operator == "arithmetic"))


@pytest.mark.parametrize(
    ("name", "behind"),
    [
        ("f", "f"),
        ("alias", "f"),
        ("third", "f"),
        ("decorated", "decorated"),
        ("opened", "opened"),
        ("A.inherited", "Base.inherited"),
        ("A.static", "A.static"),
        ("A.made", "A.made"),
        ("A.width", "A.width"),
        ("A.depth", "A.depth"),
        ("A.method", "A.method"),
        ("A.partial", "A.method"),
        ("instance.method", "A.method"),
        ("bound", "A.method"),
    ],
)
def test_the_function_behind_a_name_is_found_and_takes_a_mutant(module: ModuleType, name: str, behind: str) -> None:
    function = resolve(module, name)
    assert function.__code__.co_qualname == behind
    code = mutated(behind, function.__code__.co_firstlineno)
    with installed(function, code):
        assert function.__code__ is code


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", "kernels:gone is not there: nothing is called 'gone'"),
        ("A.gone", "kernels:A.gone is not there: nothing is called 'gone'"),
        ("A", "kernels:A is a class: there is no Python function behind it"),
        ("sqrt", "kernels:sqrt is a builtin_function_or_method: there is no Python function behind it"),
        ("functools", "kernels:functools is a module: there is no Python function behind it"),
    ],
)
def test_what_has_no_python_function_behind_it_is_refused(module: ModuleType, name: str, message: str) -> None:
    with pytest.raises(PvError) as refused:
        resolve(module, name)
    assert refused.value.message == message


def test_wrappers_that_lead_in_a_circle_end(module: ModuleType) -> None:
    assert resolve(module, "circle").__code__.co_qualname == "noted.<locals>.wrapper"


def test_every_alias_sees_the_mutant_and_none_does_afterwards(module: ModuleType) -> None:
    held = module.f
    names = (held, module.alias, module.third.func, functools.partial(held))
    with installed(resolve(module, "f"), mutated("f")):
        assert [name(1) for name in names] == [0, 0, 0, 0]
    assert [name(1) for name in names] == [2, 2, 2, 2]


def test_a_mutant_is_taken_out_when_what_ran_under_it_raises(module: ModuleType) -> None:
    original = module.f.__code__
    with pytest.raises(KeyboardInterrupt), installed(module.f, mutated("f")):
        raise KeyboardInterrupt
    assert module.f.__code__ is original
    with installed(module.f, mutated("f")):
        assert module.f(1) == 0


def test_one_mutant_at_a_time_in_one_function(module: ModuleType) -> None:
    original = module.f.__code__
    with installed(module.f, mutated("f")):
        with pytest.raises(PvError, match="f has another code installed already"), installed(module.f, original):
            pass
        assert module.f(1) == 0
        with installed(module.A.method, mutated("A.method")):
            assert module.instance.method(1) == -8
    assert module.f(1) == 2


@pytest.mark.parametrize(
    "source",
    [
        "\n" + SOURCE,  # the file has changed since it was imported
        SOURCE.replace("def f(x):", "def f(y):"),
        SOURCE.replace("def f(x):", "def f(x, y=1):"),
        SOURCE.replace("return x + 1", "yield x + 1"),
    ],
)
def test_code_that_belongs_to_another_text_is_refused(module: ModuleType, source: str) -> None:
    original = module.f.__code__
    code = compile_mutant(mutants_of("kernels.py", source, "f")[0])
    with pytest.raises(PvError, match="cannot stand in for f"), installed(module.f, code):
        pass
    assert module.f.__code__ is original


def test_the_code_of_another_function_is_refused(module: ModuleType) -> None:
    with (
        pytest.raises(PvError, match="the name and the first line differ"),
        installed(module.f, mutated("A.static")),
    ):
        pass


def test_a_name_imported_into_another_module_sees_a_mutant_of_its_home() -> None:
    from implementations.microgpt import kernels, model

    path = "implementations/microgpt/kernels.py"
    source = Path(kernels.__file__).read_text("utf-8")
    mutant = next(mutant for mutant in mutants_of(path, source, "rms_norm") if mutant.operator == "statement-deleted")
    function = resolve(model, "rms_norm")
    assert isinstance(function, FunctionType)
    with installed(function, compile_mutant(mutant)):
        assert model.rms_norm.__code__.co_filename == kernels.rms_norm.__code__.co_filename == path
    assert math.isclose(float(model.rms_norm(model.torch.ones(1, 1))), 1.0, rel_tol=1e-4)
