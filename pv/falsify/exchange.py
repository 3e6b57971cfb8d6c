"""Tensors in the files that another process reads and writes: one safetensors file, or one APRT file a tensor."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pv.finding import Exit, PvError

_APRT = struct.Struct("<4sII")  # magic, layer, how many float32 follow
_WHOLE_MODEL = 0xFFFFFFFF

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
        raise PvError(f"{path.name} is no safetensors file: {error}", exit=Exit.MEND) from error
    return found


def _write_aprt(path: Path, tensors: Mapping[str, Any]) -> None:
    import torch

    path.mkdir()
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32:
            raise PvError(f"{name} is {tensor.dtype}: APRT holds float32 alone", exit=Exit.MEND)
        data = tensor.detach().cpu().contiguous().reshape(-1).numpy().astype("<f4").tobytes()
        (path / f"{name}.aprt").write_bytes(_APRT.pack(b"APRT", _WHOLE_MODEL, tensor.numel()) + data)


def _read_aprt(path: Path, shapes: Shapes) -> Mapping[str, Any]:
    return {name: _aprt(path / f"{name}.aprt", shape) for name, shape in shapes.items()}


def _aprt(path: Path, shape: list[int]) -> Any:
    import numpy
    import torch

    try:
        data = path.read_bytes()
        magic, _, count = _APRT.unpack_from(data)
    except (OSError, struct.error) as error:
        raise PvError(f"{path.name} is no APRT file: {error}", exit=Exit.MEND) from error
    if magic != b"APRT" or len(data) != _APRT.size + 4 * count or count != math.prod(shape):
        seen = f"{magic!r}, {len(data)} bytes, {count} numbers"
        raise PvError(f"{path.name} holds {seen}; APRT for the shape {shape} is needed", exit=Exit.MEND)
    values = numpy.frombuffer(data, "<f4", offset=_APRT.size).astype(numpy.float32)
    return torch.from_numpy(values).reshape(shape)


EXCHANGES: Mapping[str, Exchange] = {
    "safetensors": Exchange(".safetensors", _write_safetensors, _read_safetensors, shaped=False),
    "aprt": Exchange("", _write_aprt, _read_aprt, shaped=True),
}
