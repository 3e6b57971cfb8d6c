"""The shelves of a project: what runs left in `.pv/`, and what is relied on in `ledger/`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.collector import collector_paused
from pv.root import INDEX, LEDGER, SHELF

if TYPE_CHECKING:  # imported where it is read: few commands ask for all of it
    from pv.ledger.promotion import Promise, Promotion
    from pv.ledger.receipt import Receipt
    from pv.ledger.record import Record
    from pv.ledger.release import Release
    from pv.ledger.retraction import Retraction
    from pv.ledger.store import Stored
    from pv.ledger.waiver import Waiver


class Shelves:
    """What of them can be believed, read lazily: every file at most once, nothing before it is asked for."""

    def __init__(self, root: Path, skip: Callable[[str, str], bool] = lambda folder, file: False) -> None:
        self._root = root
        self._skip = skip
        self._narrowed = False

    def without(self, folders: Collection[str]) -> Shelves:
        """Shelves on which the `folders` of some contracts are not looked at."""
        return Shelves(self._root, lambda folder, file: folder in folders)

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out, and no receipt has been read yet."""
        return not self._narrowed and "cited" not in vars(self)

    @cached_property
    def receipts(self) -> Mapping[str, tuple[Receipt, ...]]:
        """Receipts of both shelves that can be believed, by the id of their test."""
        from pv.ledger.receipt import Receipt, read_receipts

        found: dict[str, dict[str, Receipt]] = {}
        with collector_paused():
            for receipt in (*self.cited, *read_receipts(self._root / SHELF / "receipts", self._skip)):
                if isinstance(receipt, Receipt):
                    found.setdefault(receipt.test, {}).setdefault(receipt.name, receipt)
        return {test: tuple(receipts.values()) for test, receipts in found.items()}

    @cached_property
    def cited(self) -> tuple[Receipt | Stored, ...]:
        """Receipts of the ledger, also those that cannot be believed; after `narrow` not all of them."""
        from pv.ledger.receipt import read_receipts

        return tuple(read_receipts(self._root / LEDGER / "receipts", self._skip))

    def cited_by(self, promise: Promise) -> tuple[Receipt, ...]:
        """The receipts of the ledger that `promise` cites and that can be believed; no other is opened."""
        from pv.ledger.receipt import Receipt, read_receipt
        from pv.ledger.store import read

        folder = self._root / LEDGER / "receipts" / promise.contract
        found = (read_receipt(read(folder / f"{name}.json")) for name in promise.receipts)
        return tuple(row for row in found if isinstance(row, Receipt))

    def narrow(self, tests: Iterable[tuple[str, str]]) -> None:
        """Open no receipt of which it is known that it is about none of `tests` (contract, test); before any was read."""
        from pv.ledger.index import read_index

        wanted, known = set(tests), read_index(self._root / INDEX)
        contracts = {contract for contract, _ in wanted}
        known |= {
            name: (promise.contract, promise.test)
            for promotion in self.promotions_made
            for promise in promotion.promises
            for name in promise.receipts
        }
        self._narrowed = True
        self._skip = lambda folder, file: (
            folder not in contracts or known.get(file.removesuffix(".json")) not in (None, *wanted)
        )

    def index_receipts(self) -> None:
        """Remember which test each receipt that was read is about."""
        from pv.ledger.index import add_to_index, read_index

        known = read_index(self._root / INDEX)
        for rows in self.receipts.values():
            for row in rows:
                if row.name not in known:
                    add_to_index(self._root / INDEX, (row.contract, row.test), [row.name])
        self._ignore()

    def keep(self, receipt: Mapping[str, Any]) -> Path:
        """Put the receipt of a run on the shelf; its file."""
        from pv.ledger.index import add_to_index
        from pv.ledger.store import add

        test = receipt["test"]
        path = add(self._root / SHELF / "receipts" / test["contract"], receipt)
        add_to_index(self._root / INDEX, (test["contract"], test["id"]), [path.stem])
        self._ignore()
        return path

    def _ignore(self) -> None:
        """What every run leaves is not for git."""
        shelf = self._root / SHELF
        if shelf.is_dir() and not (shelf / ".gitignore").exists():
            (shelf / ".gitignore").write_text("*\n", encoding="utf-8")

    @cached_property
    def promotions_read(self) -> tuple[Promotion | Stored, ...]:
        """Promotions, also those that cannot be believed."""
        from pv.ledger.promotion import read_promotions

        return tuple(read_promotions(self._root / LEDGER / "promotions"))

    @cached_property
    def promotions_made(self) -> tuple[Promotion, ...]:
        """Promotions that can be believed, retracted ones too."""
        from pv.ledger.promotion import Promotion

        return tuple(row for row in self.promotions_read if isinstance(row, Promotion))

    @cached_property
    def promotions(self) -> tuple[Promotion, ...]:
        """What still binds of them."""
        from pv.ledger.retraction import in_force

        return in_force(self.promotions_made, self.retractions)

    @cached_property
    def retractions(self) -> tuple[Retraction, ...]:
        """Retractions that can be believed."""
        from pv.ledger.retraction import Retraction, read_retractions

        found = read_retractions(self._root / LEDGER / "retractions")
        return tuple(row for row in found if isinstance(row, Retraction))

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """Waivers that can be believed, lapsed ones too."""
        from pv.ledger.waiver import Waiver, read_waivers

        return tuple(row for row in read_waivers(self._root / LEDGER / "waivers") if isinstance(row, Waiver))

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Recorded commands of claims that can be believed."""
        from pv.ledger.record import Record, read_runs

        return tuple(row for row in read_runs(self._root / LEDGER / "records") if isinstance(row, Record))

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """Releases that can be believed, in the order of their versions."""
        from pv.ledger.lineage import in_order
        from pv.ledger.release import Release, read_releases

        found = read_releases(self._root / LEDGER / "releases")
        return tuple(in_order(row for row in found if isinstance(row, Release)))

    def newest_release(self, contract: str) -> Release | None:
        """The release of `contract` with the highest version of those that can be believed; no other is read."""
        from pv.ledger.release import newest_release

        return newest_release(self._root / LEDGER / "releases", contract)
