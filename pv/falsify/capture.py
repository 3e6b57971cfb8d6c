"""What the command that a user runs asks of the code under test: it runs in this process, and its calls are captured."""

from __future__ import annotations

import inspect
import random
import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType, FunctionType
from typing import Any

from pv.contract.model import Binding, Equation
from pv.falsify.domain import why_outside
from pv.falsify.encode import encode, fingerprint
from pv.falsify.judge import why
from pv.falsify.load import Loader
from pv.falsify.telling import readable, short
from pv.falsify.trace import Tracer
from pv.falsify.work import Task
from pv.finding import Exit, PvError
from pv.source.target import run_as_main

MOST_CASES = 200
MOST_BYTES = 64 * 2**20


@dataclass(slots=True, eq=False)
class Captured:
    """What was seen of a command's calls: all are counted, the distinct ones of the equation kept as far as there is room.

    `outside` counts calls that are no case of the equation, `why` says it of the first.
    """

    calls: int = 0
    outside: int = 0
    why: str = ""
    size: int = 0
    cases: dict[str, Any] = field(default_factory=dict)


def capture(task: Task, loader: Loader) -> dict[str, Any]:
    """Run the live command of the binding: {calls, outside, why, cases: [[digest, arguments]], entered, opened, loaded}."""
    binding, root = task.work.binding, task.site.root
    try:
        equation = task.work.contract.equation(binding.equation)
        if equation is None:
            raise PvError(
                f"{task.work.contract.name} has no equation {binding.equation!r}", exit=Exit.MEND, hint="pv validate"
            )
        recorder = Recorder(root, *_watched(binding, loader), equation)
        _run(binding.live, root, recorder)
    except PvError as error:
        return {"failed": {"reason": error.message, "exit": int(error.exit), "hint": error.hint}}
    for module in list(sys.modules.values()):
        loader.remember(getattr(module, "__file__", None))
    found = recorder.captured
    return {
        "calls": found.calls,
        "outside": found.outside,
        "why": readable(found.why, 300),
        "cases": [[digest, arguments] for digest, arguments in found.cases.items()],
        "entered": sorted(recorder.entered()),
        "opened": sorted(recorder.opened()),
        "loaded": loader.as_loaded(),
    }


class Recorder(Tracer):
    """Captures the calls of `function` while it watches, without the first `skip` parameters of each."""

    def __init__(self, root: Path, function: FunctionType, skip: int, equation: Equation) -> None:
        super().__init__(root)
        self.captured = Captured()
        self._function = function
        self._code = function.__code__
        self._skip = skip
        self._equation = equation

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        super()._profile(frame, event, argument)
        code = frame.f_code
        # By name: a script that is run is compiled once more.
        if event == "call" and (code.co_filename, code.co_qualname) == (self._code.co_filename, self._code.co_qualname):
            self.captured.calls += 1
            try:
                reason = self._keep(frame)
            except Exception as error:  # nothing of ours may reach the command
                reason = f"the arguments cannot be kept: {type(error).__name__}: {error}"
            if reason:
                self.captured.outside += 1
                self.captured.why = self.captured.why or reason

    def _keep(self, frame: FrameType) -> str:
        """Keep the arguments of a call as a case; why they are none."""
        values, rest = self._given(frame)
        specs = self._equation.arguments
        if len(values) < len(specs):
            return f"it was given {len(values)} of the {len(specs)} arguments"
        for name, value, usual in rest:
            if not _is_usual(value, usual):
                return f"{name} is {short(value)}, for which the equation has no argument"
        given = {spec.name: _plain(value) for spec, value in zip(specs, values, strict=False)}
        reason = why_outside(self._equation, given)
        if reason or len(self.captured.cases) >= MOST_CASES:
            return reason
        asked = {spec.name for spec in specs if spec.gradient}
        case = {name: _copied(value, gradient=name in asked) for name, value in given.items()}
        digest, size = fingerprint(case).hex(), sum(map(_size, case.values()))
        if digest not in self.captured.cases and self.captured.size + size <= MOST_BYTES:
            self.captured.cases[digest] = {name: encode(value) for name, value in case.items()}
            self.captured.size += size
        return ""

    def _given(self, frame: FrameType) -> tuple[list[Any], list[tuple[str, Any, Any]]]:
        """The values for the arguments of the equation, and what else was given: (name, value, what is usual)."""
        code, seen = frame.f_code, frame.f_locals
        count, only = code.co_argcount, code.co_kwonlyargcount
        names = code.co_varnames[self._skip : count]
        wanted = len(self._equation.arguments)
        defaults = dict(
            zip(reversed(code.co_varnames[:count]), reversed(self._function.__defaults__ or ()), strict=False)
        )
        defaults |= self._function.__kwdefaults__ or {}
        values = [seen[name] for name in names[:wanted]]
        rest = [
            (name, seen[name], defaults.get(name))
            for name in (*names[wanted:], *code.co_varnames[count : count + only])
        ]
        if code.co_flags & inspect.CO_VARARGS:
            starred = seen[code.co_varnames[count + only]]
            values += starred[: wanted - len(values)]
            rest += (
                [("an argument", value, None) for value in starred[wanted - len(names) :]]
                if len(names) < wanted
                else []
            )
        return values, rest


def _watched(binding: Binding, loader: Loader) -> tuple[FunctionType, int]:
    """The function whose calls are those of the subject, and how many of its parameters come before the equation's."""
    target: Any = loader.target(binding.target)
    if binding.adapter == "module":
        target = getattr(target, "forward", None)
    bound = binding.adapter in ("method", "module") or hasattr(target, "__self__")
    function = inspect.unwrap(getattr(target, "__func__", target)) if target is not None else None
    if not isinstance(function, FunctionType):
        raise PvError(
            f"the calls of {binding.target} cannot be watched: it is no Python function",
            exit=Exit.MEND,
            hint="bind a function of the project",
        )
    return function, int(bound)


def _run(command: Sequence[str], root: Path, recorder: Recorder) -> None:
    """Run a Python command in this process; raises PvError when it does not end well."""
    said = f"the live command {' '.join(command)}"
    random.seed(0)
    try:
        with _in_scratch(command) as (_, first, *rest), _started_as(first, rest, root), recorder.watching():
            if first == "-m":
                runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(str(root / first), run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise PvError(
                f"{said} ended with {short(end.code)}", exit=Exit.MEND, hint="run it by itself, and mend it"
            ) from end
    except Exception as error:
        raise PvError(f"{said} raised {why(error)}", exit=Exit.MEND, hint="run it by itself, and mend it") from error


@contextmanager
def _in_scratch(command: Sequence[str]) -> Iterator[list[str]]:
    """`command` with an empty folder, gone afterwards, in the place of `{scratch}`: what it writes must not stay."""
    with TemporaryDirectory(prefix="pv-live-") as folder:
        yield [word.replace("{scratch}", folder) for word in command]


@contextmanager
def _started_as(first: str, rest: Sequence[str], root: Path) -> Iterator[None]:
    """`sys.argv` and `sys.path` as that command would find them."""
    module = first == "-m"
    there = (run_as_main(root, rest[0]) if rest else None) if module else first
    if there is None or not (root / there).is_file():
        raise PvError(
            f"the live command names no file of the project: {' '.join([first, *rest])}",
            exit=Exit.MEND,
            hint="name the script or the module that is run",
        )
    argv, path = sys.argv, list(sys.path)
    sys.argv = [str(root / there), *(rest[1:] if module else rest)]
    sys.path.insert(0, str(root if module else (root / there).parent))
    try:
        yield
    finally:
        sys.argv = argv
        sys.path[:] = path


def _plain(value: Any) -> Any:
    """`value` with arrays and numbers of numpy as tensors and numbers."""
    if type(value).__module__ != "numpy":
        return value
    import numpy
    import torch

    return torch.from_numpy(value.copy()) if isinstance(value, numpy.ndarray) else value.item()


def _is_usual(value: Any, usual: Any) -> bool:
    return value is usual or (
        type(value) is type(usual) and isinstance(value, (bool, int, float, str)) and value == usual
    )


def _copied(value: Any, *, gradient: bool) -> Any:
    if not hasattr(value, "detach"):
        return value
    return value.detach().cpu().clone().requires_grad_(gradient and value.requires_grad)


def _size(value: Any) -> int:
    return int(value.numel() * value.element_size()) if hasattr(value, "element_size") else 64
