"""`pv rule`: every code explains itself, in a project and outside of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from conftest import Ran

from pv.rules import catalogue, describe

Pv = Callable[..., Ran]


def test_a_code_is_explained_in_any_case_and_without_a_project(tmp_path: Path, pv: Pv) -> None:
    ran = pv("rule", "pv203", cwd=tmp_path)
    assert (ran.exit, ran.out) == (0, f"PV203  error\n\n{describe('PV203')}\n")
    assert "FAIL" in ran.out


def test_without_a_code_it_is_the_table_of_all_of_them(pv: Pv) -> None:
    lines = pv("rule").out.splitlines()
    assert lines[:-1] == [f"{rule.code}  {rule.severity.value:10}  {rule.summary}" for rule in catalogue()]
    assert lines[-1] == f"{len(catalogue())} codes; pv rule CODE tells more"


def test_an_unknown_code_is_misuse_and_names_the_nearest(pv: Pv) -> None:
    for code, near in (("PV-203", "did you mean 'PV203'?"), ("nonsense", "known: "), ("", "known: ")):
        ran = pv("rule", code)
        assert (ran.exit, near in ran.err, ran.out) == (2, True, ""), code


def test_programs_get_the_same(pv: Pv) -> None:
    (one,) = json.loads(pv("rule", "PV100", "--format", "json").out)["rules"]
    assert (one["code"], one["severity"], one["text"]) == ("PV100", "unmeasured", describe("PV100"))
    assert len(json.loads(pv("rule", "--format", "json").out)["rules"]) == len(catalogue())
