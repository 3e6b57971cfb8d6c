"""The formats that can be read: one module each, which registers how a file of it begins."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from pv.checkpoints.bounded import Source
from pv.checkpoints.model import Checkpoint

Reader = Callable[[Source], Checkpoint]

# How a file begins: the module whose `read` reads it. A format is added by its row and its module.
MAGICS: Mapping[bytes, str] = {
    b"GGUF": "pv.checkpoints.gguf",
    b"APR\0": "pv.checkpoints.apr",
    b"APRN": "pv.checkpoints.apr",
    b"APR1": "pv.checkpoints.apr",
    b"APR2": "pv.checkpoints.apr",
}
_OTHERS: Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive, as torch.save writes: loading one may run code of whoever wrote it",
    b"\x80\x02": "a pickle, as torch.save wrote before 1.6: loading one runs code of whoever wrote it",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUM": "a numpy array",
    b"APRT": "an APRT file: the values of one stage, not a model",
    b"version http": "a git-lfs pointer, it seems: git lfs pull fetches the file itself",
}


def reader_of(source: Source) -> Reader:
    """What reads the file, by how it begins. Raises PvError for a file of no format that is known."""
    start = source.read(0, min(16, source.size), "the file's beginning")
    if module := MAGICS.get(start[:4]):
        return _reader(module)
    for magic, what in _OTHERS.items():
        if start.startswith(magic):
            raise source.refuse(f"this is {what}", hint="pv reads safetensors, GGUF and APR v2")
    if len(start) > 8 and start[8:9] == b"{":  # safetensors has no magic: a length, then JSON
        return _reader("pv.checkpoints.safetensors")
    seen = f"it begins with {start[:12]!r}" if start else "it is empty"
    raise source.refuse(f"this is no safetensors, GGUF or APR file: {seen}")


def _reader(module: str) -> Reader:
    read: Reader = importlib.import_module(module).read
    return read
