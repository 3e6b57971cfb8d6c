"""Whether a receipt still speaks of what is there: its parts against today's digests, each cause on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from pv.assess.subjects import by_equation, reference_of
from pv.contract.clause import clause_parts, equation_digest, invariant_digest
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.contract.strata import named_by
from pv.digest import digest
from pv.ledger.receipt import CAUSES, DIGESTS, FILE, Part, Receipt
from pv.source.falsifiers import FalsifierIndex
from pv.source.parts import ABSENT, Code
from pv.verdict import Kind


class Cause(NamedTuple):
    """One reason why a receipt is stale: which of `CAUSES`, what, and how (changed, gone, new)."""

    cause: str
    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.cause} {self.how} ({self.what})" if self.what else f"{self.cause} {self.how}"


Key = TypeVar("Key")
Made = TypeVar("Made")

_Stated = tuple[Contract, FalsificationTest, tuple[Part, ...], tuple[Part, ...]]
_Listed = tuple[tuple[Part, ...], tuple[Part, ...], tuple[Cause, ...], tuple[Part, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Today:
    """What the digests are taken of now."""

    code: Code
    index: FalsifierIndex
    bindings: tuple[Binding, ...] = ()
    _bound: dict[tuple[str, str], tuple[Binding, ...]] = field(default_factory=dict, repr=False)
    _stated: dict[tuple[int, int], _Stated] = field(default_factory=dict, repr=False)
    _made: dict[int, tuple[object, Any]] = field(default_factory=dict, repr=False)
    _listed: dict[tuple[str, int], _Listed] = field(default_factory=dict, repr=False)

    def bound(self, contract: str, equation: str) -> tuple[Binding, ...]:
        """Those of `bindings` that are about `equation` of `contract`."""
        if self.bindings and not self._bound:
            self._bound.update(by_equation(self.bindings))
        return self._bound.get((contract, equation), ())

    def stated(self, contract: Contract, test: FalsificationTest) -> _Stated:
        """The parts of `clause` and of `falsifier`, taken once for all receipts of `test`."""
        key = id(contract), id(test)
        if key not in self._stated:  # what is kept holds both, so their ids stay their own
            self._stated[key] = contract, test, self.clause(contract, test), self.falsifier(contract, test)
        return self._stated[key]

    def clause(self, contract: Contract, test: FalsificationTest) -> tuple[Part, ...]:
        """Equation and invariants of `test`."""
        parts = clause_parts(contract, test, lambda equation: self._once(equation, equation_digest))
        return tuple(Part("", name, value) for name, value in parts)

    def binding(self, binding: Binding) -> tuple[Part, ...]:
        """What is stated of a subject: see `binding_parts`."""
        return self._once(binding, binding_parts)

    def _once(self, key: Key, make: Callable[[Key], Made]) -> Made:
        """What `make` makes of `key`, for the many tests that share it; to compare two of them takes as long as to make it."""
        if id(key) not in self._made:
            self._made[id(key)] = key, make(key)  # what is kept holds the key, so its id stays its own
        made: Made = self._made[id(key)][1]
        return made

    def listed(self, cause: str, then: tuple[Part, ...]) -> _Listed:
        """`then`, those of its parts that are stated, why the code among them is stale, and its files, which may change yet.

        Taken once for the many receipts that list the very same parts.
        """
        key = cause, id(then)
        if key not in self._listed:  # as above
            stated = tuple(part for part in then if not part.path)
            files = tuple(part for part in then if part.path and part.name == FILE)
            code = tuple(part for part in then if part.path and part.name != FILE)
            self._listed[key] = then, stated, tuple(_rehash(cause, code, self.code)), files
        return self._listed[key]

    def falsifier(self, contract: Contract, test: FalsificationTest) -> tuple[Part, ...]:
        """The code that attacks on behalf of `test`."""
        equation = contract.equation(test.equation)
        strata = named_by(equation) if equation is not None and self.index.strata else ()
        return self.code.falsifier(self.index, contract.name, test.id, test.binds_to, strata)

    def reference(self, contract: Contract, equation: str) -> tuple[Part, ...]:
        """What is stated of the reference of `equation`: its binding, and the invariants that bound its distance."""
        binding = reference_of(self.bound(contract.name, equation), contract.name, equation)
        if binding is None:
            return ()
        names = (f"{equation}/{name}" for name in binding.within)
        bounds = [clause for name in names if (clause := contract.invariant(name)) is not None]
        return (
            *binding_parts(binding),
            *(Part("", f"within {clause.name}", invariant_digest(clause)) for clause in bounds),
        )


def binding_parts(binding: Binding) -> tuple[Part, ...]:
    """What a binding says about the code it stands for; `default` only says which one is meant when none is named.

    What is left at its default adds nothing, so that a key which a later version brings makes no evidence stale.
    """
    meaning = ["pv-binding-1", binding.contract, binding.equation, binding.name, binding.role, binding.target]
    reached = {
        "adapter": binding.adapter if binding.adapter != "function" else "",
        "factory": binding.factory,
        "command": list(binding.command),
        "exchange": binding.exchange if binding.exchange != "safetensors" else "",
        "requires": sorted(binding.requires),
        "not_applicable": sorted(about for about, _ in binding.not_applicable),
        "within": sorted(binding.within),
    }
    more = [[key, value] for key, value in reached.items() if value]
    return (Part("", f"{binding.equation}, {binding.name}", digest([*meaning, *more])),)


def live_parts(binding: Binding) -> tuple[Part, ...]:
    """What a binding says about the command that exercises its code."""
    return (Part("", "command", digest(["pv-live-1", *binding.live])),) if binding.live else ()


def causes(
    receipt: Receipt, contract: Contract, test: FalsificationTest, binding: Binding, today: Today
) -> tuple[Cause, ...]:
    """Why `receipt` is stale, in the order of `CAUSES`; empty when it is fresh."""
    if receipt.digests != DIGESTS:
        return (Cause("clause", f"digests by {receipt.digests}", "not comparable"),)
    _, _, clause, falsifier = today.stated(contract, test)
    now = {
        "clause": clause,
        "falsifier": falsifier,
        "binding": today.binding(binding),
        "reference": today.reference(contract, test.equation) if receipt.kind is Kind.ORACLE else (),
        "live": live_parts(binding) if receipt.kind is Kind.LIVE else (),
    }
    found: list[Cause] = []
    depends = dict(receipt.depends)
    for cause in CAUSES:
        then = depends.get(cause, ())
        if cause in ("clause", "falsifier", "binding"):
            found += _between(cause, then, now[cause])
            continue
        _, stated, of_code, files = today.listed(cause, then)
        found += _between(cause, stated, now.get(cause, ()))
        found += sorted((*of_code, *_rehash(cause, files, today.code))) if files else of_code
    return tuple(found)


def _between(cause: str, then: tuple[Part, ...], now: tuple[Part, ...]) -> list[Cause]:
    """Parts that can be listed without running anything: what changed, what went, what came."""
    if then == now:
        return []
    was = {(part.path, part.name): part for part in then}
    is_ = {(part.path, part.name): part for part in now}
    changed = [
        Cause(cause, is_[key].what, "changed") for key in was if key in is_ and was[key].digest != is_[key].digest
    ]
    gone = [Cause(cause, was[key].what, "gone") for key in was if key not in is_]
    new = [Cause(cause, is_[key].what, "new") for key in is_ if key not in was]
    return sorted(changed + gone + new)


def _rehash(cause: str, then: tuple[Part, ...], code: Code) -> list[Cause]:
    """Parts that only a run can list: the same list, hashed again."""
    found = []
    for part in then:
        now = code.digest(part.path, part.name)
        if now != part.digest:
            found.append(Cause(cause, part.what, "gone" if now in (None, ABSENT) else "changed"))
    return sorted(found)
