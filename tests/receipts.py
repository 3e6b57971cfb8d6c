"""Receipts and promotions made by hand, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pv.ledger.promotion import Promise, promotion_value
from pv.ledger.receipt import CAUSES, Receipt, read_receipt
from pv.ledger.store import Stored, add
from pv.level import Level

NONE = "0" * 64


def receipt_value(**changes: Any) -> dict[str, Any]:
    """A receipt of FALSIFY-D-001 on double-v1 that held, with `changes` of its keys."""
    value = {
        "format": "pv/receipt-v1",
        "digests": "pv-digest-1",
        "tool": {"pv": "0.1.0"},
        "kind": "algorithm",
        "test": {"id": "FALSIFY-D-001", "contract": "double-v1"},
        "subject": {"equation": "double", "name": "plain", "target": "kernels.double:double"},
        "scope": {"python": ["3.11"], "torch": ["2.13.0"], "device": ["cpu"], "dtypes": [], "threads": ["1"]},
        "depends": {cause: [] for cause in CAUSES},
        "cases": {"seed": 0, "requested": 200, "valid": 220, "digest": NONE, "strata": [stratum("x.ordinary", 200)]},
        "checks": 220,
        "residuals": [],
        "teeth": [tooth("double/twice")],
        "mutants": {"tried": 2, "past": 1, "killed": "arithmetic@double:body[1].value"},
        "verdict": "held",
        "reason": "",
        "counterexample": None,
    }
    return {**value, **changes}


def stratum(name: str, distinct: int, *, exhausted: bool = False) -> dict[str, Any]:
    return {"name": name, "distinct": distinct, "exhausted": exhausted}


def strata(*rows: Mapping[str, Any]) -> dict[str, Any]:
    """The `cases` of a receipt that visited `rows`."""
    return {"seed": 0, "requested": 200, "valid": 220, "digest": NONE, "strata": list(rows)}


def tooth(invariant: str, *, caught: bool = True) -> dict[str, Any]:
    return {"invariant": invariant, "fault": "one_more", "caught": caught, "seeds": 3}


def depends(**parts: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """`depends` of a receipt, from (path, name, digest) by cause."""
    return {
        cause: [{"path": path, "name": name, "digest": digest} for path, name, digest in parts.get(cause, ())]
        for cause in CAUSES
    }


def receipt(name: str = NONE, **changes: Any) -> Receipt:
    """The same as the value it is read as."""
    read = read_receipt(Stored(Path(f"{name}.json"), name, receipt_value(**changes)))
    assert isinstance(read, Receipt), read.problem
    return read


def put_receipt(ledger: Path, contract: str = "double-v1", **changes: Any) -> Path:
    return add(ledger / "receipts" / contract, receipt_value(**changes))


def promise(*receipts: str, level: Level = Level.PARTIAL_ALGORITHM_LEVEL, test: str = "FALSIFY-D-001") -> Promise:
    return Promise("double-v1", test, "double", "plain", level, tuple(receipts))


def put_promotion(ledger: Path, *promises: Promise, contract: str = "double-v1") -> Path:
    return add(ledger / "promotions" / contract, promotion_value(contract, promises[0].level, promises))
