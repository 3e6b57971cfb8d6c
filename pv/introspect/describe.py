"""A model as its header describes it; nothing is run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pv.families.find import family_of_tensors, known_family
from pv.families.model import Family
from pv.families.readings import odds, readings
from pv.families.roles import Role, role_of
from pv.families.sizes import Size, disagreements, sizes_of

if TYPE_CHECKING:
    from pv.checkpoints import Checkpoint


_NOTES = 20
"""As many are told; a file of another layout differs in every tensor."""


class Named(NamedTuple):
    """A tensor by name, shape (outermost first) and dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Described:
    """What a model says of itself. `family` is None where none is recognised; `because` is how it was, or was not.

    `notes` say where two places disagree, `readings` what the sizes mean. `path` is None for a fresh model.
    """

    name: str
    format: str
    path: Path | None
    family: Family | None
    because: str
    sizes: Mapping[str, Size]
    tensors: tuple[Named, ...]
    notes: tuple[str, ...]
    readings: tuple[tuple[str, str], ...] = ()

    @property
    def parameters(self) -> int:
        """How many numbers its tensors hold."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors)


def describe_checkpoint(name: str, checkpoint: Checkpoint, families: Sequence[Family]) -> Described:
    """The model whose header is `checkpoint`."""
    tensors = tuple(Named(row.name, tuple(row.shape), str(row.dtype)) for row in checkpoint.tensors)
    config, metadata = checkpoint.config or {}, checkpoint.metadata or {}
    family, because = _family(families, [row.name for row in tensors], config, metadata)
    return _described(name, (checkpoint.format, checkpoint.path), family, because, tensors, config, metadata)


def describe_weights(name: str, family: Family, tensors: Iterable[Named]) -> Described:
    """A fresh model of `family` with these weights."""
    return _described(name, ("fresh", None), family, "as [tool.pv.models] says", tuple(tensors), {}, {})


def roles_in(described: Described, families: Sequence[Family]) -> Iterator[tuple[Named, Role | None]]:
    """Every tensor with its role: in the model's family, or, where that is not known, in one that knows the name."""
    for tensor in described.tensors:
        if described.family is not None:
            yield tensor, role_of(described.family, tensor.name)
        else:
            yield tensor, next(filter(None, (role_of(family, tensor.name) for family in families)), None)


def _described(
    name: str,
    source: tuple[str, Path | None],
    family: Family | None,
    because: str,
    tensors: tuple[Named, ...],
    config: Mapping[str, Any],
    metadata: Mapping[str, Any],
) -> Described:
    shapes = {tensor.name: tensor.shape for tensor in tensors}
    sizes = sizes_of(family, shapes, config, metadata)
    if family is None:
        return Described(name, *source, None, because, sizes, tensors, ())
    notes = [*odds(family, config), *disagreements(family, shapes, config, metadata)]
    if len(notes) > _NOTES:
        notes[_NOTES:] = [f"and {len(notes) - _NOTES:,} more of that kind"]
    return Described(name, *source, family, because, sizes, tensors, tuple(notes), tuple(readings(family, sizes)))


def _family(
    families: Sequence[Family], names: Sequence[str], config: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[Family | None, str]:
    """The family a model says it is of, by the first place that says so; else the one that knows all of its tensors."""
    said = [
        ("model_type of config.json", config.get("model_type")),
        *(("architectures of config.json", item) for item in _list(config.get("architectures"))),
        ("general.architecture", metadata.get("general.architecture")),
        *(
            (f"{key} of the metadata", metadata.get(key))
            for key in ("hf_architecture", "hf_model_type", "architecture")
        ),
    ]
    words = [(where, word) for where, word in said if isinstance(word, str) and word]
    for where, word in words:
        found = known_family(families, word)
        if found is not None:
            return found, f"{where} is {word!r}"
    if words:
        return None, f"{words[0][0]} is {words[0][1]!r}, which no family is called"
    by_tensors = family_of_tensors(families, names)
    return by_tensors, "by the names of its tensors" if by_tensors else "nothing in it names a family"


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
