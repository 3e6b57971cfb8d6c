"""What a contract offers to the others of its folder and what it wants of them; plain values, for they travel as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from pv.contract.document import Document
from pv.contract.read import ContractFile

if TYPE_CHECKING:
    from pv.contract.predecessor.model import PredecessorFile

Mark = tuple[str, int, int]
"""A name and where it stands: line and column."""


class Links(NamedTuple):
    """One file of a folder. `tests` are those known by their id alone; `bindings` are (contract, equation, line, column).

    `contract` is false of a binding registry or a model family, `read` of a contract that could not be read.
    """

    name: str
    equations: tuple[str, ...] = ()
    depends_on: tuple[Mark, ...] = ()
    tests: tuple[Mark, ...] = ()
    bindings: tuple[tuple[str, str, int, int], ...] = ()
    contract: bool = True
    read: bool = True


def links_from(row: Any) -> Links:
    """What became a list of lists in JSON."""
    name, equations, *lists, contract, read = row
    depends_on, tests, bindings = (tuple(map(tuple, marks)) for marks in lists)
    return Links(name, tuple(equations), depends_on, tests, bindings, contract, read)


def links_of(file: ContractFile | PredecessorFile, name: str) -> Links:
    """What `file`, whose stem is `name`, has to do with its folder."""
    document = file.document
    if not isinstance(file, ContractFile) and file.layout != "contract":
        return Links(name, bindings=tuple(_bindings(file)), contract=False)
    if file.contract is None:
        return Links(name, read=False)
    depends = document.value["metadata"].get("depends_on", ())
    marked = tuple(_mark(document, stem, ("metadata", "depends_on", i)) for i, stem in enumerate(depends))
    if isinstance(file, ContractFile):
        return Links(name, tuple(equation.name for equation in file.contract.equations), marked)
    tests = tuple(_mark(document, item.text("id"), (*item.at, "id")) for item in file.contract.tests)
    return Links(name, tuple(file.contract.equations), marked, tests)


def _mark(document: Document, name: str, at: tuple[str | int, ...]) -> Mark:
    place = document.place(at)
    return name, place.line, place.column


def _bindings(file: PredecessorFile) -> Iterator[tuple[str, str, int, int]]:
    if file.layout == "binding" and not file.findings:
        for i, row in enumerate(file.document.value["bindings"]):
            _, line, column = _mark(file.document, "", ("bindings", i))
            yield row["contract"], row["equation"], line, column
