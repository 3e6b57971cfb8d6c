"""APRT as its description has it, by arithmetic on bits: no struct, no view of memory, no byte order but the written one."""

from __future__ import annotations

import torch
from torch import Tensor

BYTES = (0, 8, 16, 24)
"""How far each byte of a word lies above its lowest bit, in the order of the file."""


def byte_format(values: Tensor, layer: int) -> Tensor:
    """The file that holds `values`, [n] float32: [12 + 4n] uint8."""
    if values.dtype != torch.float32 or values.ndim != 1:
        raise ValueError(f"float32 [n] is needed, not {values.dtype} {list(values.shape)}")
    if layer < 0 or layer >= 2**32:
        raise ValueError(f"no u32: {layer}")
    magic = torch.tensor([ord(letter) for letter in "APRT"], dtype=torch.uint8)
    words = torch.tensor([layer, values.numel()], dtype=torch.int64)
    return torch.cat([magic, split(words), split(values.detach().view(torch.int32))])


def reading(file: Tensor) -> tuple[int, Tensor]:
    """The layer and the values, [n] float32, of a file, [12 + 4n] uint8."""
    if file.numel() < 12:
        raise ValueError(f"{file.numel()} bytes are no header")
    if [chr(byte) for byte in file[:4].tolist()] != list("APRT"):
        raise ValueError("no APRT")
    layer, count = joined(file[4:12]).tolist()
    if file.numel() - 12 != 4 * count:
        raise ValueError(f"{count} values in {file.numel()} bytes")
    words = joined(file[12:])
    return layer, torch.where(words < 2**31, words, words - 2**32).to(torch.int32).view(torch.float32)


def split(words: Tensor) -> Tensor:
    """The bytes of [n] words of 32 bits, lowest first: [4n] uint8."""
    return torch.stack([(words >> place) & 0xFF for place in BYTES], dim=1).reshape(-1).to(torch.uint8)


def joined(file: Tensor) -> Tensor:
    """The reverse of `split`: [n] int64 that are not negative."""
    parts = file.to(torch.int64).reshape(-1, 4)
    return sum(
        (parts[:, column] << place for column, place in enumerate(BYTES)), torch.zeros(len(parts), dtype=torch.int64)
    )
