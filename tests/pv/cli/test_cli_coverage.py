"""`pv coverage`: each link of the chain behind an invariant is seen, and so is its absence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, edit

from pv.cli import main

Pv = Callable[..., Ran]


@pytest.fixture
def demo(tmp_path: Path, pv: Pv) -> Path:
    """The example project, never run."""
    pv("init", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project after `pv falsify`."""
    root = tmp_path_factory.mktemp("demo")
    assert main(["init", str(root)]) == 0
    with chdir(root):
        assert main(["falsify"]) == 0
    return root


def value(pv: Pv, root: Path) -> Any:
    """Coverage as JSON."""
    ran = pv("coverage", "--format", "json", cwd=root)
    assert ran.exit == 0, ran.said
    return json.loads(ran.out)


def test_before_a_run_only_the_level_is_missing_and_after_it_nothing(demo: Path, pv: Pv) -> None:
    links = {"invariants": 2, "test": 2, "falsifier": 2, "fault": 2, "subject": 2}
    assert value(pv, demo)["counts"] == {**links, "level": 0, "whole": 0}
    pv("falsify", cwd=demo)
    assert value(pv, demo)["counts"] == {**links, "level": 2, "whole": 2}
    text = pv("coverage", cwd=demo)
    assert text.out.splitlines()[-1] == (
        "2 invariants: 2 with a test, 2 with a falsifier, 2 with a fault, 2 with a subject, 2 with a level; "
        "0 with something missing"
    )
    edit(demo / "kernels.py", "x / 30.0)\n", "x / 30.5)\n")
    stale = value(pv, demo)
    assert (stale["counts"]["level"], "stale" in stale["invariants"][0]["tests"][0]["freshness"]) == (0, True)


@pytest.mark.parametrize(("path", "find", "replace", "missing"), [
    ("contracts/soft-cap-v1.yaml", "binds_to: [soft_cap/formula]", "binds_to: [soft_cap/capped]",
     ["a test", "a falsifier", "a level"]),
    ("falsifiers/soft_cap.py", '@falsifier("FALSIFY-CAP-002")', '@falsifier("FALSIFY-CAP-02")',
     ["a falsifier", "a level"]),
    ("falsifiers/soft_cap.py", '@fault("soft_cap/formula")', '@fault("soft_cap/formla")', ["a fault"]),
])  # fmt: skip
def test_what_is_missing_is_named_and_comes_first(
    run_once: Path, tmp_path: Path, pv: Pv, path: str, find: str, replace: str, missing: list[str]
) -> None:
    demo = shutil.copytree(run_once, tmp_path / "demo")
    assert [row["invariant"] for row in value(pv, demo)["invariants"]] == ["soft_cap/capped", "soft_cap/formula"]
    edit(demo / path, find, replace)
    first, *_ = value(pv, demo)["invariants"]
    assert (first["invariant"], [link for link in first["missing"] if link in missing]) == ("soft_cap/formula", missing)
    text = pv("coverage", cwd=demo).out
    assert text.index("soft_cap/formula") < text.index("soft_cap/capped")


def test_a_subject_that_is_not_there_is_a_hole_of_every_invariant(demo: Path, pv: Pv) -> None:
    edit(demo / "contracts/binding.yaml", "kernels:soft_cap", "kernels:softcap")
    rows = value(pv, demo)["invariants"]
    assert all("a subject" in row["missing"] for row in rows)
    assert "defines no 'softcap'" in rows[0]["subject_problem"]
    assert "defines no" in pv("coverage", cwd=demo).out


def test_a_falsified_invariant_says_so(demo: Path, pv: Pv) -> None:
    edit(demo / "kernels.py", "30.0 * torch.tanh", "30.1 * torch.tanh")
    pv("falsify", cwd=demo)
    assert [row["level"] for row in value(pv, demo)["invariants"]] == ["FALSIFIED", "FALSIFIED"]


def test_the_projects_own_invariants_all_have_tests_falsifiers_faults_and_a_subject(pv: Pv) -> None:
    counts = value(pv, Path.cwd())["counts"]
    assert counts["invariants"] == counts["test"] == counts["falsifier"] == counts["fault"] == counts["subject"]


def test_nothing_is_nothing_and_what_cannot_be_read_is_named(tmp_path: Path, demo: Path, pv: Pv) -> None:
    pv("init", tmp_path / "empty", "--empty")
    ran = pv("coverage", cwd=tmp_path / "empty")
    assert (ran.exit, ran.out.startswith("0 invariants: ")) == (0, True)
    contract = demo / "contracts/soft-cap-v1.yaml"
    contract.write_text(contract.read_text(encoding="utf-8") + "  [\n", encoding="utf-8")
    ran = pv("coverage", cwd=demo)
    assert (ran.exit, "soft-cap-v1.yaml could not be read and is not counted" in ran.out) == (0, True)
    ran = pv("coverage", "soft-cap-v1", cwd=demo)
    assert (ran.exit, "pv validate" in ran.err) == (1, True)
    ran = pv("coverage", "softcap-v1", cwd=demo)
    assert (ran.exit, "soft-cap-v1" in ran.err) == (2, True)
