"""`pv ledger verify`: every shelf, releases in line, typed levels, and what a git reference had."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, edit
from ledger_project import CONTRACT, commit, falsified_project, forge_kind, git, promise_of, shelf, the_one, value
from receipts import put_promotion

from pv.digest import digest
from pv.ledger.release import publish
from pv.ledger.store import add
from pv.level import Level

Pv = Callable[..., Ran]


@pytest.fixture
def promised(tmp_path: Path, pv: Pv) -> Path:
    root = falsified_project(tmp_path)
    (root / ".gitignore").write_text(".pv/\n__pycache__/\n", encoding="utf-8")
    assert pv("ledger", "promote", "double-v1", cwd=root).exit == 0
    return root


@pytest.fixture
def released(promised: Path, pv: Pv) -> Path:
    assert pv("ledger", "release", "double-v1", cwd=promised).exit == 0
    return promised


def verify(root: Path, pv: Pv, *arguments: str) -> Ran:
    return pv("ledger", "verify", *arguments, cwd=root)


def sealed(held: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A release with `changes` of its keys, its digest and its document fitting them."""
    rest = {key: item for key, item in {**held, **changes}.items() if key != "digest"}
    rest["document"] = held["document"].replace('"version":"1.0.0"', f'"version":"{rest["version"]}"')
    return {**rest, "digest": digest(rest)}


def put_release(root: Path, **changes: Any) -> Path:
    """A release like the one there is, by another hand."""
    folder = root / "ledger/releases/double-v1"
    return publish(folder, sealed(value(folder / "1.0.0.json"), **changes))


def test_every_shelf_is_counted_and_a_whole_ledger_has_no_finding(released: Path, pv: Pv) -> None:
    ran = verify(released, pv)
    assert (ran.exit, ran.out) == (
        0, "1 receipt, 1 promotion, 0 retractions, 0 waivers, 1 release, 0 records; 0 errors, 0 warnings\n",
    )  # fmt: skip
    assert json.loads(verify(released, pv, "--format", "json").out)["checked"]["releases"] == 1


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1],
    lambda data: data.replace(b"PARTIAL_ALGORITHM_LEVEL", b"DISCHARGED"),
    lambda data: data.replace(b"look at the factor", b"look at the vector"),
    lambda data: data.replace(b'"previous":""', b'"previous":"0"'),
    lambda data: b"",
])  # fmt: skip
def test_a_release_that_was_changed_is_named_although_its_name_is_no_digest(
    damage: Callable[[bytes], bytes], released: Path, pv: Pv
) -> None:
    path = the_one(released, "releases")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert verify(released, pv).exit == 0, "a checkout may turn line ends"
    path.write_bytes(damage(path.read_bytes().replace(b"\r\n", b"\n")))
    ran = verify(released, pv)
    assert (ran.exit, "ledger/releases/double-v1/1.0.0.json:1:1: error PV601" in ran.out) == (1, True)


@pytest.mark.parametrize("name", ["1.0.1.json", "one.json", "1.0.0.txt"])
def test_a_release_under_another_name_is_named(name: str, released: Path, pv: Pv) -> None:
    the_one(released, "releases").rename(released / "ledger/releases/double-v1" / name)
    ran = verify(released, pv)
    assert (ran.exit, f"ledger/releases/double-v1/{name}:1:1: error PV601" in ran.out) == (1, True)


def test_a_release_in_another_contracts_folder_is_named(released: Path, pv: Pv) -> None:
    (released / "ledger/releases/double-v1").rename(released / "ledger/releases/triple-v1")
    ran = verify(released, pv)
    assert (ran.exit, "PV603 is about double-v1 and lies in the folder of triple-v1" in ran.out) == (1, True)


def test_whatever_a_release_lists_must_be_there(released: Path, pv: Pv) -> None:
    the_one(released, "promotions").unlink()
    ran = verify(released, pv)
    assert (ran.exit, "1.0.0.json:1:1: error PV602 cites the promotion" in ran.out) == (1, True)
    assert pv("ledger", "promote", "double-v1", cwd=released).exit == 0
    the_one(released, "receipts").unlink()
    assert "1.0.0.json:1:1: error PV602 cites the receipt" in verify(released, pv).out


def test_what_is_missing_or_damaged_comes_back_by_the_command_that_is_printed(released: Path, pv: Pv) -> None:
    commit(released)
    missing, damaged = the_one(released, "receipts"), the_one(released, "promotions")
    foreign = released / "ledger/receipts/double-v1/notes.txt"
    missing.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-2])
    foreign.write_bytes(b"")
    commit(released)
    added, out = git(released, "rev-parse", "--short", "HEAD^").strip(), verify(released, pv).out
    for path in (missing, damaged):
        assert f"    git checkout {added} -- {path.relative_to(released)}\n" in out
    assert "written by pv alone: take ledger/receipts/double-v1/notes.txt away\n" in out
    for words in [line.split()[1:] for line in out.splitlines() if line.startswith("    git ")]:
        git(released, *words)
    foreign.unlink()
    assert verify(released, pv).exit == 0


def test_what_no_commit_has_is_not_promised_to_come_back(released: Path, pv: Pv) -> None:
    missing = the_one(released, "receipts")
    missing.unlink()
    commit(released)
    shown = missing.relative_to(released)
    assert f"    bring {shown} back: no commit that git has here knows it\n" in verify(released, pv).out


def test_a_release_above_what_was_promised_and_one_without_its_predecessor_are_named(released: Path, pv: Pv) -> None:
    [row] = value(the_one(released, "releases"))["tests"]
    high = put_release(released, version="1.1.0", previous="1.0.0", tests=[{**row, "level": "DISCHARGED"}])
    ran = verify(released, pv)
    assert (ran.exit, "1.1.0.json:1:1: error PV603 has FALSIFY-D-001 (plain) at DISCHARGED" in ran.out) == (1, True)
    high.unlink()
    put_release(released, version="1.3.0", previous="1.2.0")
    assert "1.3.0.json:1:1: error PV602 follows double-v1 1.2.0, which is not in the ledger" in verify(released, pv).out


def test_a_retraction_and_a_waiver_need_the_promotion_they_are_about(promised: Path, pv: Pv) -> None:
    value_ = {"format": "pv/retraction-v1", "contract": "double-v1", "target": "0" * 64, "tests": [], "reason": "x"}
    path = add(promised / "ledger/retractions/double-v1", value_)
    assert f"{path.name}:1:1: error PV602 takes back the promotion 000000000000…" in verify(promised, pv).out
    path.unlink()
    target = the_one(promised, "promotions").stem
    path = add(promised / "ledger/retractions/double-v1", {**value_, "target": target, "tests": ["FALSIFY-D-002"]})
    assert f"{path.name}:1:1: error PV603 takes back FALSIFY-D-002" in verify(promised, pv).out


EXCUSE = {"id": "T", "equation": "e", "subject": "s", "level": "FALSIFIED", "causes": [], "state": "0" * 64}


@pytest.mark.parametrize(("layout", "changes"), [
    ("retraction", {"target": "0", "tests": []}),
    ("retraction", {"tests": [], "reason": ""}),
    ("waiver", {"tests": [], "until": "2026-02-28"}),
    ("waiver", {"tests": [EXCUSE], "until": "2026-02-31"}),
    ("waiver", {"tests": [EXCUSE], "until": "soon"}),
])  # fmt: skip
def test_a_file_of_another_layout_is_not_believed(layout: str, changes: dict[str, Any], promised: Path, pv: Pv) -> None:
    usual = {"format": f"pv/{layout}-v1", "contract": "double-v1", "target": "0" * 64, "reason": "x"}
    path = add(promised / f"ledger/{layout}s/double-v1", {**usual, **changes})
    ran = verify(promised, pv)
    assert (ran.exit, f"{path.name}:1:1: error PV601" in ran.out) == (1, True)


def test_two_branches_that_both_release_are_told_of_each_other(released: Path, pv: Pv) -> None:
    put_release(released, version="1.1.0", previous="1.0.0")
    assert verify(released, pv).exit == 0
    put_release(released, version="1.2.0", previous="1.0.0")
    ran = verify(released, pv)
    assert (ran.exit, "PV607 double-v1 1.2.0 and double-v1 1.1.0 both follow 1.0.0" in ran.out) == (1, True)
    assert pv("gate", cwd=released).exit == 1
    later = put_release(released, version="1.3.0", previous="1.2.0")
    assert verify(released, pv).exit == 0, "it lists what both of them promise"
    later.unlink()
    later = put_release(released, version="1.3.0", previous="1.2.0", promotions=[])
    assert "PV607 double-v1 1.2.0 and double-v1 1.1.0" in verify(released, pv).out
    later.unlink()
    (released / "ledger/releases/double-v1/1.2.0.json").unlink()
    put_release(released, version="1.2.0", previous="1.1.0")
    assert verify(released, pv).exit == 0


def test_a_release_below_an_earlier_one_is_named_unless_it_was_retracted(released: Path, pv: Pv) -> None:
    receipt, [row] = the_one(released, "receipts").stem, value(the_one(released, "releases"))["tests"]
    other = put_promotion(released / "ledger", promise_of(receipt, level=Level.FUNCTIONAL))
    both = sorted(path.stem for path in shelf(released, "promotions"))
    put_release(released, version="1.1.0", previous="1.0.0", promotions=both, tests=[{**row, "level": "FUNCTIONAL"}])
    put_release(released, version="1.2.0", previous="1.1.0")
    fallen = "double-v1 1.2.0 has FALSIFY-D-001 (plain) at PARTIAL, double-v1 1.1.0 had it at FUNCTIONAL"
    assert fallen in verify(released, pv).out
    assert pv("ledger", "retract", other.stem, "--reason", "x", cwd=released).exit == 0
    assert "PV607" not in verify(released, pv).out


def test_a_typed_level_is_compared_with_the_one_derived(promised: Path, pv: Pv) -> None:
    edit(promised / CONTRACT, "  - id: FALSIFY-D-001", "  - id: FALSIFY-D-001\n    status: PARTIAL_ALGORITHM_LEVEL")
    assert verify(promised, pv).exit == 0
    edit(promised / CONTRACT, "status: PARTIAL_ALGORITHM_LEVEL", "status: DISCHARGED")
    ran = verify(promised, pv)
    assert (ran.exit, "PV401 FALSIFY-D-001 has the status DISCHARGED" in ran.out) == (3, True)
    edit(promised / CONTRACT, "status: DISCHARGED", "status: PARTIAL_ALGORITHM_LEVEL")
    forge_kind(promised, "live")
    ran = verify(promised, pv)
    assert (ran.exit, "warning PV608 FALSIFY-D-001 has the status PARTIAL_ALGORITHM_LEVEL" in ran.out) == (0, True)


def test_what_was_committed_may_not_be_gone_and_a_release_not_changed(released: Path, pv: Pv) -> None:
    commit(released)
    assert verify(released, pv, "--against", "HEAD").exit == 0
    path = the_one(released, "releases")
    whole = path.read_bytes()
    path.write_bytes(b"\n".join([whole.strip(), b""]).replace(b"\n", b"\r\n"))
    assert verify(released, pv, "--against", "HEAD").exit == 0
    held = value(path)
    path.unlink()
    publish(path.parent, sealed(held, clauses={}))
    assert verify(released, pv).exit == 0, "it is a release, though another one"
    ran = verify(released, pv, "--against", "HEAD")
    assert (ran.exit, "1.0.0.json:1:1: error PV604 is not what it was at HEAD" in ran.out) == (1, True)
    path.unlink()
    ran = verify(released, pv, "--against", "HEAD")
    assert (ran.exit, "1.0.0.json:1:1: error PV604 was in the ledger at HEAD and is gone" in ran.out) == (1, True)


def test_an_unreleased_promotion_may_be_taken_back_by_a_commit(promised: Path, pv: Pv) -> None:
    commit(promised)
    git(promised, "branch", "promoted")
    git(promised, "rm", "-rq", "ledger")
    assert verify(promised, pv, "--against", "promoted").exit == 1, "HEAD still has it: nobody took it back"
    commit(promised)
    ran = verify(promised, pv, "--against", "promoted")
    assert (ran.exit, ran.out.count("note PV604"), "no release cites it" in ran.out) == (3, 2, True)
    assert "unmeasured PV600 is empty: nothing was promised yet" in ran.out, "no more is it a pass without --against"


def test_a_released_promotion_may_not_be_taken_back_nor_a_receipt_that_is_still_cited(released: Path, pv: Pv) -> None:
    commit(released)
    git(released, "branch", "published")
    git(released, "rm", "-rq", "ledger/promotions", "ledger/receipts")
    commit(released)
    ran = verify(released, pv, "--against", "published")
    assert (ran.exit, ran.out.count("error PV604"), ran.out.count("note PV604")) == (1, 2, 0)


def before_the_ledger(root: Path) -> None:
    """A repository in which all of the project but its ledger is committed."""
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--", ".", ":!ledger")
    git(root, "commit", "--quiet", "--message", "no ledger yet")


def test_the_first_ledger_of_a_project_has_nothing_to_be_compared_with_and_passes(promised: Path, pv: Pv) -> None:
    before_the_ledger(promised)
    commit(promised)
    ran = verify(promised, pv, "--against", "HEAD^")
    assert (ran.exit, "note PV600 is not there at HEAD^, nor in any commit before it" in ran.out) == (0, True)
    assert verify(promised, pv, "--against", "nowhere").exit == 2


def test_a_clone_without_history_cannot_tell_whether_there_was_a_ledger(promised: Path, tmp_path: Path, pv: Pv) -> None:
    before_the_ledger(promised)
    git(promised, "commit", "--quiet", "--allow-empty", "--message", "another")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", promised.as_uri(), str(shallow))
    falsified_project(shallow)
    assert pv("ledger", "promote", "double-v1", cwd=shallow).exit == 0
    ran = verify(shallow, pv, "--against", "HEAD")
    assert (ran.exit, "git has not the whole history: nothing compared" in ran.out) == (3, True)
    assert "git fetch --unshallow" in ran.out
    git(shallow, "fetch", "--quiet", "--unshallow")
    assert verify(shallow, pv, "--against", "HEAD").exit == 0


def test_a_ledger_that_was_deleted_before_the_reference_is_still_missed(released: Path, pv: Pv) -> None:
    commit(released)
    git(released, "rm", "-rq", "ledger")
    commit(released)
    assert pv("ledger", "promote", "double-v1", cwd=released).exit == 0
    ran = verify(released, pv, "--against", "HEAD")
    before = git(released, "rev-parse", "--short=12", "HEAD^").strip()
    assert (ran.exit, f"note PV600 is not there at HEAD: compared with {before}" in ran.out) == (1, True)
    assert f"1.0.0.json:1:1: error PV604 was in the ledger at {before} and is gone" in ran.out


def test_a_merge_that_keeps_the_side_without_a_ledger_does_not_hide_the_other(released: Path, pv: Pv) -> None:
    before_the_ledger(released)
    git(released, "switch", "--quiet", "--create", "promoted")
    commit(released)
    git(released, "switch", "--quiet", "main")
    git(released, "merge", "--quiet", "--no-ff", "--strategy", "ours", "--message", "ours", "promoted")
    assert not (released / "ledger/releases").exists()
    ran = verify(released, pv, "--against", "HEAD")
    assert (ran.exit, "1.0.0.json:1:1: error PV604" in ran.out) == (1, True)
