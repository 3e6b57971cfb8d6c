"""`pv pin`: a counterexample beside the falsifiers, which ages the evidence; one case, chosen by its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, edit
from small_project import write_project

from pv.falsify.casefile import keep_counterexample, read_case
from pv.falsify.encode import fingerprint

Pv = Callable[..., Ran]
TEST = "FALSIFY-D-001"
RIGHT, WRONG = "return FACTOR * x", "return FACTOR * x + (x > 17)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def keep(root: Path, x: int) -> str:
    """Keep x = `x` as a run would; the name of the case."""
    found = {
        "invariant": "double/twice", "stratum": "x.ordinary", "digest": fingerprint({"x": x}).hex(), "message": "differs",
        "observed": str(2 * x + 1), "expected": str(2 * x), "at": "falsifiers/double.py:9",
    }  # fmt: skip
    return keep_counterexample(root / ".pv/counterexamples", "double-v1", TEST, "plain", found, {"x": x}).stem


def pins(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "falsifiers/pins").rglob("*.json"))


def stale(root: Path, pv: Pv) -> list[dict[str, Any]]:
    [row] = json.loads(pv("status", "--format", "json", cwd=root).out)["tests"]
    return list(row["stale"])


def test_a_pin_ages_the_evidence_until_the_test_is_run_again(project: Path, pv: Pv) -> None:
    edit(project / "kernels/double.py", RIGHT, WRONG)
    assert (pv("falsify", cwd=project).exit, stale(project, pv)) == (1, [])

    ran = pv("pin", "001", cwd=project)
    assert (ran.exit, pins(project)) == (0, [fingerprint({"x": 18}).hex()[:16]])
    path = f"falsifiers/pins/{TEST}/{pins(project)[0]}.json"
    assert ran.out.splitlines() == [
        f"pinned {path}",
        "  pins are part of the evidence, which is stale until the test is run again",
        f"  next: pv falsify --id {TEST}",
    ]
    assert stale(project, pv) == [{"cause": "falsifier", "what": path, "how": "new"}]
    assert (pv("falsify", cwd=project).exit, stale(project, pv)) == (1, [])

    edit(project / "kernels/double.py", WRONG, RIGHT)
    assert (pv("falsify", cwd=project).exit, stale(project, pv)) == (0, [])
    assert pv("ledger", "promote", TEST, cwd=project).exit == pv("gate", cwd=project).exit == 0

    case = project / path
    case.write_bytes(case.read_bytes().replace(b"differs", b"diverges"))
    assert stale(project, pv) == [{"cause": "falsifier", "what": path, "how": "changed"}]
    case.write_bytes(case.read_bytes().replace(b"diverges", b"differs"))
    assert stale(project, pv) == []

    shutil.rmtree(project / ".pv")  # the run before the pin too; what was promoted is in the ledger
    assert pv("pin", TEST, "--remove", cwd=project).exit == 0
    assert stale(project, pv) == [{"cause": "falsifier", "what": path, "how": "gone"}]
    assert pv("gate", cwd=project).exit == 3
    assert not (project / "falsifiers/pins" / TEST).exists()


def test_pinning_twice_changes_nothing(project: Path, pv: Pv) -> None:
    name = keep(project, 18)
    assert pv("pin", TEST, cwd=project).exit == 0
    path = project / f"falsifiers/pins/{TEST}/{name}.json"

    def written() -> tuple[int, int]:
        return path.stat().st_ino, path.stat().st_mtime_ns  # it is read, so its time of access may move

    before = written()
    ran = pv("pin", TEST, cwd=project)
    assert (ran.exit, ran.out, written()) == (0, f"pinned already: {path.relative_to(project)}\n", before)
    assert json.loads(pv("pin", TEST, "--format", "json", cwd=project).out) == {
        "pinned": path.relative_to(project).as_posix(), "test": TEST, "changed": False,
    }  # fmt: skip


def test_of_several_cases_the_one_that_is_named_is_pinned(project: Path, pv: Pv) -> None:
    first, second = keep(project, 18), keep(project, 19)
    ran = pv("pin", TEST, cwd=project)
    assert (ran.exit, pins(project)) == (2, [])
    assert all(name in ran.out for name in (first, second, "observed 37, expected 36", "found by a run"))
    assert "--case NAME" in ran.err
    assert (pv("pin", TEST, "--case", first[:6], cwd=project).exit, pins(project)) == (0, [first])
    assert read_case(project / f"falsifiers/pins/{TEST}/{first}.json")["arguments"] == {"x": 18}
    assert pv("pin", TEST, "--case", second, cwd=project).exit == 0
    assert pv("pin", TEST, "--remove", cwd=project).exit == 2
    assert (pv("pin", TEST, "--remove", "--case", first, cwd=project).exit, pins(project)) == (0, [second])


def test_nothing_to_pin_is_something_to_run(project: Path, pv: Pv) -> None:
    ran = pv("pin", TEST, cwd=project)
    assert (ran.exit, f"pv falsify --id {TEST}" in ran.err) == (3, True)
    assert pv("pin", TEST, "--list", cwd=project).out == f"no case of {TEST} is kept\n"


@pytest.mark.parametrize(("arguments", "said"), [
    (["FALSIFY-D-009"], "no falsification test is called"),
    ([TEST, "--case", "zz"], "no kept case of FALSIFY-D-001 is called 'zz'"),
    ([TEST, "--remove"], "no case of FALSIFY-D-001 is pinned"),
])  # fmt: skip
def test_what_is_not_there_is_said(project: Path, pv: Pv, arguments: list[str], said: str) -> None:
    keep(project, 18)
    ran = pv("pin", *arguments, cwd=project)
    assert (ran.exit, said in ran.err, pins(project)) == (2, True, [])


def test_the_list_tells_where_each_case_lies_and_changes_nothing(project: Path, pv: Pv) -> None:
    pinned = keep(project, 18)
    pv("pin", TEST, cwd=project)
    broken = keep(project, 19)
    kept = project / f".pv/counterexamples/double-v1/{TEST}/{broken}.json"
    kept.write_text("{", encoding="utf-8")
    rows = json.loads(pv("pin", TEST, "--list", "--format", "json", cwd=project).out)["cases"]
    assert [(row["name"], row["origin"], bool(row["problem"])) for row in rows] == [
        (pinned, "pinned", False),
        (broken, "found by a run", True),
    ]
    text = pv("pin", TEST, "--list", cwd=project).out.splitlines()
    assert (len(text), "x.ordinary  double/twice: observed 37" in text[0], "can be read" in text[1]) == (2, True, True)
    assert pins(project) == [pinned]


def test_a_case_that_cannot_be_read_is_not_pinned(project: Path, pv: Pv) -> None:
    name = keep(project, 18)
    path = project / f".pv/counterexamples/double-v1/{TEST}/{name}.json"
    path.write_bytes(path.read_bytes().replace(b'"value":18', b'"value":19'))
    ran = pv("pin", TEST, cwd=project)
    assert (ran.exit, "does not hold what its digest says" in ran.err, pins(project)) == (1, True, [])


def test_a_pin_of_another_contract_ages_nothing_here(project: Path, pv: Pv) -> None:
    pv("falsify", cwd=project)
    name = keep(project, 18)
    pv("pin", TEST, cwd=project)
    assert len(stale(project, pv)) == 1
    path = project / f"falsifiers/pins/{TEST}/{name}.json"
    path.write_bytes(path.read_bytes().replace(b'"double-v1"', b'"triple-v1"'))
    assert stale(project, pv) == []
