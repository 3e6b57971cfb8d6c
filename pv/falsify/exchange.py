"""Tensors in the files that another process reads and writes: one safetensors file, or one APRT file a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pv.finding import Exit, PvError
from pv.tensors.aprt import WHOLE_MODEL, decode, encode

Shapes = Mapping[str, list[int]]


class Exchange(NamedTuple):
    """How tensors are put where a command finds them, and taken from where it left them.

    `write(path, tensors)` makes what `path` names. `read(path, shapes)` gives the tensors by name, and none when nothing is
    there; raises PvError for what is no such file. `shaped` says that shapes travel beside the files.
    """

    suffix: str
    write: Callable[[Path, Mapping[str, Any]], None]
    read: Callable[[Path, Shapes], Mapping[str, Any]]
    shaped: bool


def _write_safetensors(path: Path, tensors: Mapping[str, Any]) -> None:
    import torch
    from safetensors.torch import save

    # The format wants each tensor in order and in memory of its own.
    copies = {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}
    path.write_bytes(save(copies))


def _read_safetensors(path: Path, shapes: Shapes) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not path.exists():
        return {}
    try:
        found: Mapping[str, Any] = load(path.read_bytes())
    except SafetensorError as error:
        raise PvError(
            f"{path.name} is no safetensors file: {error}",
            exit=Exit.MEND,
            hint="write it with the safetensors library, or answer in APRT",
        ) from error
    return found


def _write_aprt(path: Path, tensors: Mapping[str, Any]) -> None:
    import torch

    path.mkdir()
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32:
            raise PvError(
                f"{name} is {tensor.dtype}: APRT holds float32 alone",
                exit=Exit.MEND,
                hint="exchange safetensors instead",
            )
        data = encode(tensor.numpy(force=True).reshape(-1), WHOLE_MODEL)
        (path / f"{name}.aprt").write_bytes(data.data)


def _read_aprt(path: Path, shapes: Shapes) -> Mapping[str, Any]:
    return {name: _aprt(path / f"{name}.aprt", shape) for name, shape in shapes.items()}


def _aprt(path: Path, shape: list[int]) -> Any:
    import numpy
    import torch

    try:
        _, values = decode(numpy.frombuffer(path.read_bytes(), numpy.uint8))
    except (OSError, ValueError) as error:
        raise PvError(
            f"{path.name} is no APRT file: {error}", exit=Exit.MEND, hint="docs/aprt.md has the layout"
        ) from error
    if values.size != math.prod(shape):
        raise PvError(
            f"{path.name} holds {values.size} numbers; {shape} is needed",
            exit=Exit.MEND,
            hint="write as many as the shape says",
        )
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)


EXCHANGES: Mapping[str, Exchange] = {
    "safetensors": Exchange(".safetensors", _write_safetensors, _read_safetensors, shaped=False),
    "aprt": Exchange("", _write_aprt, _read_aprt, shaped=True),
}
