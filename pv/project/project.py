"""One project: all that commands ask of it, each read where it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.collector import collector_paused
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.contract.read import BindingFile, ContractFile, read_bindings
from pv.finding import Finding, Place
from pv.project.files import contracts_in, yaml_paths
from pv.project.selection import contract_called, with_ids
from pv.root import BINDING, CONTRACTS, FALSIFIERS

if TYPE_CHECKING:  # `pv validate` asks for evidence only where a contract promises a level: imported where it is used
    from pv.assess.freshness import Today
    from pv.assess.levels import Assessment
    from pv.assess.policy import Policy, Scope
    from pv.assess.ratchet import Key
    from pv.assess.shares import Share
    from pv.assess.subjects import Subjects
    from pv.assess.waivers import Excusing
    from pv.families.model import Family
    from pv.ledger.cited import Cited
    from pv.ledger.promotion import Promise, Promotion
    from pv.ledger.receipt import Receipt
    from pv.ledger.record import Record
    from pv.ledger.release import Release
    from pv.ledger.retraction import Retraction
    from pv.ledger.store import Stored
    from pv.ledger.waiver import Waiver
    from pv.models import NamedModel
    from pv.project.bound import Bound
    from pv.project.shelves import Shelves
    from pv.source.falsifiers import Attack, FalsifierEntry, FalsifierIndex
    from pv.source.memory import Memory
    from pv.source.parts import Code
    from pv.source.target import TargetFound


class Project:
    """One project, read lazily: every file at most once, nothing before it is asked for.

    >>> import pv
    >>> project = pv.open_project()
    >>> isinstance(project, pv.Project), project.contract("microgpt-v1") in project.contracts
    (True, True)
    """

    def __init__(self, root: Path, settings: Mapping[str, Any]) -> None:
        self.root = root
        # The root too, and last: the falsifiers lie there.
        self.sources = tuple(dict.fromkeys([*settings.get("source", ["."]), "."]))
        self.settings = settings
        self._by_path: dict[str, ContractFile] | None = None
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
        from pv.models import read_models

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
        with collector_paused():
            return contracts_in(self.contract_paths, self.shown)

    @cached_property
    def contract_paths(self) -> tuple[Path, ...]:
        """Every YAML file of the contracts folder."""
        folder = self.root / CONTRACTS
        return tuple(yaml_paths(folder)) if folder.is_dir() else ()

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

    @cached_property
    def attack(self) -> Callable[[FalsifierEntry], Attack]:
        """What the text of a falsifier shows of how it attacks."""
        from pv.source.attack import attack_reader

        return attack_reader(self.index)

    @cached_property
    def memory(self) -> Memory:
        """What is known of the texts of its modules; who knows more gives it before the first question."""
        from pv.source.memory import Memory

        return Memory()

    @cached_property
    def today(self) -> Today:
        """Today's digests."""
        from pv.assess.freshness import Today

        return Today(self.code, self.index, self.bindings)

    @cached_property
    def code(self) -> Code:
        """The parts of its code, and their digests."""
        from pv.source.parts import Code

        return Code(self.root, self.sources, self.memory)

    @cached_property
    def shelves(self) -> Shelves:
        """What runs left and what is relied on."""
        from pv.project.shelves import Shelves

        return Shelves(self.root)

    @property
    def receipts(self) -> Mapping[str, tuple[Receipt, ...]]:
        """Receipts of both shelves that can be believed, by the id of their test."""
        return self.shelves.receipts

    @property
    def promotions_made(self) -> tuple[Promotion, ...]:
        """Promotions that can be believed, retracted ones too."""
        return self.shelves.promotions_made

    @property
    def promotions(self) -> tuple[Promotion, ...]:
        """What still binds of them."""
        return self.shelves.promotions

    @property
    def retractions(self) -> tuple[Retraction, ...]:
        """Retractions that can be believed."""
        return self.shelves.retractions

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """Waivers that can be believed, lapsed ones too."""
        return self.shelves.waivers

    @property
    def records(self) -> tuple[Record, ...]:
        """Recorded commands of claims that can be believed."""
        return self.shelves.records

    @property
    def releases(self) -> tuple[Release, ...]:
        """Releases that can be believed, in the order of their versions."""
        return self.shelves.releases

    @cached_property
    def excusing(self) -> Excusing:
        """The waivers as they stand today."""
        from pv.project.promises import excusing

        return excusing(self)

    def cites_fresh(self, promise: Promise) -> bool:
        """Whether every receipt that `promise` cites is there and fresh today."""
        from pv.project.promises import cites_fresh

        return cites_fresh(self, promise)

    def promise_findings(self) -> tuple[Finding, ...]:
        """What there is to say of the promises: PV402, PV403, PV605 and PV606."""
        from pv.project.promises import promise_findings

        return promise_findings(self)

    @cached_property
    def bound(self) -> Bound:
        """What the bindings stand for."""
        from pv.project.bound import Bound

        return Bound(self.bindings)

    def subjects_of(self, contract: Contract, test: FalsificationTest) -> tuple[Binding, ...]:
        """The code under test for the equation of `test`, the default first."""
        return self.bound.all(contract, test)

    def subject(self, contract: Contract, test: FalsificationTest) -> Binding | None:
        """The default subject of the test's equation, or its only one."""
        return self.bound.default(contract, test)

    def reference(self, contract: Contract, test: FalsificationTest) -> Binding | None:
        """What subjects of the test's equation are compared with, if there is something."""
        return self.bound.reference(contract, test)

    def subjects(self, contract: Contract, test: FalsificationTest, which: str = "") -> Subjects:
        """The subjects of `test` that `which` means: a name, `all`, or (empty) the default one.

        Raises PvError, with the nearest name, when no subject of the project is called so.
        """
        return self.bound.applicable(contract, test, which)

    def assess(self, contract: Contract, test: FalsificationTest, subject: Binding | None = None) -> Assessment:
        """The level of `test` on `subject` (the default one when not given); without any there is no check."""
        from pv.project.levels import level_of

        return level_of(self, contract, test, subject)

    def assess_all(self, contract: Contract, test: FalsificationTest, which: str = "all") -> tuple[Assessment, ...]:
        """The level of `test` on each subject that `which` means, the default first; see `subjects`.

        Where the default is meant and there is none, its row says so.
        """
        from pv.project.levels import levels_of

        return levels_of(self, contract, test, which)

    def assessments(self, contracts: Iterable[Contract] | None = None) -> dict[Key, Assessment]:
        """One for each falsification test of `contracts` (default: all) and each of its subjects."""
        from pv.project.levels import assessed

        return dict(self._every) if contracts is None else assessed(self, contracts)

    @cached_property
    def _every(self) -> dict[Key, Assessment]:
        from pv.assess.ratchet import key_of
        from pv.project.levels import assessed, in_shares

        self._shared = in_shares(self, levels=True)
        if self._shared is None:
            return assessed(self, self.contracts)
        return {key_of(row): row for rows in self._shared.rows for row in rows}

    @property
    def verifiable(self) -> Iterable[Receipt | Stored] | Mapping[str, Receipt | Cited]:
        """The receipts of the ledger as `pv.ledger.verify` takes them: by their names where all of them are plain."""
        from pv.project.levels import in_shares

        if self._shared is None:
            self._shared = in_shares(self, levels=False)
        return self.shelves.cited if self._shared is None else self._shared.cited

    def keep(self, receipt: Mapping[str, Any]) -> Path:
        """Put the receipt of a run on the shelf; its file."""
        return self.shelves.keep(receipt)

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
        code = self.code
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
        return with_ids([(contract, test) for contract in chosen for test in contract.tests], ids)

    def contract(self, name: str) -> Contract:
        """The contract called `name`, or the one in the file `name`; raises PvError when there is none."""
        return contract_called(name, self.root, self.contract_files)
