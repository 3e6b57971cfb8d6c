"""Stage maps from their files: those of the project, and those that come with pv."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pv.contract.document import read_document
from pv.contract.read import findings_of
from pv.finding import Exit, PvError
from pv.root import STAGES
from pv.stages.map import BATCH, RESIDUAL, TOKENS, Library, Stage, StageMap

STAGE_MAP = "pv/stages-v1"


def read_stage_map(root: Path | None, family: str) -> StageMap | None:
    """The map of `family`: of the project at `root`, or else the one that comes with pv; None where there is neither.

    Raises PvError (`Exit.MEND`) for one that is not valid.
    """
    shown = f"{STAGES}/{family}.yaml"
    for folder in _folders(root):
        path = folder / f"{family}.yaml"
        if path.is_file():
            return _read(path, shown)
    return None


def read_stage_maps(root: Path | None) -> tuple[StageMap, ...]:
    """Every map that is known here, by family."""
    families = sorted({path.stem for folder in _folders(root) for path in folder.glob("*.yaml")})
    return tuple(found for family in families if (found := read_stage_map(root, family)) is not None)


def read_map_file(path: Path) -> StageMap:
    """The map in the file at `path`. Raises PvError (`Exit.MEND`) for one that is not valid."""
    if not path.is_file():
        raise PvError(f"there is no stage map {path}", hint="name a file like those in contracts/stages")
    return _read(path, path.as_posix())


def _folders(root: Path | None) -> Iterator[Path]:
    """The project's own first; then those of a wheel, or of the checkout that pv runs from."""
    if root is not None:
        yield root / STAGES
    package = Path(__file__).resolve().parents[1]
    shipped = package / STAGES
    yield shipped if shipped.is_dir() else package.parent / STAGES


def _read(path: Path, shown: str) -> StageMap:
    document = read_document(path, shown)
    found = findings_of(document, STAGE_MAP)
    if found:
        raise PvError(f"{found[0].place}: {found[0].message}", exit=Exit.MEND, hint=f"pv validate {shown}")
    stage_map = stage_map_of(document.value, shown)
    _require_whole(stage_map)
    return stage_map


def stage_map_of(value: Any, shown: str) -> StageMap:
    """The map that a valid document called `shown` holds."""
    library, residual = value.get("library"), value.get("residual")
    return StageMap(
        family=value["family"],
        path=shown,
        axes=value["axes"],
        stages=tuple(_stage(row) for row in value["stages"]),
        layers=value.get("layers", ""),
        parameters=value.get("parameters", {}),
        residual=(residual["first"], residual["then"]) if residual else None,
        aliases=value.get("aliases", {}),
        library=Library(library["name"], library["versions"], library["class"]) if library else None,
    )


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
        scope=row.get("scope", "layer"),
        seen=tuple(row.get("seen", ())),
        inputs=tuple((name,) if isinstance(name, str) else tuple(name) for name in row.get("inputs", ())),
        weights=tuple(row.get("weights", ())),
        operation=row.get("operation", ""),
        options=row.get("with", {}),
        when=row.get("when", ""),
        attention=row.get("attention", ""),
        per_head=row.get("per_head", False),
    )


def _require_whole(stage_map: StageMap) -> None:
    """What a schema cannot say: names are given once, and before they are used."""
    seen = {TOKENS, RESIDUAL} if stage_map.residual else {TOKENS}
    for stage in stage_map.stages:
        problem = _problem(stage_map, stage, seen)
        if problem:
            raise PvError(
                f"{stage_map.path}: stage {stage.name!r} {problem}", exit=Exit.MEND, hint="mend the stage map"
            )
        seen.add(stage.name)
    for name in (*stage_map.aliases.values(), *(stage_map.residual or ())):
        if name not in seen:
            raise PvError(
                f"{stage_map.path} speaks of {name!r}, which is no stage of it",
                exit=Exit.MEND,
                hint="mend the stage map",
            )


def _problem(stage_map: StageMap, stage: Stage, seen: set[str]) -> str:
    """What is wrong with `stage` below those `seen`; "" where nothing is."""
    if stage.name in seen or stage.name in stage_map.aliases:
        return "is there twice"
    for name in (name for names in stage.inputs for name in names):
        if name not in seen:
            return f"has the input {name!r}, which no stage above it is"
    for letter in stage.axes:
        if letter not in stage_map.axes:
            return f"has the axis {letter!r}, which `axes` does not explain"
    if stage.seen and sorted(stage.seen) != sorted((*stage.axes, *(BATCH for _ in range(BATCH in stage.seen)))):
        return f"is seen as {list(stage.seen)}, which is no order of {list(stage.axes)} with or without a batch"
    for option in stage.options.values():
        if isinstance(option, str) and option not in stage_map.parameters:
            return f"is told the parameter {option!r}, which `parameters` does not have"
    return ""
