"""The project: where its root is, what `[tool.pv]` says, and what lies in its folders. Nothing else knows folder names."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pv.assess.freshness import Today
from pv.assess.levels import Assessment, assess
from pv.assess.policy import Policy, Scope
from pv.assess.promises import Key, key_of
from pv.contract.document import Document, read_document
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.contract.quote import nearest
from pv.contract.read import (
    BindingFile,
    ContractFile,
    bindings_of,
    contract_of,
    holds_bindings,
    looks_like_contract,
    read_bindings,
    read_contract,
)
from pv.finding import Exit, Place, PvError
from pv.ledger.promotion import Promotion, read_promotions
from pv.ledger.receipt import Receipt, read_receipts
from pv.ledger.store import add
from pv.level import Level
from pv.source.falsifiers import FalsifierIndex, index_falsifiers
from pv.source.parts import Code
from pv.source.target import find_target

CONTRACTS = "contracts"
BINDING = "contracts/binding.yaml"
FALSIFIERS = "falsifiers"
LEDGER = "ledger"
SHELF = ".pv"
_KEYS = ("source", "scope", "policy")
_SCOPE_KEYS = ("python", "torch", "device", "dtypes", "threads")


class Project:
    """One project, read lazily: every file at most once, nothing before it is asked for."""

    def __init__(self, root: Path, settings: Mapping[str, Any]) -> None:
        self.root = root
        # The root too, and last: the falsifiers lie there.
        self.sources = tuple(dict.fromkeys([*settings.get("source", ["."]), "."]))
        self.scope = Scope(tuple((key, tuple(values)) for key, values in settings.get("scope", {}).items()))
        self.policy = Policy(**settings.get("policy", {}))

    def shown(self, path: Path) -> str:
        """`path` as people write it: relative to the root where it lies inside."""
        resolved = path.resolve()
        inside = resolved.is_relative_to(self.root)
        return (resolved.relative_to(self.root) if inside else path).as_posix()

    @cached_property
    def contract_files(self) -> tuple[ContractFile, ...]:
        """Every contract of the contracts folder, also those that have findings."""
        folder = self.root / CONTRACTS
        return walk(folder, self.shown).contracts if folder.is_dir() else ()

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The contracts that could be read."""
        return tuple(file.contract for file in self.contract_files if file.contract is not None)

    @cached_property
    def binding_file(self) -> BindingFile | None:
        """contracts/binding.yaml, if there is one."""
        path = self.root / BINDING
        return read_bindings(path, BINDING) if path.exists() else None

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """What stands for what."""
        return self.binding_file.bindings if self.binding_file else ()

    @cached_property
    def index(self) -> FalsifierIndex:
        """Every falsifier and fault, found by parsing."""
        return index_falsifiers(self.root, self.root / FALSIFIERS)

    @cached_property
    def today(self) -> Today:
        """Today's digests."""
        return Today(Code(self.root, self.sources), self.index)

    @cached_property
    def receipts(self) -> Mapping[str, tuple[Receipt, ...]]:
        """Receipts of both shelves that can be believed, by the id of their test."""
        found: dict[str, dict[str, Receipt]] = {}
        for folder in (self.root / LEDGER / "receipts", self.root / SHELF / "receipts"):
            for receipt in read_receipts(folder):
                if isinstance(receipt, Receipt):
                    found.setdefault(receipt.test, {}).setdefault(receipt.name, receipt)
        return {test: tuple(receipts.values()) for test, receipts in found.items()}

    @cached_property
    def promotions(self) -> tuple[Promotion, ...]:
        """Promotions that can be believed."""
        return tuple(row for row in read_promotions(self.root / LEDGER / "promotions") if isinstance(row, Promotion))

    def subject(self, contract: Contract, test: FalsificationTest) -> Binding | None:
        """The default subject of the test's equation, or its only one."""
        bound = [
            row
            for row in self.bindings
            if (row.contract, row.equation, row.role) == (contract.name, test.equation, "subject")
        ]
        return next((row for row in bound if row.default), bound[0] if len(bound) == 1 else None)

    def assess(self, contract: Contract, test: FalsificationTest) -> Assessment:
        """The level of `test` on its default subject; without one there is no check."""
        binding = self.subject(contract, test)
        if binding is None:
            none, lacking = Level.NO_CHECK, f"a subject: {test.equation} is not bound in {BINDING}"
            return Assessment(contract.name, test.id, test.equation, "", none, none, (), None, (lacking,))
        receipts = self.receipts.get(test.id, ())
        return assess(contract, test, binding, receipts, self.today, self.scope, self.policy)

    def assessments(self, contracts: Iterable[Contract] | None = None) -> dict[Key, Assessment]:
        """One for each falsification test of `contracts` (default: all)."""
        chosen = self.contracts if contracts is None else contracts
        rows = (self.assess(contract, test) for contract in chosen for test in contract.tests)
        return {key_of(row): row for row in rows}

    def keep(self, receipt: Mapping[str, Any]) -> Path:
        """Put the receipt of a run on the shelf; its file."""
        return add(self.root / SHELF / "receipts" / receipt["test"]["contract"], receipt)

    def subject_place(self, binding: Binding) -> Place | None:
        """Where the bound function is defined; None when it is not found."""
        found = find_target(self.root, self.sources, binding.target)
        return None if found.problem else Place(found.path, found.line)

    def select(self, ids: Sequence[str], contracts: Sequence[str]) -> list[tuple[Contract, FalsificationTest]]:
        """The tests of `contracts` (names or paths; none: all) whose id is one of `ids` or ends in one (none: all).

        Raises PvError with the nearest names when something selects nothing.
        """
        chosen = [self.contract(name) for name in contracts] if contracts else list(self.contracts)
        tests = [(contract, test) for contract in chosen for test in contract.tests]
        if not ids:
            return tests
        wanted = {id_: [pair for pair in tests if matches(pair[1].id, id_)] for id_ in ids}
        for id_, pairs in wanted.items():
            if not pairs:
                raise PvError(
                    f"no falsification test is called {id_!r}", hint=nearest(id_, [test.id for _, test in tests])
                )
        selected = {test.id for pairs in wanted.values() for _, test in pairs}
        return [pair for pair in tests if pair[1].id in selected]

    def contract(self, name: str) -> Contract:
        """The contract called `name`, or the one in the file `name`; raises PvError when there is none."""
        for file in self.contract_files:
            if name in (Path(file.document.path).stem, file.document.path) or self._same(name, file.document.path):
                if file.contract is None:
                    raise PvError(
                        f"{file.document.path} is no valid contract", exit=Exit.MEND, hint=f"pv validate {name}"
                    )
                return file.contract
        if Path(name).is_file():
            return _outside(Path(name))
        names = [Path(file.document.path).stem for file in self.contract_files]
        raise PvError(f"there is no contract {name!r}", hint=nearest(name, names))

    def _same(self, name: str, shown: str) -> bool:
        return Path(name).resolve() == self.root / shown


def find_root(start: Path) -> Path | None:
    """The nearest ancestor of `start` with a `[tool.pv]` table or a contracts/binding.yaml."""
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / BINDING).is_file() or _settings(folder) is not None:
            return folder
    return None


def open_project(start: Path | None = None) -> Project:
    """The project around `start` (default: the working directory); raises PvError when there is none."""
    root = find_root(start or Path.cwd())
    if root is None:
        raise PvError(
            "there is no project here: no pyproject.toml with [tool.pv] and no contracts/binding.yaml in any parent folder",
            hint="run pv in a project, or make one with a contracts/binding.yaml",
        )
    return project_at(root)


def project_at(root: Path) -> Project:
    """The project whose root is known; raises PvError when its settings are wrong."""
    settings = _settings(root) or {}
    _require_settings(settings)
    return Project(root, settings)


def yaml_paths(folder: Path) -> Iterator[Path]:
    """Every .yaml and .yml file below `folder`, in order; hidden folders are not entered."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in (".yaml", ".yml") and not hidden and not path.is_dir():
            yield path


def matches(id_: str, asked: str) -> bool:
    """Whether `asked` is the id or its end: FALSIFY-009 means every id that ends in -009."""
    tail = asked.removeprefix("FALSIFY-")
    return id_ == asked or id_.endswith(f"-{tail}")


def _outside(path: Path) -> Contract:
    file = read_contract(path, path.as_posix())
    if file.contract is None:
        raise PvError(f"{path} is no valid contract", exit=Exit.MEND, hint=f"pv validate {path}")
    return file.contract


def _settings(folder: Path) -> Mapping[str, Any] | None:
    path = folder / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PvError(f"{path} cannot be read: {error}") from error
    settings = table.get("tool", {}).get("pv")
    if settings is not None and not isinstance(settings, dict):
        raise PvError(f"{path}: [tool.pv] must be a table")
    return settings


def _require_settings(settings: Mapping[str, Any]) -> None:
    """Closed, like every format of pv: a misspelt key would otherwise weaken the gate in silence."""
    for key in settings:
        if key not in _KEYS:
            raise PvError(f"[tool.pv] has the unknown key {key!r}", hint=nearest(key, _KEYS))
    if not _is_list_of_text(settings.get("source", [])):
        raise PvError("[tool.pv] source must be a list of folders")
    for key, values in _table(settings, "scope").items():
        if key not in _SCOPE_KEYS or not _is_list_of_text(values):
            raise PvError(
                f"[tool.pv.scope] {key} is not known or no list of text", hint=f"known: {', '.join(_SCOPE_KEYS)}"
            )
    for key, value in _table(settings, "policy").items():
        if key not in ("cases", "stratum") or not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise PvError(f"[tool.pv.policy] {key} = {value!r} is not known or no whole number above 0")


def _table(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = settings.get(name, {})
    if not isinstance(table, dict):
        raise PvError(f"[tool.pv.{name}] must be a table")
    return table


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


@dataclass(frozen=True, slots=True)
class Walked:
    """What an operand of `pv validate` stands for: contracts and bindings to judge, and what was met but is neither."""

    contracts: tuple[ContractFile, ...] = ()
    bindings: tuple[BindingFile, ...] = ()
    skipped: tuple[str, ...] = ()


def walk(operand: Path, shown: Callable[[Path], str] = Path.as_posix) -> Walked:
    """What is at `operand`. A file is judged as a contract whatever it holds, unless it says that it holds bindings.

    In a folder, a YAML file that can be read and names another schema, or none, is skipped; one that cannot be read is judged,
    so that a contract does not drop out by being broken. Raises PvError when the operand is not there.
    """
    if not operand.is_dir():
        return _sort([(operand, read_document(operand, shown(operand)))], named=True)
    return _sort([(path, read_document(path, shown(path))) for path in yaml_paths(operand)], named=False)


def _sort(documents: Iterable[tuple[Path, Document]], *, named: bool) -> Walked:
    contracts, bindings, skipped = [], [], []
    for path, document in documents:
        if holds_bindings(document):
            bindings.append(bindings_of(document))
        elif named or document.findings or looks_like_contract(document):
            contracts.append(contract_of(document, path.stem))
        else:
            skipped.append(document.path)
    return Walked(tuple(contracts), tuple(bindings), tuple(skipped))
