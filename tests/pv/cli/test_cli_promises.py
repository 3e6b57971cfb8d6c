"""`pv ledger promote`, `retract` and `waive`: what binds, for how long, and what it would take to promise more."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Ran, edit
from ledger_project import CONTRACT, KERNEL, falsified_project, forge_kind, make_stale, shelf, the_one, value

from pv.ledger.store import add, name_of

Pv = Callable[..., Ran]
TODAY = datetime.now(UTC).date()
SOON = (TODAY + timedelta(days=30)).isoformat()


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return falsified_project(tmp_path)


@pytest.fixture
def promised(fresh: Path, pv: Pv) -> Path:
    assert pv("ledger", "promote", "double-v1", cwd=fresh).exit == 0
    return fresh


def files(root: Path) -> list[Path]:
    return sorted((root / "ledger").rglob("*.json"))


def gate(root: Path, pv: Pv) -> tuple[int, str]:
    ran = pv("gate", cwd=root)
    return ran.exit, ran.out


def waive(root: Path, pv: Pv, *, until: str = SOON, digest: str = "") -> Ran:
    name = digest or the_one(root, "promotions").stem
    return pv("ledger", "waive", name, "--until", until, "--reason", "ticket 812", cwd=root)


def test_a_dry_run_writes_nothing_and_names_the_file_that_a_real_one_writes(fresh: Path, pv: Pv) -> None:
    tried = pv("ledger", "promote", "double-v1", "--dry-run", cwd=fresh)
    assert (tried.exit, files(fresh), "1 to be promoted" in tried.out) == (0, [], True)
    assert pv("ledger", "promote", "double-v1", cwd=fresh).exit == 0
    path = the_one(fresh, "promotions").relative_to(fresh).as_posix()
    assert f"would write {path}" in tried.out
    assert value(the_one(fresh, "promotions"))["tests"][0]["receipts"] == [the_one(fresh, "receipts").stem]


def test_a_level_that_is_supported_is_promised_and_one_above_says_what_it_lacks(fresh: Path, pv: Pv) -> None:
    for level, said in (("FUNCTIONAL", "FUNCTIONAL: a `live` command"), ("DISCHARGED", "with `role: reference`")):
        ran = pv("ledger", "promote", "FALSIFY-D-001", "--to", level, cwd=fresh)
        assert (ran.exit, f"PARTIAL, not {level}; it lacks" in ran.out, said in ran.out) == (3, True, True)
    assert "DISCHARGED:" not in pv("ledger", "promote", "double-v1", "--to", "functional", cwd=fresh).out
    assert files(fresh) == []
    assert pv("ledger", "promote", "double-v1", "--to", "PARTIAL", cwd=fresh).exit == 0
    assert value(the_one(fresh, "promotions"))["level"] == "PARTIAL_ALGORITHM_LEVEL"
    assert pv("ledger", "promote", "double-v1", "--to", "GREAT", cwd=fresh).exit == 2


def test_a_promise_cites_one_receipt_for_each_kind_on_the_way_to_its_level(fresh: Path, pv: Pv) -> None:
    live = forge_kind(fresh, "live").stem
    [made] = {path.stem for path in (fresh / ".pv/receipts").rglob("*.json")} - {live}
    for level, cited in (("PARTIAL", [made]), ("FUNCTIONAL", sorted([made, live]))):
        assert pv("ledger", "promote", "double-v1", "--to", level, cwd=fresh).exit == 0
        rows = [row for path in shelf(fresh, "promotions") if level in (row := value(path))["level"]]
        assert [row["tests"][0]["receipts"] for row in rows] == [cited]
    assert [path.stem for path in shelf(fresh, "receipts")] == sorted([made, live])
    assert pv("ledger", "verify", cwd=fresh).exit == 0
    ran = pv("ledger", "promote", "double-v1", "--to", "DISCHARGED", cwd=fresh)
    assert (ran.exit, "FUNCTIONAL, not DISCHARGED" in ran.out) == (3, True)


def test_what_is_broken_is_to_be_mended_and_what_is_stale_to_be_run(fresh: Path, pv: Pv) -> None:
    make_stale(fresh)
    assert pv("ledger", "promote", "double-v1", cwd=fresh).exit == 3
    edit(fresh / KERNEL, "return x * FACTOR", "return x * FACTOR + (x > 17)")
    assert pv("falsify", cwd=fresh).exit == 1
    ran = pv("ledger", "promote", "double-v1", "--to", "PARTIAL", "--format", "json", cwd=fresh)
    assert (ran.exit, json.loads(ran.out)["refused"][0]["level"]) == (1, "FALSIFIED")
    assert files(fresh) == []


def test_a_retracted_promise_no_longer_binds_and_is_told_with_its_reason(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    assert gate(promised, pv)[0] == 3
    name = the_one(promised, "promotions").stem
    ran = pv("ledger", "retract", name[:6], "--reason", "no longer shipped", cwd=promised)
    assert ran.exit == 0
    assert value(the_one(promised, "retractions")) == {
        "format": "pv/retraction-v1",
        "contract": "double-v1",
        "target": name,
        "tests": [],
        "reason": "no longer shipped",
    }
    out = gate(promised, pv)[1]
    assert ("PV402" in out, "note PV606 1 retracted at PARTIAL (FALSIFY-D-001): no longer shipped" in out) == (
        False,
        True,
    )
    assert "1 retracted" in pv("status", cwd=promised).out
    assert "already retracted: no longer shipped" in pv("ledger", "retract", name, "--reason", "x", cwd=promised).out
    assert len(shelf(promised, "retractions")) == 1


def test_what_was_retracted_can_be_promised_again_and_then_nothing_is_said_of_it(promised: Path, pv: Pv) -> None:
    name = the_one(promised, "promotions").stem
    for time in (1, 2):
        assert pv("ledger", "retract", name, "--reason", f"reason {time}", cwd=promised).exit == 0
        assert "PV606" in gate(promised, pv)[1]
        before = {path.stem for path in shelf(promised, "promotions")}
        assert pv("ledger", "promote", "double-v1", cwd=promised).exit == 0
        [name] = {path.stem for path in shelf(promised, "promotions")} - before
        code, out = gate(promised, pv)
        assert (code, "PV606" in out) == (0, False)
    assert pv("ledger", "verify", cwd=promised).exit == 0
    make_stale(promised)
    assert "unmeasured PV402" in gate(promised, pv)[1]


@pytest.mark.parametrize(("arguments", "said"), [
    (["12345", "--reason", "x"], "is no digest"),
    (["xyzxyz", "--reason", "x"], "is no digest"),
    (["000000", "--reason", "x"], "no promotion begins with"),
    (["PROMOTION", "--reason", " "], "a reason is needed"),
    (["PROMOTION", "--reason", "x", "--id", "FALSIFY-D-002"], "promises no 'FALSIFY-D-002'"),
    (["PROMOTION"], "--reason"),
])  # fmt: skip
def test_a_retraction_that_cannot_be_meant_is_refused(arguments: list[str], said: str, promised: Path, pv: Pv) -> None:
    name = the_one(promised, "promotions").stem
    before = files(promised)
    ran = pv("ledger", "retract", *[word.replace("PROMOTION", name) for word in arguments], cwd=promised)
    assert (ran.exit, said in ran.err, files(promised)) == (2, True, before)


def test_a_digest_that_two_files_begin_with_is_refused(promised: Path, pv: Pv) -> None:
    original = value(the_one(promised, "promotions"))
    seen: dict[str, dict[str, object]] = {}
    for number in range(100_000):
        other = {**original, "after": [f"{number:064x}"]}
        prefix = name_of(other)[:6]
        if prefix in seen:
            break
        seen[prefix] = other
    for twin in (seen[prefix], other):
        add(promised / "ledger/promotions/double-v1", twin)
    ran = pv("ledger", "retract", prefix, "--reason", "x", cwd=promised)
    assert (ran.exit, f"2 promotions begin with {prefix!r}" in ran.err) == (2, True)
    assert pv("ledger", "retract", name_of(other)[:20], "--reason", "x", cwd=promised).exit == 0


def test_a_waiver_excuses_exactly_what_is_there_and_raises_no_level(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    assert gate(promised, pv)[0] == 3
    assert waive(promised, pv).exit == 0
    code, out = gate(promised, pv)
    assert (code, f"waived until {SOON}: ticket 812" in out, "warning PV402" in out) == (0, True, True)
    [row] = json.loads(pv("status", "--format", "json", cwd=promised).out)["tests"]
    assert row["level"] == "NO_EVIDENCE"
    assert "1 waived" in pv("status", cwd=promised).out
    assert pv("ledger", "verify", cwd=promised).exit == 0


def test_a_waiver_lapses_when_the_same_function_changes_again(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    waive(promised, pv)
    edit(promised / KERNEL, "return x * FACTOR", "return (1 * x) * FACTOR")
    code, out = gate(promised, pv)
    assert (code, "unmeasured PV402" in out) == (3, True)
    assert (
        "warning PV605 the waiver of FALSIFY-D-001 (ticket 812) has lapsed: what the promise depends on has changed"
        in out
    )
    edit(promised / KERNEL, "return (1 * x) * FACTOR", "return x * FACTOR")
    assert gate(promised, pv)[0] == 0, "the state that it excuses is there again"


def test_a_waiver_lapses_when_there_is_another_cause_or_another_level(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    waive(promised, pv)
    edit(promised / CONTRACT, "statement: the result is twice", "statement: each result is twice")
    code, out = gate(promised, pv)
    assert (
        code,
        "has lapsed: it excuses subject changed (kernels/double.py: double), and now it is clause" in out,
    ) == (3, True)
    edit(promised / CONTRACT, "statement: each result is twice", "statement: the result is twice")
    edit(promised / KERNEL, "return x * FACTOR", "return x * FACTOR + (x > 17)")
    assert pv("falsify", cwd=promised).exit == 1
    code, out = gate(promised, pv)
    assert (code, "has lapsed: it excuses NO EVIDENCE, and now it is FALSIFIED" in out) == (1, True)


@pytest.mark.parametrize(("until", "why"), [
    (TODAY - timedelta(days=1), "its last day was"),
    (TODAY + timedelta(days=91), "more than 90 days ahead"),
])  # fmt: skip
def test_a_waiver_holds_to_its_date_and_none_is_believed_that_reaches_further(
    until: date, why: str, promised: Path, pv: Pv
) -> None:
    make_stale(promised)
    waive(promised, pv)
    written = the_one(promised, "waivers")
    for day, expected in ((TODAY, 0), (TODAY + timedelta(days=90), 0), (until, 3)):
        path = add(written.parent, {**value(written), "until": day.isoformat()})
        kept = path.read_bytes()
        for other in shelf(promised, "waivers"):
            other.unlink()
        path.write_bytes(kept)
        written = path
        assert gate(promised, pv)[0] == expected, day
    assert why in gate(promised, pv)[1]


@pytest.mark.parametrize(("until", "said"), [
    ("tomorrow", "is no date"),
    ((TODAY + timedelta(days=91)).isoformat(), "is not within the next 90 days"),
    ((TODAY - timedelta(days=1)).isoformat(), "is not within the next 90 days"),
])  # fmt: skip
def test_a_waiver_is_not_written_for_another_time(until: str, said: str, promised: Path, pv: Pv) -> None:
    make_stale(promised)
    ran = waive(promised, pv, until=until)
    assert (ran.exit, said in ran.err, shelf(promised, "waivers")) == (2, True, [])


def test_what_is_supported_or_retracted_has_nothing_to_waive(promised: Path, pv: Pv) -> None:
    ran = waive(promised, pv)
    assert (ran.exit, "nothing to waive" in ran.err) == (2, True)
    make_stale(promised)
    pv("ledger", "retract", the_one(promised, "promotions").stem, "--reason", "x", cwd=promised)
    assert (waive(promised, pv).exit, shelf(promised, "waivers")) == (2, [])


def test_a_waiver_says_nothing_about_a_test_that_is_gone(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    waive(promised, pv)
    edit(promised / CONTRACT, "id: FALSIFY-D-001", "id: FALSIFY-D-009")
    edit(promised / "falsifiers/double.py", "FALSIFY-D-001", "FALSIFY-D-009")
    code, out = gate(promised, pv)
    assert (code, "error PV403 FALSIFY-D-001" in out) == (1, True)
    name = the_one(promised, "promotions").stem
    assert f"pv ledger retract {name[:12]} --id FALSIFY-D-001" in out
    assert pv("ledger", "retract", name[:12], "--id", "FALSIFY-D-001", "--reason", "renamed", cwd=promised).exit == 0
    assert "PV403" not in gate(promised, pv)[1]


def test_json_names_every_file(promised: Path, pv: Pv) -> None:
    make_stale(promised)
    name = the_one(promised, "promotions").stem
    ran = pv("ledger", "waive", name, "--until", SOON, "--reason", "x", "--format", "json", cwd=promised)
    path = the_one(promised, "waivers").relative_to(promised).as_posix()
    told = [{"test": "FALSIFY-D-001", "subject": "plain", "level": "NO_EVIDENCE"}]
    assert json.loads(ran.out) == {"waived": told, "until": SOON, "files": [path]}
    ran = pv("ledger", "retract", name, "--reason", "x", "--format", "json", cwd=promised)
    path = the_one(promised, "retractions").relative_to(promised).as_posix()
    assert json.loads(ran.out) == {"retracted": ["FALSIFY-D-001"], "already": [], "file": path}
