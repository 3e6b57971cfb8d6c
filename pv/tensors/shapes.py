"""The layout of APRT files in a folder that has no manifest, as somebody says it: axes for each stage, sizes for each axis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pv.contract.document import read_document
from pv.contract.quote import nearest
from pv.contract.read import findings_of
from pv.finding import PvError

SHAPES = "pv/shapes-v1"


@dataclass(frozen=True, slots=True)
class Shapes:
    """Axes and shape by stage, in the order of computation; `tokens` are empty where they are not known."""

    axes: dict[str, tuple[str, ...]]
    shapes: dict[str, tuple[int, ...]]
    tokens: tuple[int, ...]


def read_shapes(path: Path) -> Shapes:
    """The shapes map at `path`. Raises PvError, with the place, for one that is not valid or gives an axis no size."""
    document = read_document(path, str(path))
    if findings := findings_of(document, SHAPES):
        raise PvError(f"{findings[0].place}: {findings[0].message}", hint=findings[0].hint)
    value = document.value
    sizes, stages = {letter: int(size) for letter, size in value["sizes"].items()}, value["stages"]  # 5.0 is whole too
    for stage, axes in stages.items():
        for letter in axes:
            if letter not in sizes:
                place = document.place(("stages", stage))
                raise PvError(
                    f"{place}: {stage} has the axis {letter!r}, whose size is not given", hint=nearest(letter, sizes)
                )
    return Shapes(
        {stage: tuple(axes) for stage, axes in stages.items()},
        {stage: tuple(sizes[letter] for letter in axes) for stage, axes in stages.items()},
        tuple(map(int, value.get("tokens", ()))),
    )
