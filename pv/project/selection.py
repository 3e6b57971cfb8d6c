"""The contracts and falsification tests that somebody names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pv.contract.document import read_document
from pv.contract.model import Contract, FalsificationTest
from pv.contract.quote import nearest
from pv.contract.read import BindingFile, ContractFile, DataFile
from pv.finding import Exit, PvError
from pv.project.files import file_of

Pair = tuple[Contract, FalsificationTest]


def with_ids(tests: Sequence[Pair], ids: Sequence[str]) -> list[Pair]:
    """Those of `tests` whose id is one of `ids` or ends in one (none: all).

    Raises PvError with the nearest names when something selects nothing.
    """
    if not ids:
        return list(tests)
    wanted = {id_: [pair for pair in tests if matches(pair[1].id, id_)] for id_ in ids}
    for id_, pairs in wanted.items():
        if not pairs:
            raise PvError(f"no falsification test is called {id_!r}", hint=nearest(id_, [test.id for _, test in tests]))
    selected = {test.id for pairs in wanted.values() for _, test in pairs}
    return [pair for pair in tests if pair[1].id in selected]


def matches(id_: str, asked: str) -> bool:
    """Whether `asked` is the id or its end: FALSIFY-009 means every id that ends in -009."""
    tail = asked.removeprefix("FALSIFY-")
    return id_ == asked or id_.endswith(f"-{tail}")


def contract_called(name: str, root: Path, files: Iterable[ContractFile]) -> Contract:
    """The contract called `name` among `files` of the project at `root`, or the one in the file `name`.

    Raises PvError when there is none.
    """
    known = list(files)
    for file in known:
        shown = file.document.path
        if name in (Path(shown).stem, shown) or Path(name).resolve() == root / shown:
            if file.contract is None:
                raise PvError(f"{shown} is no valid contract", exit=Exit.MEND, hint=f"pv validate {name}")
            return file.contract
    if Path(name).is_file():
        return _outside(Path(name))
    raise PvError(
        f"there is no contract {name!r}", hint=nearest(name, [Path(file.document.path).stem for file in known])
    )


def _outside(path: Path) -> Contract:
    """The contract in a file that is none of the project's contracts."""
    match file_of(path, read_document(path, path.as_posix()), named=True):
        case ContractFile(contract=None):
            raise PvError(f"{path} is no valid contract", exit=Exit.MEND, hint=f"pv validate {path}")
        case ContractFile(contract=Contract() as contract):
            return contract
        case BindingFile():
            raise PvError(f"{path} holds bindings, and no contract", hint="name the contract they are about")
        case DataFile():
            raise PvError(f"{path} holds data, and no contract", hint="name the contract that refers to it")
    raise PvError(f"{path} is a contract of the predecessor", hint=f"pv import {path}")
