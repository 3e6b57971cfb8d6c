"""Whether the ledger is what pv wrote, all of it, and still holds what an older state of it held.

Names catch damage and edits; comparing with a git reference catches removal. Neither stops somebody who writes a receipt by
hand: only running again does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from pv.finding import Exit, Finding, Place, PvError, Severity
from pv.ledger.promotion import Promotion, read_promotions
from pv.ledger.receipt import Receipt, read_receipts
from pv.ledger.store import Stored
from pv.level import Level
from pv.verdict import Kind

_KINDS = {
    Level.PARTIAL_ALGORITHM_LEVEL: Kind.ALGORITHM,
    Level.FUNCTIONAL: Kind.LIVE,
    Level.DISCHARGED: Kind.ORACLE,
}
_TAMPERED = "files of the ledger are written by pv alone: git checkout restores it"


def verify(ledger: Path, shown: str) -> Iterator[Finding]:
    """PV601 a file that cannot be believed, PV602 a cited receipt that is missing, PV603 one that does not fit.

    `shown` is how the ledger's path is written in findings.
    """
    receipts: dict[str, Receipt] = {}
    for receipt in read_receipts(ledger / "receipts"):
        if isinstance(receipt, Receipt):
            receipts[receipt.name] = receipt
            yield from _misplaced(receipt.path, receipt.contract, ledger, shown)
        else:
            yield _unbelievable(receipt, ledger, shown)
    for promotion in read_promotions(ledger / "promotions"):
        if isinstance(promotion, Promotion):
            yield from _cited(promotion, receipts, ledger, shown)
        else:
            yield _unbelievable(promotion, ledger, shown)


def count(ledger: Path) -> dict[str, int]:
    """How many files each shelf holds."""
    return {shelf: len(list((ledger / shelf).glob("*/*.json"))) for shelf in ("receipts", "promotions")}


def missing_since(root: Path, ledger: str, reference: str) -> Iterator[Finding]:
    """PV604: files that the ledger had at the git reference `reference` and has no more.

    Raises PvError when git or the reference is not there.
    """
    for path in _listed(root, ledger, reference):
        if not (root / path).exists():
            message = f"was in the ledger at {reference} and is gone"
            yield Finding("PV604", Severity.ERROR, Place(path), message, f"git checkout {reference} -- {path}")


def _listed(root: Path, ledger: str, reference: str) -> Iterable[str]:
    command = ["git", "-C", str(root), "ls-tree", "-r", "-z", "--name-only", f"{reference}", "--", ledger]
    if reference.startswith("-"):
        raise PvError(f"{reference!r} is no git reference")
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise PvError("comparing with a reference needs git, which is not installed", exit=Exit.RUN) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise PvError(f"git does not know {reference!r} here: {said[0] if said else 'no reason given'}")
    return [path for path in done.stdout.decode(errors="surrogateescape").split("\0") if path.endswith(".json")]


def _cited(promotion: Promotion, receipts: dict[str, Receipt], ledger: Path, shown: str) -> Iterator[Finding]:
    place = _place(promotion.path, ledger, shown)
    for promise in promotion.promises:
        yield from _misplaced(promotion.path, promise.contract, ledger, shown)
        for name in promise.receipts:
            receipt = receipts.get(name)
            if receipt is None:
                message = f"cites the receipt {name[:12]}… for {promise.test}, which is not in the ledger"
                yield Finding("PV602", Severity.ERROR, place, message, "git checkout brings the receipt back")
            elif (receipt.contract, receipt.test, receipt.equation, receipt.subject) != (
                promise.contract, promise.test, promise.equation, promise.subject,
            ):  # fmt: skip
                message = f"cites for {promise.test} the receipt {name[:12]}…, which is about {receipt.test}"
                yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)
            elif receipt.verdict.value != "held":
                message = f"cites for {promise.test} the receipt {name[:12]}…, whose verdict is {receipt.verdict.label}"
                yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)
            elif not receipt.teeth or not all(tooth.caught for tooth in receipt.teeth):
                message = f"cites for {promise.test} the receipt {name[:12]}…, whose falsifier has no teeth"
                yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)
        kinds = {receipts[name].kind for name in promise.receipts if name in receipts}
        if kinds and _KINDS[promise.level] not in kinds:
            message = f"promises {promise.test} at {promise.level.short} on receipts of the kind {_words(kinds)} alone"
            yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)


def _words(kinds: Iterable[Kind]) -> str:
    return ", ".join(sorted(kind.value for kind in kinds))


def _misplaced(path: Path, contract: str, ledger: Path, shown: str) -> Iterator[Finding]:
    if path.parent.name != contract:
        message = f"is about {contract} and lies in the folder of {path.parent.name}"
        yield Finding("PV603", Severity.ERROR, _place(path, ledger, shown), message, _TAMPERED)


def _unbelievable(stored: Stored, ledger: Path, shown: str) -> Finding:
    leftover = "interrupted write" in stored.problem
    severity = Severity.WARNING if leftover else Severity.ERROR
    return Finding("PV601", severity, _place(stored.path, ledger, shown), stored.problem, "" if leftover else _TAMPERED)


def _place(path: Path, ledger: Path, shown: str) -> Place:
    return Place(f"{shown}/{path.relative_to(ledger).as_posix()}")
