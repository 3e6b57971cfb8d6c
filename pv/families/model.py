"""A model family as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Number = int | float


@dataclass(frozen=True, slots=True)
class Kernel:
    """One operation of a forward pass; `contract` and `equation` are empty where nothing holds it to account."""

    op: str
    kernel: str
    contract: str = ""
    equation: str = ""


@dataclass(frozen=True, slots=True)
class TensorRow:
    """What the tensors called one of `names` are for; `shape` names sizes, outermost first, empty where it is not known."""

    role: str
    names: tuple[str, ...]
    shape: tuple[str, ...] = ()
    purpose: str = ""

    @property
    def text(self) -> str:
        """Role and purpose in one line."""
        return f"{self.role}: {self.purpose}" if self.purpose else self.role


@dataclass(frozen=True, slots=True)
class Variant:
    """The numbers of one model of a family; one that is not known is not there."""

    name: str
    source: str
    sizes: Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of one family have in common. `config` maps sizes to keys of a config.json;
    `heads_share_hidden` says that head_dim is hidden_size / heads where nothing else is said."""

    name: str
    display_name: str
    path: str
    aliases: tuple[str, ...]
    architectures: tuple[str, ...]
    sources: Mapping[str, str]
    config: Mapping[str, str]
    gguf: str
    heads_share_hidden: bool
    constraints: Mapping[str, str | bool]
    constraints_source: str
    variants: tuple[Variant, ...]
    kernels: tuple[Kernel, ...]
    tensors: tuple[TensorRow, ...]
    by_name: Mapping[str, TensorRow]

    @property
    def default(self) -> Mapping[str, Number]:
        """The sizes of its first variant; empty where none is known."""
        return self.variants[0].sizes if self.variants else {}
