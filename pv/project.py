"""The project: what `[tool.pv]` says, and what lies in its folders."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.collector import collector_paused
from pv.contract.document import Document, read_document
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.contract.quote import nearest
from pv.contract.read import (
    BindingFile,
    ContractFile,
    DataFile,
    bindings_of,
    contract_of,
    data_of,
    holds_bindings,
    looks_like_contract,
    read_bindings,
    read_contract,
)
from pv.finding import Exit, Finding, Place, PvError
from pv.level import Level
from pv.models import NamedModel, read_models
from pv.root import BINDING, CONTRACTS, FALSIFIERS, INDEX, LEDGER, SHELF, find_root, read_settings

if TYPE_CHECKING:  # `pv validate` asks for evidence only where a contract promises a level: imported where it is used
    from pv.assess.freshness import Today
    from pv.assess.levels import Assessment
    from pv.assess.policy import Policy, Scope
    from pv.assess.promises import Key
    from pv.assess.shares import Share
    from pv.assess.subjects import Subjects
    from pv.assess.waivers import Excusing
    from pv.contract.predecessor.model import PredecessorFile
    from pv.families.model import Family
    from pv.ledger.cited import Cited
    from pv.ledger.promotion import Promise, Promotion
    from pv.ledger.receipt import Receipt
    from pv.ledger.release import Release
    from pv.ledger.retraction import Retraction
    from pv.ledger.store import Stored
    from pv.ledger.waiver import Waiver
    from pv.source.attack import Attack
    from pv.source.falsifiers import FalsifierEntry, FalsifierIndex
    from pv.source.target import TargetFound

__all__ = [
    "BINDING",
    "CONTRACTS",
    "FALSIFIERS",
    "INDEX",
    "LEDGER",
    "SHELF",
    "Project",
    "find_root",
    "open_project",
    "project_at",
]

_KEYS = ("source", "scope", "policy", "rules", "models")
_SCOPE_KEYS = ("python", "torch", "device", "dtypes", "threads")


class Project:
    """One project, read lazily: every file at most once, nothing before it is asked for."""

    def __init__(self, root: Path, settings: Mapping[str, Any]) -> None:
        self.root = root
        # The root too, and last: the falsifiers lie there.
        self.sources = tuple(dict.fromkeys([*settings.get("source", ["."]), "."]))
        self.settings = settings
        self._by_path: dict[str, ContractFile] | None = None
        self._is_of_others: Callable[[str, str], bool] = lambda folder, file: False
        self._narrowed = False
        self._shared: Share | None = None

    @cached_property
    def scope(self) -> Scope:
        """What its evidence must speak for."""
        from pv.assess.policy import Scope

        return Scope(tuple((key, tuple(values)) for key, values in self.settings.get("scope", {}).items()))

    @cached_property
    def policy(self) -> Policy:
        """How much evidence there must be."""
        from pv.assess.policy import Policy

        return Policy(**self.settings.get("policy", {}))

    @cached_property
    def models(self) -> tuple[NamedModel, ...]:
        """The models that can be called by name."""
        return read_models(self.settings)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families of models it knows; raises PvError for a file of them that is not valid."""
        from pv.families.read import read_families

        return read_families(self.root)

    def shown(self, path: Path) -> str:
        """`path` as people write it: relative to the root where it lies inside."""
        resolved = path.resolve()
        inside = resolved.is_relative_to(self.root)
        return (resolved.relative_to(self.root) if inside else path).as_posix()

    @cached_property
    def contract_files(self) -> tuple[ContractFile, ...]:
        """Every contract of the contracts folder, also those that have findings."""
        folder = self.root / CONTRACTS
        with collector_paused():
            return walk(folder, self.shown).contracts if folder.is_dir() else ()

    def known_contract(self, path: Path, shown: str) -> ContractFile | None:
        """The contract file at `path`, to be called `shown`, if it was read so: who judges it too need not read it again."""
        if self._by_path is None and "contract_files" in vars(self):
            self._by_path = {file.document.path: file for file in self.contract_files}
        known = (self._by_path or {}).get(shown)
        return known if known is not None and self.shown(path) == shown else None

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
        from pv.source.falsifiers import index_falsifiers

        with collector_paused():
            return index_falsifiers(self.root, self.root / FALSIFIERS)

    def attack(self, entry: FalsifierEntry) -> Attack:
        """What the text of a falsifier shows of how it attacks."""
        return self._read_attack(entry)

    @cached_property
    def _read_attack(self) -> Callable[[FalsifierEntry], Attack]:
        from pv.source.attack import attack_reader

        return attack_reader(self.index)

    @cached_property
    def today(self) -> Today:
        """Today's digests."""
        from pv.assess.freshness import Today
        from pv.source.parts import Code

        return Today(Code(self.root, self.sources), self.index, self.bindings)

    @cached_property
    def receipts(self) -> Mapping[str, tuple[Receipt, ...]]:
        """Receipts of both shelves that can be believed, by the id of their test."""
        from pv.ledger.receipt import Receipt, read_receipts

        found: dict[str, dict[str, Receipt]] = {}
        with collector_paused():
            for receipt in (*self.cited, *read_receipts(self.root / SHELF / "receipts", self._is_of_others)):
                if isinstance(receipt, Receipt):
                    found.setdefault(receipt.test, {}).setdefault(receipt.name, receipt)
        return {test: tuple(receipts.values()) for test, receipts in found.items()}

    @cached_property
    def cited(self) -> tuple[Receipt | Stored, ...]:
        """Receipts of the ledger, also those that cannot be believed; after `narrow` not all of them."""
        from pv.ledger.receipt import read_receipts

        return tuple(read_receipts(self.root / LEDGER / "receipts", self._is_of_others))

    def narrow(self, tests: Iterable[tuple[str, str]]) -> None:
        """Open no receipt of which it is known that it is about none of `tests` (contract, test); before any was read."""
        from pv.ledger.index import read_index

        wanted, known = set(tests), read_index(self.root / INDEX)
        contracts = {contract for contract, _ in wanted}
        known |= {
            name: (promise.contract, promise.test)
            for promotion in self.promotions_made
            for promise in promotion.promises
            for name in promise.receipts
        }
        self._narrowed = True
        self._is_of_others = lambda folder, file: (
            folder not in contracts or known.get(file.removesuffix(".json")) not in (None, *wanted)
        )

    def index_receipts(self) -> None:
        """Remember which test each receipt that was read is about."""
        from pv.ledger.index import add_to_index, read_index

        known = read_index(self.root / INDEX)
        for rows in self.receipts.values():
            for row in rows:
                if row.name not in known:
                    add_to_index(self.root / INDEX, (row.contract, row.test), [row.name])
        self._ignore_shelf()

    @cached_property
    def promotions_made(self) -> tuple[Promotion, ...]:
        """Promotions that can be believed, retracted ones too."""
        from pv.ledger.promotion import Promotion, read_promotions

        return tuple(row for row in read_promotions(self.root / LEDGER / "promotions") if isinstance(row, Promotion))

    @cached_property
    def promotions(self) -> tuple[Promotion, ...]:
        """What still binds of them."""
        from pv.ledger.retraction import in_force

        return in_force(self.promotions_made, self.retractions)

    @cached_property
    def retractions(self) -> tuple[Retraction, ...]:
        """Retractions that can be believed."""
        from pv.ledger.retraction import Retraction, read_retractions

        return tuple(row for row in read_retractions(self.root / LEDGER / "retractions") if isinstance(row, Retraction))

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """Waivers that can be believed, lapsed ones too."""
        from pv.ledger.waiver import Waiver, read_waivers

        return tuple(row for row in read_waivers(self.root / LEDGER / "waivers") if isinstance(row, Waiver))

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """Releases that can be believed, in the order of their versions."""
        from pv.ledger.lineage import in_order
        from pv.ledger.release import Release, read_releases

        found = read_releases(self.root / LEDGER / "releases")
        return tuple(in_order(row for row in found if isinstance(row, Release)))

    @cached_property
    def excusing(self) -> Excusing:
        """The waivers as they stand today."""
        from datetime import UTC, datetime

        from pv.assess.waivers import Excusing

        return Excusing(self.waivers, datetime.now(UTC).date(), self._state)

    def _state(self, promise: Promise) -> str:
        """What a waiver of `promise` holds on to; empty where the test is gone."""
        from pv.assess.waivers import state_of

        found = self._test_of(promise)
        if found is None:
            return ""
        bound = {row.name: row for row in self.subjects_of(*found)}
        cited = [row for rows in self.receipts.values() for row in rows if row.name in promise.receipts]
        return state_of(*found, bound.get(promise.subject), cited, self.today)

    def _test_of(self, promise: Promise) -> tuple[Contract, FalsificationTest] | None:
        every = ((contract, test) for contract in self.contracts for test in contract.tests)
        return next((row for row in every if (row[0].name, row[1].id) == (promise.contract, promise.test)), None)

    def subjects_of(self, contract: Contract, test: FalsificationTest) -> tuple[Binding, ...]:
        """The code under test for the equation of `test`, the default first."""
        from pv.assess.subjects import subjects_of

        return subjects_of(self._bound(contract, test), contract.name, test.equation)

    def cites_fresh(self, promise: Promise) -> bool:
        """Whether every receipt that `promise` cites is there and fresh today."""
        from pv.assess.freshness import causes

        found = self._test_of(promise)
        held = {row.name: row for rows in self.receipts.values() for row in rows}
        if found is None or not all(name in held for name in promise.receipts):
            return False
        bound = {row.name: row for row in self.subjects_of(*found)}
        return promise.subject in bound and not any(
            causes(held[name], *found, bound[promise.subject], self.today) for name in promise.receipts
        )

    def promise_findings(self) -> tuple[Finding, ...]:
        """What there is to say of the promises: PV402, PV403, PV605 and PV606."""
        from pv.assess.promises import broken_promises, retracted

        broken = broken_promises(self.promotions, self.assessments(), LEDGER, self.excusing)
        return (*broken, *retracted(self.promotions_made, self.retractions, LEDGER))

    def _bound(self, contract: Contract, test: FalsificationTest) -> tuple[Binding, ...]:
        return self._by_equation.get((contract.name, test.equation), ())

    @cached_property
    def _by_equation(self) -> Mapping[tuple[str, str], tuple[Binding, ...]]:
        from pv.assess.subjects import by_equation

        return by_equation(self.bindings)

    def subject(self, contract: Contract, test: FalsificationTest) -> Binding | None:
        """The default subject of the test's equation, or its only one."""
        from pv.assess.subjects import default_subject

        return default_subject(self._bound(contract, test), contract.name, test.equation)

    def reference(self, contract: Contract, test: FalsificationTest) -> Binding | None:
        """What subjects of the test's equation are compared with, if there is something."""
        from pv.assess.subjects import reference_of

        return reference_of(self._bound(contract, test), contract.name, test.equation)

    def subjects(self, contract: Contract, test: FalsificationTest, which: str = "") -> Subjects:
        """The subjects of `test` that `which` means: a name, `all`, or (empty) the default one.

        Raises PvError, with the nearest name, when no subject of the project is called so.
        """
        from pv.assess.subjects import Subjects, choose, not_applicable

        self._require_subject(which)
        chosen = choose(self._bound(contract, test), contract.name, test.equation, which)
        reasons = [(row, not_applicable(contract, test, row)) for row in chosen]
        kept = tuple(row for row, reason in reasons if not reason)
        return Subjects(kept, tuple((row, reason) for row, reason in reasons if reason))

    def _require_subject(self, which: str) -> None:
        from pv.assess.subjects import ALL

        if which in ("", ALL):
            return
        names = sorted({row.name for row in self.bindings if row.role == "subject"})
        if which not in names:
            raise PvError(f"no subject is called {which!r} in {BINDING}", hint=nearest(which, [*names, ALL]))

    def assess(self, contract: Contract, test: FalsificationTest, subject: Binding | None = None) -> Assessment:
        """The level of `test` on `subject` (the default one when not given); without any there is no check."""
        from pv.assess.levels import Assessment

        default = self.subject(contract, test)
        binding = subject or default
        if binding is None:
            none, lacking = Level.NO_CHECK, f"a subject: {test.equation} is not bound in {BINDING}"
            return Assessment(contract.name, test.id, test.equation, "", none, none, (), None, (lacking,))
        return self._assess(contract, test, binding, default=binding == default)

    def _assess(self, contract: Contract, test: FalsificationTest, binding: Binding, *, default: bool) -> Assessment:
        from pv.assess.levels import assess

        receipts = self.receipts.get(test.id, ())
        return assess(contract, test, binding, receipts, self.today, self.scope, self.policy, default=default)

    def assess_all(self, contract: Contract, test: FalsificationTest, which: str = "all") -> tuple[Assessment, ...]:
        """The level of `test` on each subject that `which` means, the default first; see `subjects`.

        Where the default is meant and there is none, its row says so.
        """
        from pv.assess.subjects import ALL, choose

        self._require_subject(which)
        chosen = choose(self._bound(contract, test), contract.name, test.equation, which)
        default = self.subject(contract, test)
        unbound = (self.assess(contract, test),) if which in ("", ALL) and default is None else ()
        return (*unbound, *(self._assess(contract, test, row, default=row == default) for row in chosen))

    def assessments(self, contracts: Iterable[Contract] | None = None) -> dict[Key, Assessment]:
        """One for each falsification test of `contracts` (default: all) and each of its subjects."""
        return dict(self._every) if contracts is None else self._assessed(contracts)

    @cached_property
    def _every(self) -> dict[Key, Assessment]:
        from pv.assess.promises import key_of

        self._shared = self._in_shares(assess=True) if self.contracts else None
        if self._shared is None:
            return self._assessed(self.contracts)
        return {key_of(row): row for rows in self._shared.rows for row in rows}

    def _assessed(self, contracts: Iterable[Contract]) -> dict[Key, Assessment]:
        from pv.assess.promises import key_of

        with collector_paused():
            return {key_of(row): row for contract in contracts for row in self._rows(contract)}

    def _rows(self, contract: Contract) -> list[Assessment]:
        return [row for test in contract.tests for row in self.assess_all(contract, test)]

    @property
    def verifiable(self) -> Iterable[Receipt | Stored] | Mapping[str, Receipt | Cited]:
        """The receipts of the ledger as `pv.ledger.verify` takes them: by their names where all of them are plain."""
        if "cited" not in vars(self) and self._shared is None:
            self._shared = self._in_shares(assess=False)
        return self.cited if self._shared is None else self._shared.cited

    def _in_shares(self, *, assess: bool) -> Share | None:
        """The ledger as several processes read it; None where this one has to, or has already."""
        from pv.assess.shares import read_in_shares

        if self._narrowed or "cited" in vars(self):
            return None
        if assess:
            _ = self.index, self.bindings, self.today  # read once what each would read for itself
        shelves = [self.root / shelf / "receipts" for shelf in (LEDGER, SHELF)]
        names = [contract.name for contract in self.contracts]
        return read_in_shares(names, shelves, lambda own, others: self._share(own, others, assess=assess))

    def _share(self, own: Iterable[int], others: Collection[str], *, assess: bool) -> Share:
        """What is in all folders but `others`; with `assess`, the levels of the contracts at the places `own`, too."""
        from pv.assess.shares import Share
        from pv.ledger.receipt import Receipt

        part, contracts = copy(self), self.contracts
        part._is_of_others = lambda folder, file: folder in others
        with collector_paused():
            rows = [part._rows(contracts[place]) for place in own] if assess else []
            cited = {row.name: row for row in part.cited if isinstance(row, Receipt)}
            seen = (row for receipts in part.receipts.values() for row in receipts) if assess else cited.values()
            plain = len(cited) == len(part.cited) and all(row.folder.name == row.contract for row in seen)
        return Share(rows, cited, plain)

    def keep(self, receipt: Mapping[str, Any]) -> Path:
        """Put the receipt of a run on the shelf; its file."""
        from pv.ledger.index import add_to_index
        from pv.ledger.store import add

        test = receipt["test"]
        path = add(self.root / SHELF / "receipts" / test["contract"], receipt)
        add_to_index(self.root / INDEX, (test["contract"], test["id"]), [path.stem])
        self._ignore_shelf()
        return path

    def _ignore_shelf(self) -> None:
        """What every run leaves is not for git."""
        shelf = self.root / SHELF
        if shelf.is_dir() and not (shelf / ".gitignore").exists():
            (shelf / ".gitignore").write_text("*\n", encoding="utf-8")

    @cached_property
    def find_target(self) -> Callable[[str], TargetFound]:
        """Where the target of a binding stands; each module is parsed once."""
        from pv.source.target import target_finder

        return target_finder(self.root, self.sources)

    def find_code(self, binding: Binding) -> TargetFound:
        """Where the code of a binding stands: the function of its target, or the first file of its command."""
        from pv.source.target import find_command

        return self.find_target(binding.target) if binding.target else find_command(self.root, binding.command)

    def shared_code(self, one: Binding, other: Binding) -> tuple[str, ...]:
        """The modules that the code of both bindings may import."""
        code = self.today.code
        return code.shared(code.modules_of(one), code.modules_of(other))

    def subject_place(self, binding: Binding) -> Place | None:
        """Where the bound code is; None when it is not found."""
        found = self.find_code(binding)
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


def open_project(start: Path | None = None) -> Project:
    """The project around `start` (default: the working directory); raises PvError when there is none."""
    root = find_root(start or Path.cwd())
    if root is None:
        raise PvError(
            "there is no project here: no pyproject.toml with [tool.pv] and no contracts/binding.yaml in any parent folder",
            hint="run pv in a project, or make one: pv init DIR",
        )
    return project_at(root)


def project_at(root: Path) -> Project:
    """The project whose root is known; raises PvError when its settings are wrong."""
    settings = read_settings(root) or {}
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
    read_models(settings)


def _table(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = settings.get(name, {})
    if not isinstance(table, dict):
        raise PvError(f"[tool.pv.{name}] must be a table")
    return table


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


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
    return _sort([(path, read_document(path, shown(path))) for path in yaml_paths(operand)], named=False)


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
