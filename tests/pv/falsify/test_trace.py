"""What a call entered and opened is found, in the project and nowhere else."""

from __future__ import annotations

import gc
import importlib.util
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from pv.falsify.trace import Tracer

SOURCE = """\
import functools
import os
import threading
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


def noted(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper


@noted
def decorated(x):
    def inner(y):
        return [z for z in range(y)]
    return inner(x)


class Model:
    def __init__(self, x):
        self.x = x

    def __call__(self):
        return self.hidden()

    def hidden(self):
        return (lambda: self.x)()

    def unused(self):
        return 0


@dataclass(frozen=True)
class Pair:
    left: int


Point = namedtuple("Point", "x y")


def made_at_run_time():
    return Pair(1), Point(1, 2), eval("1 + 1")


def counting():
    yield 1


def in_a_thread():
    thread = threading.Thread(target=plain)
    thread.start()
    thread.join()


def plain():
    return None


def fails():
    raise ValueError


def reads(name, mode):
    with open(HERE / name, mode) as stream:
        return stream.readable()


def reads_bytes_path(name):
    with open(os.fsencode(HERE / name)) as stream:
        return stream.read()


def reads_low(name):
    os.close(os.open(HERE / name, os.O_RDONLY))
"""


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "package" / "traced.py"
    path.parent.mkdir()
    path.write_text(SOURCE, encoding="utf-8")
    (path.parent / "data.txt").write_text("data", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("traced", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["traced"] = made  # dataclasses ask for it
    spec.loader.exec_module(made)
    del sys.modules["traced"]
    return made


def entered(root: Path, call: Callable[[], object]) -> set[str]:
    tracer = Tracer(root)
    with tracer.watching():
        call()
    assert {path for path, _ in tracer.entered()} <= {"package/traced.py"}
    return {name for _, name in tracer.entered()}


def test_functions_are_found_nested_decorated_and_in_classes(module: ModuleType, tmp_path: Path) -> None:
    comprehension = {"decorated.<locals>.inner.<locals>.<listcomp>"} if sys.version_info < (3, 12) else set()
    assert entered(tmp_path, lambda: module.decorated(3)) == {
        "noted.<locals>.wrapper",
        "decorated",
        "decorated.<locals>.inner",
        *comprehension,
    }
    assert entered(tmp_path, lambda: module.Model(1)()) == {
        "Model.__init__",
        "Model.__call__",
        "Model.hidden",
        "Model.hidden.<locals>.<lambda>",
    }
    assert entered(tmp_path, lambda: list(module.counting())) == {"counting"}
    assert entered(tmp_path, lambda: None) == set()


def test_a_watch_within_another_ends_only_itself(module: ModuleType, tmp_path: Path) -> None:
    outer = Tracer(tmp_path)
    with outer.watching():
        assert entered(tmp_path, lambda: None) == set()
        list(module.counting())
    assert outer.entered() == {("package/traced.py", "counting")}
    assert sys.getprofile() is None


def test_functions_are_found_in_threads_that_the_call_starts(module: ModuleType, tmp_path: Path) -> None:
    assert entered(tmp_path, module.in_a_thread) == {"in_a_thread", "plain"}
    tracer = Tracer(tmp_path)
    with tracer.watching():
        pass
    thread = threading.Thread(target=module.plain)
    thread.start()
    thread.join()
    assert tracer.entered() == set()


def test_what_is_made_at_run_time_is_no_file_of_the_working_directory(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert entered(tmp_path, module.made_at_run_time) == {"made_at_run_time"}


def test_what_lies_outside_the_root_is_not_found(module: ModuleType, tmp_path: Path) -> None:
    tracer = Tracer(tmp_path / "other")
    with tracer.watching():
        module.decorated(1)
        module.reads("data.txt", "r")
    assert (tracer.entered(), tracer.opened()) == (set(), set())


def test_an_exception_ends_the_watching(module: ModuleType, tmp_path: Path) -> None:
    tracer = Tracer(tmp_path)
    with pytest.raises(ValueError), tracer.watching():  # noqa: PT011 -- it has no message
        module.fails()
    module.plain()
    module.reads("data.txt", "r")
    assert (tracer.entered(), tracer.opened()) == ({("package/traced.py", "fails")}, set())
    tracer.forget()
    assert tracer.entered() == set()


@pytest.mark.parametrize("call", [
    lambda module: module.reads("data.txt", "r"),
    lambda module: module.reads("data.txt", "rt"),
    lambda module: module.reads("data.txt", "rb"),
    lambda module: module.reads("data.txt", "r+"),
    lambda module: module.reads_bytes_path("data.txt"),
    lambda module: module.reads_low("data.txt"),
    lambda module: (module.HERE / "data.txt").read_bytes(),
], ids=["r", "rt", "rb", "r+", "bytes path", "os.open", "Path.read_bytes"])  # fmt: skip
def test_files_opened_for_reading_are_found(
    call: Callable[[ModuleType], object], module: ModuleType, tmp_path: Path
) -> None:
    tracer = Tracer(tmp_path)
    with tracer.watching():
        call(module)
    assert tracer.opened() == {"package/data.txt"}


def test_files_only_written_are_not_found(module: ModuleType, tmp_path: Path) -> None:
    tracer = Tracer(tmp_path)
    with tracer.watching():
        module.reads("new.txt", "w")
    assert tracer.opened() == set()


def test_who_opened_a_file_is_the_innermost_file_of_the_project(module: ModuleType, tmp_path: Path) -> None:
    tracer = Tracer(tmp_path)
    with tracer.watching():
        module.reads("data.txt", "r")
        (module.HERE / "data.txt").read_bytes()
    assert tracer.opened_by() == {("package/traced.py", "package/data.txt"), ("", "package/data.txt")}


@pytest.mark.parametrize("compiled", [True, False])
def test_that_torch_compiled_what_was_called_is_seen(compiled: bool, tmp_path: Path) -> None:
    """Compiled code enters no function of the project, so what was entered is not all that ran."""
    layer = torch.nn.Linear(2, 2)
    call = torch.compile(layer, backend="eager") if compiled else layer
    tracer = Tracer(tmp_path)
    with tracer.watching():
        call(torch.ones(1, 2)).sum().backward()
    assert tracer.blind is compiled


def test_a_tracer_that_nobody_holds_is_gone_and_others_hear_for_themselves(tmp_path: Path) -> None:
    """A hook stays until the process ends: one that held its tracer would be called for every event ever after."""
    (tmp_path / "data.txt").write_text("1", encoding="utf-8")
    tracer = Tracer(tmp_path)
    gone = weakref.ref(tracer)
    del tracer
    gc.collect()
    assert gone() is None
    one, other = Tracer(tmp_path), Tracer(tmp_path)
    with one.watching():
        (tmp_path / "data.txt").read_text(encoding="utf-8")
    assert (one.opened(), other.opened()) == ({"data.txt"}, set())
