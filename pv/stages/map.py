"""A stage map: the stages of a model's forward pass as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pv.contract.document import read_document
from pv.contract.quote import nearest
from pv.contract.read import findings_of
from pv.finding import Exit, PvError
from pv.root import STAGES

STAGE_MAP = "pv/stages-v1"


@dataclass(frozen=True, slots=True)
class Stage:
    """One application of an operation. `hook` is the row of the map that says where its result is seen."""

    name: str
    part: str
    axes: tuple[str, ...]
    hook: Mapping[str, str]
    about: str = ""
    formula: str = ""
    contract: str = ""
    equation: str = ""
    inputs: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    per_head: bool = False


@dataclass(frozen=True, slots=True)
class StageMap:
    """The stages of the models of one family, in the order of computation; `axes` says what their letters stand for."""

    family: str
    path: str
    axes: Mapping[str, str]
    stages: tuple[Stage, ...]

    def choose(self, names: Iterable[str]) -> tuple[Stage, ...]:
        """The stages called `names`, in the order of the map; raises PvError with the nearest name for one it has not."""
        wanted, known = set(names), [stage.name for stage in self.stages]
        for name in wanted.difference(known):
            raise PvError(f"there is no stage {name!r} in {self.path}", hint=nearest(name, known))
        return tuple(stage for stage in self.stages if stage.name in wanted)


def read_stage_map(root: Path, family: str) -> StageMap | None:
    """The map of `family` in the project at `root`; None where it has none. Raises PvError for one that is not valid."""
    shown = f"{STAGES}/{family}.yaml"
    path = root / shown
    if not path.exists():
        return None
    document = read_document(path, shown)
    found = findings_of(document, STAGE_MAP)
    if found:
        raise PvError(f"{found[0].place}: {found[0].message}", exit=Exit.MEND, hint=f"pv validate {shown}")
    value = document.value
    stage_map = StageMap(value["family"], shown, value["axes"], tuple(_stage(row) for row in value["stages"]))
    _require_whole(stage_map)
    return stage_map


def _stage(row: Any) -> Stage:
    return Stage(
        name=row["stage"],
        part=row["part"],
        axes=tuple(row["axes"]),
        hook={key: value for key, value in row["hook"].items() if not key.startswith("x-")},
        about=row.get("about", ""),
        formula=row.get("formula", ""),
        contract=row.get("contract", ""),
        equation=row.get("equation", ""),
        inputs=tuple(row.get("inputs", ())),
        weights=tuple(row.get("weights", ())),
        per_head=row.get("per_head", False),
    )


def _require_whole(stage_map: StageMap) -> None:
    """What a schema cannot say: names are given once, and before they are used."""
    seen = {"tokens"}
    for stage in stage_map.stages:
        where = f"{stage_map.path}: stage {stage.name!r}"
        if stage.name in seen:
            raise PvError(f"{where} is there twice", exit=Exit.MEND)
        for name in stage.inputs:
            if name not in seen:
                raise PvError(f"{where} has the input {name!r}, which no stage above it is", exit=Exit.MEND)
        for letter in stage.axes:
            if letter not in stage_map.axes:
                raise PvError(f"{where} has the axis {letter!r}, which `axes` does not explain", exit=Exit.MEND)
        seen.add(stage.name)
