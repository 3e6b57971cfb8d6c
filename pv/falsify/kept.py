"""The cases kept for a falsification test: pinned, found by runs here, or held by a falsified receipt; torch-free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pv.contract.model import Contract, FalsificationTest
from pv.falsify.casefile import case_name, case_path, counterexample_case, read_case
from pv.falsify.encode import Bits, decode, fingerprint
from pv.ledger.receipt import Receipt
from pv.root import COUNTEREXAMPLES
from pv.source.pins import pins_of
from pv.verdict import Verdict


class Origin(Enum):
    """Where a kept case lies."""

    PIN = "pinned"
    RUN = "found by a run"
    RECEIPT = "in a receipt"


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """One kept case. `path` is its file, or the receipt's; `inside` the case where a receipt holds it."""

    name: str
    origin: Origin
    path: Path
    inside: Mapping[str, Any] | None = None

    def read(self) -> Mapping[str, Any]:
        """The case as `read_case` gives it; raises PvError as that does."""
        return read_case(self.path) if self.inside is None else self.inside


def kept_cases(
    root: Path, contract: Contract, test: FalsificationTest, receipts: Iterable[Receipt]
) -> tuple[Kept, ...]:
    """Pinned cases by name, then those of runs, then those only in `receipts`; newest first, each under one name once."""
    pinned = [Kept(path.stem, Origin.PIN, path) for path in pins_of(root, contract.name, test.id)]
    folder = case_path(root / COUNTEREXAMPLES, contract.name, test.id, "").parent
    found = [Kept(path.stem, Origin.RUN, path) for path in _newest(folder.glob("*.json"))]
    broken = {
        receipt.path: receipt
        for receipt in receipts
        if (receipt.contract, receipt.test, receipt.verdict) == (contract.name, test.id, Verdict.FALSIFIED)
    }
    held = [kept for path in _newest(broken) for kept in _in_receipt(broken[path], contract, test)]
    by_name: dict[str, Kept] = {}
    for kept in (*pinned, *found, *held):
        by_name.setdefault(kept.name, kept)
    return tuple(by_name.values())


def _newest(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (-path.stat().st_mtime_ns, path.name))


def _in_receipt(receipt: Receipt, contract: Contract, test: FalsificationTest) -> Iterator[Kept]:
    """The counterexample of `receipt`, where it holds the arguments; their order is the equation's, a receipt keeps none."""
    found = receipt.counterexample
    if not found or not found["arguments"]:
        return
    equation = contract.equation(test.equation)
    order = [argument.name for argument in equation.arguments] if equation else []
    named = found["arguments"]
    arguments = {
        name: named[name] for name in sorted(named, key=lambda name: order.index(name) if name in order else len(order))
    }
    if _digest(arguments) == found["digest"]:
        case = counterexample_case(contract.name, test.id, receipt.subject, found, arguments)
        yield Kept(case_name(found["digest"]), Origin.RECEIPT, receipt.path, case)


def _digest(arguments: Mapping[str, Any]) -> str:
    def same(bits: Bits) -> Bits:
        return bits

    try:
        return fingerprint({name: decode(value, same) for name, value in arguments.items()}).hex()
    except (ValueError, TypeError, OverflowError):
        return ""
