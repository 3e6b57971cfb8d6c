"""What a promise has to fit of a receipt that it cites: enough to verify a ledger by, where another process read it."""

from __future__ import annotations

from typing import NamedTuple

from pv.ledger.receipt import Receipt
from pv.verdict import Kind, Verdict


class Cited(NamedTuple):
    """The part of a `Receipt` that goes by the same names; runs of one test on one subject mostly have it in common."""

    contract: str
    test: str
    equation: str
    subject: str
    target: str
    kind: Kind
    verdict: Verdict
    bites: bool


def cited(receipt: Receipt) -> Cited:
    """That part of `receipt`."""
    return Cited(
        receipt.contract,
        receipt.test,
        receipt.equation,
        receipt.subject,
        receipt.target,
        receipt.kind,
        receipt.verdict,
        receipt.bites,
    )
