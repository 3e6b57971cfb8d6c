"""What a trial must leave as it found it: interpreter, libraries, files, and the functions of the project.

A falsifier that changes torch's default dtype has judged another program, and one that changes a function of the subject has
judged its own. What is compared is what such code changes by accident or in the open. Deceit is not caught: code that looks
for `pv` in the stack or in memory, counts on a clock, a file elsewhere or another process, writes `pv`'s answer itself,
undoes before the end what it did, or kills processes that are not its own. A reader of the falsifier sees that.
"""

from __future__ import annotations

import _thread
import ast
import builtins
import gc
import hashlib
import inspect
import json
import math
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

import hypothesis
import torch

_COMPILER = "TORCHINDUCTOR"  # in names of variables that torch.compile sets for the code it makes
_LIBRARIES = ("builtins", "torch", "numpy", "hypothesis", "typing", "collections", "enum", "pv")
_UNINTERESTING = frozenset(
    ("__dict__", "__weakref__", "__doc__", "__annotations__", "__abstractmethods__", "__warningregistry__")
)
_ITEMS = 1000  # of a container, that are looked at one by one


class Libraries:
    """How torch, the interpreter's own functions and `pv` computed when it was made; `changes()` says what is no longer so."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of looking at what torch has deprecated
            self._arithmetic = _arithmetic()
            self._members = [(watched, _members(watched)) for watched in _watched()]

    def changes(self) -> Iterator[str]:
        """Each change, in words."""
        now = _arithmetic()
        yield from (f"it changed {name}" for name, was in self._arithmetic.items() if now[name] != was)
        for watched, members in self._members:
            now_there = _members(watched)
            added = [name for name in now_there if name not in members] if inspect.isclass(watched) else []
            for name in _changed(members, now_there) + added:
                yield f"it changed {watched.__name__}.{name}"


class Scene:
    """How things stood when it was made, of a project whose files begin with `inside`; `tampered()` says what is not so.

    Modules below the top-level name `judges` hold the falsifiers: what they keep from one case to the next is no cache.
    """

    def __init__(self, inside: str, judges: str = "") -> None:
        self._inside = inside
        self._judges = judges
        self._settings = _settings()
        self._libraries = Libraries()
        self._modules = dict(sys.modules)
        self._own = {name: self._state(name) for name, module in self._modules.items() if self._is_own(module)}
        self._threads = set(threading.enumerate())
        self._count = _thread._count()

    def tampered(self) -> str:
        """The first thing that was changed and not put back, in words; empty when all is as it was."""
        return next(self._differences(), "")

    def left_running(self) -> str:
        """Threads and processes that were started and not waited for, in words; to be asked when the trial is over."""
        left = [thread.name for thread in threading.enumerate() if thread not in self._threads]
        left += ["one without a name"] * (_thread._count() - self._count - len(left))
        if left:
            return f"it left {len(left)} thread{'s' if len(left) > 1 else ''} running: {', '.join(left)}"
        return "it started a process and did not wait for its end" if _has_children() else ""

    def _differences(self) -> Iterator[str]:
        now = _settings()
        yield from (f"it changed {name}" for name, was in self._settings.items() if now[name] != was)
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                yield f"it {'replaced' if name in sys.modules else 'removed'} the module {name} in sys.modules"
        yield from self._libraries.changes()
        for module_name, members in self._own.items():
            yield from self._rebound(module_name, members, self._state(module_name))

    def _rebound(self, module: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
        if self._judges and module.partition(".")[0] == self._judges:
            new = [name for name in after if name not in before]
            yield from (f"it kept {module}.{name} from one case to the next" for name in _changed(before, after) + new)
            return
        changed = _changed(before, after)
        by_design = _rebound_by_design(self._modules[module]) if changed else ()
        yield from (f"it changed {module}.{name}" for name in changed if name not in by_design)

    def _state(self, module: str) -> Mapping[str, Any]:
        judging = bool(self._judges) and module.partition(".")[0] == self._judges
        found = self._modules[module]
        return _kept(found) if judging else _members(found)

    def _is_own(self, module: ModuleType) -> bool:
        file = str(getattr(module, "__file__", None) or "")
        return file.startswith(self._inside) and "/site-packages/" not in file


def _watched() -> list[Any]:
    """What a verdict is made with: libraries whole, and of `pv` what runs beside a falsifier."""
    own = [module for name, module in list(sys.modules.items()) if name.startswith("pv.falsify.")]
    classes = {
        id(value): value
        for module in own
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__.startswith("pv.")
    }
    libraries = (builtins, math, json, hashlib, hypothesis, torch, torch.nn.functional, torch.linalg, torch.Tensor)
    return [*libraries, *own, *classes.values()]


def _arithmetic() -> Mapping[str, Any]:
    return {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's default device": str(torch.get_default_device()),
        "torch's number of threads": torch.get_num_threads(),
        "whether torch records gradients": torch.is_grad_enabled(),
        "torch's inference mode": torch.is_inference_mode_enabled(),
        "torch's deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "torch's float32 matmul precision": torch.get_float32_matmul_precision(),
        "torch's autocast": (torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")),
        "what torch's functions are handed to": [
            getattr(torch._C, name, int)() for name in ("_len_torch_function_stack", "_len_torch_dispatch_stack")
        ],
        "how floats are rounded": _rounding(),
    }


def _rounding() -> tuple[bool, ...]:
    """Of the processor, which a library may set for the whole thread: to nearest, and denormal numbers kept."""
    one, small, least = float("1"), float("1e-17"), float("5e-324")
    return (one + small == one, -one - small == -one, least * one > 0.0, one - small == one)


def _settings() -> Mapping[str, Any]:
    return {
        "the environment": {name: value for name, value in os.environ.items() if _COMPILER not in name},
        "the working directory": _directory(),
        "sys.path": [
            entry for entry in sys.path if "/site-packages/" not in entry
        ],  # setuptools adds a folder of its own
        "sys.meta_path": [id(finder) for finder in sys.meta_path],
        "sys.stdout": (id(sys.stdout), getattr(sys.stdout, "closed", True)),
        "sys.stderr": (id(sys.stderr), getattr(sys.stderr, "closed", True)),
        "the recursion limit": sys.getrecursionlimit(),
        "garbage collection": gc.isenabled(),
        "the trace function": id(sys.gettrace()),
        "the profile function": id(sys.getprofile()),
        "signal handlers": [id(_handler(number)) for number in signal.valid_signals()],
        "the limits of its process": _limits(),
    }


def _handler(number: int) -> Any:
    try:
        return signal.getsignal(number)
    except ValueError:  # one that Python cannot look at
        return None


def _limits() -> Any:
    try:
        import resource
    except ImportError:  # there are none on Windows
        return None
    names = ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_STACK", "RLIMIT_CPU")
    return [resource.getrlimit(getattr(resource, name)) for name in names]


def _has_children() -> bool:
    if not hasattr(os, "WNOHANG"):
        return False
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _directory() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "gone"


def _members(owner: Any) -> dict[str, Any]:
    """What there is by each name, in a form that compares: code for functions, values for constants."""
    return {name: _form(value) for name, value in list(vars(owner).items()) if name not in _UNINTERESTING}


def _kept(module: ModuleType) -> dict[str, Any]:
    """As `_members`, and what is in its containers and hangs on its functions; modules imported into it are none."""
    return {
        name: (_form(value), None if _is_strategy(value) else _contents(value))
        for name, value in list(vars(module).items())
        if not name.startswith("__") and not inspect.ismodule(value)
    }


def _is_strategy(value: Any) -> bool:
    """One of Hypothesis works itself out when it is first drawn from."""
    return type(value).__module__.partition(".")[0] == "hypothesis"


def _contents(value: Any) -> Any:
    """What a container holds, or hangs on a function or an object, and what containers among that hold; of a class the latter.

    A class gets members as it is used, which is no matter.
    """
    held = _held(getattr(value, "__dict__", value))
    if held is None:
        return None
    own = None if inspect.isclass(value) else _listed(held)
    inner = ((place, _held(item)) for place, item in enumerate(held[:_ITEMS]) if not inspect.isclass(item))
    return (own, [(place, _listed(items)) for place, items in inner if items is not None])


def _held(value: Any) -> list[Any] | None:
    if isinstance(value, (dict, MappingProxyType)):
        return list(value.values())
    return list(value) if isinstance(value, (list, set, bytearray)) else None


def _listed(items: list[Any]) -> tuple[int, list[int]]:
    return len(items), [id(item) for item in items[:_ITEMS]]


def _form(value: Any) -> Any:
    if isinstance(value, FunctionType):
        return (id(value), id(value.__code__), value.__defaults__ and tuple(map(id, value.__defaults__)))
    if isinstance(value, (bool, int, float, str, bytes)):
        return (type(value), repr(value))
    if inspect.isclass(value) and str(getattr(value, "__module__", "")).partition(".")[0] not in _LIBRARIES:
        return (id(value), [_form(member) for member in vars(value).values() if isinstance(member, FunctionType)])
    return id(value)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names whose value is another, or gone; what was added by importing on demand is none."""
    return [name for name, was in before.items() if name not in after or after[name] != was]


def _rebound_by_design(module: ModuleType) -> set[str]:
    """The names that functions of `module` declare `global`: a cache of its own is no tampering."""
    try:
        tree = ast.parse(Path(str(module.__file__)).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return set()
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
