"""The YAML files of a folder, each as what it is to be judged as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pv.contract.document import Document, read_document
from pv.contract.read import (
    BindingFile,
    ContractFile,
    DataFile,
    bindings_of,
    contract_of,
    data_of,
    holds_bindings,
    looks_like_contract,
)

if TYPE_CHECKING:  # read where a file is met that is written in that dialect
    from pv.contract.predecessor.model import PredecessorFile


@dataclass(frozen=True, slots=True)
class Walked:
    """What an operand of `pv validate` stands for: files to judge in either dialect, and what was met but is none of them."""

    contracts: tuple[ContractFile, ...] = ()
    bindings: tuple[BindingFile, ...] = ()
    predecessors: tuple[PredecessorFile, ...] = ()
    skipped: tuple[str, ...] = ()


def walk(operand: Path, shown: Callable[[Path], str] = Path.as_posix) -> Walked:
    """What is at `operand`. A file is judged as a contract whatever it holds, unless what it holds is known to be another kind.

    In a folder, a YAML file that can be read and names another schema, or none, is skipped; one that cannot be read is judged,
    so that a contract does not drop out by being broken. Raises PvError when the operand is not there.
    """
    if not operand.is_dir():
        return _sort([(operand, read_document(operand, shown(operand)))], named=True)
    return walk_files(yaml_paths(operand), shown)


def walk_files(paths: Iterable[Path], shown: Callable[[Path], str] = Path.as_posix) -> Walked:
    """What is in `paths`, some of a folder's `yaml_paths`, as `walk` finds it there."""
    return _sort([(path, read_document(path, shown(path))) for path in paths], named=False)


def _sort(documents: Iterable[tuple[Path, Document]], *, named: bool) -> Walked:
    contracts, bindings, predecessors, skipped = [], [], [], []
    for path, document in documents:
        match file_of(path, document, named=named):
            case BindingFile() as file:
                bindings.append(file)
            case ContractFile() as file:
                contracts.append(file)
            case None | DataFile():
                skipped.append(document.path)
            case file:
                predecessors.append(file)
    return Walked(tuple(contracts), tuple(bindings), tuple(predecessors), tuple(skipped))


def file_of(
    path: Path, document: Document, *, named: bool
) -> ContractFile | BindingFile | DataFile | PredecessorFile | None:
    """What `document` is to be judged as; None for what a walk skips. `named`: the user gave this very file."""
    if holds_bindings(document):
        return bindings_of(document)
    if looks_like_contract(document):
        return contract_of(document, path.stem)
    if (data := data_of(document)) is not None:
        return data
    from pv.contract.predecessor.read import predecessor_of

    predecessor = predecessor_of(document, path.stem)
    if predecessor is None and (named or document.findings):
        return contract_of(document, path.stem)
    return predecessor


def yaml_paths(folder: Path) -> Iterator[Path]:
    """Every .yaml and .yml file below `folder`, in order; hidden folders are not entered."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in (".yaml", ".yml") and not hidden and not path.is_dir():
            yield path
