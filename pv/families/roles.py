"""What a tensor is for, by its name: whole parts of the names that the families list, never pieces of a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pv.families.model import Family, TensorRow

LAYER = "{layer}"
_SAYS_NOTHING = frozenset(("weight", "bias", LAYER))


@dataclass(frozen=True, slots=True)
class Role:
    """What a name stands for in one family; `layer` is None for a tensor of the whole model, or where none was named."""

    family: Family
    row: TensorRow
    layer: int | None = None


def role_of(family: Family, name: str) -> Role | None:
    """The role of the tensor called exactly `name` in `family`."""
    row = family.by_name.get(name)
    if row is not None:
        return Role(family, row)
    parts = name.split(".")
    at = next((index for index, part in enumerate(parts) if _is_layer(part)), None)
    if at is None:
        return None
    row = family.by_name.get(".".join((*parts[:at], LAYER, *parts[at + 1 :])))
    return None if row is None else Role(family, row, int(parts[at]))


def roles_like(families: Iterable[Family], name: str) -> Iterator[Role]:
    """The roles of tensors whose name is `name`, or holds it as whole parts: `q_proj`, `attn_output.weight`."""
    asked = name.split(".")
    for family in families:
        exact = role_of(family, name)
        if exact:
            yield exact
        else:
            yield from (Role(family, row) for row in family.tensors if any(_holds(n, asked) for n in row.names))


def known_parts(families: Iterable[Family]) -> list[str]:
    """Everything a tensor may be asked for by: whole names, and parts that are more than a number or `weight`."""
    names = dict.fromkeys(name for family in families for row in family.tensors for name in row.names)
    parts = dict.fromkeys(part for name in names for part in name.split(".") if part not in _SAYS_NOTHING)
    return [*parts, *names]


def _is_layer(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 7


def ends_in(name: str, asked: str) -> bool:
    """Whether the whole parts of `asked` end the tensor's name; `weight` need not be said."""
    return _holds(name, asked.split("."))


def _holds(template: str, asked: Sequence[str]) -> bool:
    parts = template.split(".")
    ends = [parts, parts[:-1]] if parts[-1] == "weight" else [parts]
    return any(_ends(end, asked) for end in ends)


def _ends(parts: Sequence[str], asked: Sequence[str]) -> bool:
    tail = parts[len(parts) - len(asked) :]
    return (
        len(asked) <= len(parts)
        and not _SAYS_NOTHING.issuperset(tail)
        and all(one == other or (one == LAYER and _is_layer(other)) for one, other in zip(tail, asked, strict=True))
    )
