"""PV406: a tolerance far above what was seen, and the one that would do."""

from __future__ import annotations

import math

import pytest

from pv.assess.slack import wide_tolerances
from pv.contract.model import Contract
from pv.contract.read import read_contract
from pv.ledger.receipt import Residual

CONTRACT = """\
schema: pv/contract-v1
metadata: {version: 1.0.0, description: a kernel}
equations:
  cap:
    formula: 30 · tanh(x / 30)
    domain: finite x
    codomain: "[−30, 30]"
    arguments: {x: {type: tensor, dtype: [float32, float64], shape: [3], strata: [ordinary]}}
    returns: {y: {type: tensor, like: x, shape: [3]}}
    invariants:
      - {id: formula, statement: as the formula, holds: bounded,
         tolerance: {float32: 1e-3, float64: {absolute: 1e-9, relative: 1e-6}}}
falsification_tests: []
"""


@pytest.fixture
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    path = tmp_path_factory.mktemp("slack") / "cap-v1.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    found = read_contract(path, "cap-v1.yaml")
    assert found.contract is not None, found.findings
    return found.contract


def test_a_wide_tolerance_is_told_with_the_one_that_would_do(contract: Contract) -> None:
    [finding] = wide_tolerances(contract, [Residual("cap/formula", "float32", 2.1e-7, 1e-3)])
    assert (finding.code, finding.severity.value, finding.place) == (
        "PV406",
        "warning",
        next(iter(contract.invariants())).place,
    )
    assert finding.message == (
        "cap/formula: the tolerance for float32 is 4.8e+03 times the largest residual (2.1e-07, 0.001 was allowed)"
    )
    assert finding.hint == "a tolerance of absolute 3e-06 would do"


def test_a_relative_part_is_narrowed_with_the_absolute_one(contract: Contract) -> None:
    [finding] = wide_tolerances(contract, [Residual("cap/formula", "float64", 1e-9, 1e-6)])
    assert finding.hint == "a tolerance of absolute 1e-11, relative 1e-08 would do"


@pytest.mark.parametrize("residual", [1e-3, 1.01e-5, 0.0, math.nan])
def test_what_is_near_its_bound_or_differed_in_nothing_is_left_alone(residual: float, contract: Contract) -> None:
    assert list(wide_tolerances(contract, [Residual("cap/formula", "float32", residual, 1e-3)])) == []


def test_a_clause_that_is_gone_is_left_alone(contract: Contract) -> None:
    assert list(wide_tolerances(contract, [Residual("cap/other", "float32", 1e-9, 1e-3)])) == []
