"""Trials of microGPT's contract against a copy of the code, for tests that run many of them in one process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch
from conftest import ROOT

from pv.contract.model import Contract
from pv.contract.read import read_bindings, read_contract
from pv.falsify.cases import Case, Region
from pv.falsify.declare import falsifier_in, fault_in
from pv.falsify.explore import explore
from pv.falsify.judge import Trial
from pv.falsify.load import Loader
from pv.falsify.subject import Subject
from pv.falsify.trace import Tracer
from pv.source.falsifiers import index_falsifiers

CODE = ("implementations", "falsifiers")
OF_EACH_STRATUM = 10


@cache
def the_contract() -> Contract:
    """microgpt-v1."""
    contract = read_contract(ROOT / "contracts/microgpt-v1.yaml", "contracts/microgpt-v1.yaml").contract
    assert contract is not None
    return contract


def copy_code(target: Path) -> None:
    """What a mutation may change, and what is run against it."""
    for folder in CODE:
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))


@contextmanager
def trials(root: Path) -> Iterator[tuple[Trial, ...]]:
    """A trial of every test on the code below `root`; afterwards the modules of the same names are what they were."""
    threads, before = torch.get_num_threads(), _imported()
    torch.set_num_threads(1)
    loader = Loader(root, ["."], _tracer())
    loader.fresh(CODE)
    try:
        with loader.active():
            yield tuple(_trials(root, loader))
    finally:
        torch.set_num_threads(threads)
        loader.fresh(CODE)
        sys.modules.update(before)


def drawn(name: str, regions: Sequence[Region]) -> list[Case]:
    """A few cases of each of `regions`, kept under `name`."""
    if name not in _DRAWN:
        _DRAWN[name] = []
        for region in regions:
            explore(region, _DRAWN[name].append, examples=OF_EACH_STRATUM, seed=0, shrink=False)
    return _DRAWN[name]


_DRAWN: dict[str, list[Case]] = {}


def _trials(root: Path, loader: Loader) -> Iterator[Trial]:
    contract, index = the_contract(), index_falsifiers(root, root / "falsifiers")
    rows = read_bindings(ROOT / "contracts/binding.yaml", "binding").bindings
    targets = {row.equation: row.target for row in rows if row.default}
    for test in contract.tests:
        equation, (entry,) = contract.equation(test.equation), index.falsifiers_of(contract.name, test.id)
        assert equation is not None
        module = loader.module(entry.path.removesuffix(".py").replace("/", "."))
        invariants = tuple(clause for clause in equation.invariants if clause.name in test.binds_to)
        faults = [fault.function for fault in index.faults_of(contract.name) if fault.invariant in test.binds_to]
        subject = Subject(
            loader.target(targets[equation.name]), tuple(argument.name for argument in equation.arguments)
        )
        yield Trial(
            test.id, equation, invariants, falsifier_in(module, entry.function),
            tuple(fault_in(module, name) for name in faults), subject,
        )  # fmt: skip


def _imported() -> dict[str, object]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in CODE}


@cache
def _tracer() -> Tracer:
    return Tracer(ROOT)  # one for all: an audit hook stays until the process ends
