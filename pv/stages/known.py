"""Which map fits a model: one known here for its class and its library's version, or one made of its own modules."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from pv.finding import Exit, PvError
from pv.stages.generic import generic_map
from pv.stages.map import Library, StageMap
from pv.stages.read import read_stage_maps


def map_of(model: Any, root: Path | None = None) -> StageMap:
    """The map of the class of `model`, of the project at `root` or of those that come with pv; else one of its own modules.

    Raises PvError (`Exit.RUN`) where its class has a map that does not fit the version of the library installed.
    """
    bases = type(model).__mro__
    maps = [row for row in read_stage_maps(root) if any(_is_of(row.library, base) for base in bases)]
    found = find_map(maps, [base.__name__ for base in bases])
    if found is None:
        return generic_map(model)
    require_version(found)
    return found


def _is_of(library: Library | None, base: type) -> bool:
    """Whether `base` is the class of `library`, and not somebody's own that is called so."""
    root = base.__module__.partition(".")[0]
    if library is None or base.__name__ != library.class_name:
        return False
    return root == library.name.replace("-", "_") or library.name in packages_distributions().get(root, ())


def find_map(maps: Sequence[StageMap], classes: Sequence[str]) -> StageMap | None:
    """The map whose models are of the first of `classes` that any is about."""
    by_class = {stage_map.library.class_name: stage_map for stage_map in maps if stage_map.library}
    return next((by_class[name] for name in classes if name in by_class), None)


def require_version(stage_map: StageMap) -> None:
    """Raises PvError (`Exit.RUN`) where the library of `stage_map` is not installed, or in a version that it does not fit."""
    library = stage_map.library
    if library is None:
        return
    try:
        installed = version(library.name)
    except PackageNotFoundError:
        hint = f"pip install '{library.name}{library.versions}'"
        raise PvError(
            f"{stage_map.path} needs {library.name}, which is not installed", exit=Exit.RUN, hint=hint
        ) from None
    from packaging.specifiers import SpecifierSet

    if not SpecifierSet(library.versions).contains(installed, prereleases=True):
        seen = f"{stage_map.path} fits {library.name} {library.versions}, and {installed} is installed"
        hint = f"pip install '{library.name}{library.versions}', or write a map for {installed}"
        raise PvError(seen, exit=Exit.RUN, hint=hint)
