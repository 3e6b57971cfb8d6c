"""What a release of a contract would hold: every promise with receipts that are fresh today; and why there can be none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pv.assess.freshness import Today
from pv.assess.ratchet import Key, key_of
from pv.contract.read import ContractFile
from pv.ledger.promotion import Promise, Promotion
from pv.ledger.release import Release, document_text, release_value
from pv.ledger.retraction import Retraction


def cited_fresh(
    strongest: Mapping[Key, Promise], promotions: Iterable[Promotion], is_fresh: Callable[[Promise], bool]
) -> tuple[list[Promise], list[Promise]]:
    """For each of the `strongest` promises one of its level whose receipts are all fresh; and those that have none."""
    same: dict[Key, list[Promise]] = {}
    for promotion in promotions:
        for promise in promotion.promises:
            wanted = strongest.get(key_of(promise))
            if wanted is not None and wanted.level is promise.level:
                same.setdefault(key_of(promise), []).append(promise)
    chosen = {key: next((row for row in sorted(rows) if is_fresh(row)), None) for key, rows in same.items()}
    fresh = [promise for promise in chosen.values() if promise is not None]
    return sorted(fresh), [strongest[key] for key in sorted(chosen) if chosen[key] is None]


def value_of(
    file: ContractFile,
    promises: Sequence[Promise],
    previous: str,
    today: Today,
    promotions: Iterable[Promotion],
    retractions: Iterable[Retraction],
) -> dict[str, Any]:
    """The JSON of the release of the contract in `file`, as it is today. Raises ValueError when the file holds none."""
    contract = file.contract
    if contract is None:
        raise ValueError(f"{file.document.path} was to be released, and holds no contract")
    tests = {promise.test for promise in promises}
    clauses = {
        part.name: part.digest for test in contract.tests if test.id in tests for part in today.clause(contract, test)
    }
    return release_value(
        contract.name,
        contract.version,
        previous,
        document_text(file.document),
        clauses,
        promises,
        [row.name for row in promotions if row.contract == contract.name],
        [row.name for row in retractions if row.contract == contract.name],
    )


def renewed(release: Release, promises: Sequence[Promise]) -> int:
    """How many of `promises` rest on other receipts than they did at `release`."""
    then = {key_of(promise): promise.receipts for promise in release.promises}
    return sum(1 for promise in promises if then.get(key_of(promise)) != promise.receipts)
