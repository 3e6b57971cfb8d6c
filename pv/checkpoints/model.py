"""What a file of tensors holds, as far as its header tells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor: `shape` outermost first, `offset` in bytes from the start of `file`, `size` in bytes.

    `dtype` is the name its format has for it: F32, BF16, Q4_K … What is in no file (a model made a moment ago) has its
    values in `held`, a numpy array, and no `file`. Where `opaque` says what they are (LZ4,
    ENCRYPTED), its bytes are no values.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path | None
    offset: int
    size: int
    held: Any = field(default=None, repr=False, compare=False)
    opaque: str = ""

    @property
    def count(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Array:
    """An array among the metadata: the type of its items, how many there are, and the first of them."""

    type: str
    count: int
    head: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file, or a folder of files, of tensors.

    `metadata` is what its own header says, `config` what a config.json beside it says, `facts` are what only its format
    has, as (name, text). `problems` are why it is not to be believed although it could be read: a wrong checksum.
    """

    path: Path
    format: str
    size: int
    metadata: Mapping[str, Any]
    tensors: tuple[TensorEntry, ...]
    facts: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """How many elements all tensors have together."""
        return sum(entry.count for entry in self.tensors)
