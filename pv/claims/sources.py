"""What the sources of claims give, of those that need no evidence: constants, data files, counts, tensors, recordings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pv.claims.data import data_value
from pv.contract.model import Constant, Contract, Count, DataValue, Parameters
from pv.finding import Place, PvError
from pv.source.constants import Folded, Unfolded, fold_constant
from pv.source.files import leaves, project_file

ALL = "all"
_MOST = 100_000  # files that a pattern may name

Plain = Constant | DataValue | Count | Parameters


def plain_value(root: Path, source: Plain, sources: Sequence[str], contracts: Iterable[Contract]) -> Folded | Unfolded:
    """What `source` gives; `sources` are the folders that imports are looked up in."""
    match source:
        case Constant(path, name):
            return fold_constant(root, path, name, sources=sources)
        case DataValue():
            return data_value(root, source)
        case Parameters(path):
            return _parameters(root, path)
        case Count("files", pattern):
            return _files(root, pattern)
        case Count(what, which):
            return _counted(what, which, list(contracts))


def matching(root: Path, pattern: str) -> list[str] | Unfolded:
    """The files of the project that `pattern` names, relative to its root, sorted; what git or pv keeps is none of them."""
    if leaves(root, pattern.replace("*", "_").replace("?", "_")):
        return Unfolded(f"the pattern {pattern!r} leads out of the project", hint="write it relative to the root")
    try:
        found = []
        for path in root.glob(pattern):
            parts = path.relative_to(root).parts
            if path.is_file() and not {".git", ".pv", "__pycache__"} & {*parts} and not leaves(root, "/".join(parts)):
                found.append("/".join(parts))
            if len(found) > _MOST:
                return Unfolded(f"the pattern {pattern!r} names more than {_MOST:,} files", hint="narrow it")
    except (OSError, ValueError, NotImplementedError) as problem:
        return Unfolded(f"{pattern!r} is no pattern: {problem}", hint="write docs/*.md, or docs/**/*.md")
    return sorted(set(found))


def _files(root: Path, pattern: str) -> Folded | Unfolded:
    found = matching(root, pattern)
    return found if isinstance(found, Unfolded) else Folded(len(found), Place(pattern))


def _counted(what: str, which: str, contracts: Sequence[Contract]) -> Folded | Unfolded:
    if what == "contracts":
        return Folded(len(contracts), Place("contracts"))
    chosen = [contract for contract in contracts if which in (ALL, contract.name)]
    if not chosen:
        known = ", ".join(contract.name for contract in contracts[:5])
        return Unfolded(f"there is no contract {which!r}", hint=f"known are {known}, and {ALL}")
    place = chosen[0].place if which != ALL else Place("contracts")
    return Folded(sum(len(contract.tests) for contract in chosen), place)


def _parameters(root: Path, path: str) -> Folded | Unfolded:
    from pv.checkpoints.read import read_checkpoint

    if leaves(root, path) or project_file(root, path) is None:
        return Unfolded(f"there is no file {path!r}", hint="name a file of tensors of the project")
    try:
        return Folded(read_checkpoint(root / path).parameters, Place(path))
    except PvError as problem:
        return Unfolded(problem.message, hint=problem.hint)
