"""`pv ledger release` and `log`, and `pv diff` and `bump` against the last release."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Ran, edit
from ledger_project import CONTRACT, KERNEL, commit, falsified_project, make_stale, promise_of, shelf, the_one, value
from receipts import put_promotion

from pv.digest import canonical, digest
from pv.finding import Exit, PvError
from pv.ledger.release import publish
from pv.level import Level

Pv = Callable[..., Ran]


@pytest.fixture
def promised(tmp_path: Path, pv: Pv) -> Path:
    root = falsified_project(tmp_path)
    assert pv("ledger", "promote", "double-v1", cwd=root).exit == 0
    return root


@pytest.fixture
def released(promised: Path, pv: Pv) -> Path:
    assert pv("ledger", "release", "double-v1", cwd=promised).exit == 0
    return promised


def release(root: Path, pv: Pv, *more: str) -> Ran:
    return pv("ledger", "release", "double-v1", *more, cwd=root)


def test_a_release_holds_the_contract_its_levels_and_what_carries_them(released: Path) -> None:
    path = the_one(released, "releases")
    held = value(path)
    receipt, promotion = the_one(released, "receipts").stem, the_one(released, "promotions").stem
    assert path.name == "1.0.0.json"
    assert (held["version"], held["previous"], held["promotions"], held["retractions"]) == (
        "1.0.0",
        "",
        [promotion],
        [],
    )
    assert held["tests"] == [
        {
            "id": "FALSIFY-D-001",
            "equation": "double",
            "subject": "plain",
            "level": "PARTIAL_ALGORITHM_LEVEL",
            "receipts": [receipt],
        }
    ]
    clauses = {part["name"]: part["digest"] for part in value(the_one(released, "receipts"))["depends"]["clause"]}
    assert held["clauses"] == clauses
    assert list(json.loads(held["document"])) == ["schema", "metadata", "equations", "falsification_tests"]
    assert held["digest"] == digest({key: item for key, item in held.items() if key != "digest"})


def test_the_same_again_is_said_and_written_once_and_a_dry_run_writes_nothing(promised: Path, pv: Pv) -> None:
    tried = release(promised, pv, "--dry-run")
    assert (tried.exit, shelf(promised, "releases")) == (0, [])
    assert "would write ledger/releases/double-v1/1.0.0.json" in tried.out
    assert release(promised, pv).exit == 0
    before = the_one(promised, "releases").read_bytes()
    again = release(promised, pv)
    assert (again.exit, "1.0.0 is released already, and says the same" in again.out) == (0, True)
    assert the_one(promised, "releases").read_bytes() == before


def test_nothing_is_released_of_which_nothing_is_promised(tmp_path: Path, pv: Pv) -> None:
    ran = release(falsified_project(tmp_path), pv)
    assert (ran.exit, "nothing of it is promised" in ran.err, shelf(tmp_path, "releases")) == (3, True, [])
    assert pv("ledger", "release", "triple-v1", cwd=tmp_path).exit == 2


def test_what_is_stale_broken_or_waived_is_not_released(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    ran = release(promised, pv)
    assert (ran.exit, "PV402" in ran.err) == (3, True)
    name = the_one(promised, "promotions").stem
    until = datetime.now(UTC).date().isoformat()
    assert pv("ledger", "waive", name, "--until", until, "--reason", "x", cwd=promised).exit == 0
    assert pv("gate", cwd=promised).exit == 0
    ran = release(promised, pv)
    assert (ran.exit, "a waiver is for the gate, not for a release" in ran.err) == (1, True)
    edit(promised / KERNEL, "return x * FACTOR", "return x * FACTOR + (x > 17)")
    pv("falsify", cwd=promised)
    assert release(promised, pv).exit == 1
    assert shelf(promised, "releases") == []


def test_a_contract_that_the_gate_refuses_is_not_released(promised: Path, pv: Pv) -> None:
    assert release(promised, pv).exit == 0
    name = the_one(promised, "promotions").stem
    assert pv("ledger", "retract", name, "--reason", "no longer shipped", cwd=promised).exit == 0
    assert pv("ledger", "promote", "double-v1", cwd=promised).exit == 0
    edit(promised / CONTRACT, "version: 1.0.0", "version: 2.0.0")
    ran = release(promised, pv)
    assert (ran.exit, "PV204" in ran.err, "is not released: it is not valid" in ran.err) == (1, True, True)
    assert [path.stem for path in shelf(promised, "releases")] == ["1.0.0"]
    edit(promised / CONTRACT, "version: 2.0.0", "version: 1.1.0")
    assert release(promised, pv).exit == 0


def test_evidence_that_only_lies_on_the_other_shelf_is_not_released_before_it_is_cited(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    assert pv("falsify", cwd=promised).exit == 0
    assert pv("gate", cwd=promised).exit == 0
    ran = release(promised, pv)
    assert (ran.exit, "the receipts cited for FALSIFY-D-001 are stale, others are fresh" in ran.err) == (3, True)
    assert pv("ledger", "promote", "FALSIFY-D-001", cwd=promised).exit == 0
    assert release(promised, pv).exit == 0
    assert value(the_one(promised, "releases"))["tests"][0]["receipts"][0] in {
        path.stem for path in shelf(promised, "receipts")
    }


def test_a_ledger_that_was_tampered_with_is_not_released(promised: Path, pv: Pv) -> None:
    receipt = the_one(promised, "receipts")
    receipt.write_bytes(receipt.read_bytes().replace(b'"held"', b'"HELD"'))
    ran = release(promised, pv)
    assert (ran.exit, "PV601" in ran.err, shelf(promised, "releases")) == (1, True, [])


def test_a_version_that_is_too_low_is_refused_and_bump_writes_the_one_that_is_not(released: Path, pv: Pv) -> None:
    edit(released / CONTRACT, "if_fails: look at the factor", "if_fails: look at the factor first")
    assert pv("diff", cwd=released).exit == 1
    ran = release(released, pv)
    assert (ran.exit, "1.0.0 after 1.0.0 is too low, at least 1.0.1" in ran.err) == (1, True)
    edit(released / CONTRACT, "version: 1.0.0", "version: 0.9.0")
    assert release(released, pv).exit == 1
    assert len(shelf(released, "releases")) == 1
    assert pv("bump", cwd=released).exit == 0
    assert "version: 1.0.1" in (released / CONTRACT).read_text(encoding="utf-8")
    assert pv("diff", cwd=released).exit == release(released, pv).exit == 0
    assert [value(path)["previous"] for path in shelf(released, "releases")] == ["", "1.0.0"]
    assert pv("ledger", "verify", cwd=released).exit == 0


def test_a_version_that_is_not_semver_is_refused(promised: Path, pv: Pv) -> None:
    edit(promised / CONTRACT, "version: 1.0.0", "version: one")
    ran = release(promised, pv)
    assert (ran.exit, "is not semver" in ran.err, shelf(promised, "releases")) == (1, True, [])


def test_a_level_that_rose_asks_for_a_minor_version_and_one_taken_back_for_a_major_one(released: Path, pv: Pv) -> None:
    higher = put_promotion(released / "ledger", promise_of(the_one(released, "receipts").stem, level=Level.FUNCTIONAL))
    ran = pv("diff", cwd=released)
    assert (ran.exit, "FALSIFY-D-001 (plain): promised level raised: PARTIAL" in ran.out) == (1, True)
    assert "the changes require 1.1.0 (minor)" in ran.out
    higher.unlink()
    assert pv("diff", cwd=released).exit == 0
    name = the_one(released, "promotions").stem
    assert pv("ledger", "retract", name, "--reason", "x", cwd=released).exit == 0
    ran = pv("diff", "double-v1", cwd=released)
    assert (ran.exit, "promised level lowered" in ran.out, "require 2.0.0 (major)" in ran.out) == (1, True, True)


def test_diff_knows_the_contract_as_it_was_released_without_git(released: Path, pv: Pv) -> None:
    edit(released / CONTRACT, "max: 400}, strata", "max: 300}, strata")
    ran = pv("diff", "--format", "json", cwd=released)
    [contract] = json.loads(ran.out)["contracts"]
    [change] = contract["changes"]
    assert (contract["old_version"], contract["required"], change["move"]) == ("1.0.0", "2.0.0", "narrowed")
    assert change["old"]["path"] == "ledger/releases/double-v1/1.0.0.json"
    (released / CONTRACT).unlink()
    assert "1.0.0 is gone" in pv("diff", cwd=released).out


def test_a_contract_of_the_next_major_is_compared_with_the_one_whose_place_it_took(released: Path, pv: Pv) -> None:
    new = released / "contracts/double-v2.yaml"
    (released / CONTRACT).rename(new)
    edit(released / "contracts/binding.yaml", "contract: double-v1", "contract: double-v2")
    edit(released / "falsifiers/double.py", 'CONTRACT = "double-v1"', 'CONTRACT = "double-v2"')
    ran = pv("diff", cwd=released)
    assert (ran.exit, "double-v1 → double-v2" in ran.out, "require 2.0.0 (major)" in ran.out) == (1, True, True)
    assert pv("falsify", cwd=released).exit == 0
    assert pv("ledger", "promote", "double-v2", cwd=released).exit == 0
    ran = pv("ledger", "release", "double-v2", cwd=released)
    assert (ran.exit, "1.0.0 after 1.0.0 is too low, at least 2.0.0" in ran.err) == (1, True)
    assert pv("bump", cwd=released).exit == 0
    assert pv("ledger", "release", "double-v2", cwd=released).exit == 0
    assert value(released / "ledger/releases/double-v2/2.0.0.json")["previous"] == ""
    assert pv("diff", cwd=released).exit == pv("ledger", "verify", cwd=released).exit == 0


def test_the_log_tells_what_was_promised_taken_back_and_released(released: Path, pv: Pv) -> None:
    first = the_one(released, "promotions")
    assert pv("ledger", "retract", first.stem, "--reason", "a bug in torch", cwd=released).exit == 0
    commit(released)
    assert pv("ledger", "promote", "double-v1", cwd=released).exit == 0
    second = next(path for path in shelf(released, "promotions") if path != first)
    ran = pv("ledger", "log", "--format", "json", cwd=released)
    [told] = json.loads(ran.out)["tests"]
    events = [(row["release"], row["what"], row["file"].rpartition("/")[2], row["reason"]) for row in told["events"]]
    assert events == [
        ("1.0.0", "promised", first.name, None),
        ("1.0.0", "released", "1.0.0.json", None),
        (None, "promised", second.name, None),
        (None, "retracted", the_one(released, "retractions").name, "a bug in torch"),
    ]
    assert [row["date"] is None for row in told["events"]] == [False, False, True, False]
    text = pv("ledger", "log", "FALSIFY-D-001", cwd=released).out
    assert text.startswith("double-v1  FALSIFY-D-001  double, plain\n  1.0.0\n    promised   PARTIAL  ")
    assert ": a bug in torch\n" in text
    assert pv("ledger", "log", "double-v1", cwd=released).out == text


def test_the_log_of_nothing_is_no_answer_and_of_what_is_gone_it_is_one(released: Path, pv: Pv) -> None:
    edit(released / CONTRACT, "id: FALSIFY-D-001", "id: FALSIFY-D-009")
    assert pv("ledger", "log", "FALSIFY-D-001", cwd=released).exit == 0
    assert pv("ledger", "log", "FALSIFY-D-009", cwd=released).exit == 3
    assert pv("ledger", "log", "FALSIFY-D-008", cwd=released).exit == 2


def test_a_release_is_canonical_and_never_written_again(released: Path) -> None:
    path = the_one(released, "releases")
    before = path.read_bytes()
    assert canonical(value(path)) + b"\n" == before
    with pytest.raises(PvError, match="never written again") as caught:
        publish(path.parent, {**value(path), "previous": "0.9.0"})
    assert (caught.value.exit, path.read_bytes(), list(path.parent.iterdir())) == (Exit.MEND, before, [path])
