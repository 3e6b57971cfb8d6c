"""A baseline against what was found: what is known is left out, what is mended must leave the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pv.finding import Finding, PvError
from pv.project import find_root
from pv.rules.baseline import Known, baseline_text, fingerprints, known_of, mended, outdated, read_baseline
from pv.rules.config import Selection
from pv.validate.lines import Lines
from pv.write import write_whole


class Portable:
    """Paths as every checkout calls them: relative to the project's root, or to the working directory."""

    def __init__(self) -> None:
        self._bases: dict[Path, Path] = {}

    def of(self, path: str) -> str:
        """The portable name of a path as it was shown."""
        here = Path.cwd() / path
        folder = here.parent
        if folder not in self._bases:
            self._bases[folder] = find_root(folder) or Path.cwd()
        resolved, base = here.resolve(), self._bases[folder]
        return resolved.relative_to(base).as_posix() if resolved.is_relative_to(base) else Path(path).as_posix()


@dataclass(frozen=True, slots=True)
class Judged:
    """What this run could have found: in which files (portable names), by which rules, and whether in whole projects."""

    paths: Collection[str]
    selection: Selection
    whole: bool

    def __call__(self, row: Known) -> bool:
        """Whether `row` would have been found again if it were still there."""
        if not self.selection.admits(row.code):
            return False
        return row.path in self.paths or not Path(row.path).exists() or (self.whole and row.path.endswith(".py"))


def name_all(findings: Sequence[Finding], lines: Lines, portable: Portable) -> list[str]:
    """The fingerprint of each finding."""
    return fingerprints(findings, lines.of, portable.of)


def leave_out_known(
    findings: Sequence[Finding],
    names: Sequence[str],
    path: Path,
    path_of: Callable[[str], str],
    judged: Judged,
    *,
    update: bool,
) -> tuple[list[Finding], int]:
    """The findings that the baseline at `path` does not list, PV192 if it lists mended ones, and how many were left out.

    With `update`, mended ones are taken out of the file; a file that is not there is written with all of them.
    Raises PvError when the file cannot be read or written, or is no baseline.
    """
    present = known_of(findings, names, path_of)
    known = _read(path, update=update)
    if known is None:
        known = tuple(present.values())
        _write(path, known)
    gone = mended(known, present, judged)
    if update and gone:
        _write(path, tuple(row for row in known if row not in gone))
    listed = {row.fingerprint for row in known} & present.keys()
    left = [finding for finding, name in zip(findings, names, strict=True) if name not in listed]
    return left + ([] if update else outdated(gone, path.as_posix())), len(findings) - len(left)


def _read(path: Path, *, update: bool) -> tuple[Known, ...] | None:
    try:
        return read_baseline(path.read_bytes(), path.as_posix())
    except FileNotFoundError as error:
        if update:
            return None
        raise PvError(f"there is no baseline {path}", hint="--update-baseline writes one") from error
    except OSError as error:
        raise PvError(
            f"{path} cannot be read: {error.strerror}", hint="see that it is there, and that you may read it"
        ) from error


def _write(path: Path, known: Sequence[Known]) -> None:
    try:
        write_whole(path, baseline_text(known).encode())
    except OSError as error:
        raise PvError(
            f"{path} cannot be written: {error.strerror}",
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error
