"""How a falsifier's call reaches the code under test: a function and a row of `ADAPTERS` for each way there is.

Whatever the way, a falsifier calls its subject with tensors and gets tensors back, so that one falsifier serves them all. To
add a way: a function here, its row, its name in `schemas/binding-v1.json`.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from pv.contract.model import Binding, Equation, ValueSpec
from pv.falsify.port import Port
from pv.finding import Exit, PvError
from pv.source.parts import Code

Call = Callable[..., Any]


class Loading(Protocol):
    """What imports the code of a project (`pv.falsify.load.Loader`)."""

    root: Path
    closing: ExitStack

    def target(self, target: str) -> Call:
        """What `module:name` or `module:Class.name` stands for; raises PvError when it is not there or not callable."""

    def remember(self, file: str | None) -> None:
        """Note what the file holds now: when it is changed before the trial ends, the trial is void."""


def adapted(binding: Binding, equation: Equation, loader: Loading) -> Call:
    """The code of `binding` as a function of the arguments of `equation`, given in their order: tensors in, tensors out.

    Raises PvError (run) when something it requires is not installed, and PvError (mend) when the code is not there.
    """
    missing = missing_requirement(binding)
    if missing:
        raise PvError(missing, exit=Exit.RUN, hint="install it")
    return ADAPTERS[binding.adapter](binding, equation, loader)


def missing_requirement(binding: Binding) -> str:
    """Why the subject of `binding` cannot be run here, naming the first requirement that is absent; empty when it can be."""
    for name in binding.requires:
        if shutil.which(name) is None and not _is_package(name):
            return f"{binding.name} requires {name}, which is not installed here"
    return ""


def _is_package(name: str) -> bool:
    # A dot would import the parent only to look for the child.
    return name.isidentifier() and importlib.util.find_spec(name) is not None


def _function(binding: Binding, equation: Equation, loader: Loading) -> Call:
    return loader.target(binding.target)


def _method(binding: Binding, equation: Equation, loader: Loading) -> Call:
    """The target's method of what the factory makes."""
    module, _, qualified = binding.target.partition(":")
    owner, _, name = qualified.rpartition(".")
    if not owner:
        raise PvError(
            f"{binding.target} is no method: a target `module:Class.method` is needed",
            exit=Exit.MEND,
            hint="write the class into the target, or leave `adapter: method` out",
        )
    loader.target(binding.target)
    made = _made(binding, loader.target(f"{module}:{owner}"), loader)
    return lambda *values, **named: getattr(made(), name)(*values, **named)


def _module(binding: Binding, equation: Equation, loader: Loading) -> Call:
    """The torch module that the factory makes, or the target without arguments, in the mode it comes in."""
    import torch

    owner = loader.target(binding.target)
    made = _made(binding, owner if isinstance(owner, type) else torch.nn.Module, loader)
    names = [argument.name for argument in equation.arguments]

    def call(*values: Any, **named: Any) -> Any:
        module = made()
        if not isinstance(module, torch.nn.Module):
            raise PvError(
                f"{binding.factory or binding.target} made {_kind(module)}, no torch module",
                exit=Exit.MEND,
                hint="bind what makes a torch.nn.Module, or leave `adapter: module` out",
            )
        return module(*values, *(named[name] for name in names if name in named))

    return call


def _made(binding: Binding, owner: Any, loader: Loading) -> Callable[[], Any]:
    """What makes the one object that all calls of a trial go to; it has to be an `owner`.

    Made at the first call, where the functions it enters and the files it opens are seen; from one seed, because several
    processes have to make the same.
    """
    target = binding.factory or binding.target
    factory = loader.target(target)

    @cache
    def make() -> Any:
        import torch

        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                made = factory()
        except Exception as error:
            # As PvError it cannot pass for an answer of the subject, which a falsifier may have to expect.
            raise PvError(
                f"{target} raised {type(error).__name__}: {error}",
                exit=Exit.MEND,
                hint="mend it: it is called without arguments",
            ) from error
        if isinstance(owner, type) and not isinstance(made, owner):
            raise PvError(
                f"{target} made {_kind(made)}, not {_name(owner)}",
                exit=Exit.MEND,
                hint="name in `factory` what makes one",
            )
        return made

    return make


def _kind(value: Any) -> str:
    return f"an object of {_name(type(value))}"


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _numpy(binding: Binding, equation: Equation, loader: Loading) -> Call:
    """The target, called with arrays that share the tensors' memory; what it returns is copied into tensors."""
    function = loader.target(binding.target)
    returns = equation.returns

    def call(*values: Any, **named: Any) -> Any:
        output = function(*map(_array, values), **{name: _array(value) for name, value in named.items()})
        if isinstance(output, tuple) and len(output) == len(returns) > 1:
            return tuple(map(_tensor, output, returns))
        return _tensor(output, returns[0] if len(returns) == 1 else None)

    return call


def _array(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        return value.numpy(force=True)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_array, value))
    return value


def _tensor(value: Any, spec: ValueSpec | None) -> Any:
    """`value` with its arrays as tensors of the same dtype and shape; numpy's scalars as Python's where no tensor is due."""
    import numpy
    import torch

    if isinstance(value, numpy.ndarray):
        return torch.from_numpy(value.copy())  # in memory of its own, in order, and writable
    if isinstance(value, numpy.generic):
        due = spec is not None and spec.type == "tensor"
        return torch.from_numpy(numpy.array(value)) if due else value.item()
    if isinstance(value, (list, tuple)):
        return type(value)(_tensor(item, None) for item in value)
    return value


def _command(binding: Binding, equation: Equation, loader: Loading) -> Call:
    """Another process; see `pv.falsify.port`."""
    for part in Code(loader.root, ["."]).command(binding.command):
        loader.remember(str(loader.root / part.path))
    port = Port(binding, equation, loader.root)
    loader.closing.callback(port.close)
    return port


ADAPTERS: Mapping[str, Callable[[Binding, Equation, Loading], Call]] = {
    "function": _function,
    "method": _method,
    "module": _module,
    "numpy": _numpy,
    "command": _command,
}
