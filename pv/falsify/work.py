"""What a campaign has to do, as values; importing this needs neither torch nor hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from pv.contract.model import Binding, Contract, FalsificationTest


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One trial to run: a test of a contract on the subject of a binding."""

    contract: Contract
    test: FalsificationTest
    binding: Binding
