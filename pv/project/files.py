"""The YAML files of a folder, each as what it is to be judged as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pv.contract.document import Document, parse_document, read_bytes
from pv.contract.read import (
    BindingFile,
    ContractFile,
    DataFile,
    begins_as_data,
    bindings_of,
    contract_of,
    data_of,
    data_schema,
    holds_bindings,
    looks_like_contract,
)
from pv.finding import Finding

if TYPE_CHECKING:  # read where a file is met that is written in that dialect
    from pv.contract.predecessor.model import PredecessorFile


def contracts_in(paths: Iterable[Path], shown: Callable[[Path], str] = Path.as_posix) -> tuple[ContractFile, ...]:
    """Every contract in `paths`, which are those of a folder (see `yaml_paths`) or some of them, in order.

    A YAML file that can be read and names another schema, or none, is none; one that cannot be read counts, so that a contract
    does not drop out by being broken.
    """
    found = (_contract_at(path, shown(path)) for path in paths)
    return tuple(file for file in found if file is not None)


def _contract_at(path: Path, shown: str) -> ContractFile | None:
    data = read_bytes(path, shown)
    if isinstance(data, Finding):
        return contract_of(Document(shown, None, (data,)), path.stem)
    if begins_as_data(data):
        return None
    document = parse_document(data, shown)
    if holds_bindings(document) or data_schema(document):  # whose layout is for those to judge who read them
        return None
    file = file_of(path, document, named=False)
    return file if isinstance(file, ContractFile) else None


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
