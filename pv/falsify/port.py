"""An equation in another process: a program in any language that answers calls over its standard streams.

It is started once for each process that runs a part of a trial, in the project's root, and answers one call after another
until its standard input ends. For each call it reads one line of JSON,

    {"in": "/tmp/…/0.in.safetensors", "out": "/tmp/…/0.out.safetensors", "arguments": {"draw": 0.25}}

with the tensors among the arguments in the file `in`, under their names in the contract, and what is no tensor in
`arguments`. It writes the tensors it returns to the file `out`, under the names in the equation's `returns`, and answers
one line, with what it returns that is no tensor beside `ok`:

    {"ok": true, "index": 3}

An error that the contract promises is an answer too. It is raised here as Python's exception of that name:

    {"error": "ValueError", "message": "draw is 1.5; 0 ≤ draw < 1 is needed"}

With `exchange: aprt`, `in` and `out` are folders with one file a tensor, `NAME.aprt`; as that format has no shapes, the
line has them, `"shapes": {"x": [2, 3]}`, and so has the answer. Anything else (another line, no line, an end) breaks the
trial, with what the program wrote to its standard error.
"""

from __future__ import annotations

import builtins
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from pv.contract.model import Binding, Equation, ValueSpec
from pv.falsify.exchange import EXCHANGES
from pv.finding import Exit, PvError

_LONGEST_ANSWER = 16 * 2**20
_MOST_SAID = 64 * 2**20
_SAID_SHOWN = 400
_LAST_WORDS = 1.0  # seconds to end in, for a program that closed its output: its exit code says more


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    folder: Path


class Port:
    """The command of a binding as a function of the equation's arguments, until `close`."""

    def __init__(self, binding: Binding, equation: Equation, root: Path) -> None:
        self._binding = binding
        self._exchange = EXCHANGES[binding.exchange]
        self._equation = equation
        self._root = root
        self._running: _Running | None = None
        self._broken: PvError | None = None
        self._calls = 0

    def __call__(self, *values: Any, **named: Any) -> Any:
        """What the program answers. Raises PvError when it does not, and then at every further call."""
        import torch

        if self._broken is not None:
            raise self._broken
        names = (argument.name for argument in self._equation.arguments)
        arguments = dict(zip(names, values, strict=False)) | named
        running = self._running or self._start()
        self._calls += 1
        taken, given = (running.folder / f"{self._calls}.{way}{self._exchange.suffix}" for way in ("in", "out"))
        try:
            tensors = {name: value for name, value in arguments.items() if isinstance(value, torch.Tensor)}
            self._exchange.write(taken, tensors)
            if self._exchange.shaped:
                given.mkdir()
            answer = self._ask(running, self._line(taken, given, arguments, tensors))
            if "error" in answer:
                raise _raised(answer)
            return self._returned(answer, given)
        except PvError as error:
            self._break(error.message)
        finally:
            _remove(taken)
            _remove(given)

    def close(self) -> None:
        """End the program, if it runs."""
        if self._running is not None:
            _end(self._running)
        self._running = None

    def _start(self) -> _Running:
        program, *rest = self._binding.command
        inside = self._root / program
        path = sys.executable if program == "python" else str(inside) if inside.is_file() else program
        folder = Path(tempfile.mkdtemp(prefix="pv-port-"))
        said = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 -- open as long as the program runs
        # A Python port must not run from byte-code of an earlier second, nor leave any in the project.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        try:
            process = subprocess.Popen(
                [path, *rest], cwd=self._root, env=environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
            )  # fmt: skip
        except OSError as error:
            said.close()
            _remove(folder)
            self._break(f"cannot be started: {error.strerror or error}")
        self._running = _Running(process, said, folder)
        return self._running

    def _line(self, taken: Path, given: Path, arguments: Mapping[str, Any], tensors: Mapping[str, Any]) -> bytes:
        plain = {name: value for name, value in arguments.items() if name not in tensors}
        shapes = {"shapes": {name: list(tensor.shape) for name, tensor in tensors.items()}}
        request = {"in": str(taken), "out": str(given), "arguments": plain}
        try:
            return json.dumps(request | (shapes if self._exchange.shaped else {})).encode() + b"\n"
        except TypeError as error:
            raise PvError(
                f"cannot be asked: {error}",
                exit=Exit.MEND,
                hint="see that the command can be started from the root of the project",
            ) from error

    def _ask(self, running: _Running, line: bytes) -> dict[str, Any]:
        process = running.process
        assert process.stdin is not None, "both streams are pipes"
        assert process.stdout is not None, "both streams are pipes"
        with suppress(OSError):  # that it is gone shows in the next line
            process.stdin.write(line)
            process.stdin.flush()
        answer = process.stdout.readline(_LONGEST_ANSWER)
        if not answer.endswith(b"\n"):
            raise PvError(_how_it_ended(process, answer), exit=Exit.MEND, hint="run the command by itself, and mend it")
        if os.fstat(running.said.fileno()).st_size > _MOST_SAID:
            raise PvError(
                f"wrote more than {_MOST_SAID // 2**20} MiB to its standard error",
                exit=Exit.MEND,
                hint="let it say less",
            )
        try:
            value = json.loads(answer)
        except ValueError:
            value = None
        if not isinstance(value, dict) or (value.get("ok") is not True and "error" not in value):
            seen = answer.decode("utf-8", "backslashreplace").strip()
            raise PvError(
                f"answered {seen[:200]!r}; one line of JSON with `ok` or `error` is needed",
                exit=Exit.MEND,
                hint="docs/ports.md has the protocol",
            )
        return value

    def _returned(self, answer: Mapping[str, Any], given: Path) -> Any:
        shapes = answer.get("shapes", {}) if self._exchange.shaped else {}
        tensors = self._exchange.read(given, shapes)
        values = [_value(spec, tensors if spec.type == "tensor" else answer) for spec in self._equation.returns]
        return values[0] if len(values) == 1 else tuple(values)

    def _break(self, reason: str) -> NoReturn:
        said = "" if self._running is None else _tail(self._running.said)
        message = f"the command {self._binding.code} {reason}" + (f"; it said: {said}" if said else "")
        self._broken = PvError(message, exit=Exit.MEND, hint="docs/ports.md says how a port answers")
        self.close()
        raise self._broken


def _value(spec: ValueSpec, source: Mapping[str, Any]) -> Any:
    if spec.name not in source:
        where = "the file `out`" if spec.type == "tensor" else "the answer"
        raise PvError(
            f"returned no {spec.name!r}: {where} has {', '.join(source) or 'nothing'}",
            exit=Exit.MEND,
            hint="answer with a value for each of `returns`",
        )
    value = source[spec.name]
    # JSON writes 2.0 and 2 as it likes.
    return float(value) if spec.type == "real" and type(value) is int else value


def _raised(answer: Mapping[str, Any]) -> Exception:
    """The exception that the answer names; RuntimeError where Python has none of that name that takes a message."""
    name, message = str(answer["error"]), str(answer.get("message", ""))
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        with suppress(TypeError):
            return kind(message)
    return RuntimeError(f"{name}: {message}")


def _how_it_ended(process: subprocess.Popen[bytes], answer: bytes) -> str:
    if answer:
        return f"answered a line without an end ({len(answer):,} bytes)"
    try:
        code = process.wait(_LAST_WORDS)
    except subprocess.TimeoutExpired:
        return "closed its standard output without an answer"
    return f"ended with exit code {code} without an answer"


def _tail(said: IO[bytes]) -> str:
    size = os.fstat(said.fileno()).st_size
    said.seek(max(0, size - _SAID_SHOWN))
    return " ".join(said.read().decode("utf-8", "replace").split())


def _end(running: _Running) -> None:
    """No mercy: it has nothing to keep. What it started itself sees the end of its standard input."""
    for stream in (running.process.stdin, running.process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    running.process.kill()
    running.process.wait()
    running.said.close()
    _remove(running.folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
