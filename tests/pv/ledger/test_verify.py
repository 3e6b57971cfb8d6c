"""`ledger verify`: each finding with its place, and a ledger without a fault has none."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from receipts import promise, put_promotion, put_receipt, receipt_value

from pv.finding import Exit, Finding, PvError, Severity
from pv.ledger.against import missing_since
from pv.ledger.store import add
from pv.ledger.verify import count, verify

Found = tuple[str, Severity, str, str]


def found(ledger: Path) -> list[Found]:
    return [(row.code, row.severity, row.place.path, row.message) for row in verify(ledger, "ledger")]


def ledger_of(root: Path) -> tuple[Path, Path, Path]:
    """A ledger with one promise and the receipt it cites."""
    ledger = root / "ledger"
    cited = put_receipt(ledger)
    return ledger, cited, put_promotion(ledger, promise(cited.stem))


def test_a_whole_ledger_has_no_finding_and_is_counted(tmp_path: Path) -> None:
    ledger, _, _ = ledger_of(tmp_path)
    put_receipt(ledger, reason="no", verdict="falsified")
    assert found(ledger) == []
    empty = dict.fromkeys(("receipts", "promotions", "retractions", "waivers", "releases", "records"), 0)
    assert count(ledger) == {**empty, "receipts": 2, "promotions": 1}
    assert (found(tmp_path / "none"), count(tmp_path / "none")) == ([], empty)


def test_pv601_every_file_that_cannot_be_believed(tmp_path: Path) -> None:
    ledger, _, promotion = ledger_of(tmp_path)
    promotion.write_bytes(promotion.read_bytes().replace(b"PARTIAL_ALGORITHM_LEVEL", b"DISCHARGED"))
    other = add(ledger / "receipts/double-v1", {"format": "else"})
    (ledger / "receipts/double-v1/.tmp-1").write_bytes(b"")
    (ledger / "receipts/x.json").write_bytes(b"")
    assert {row[:3] for row in found(ledger)} == {
        ("PV601", Severity.ERROR, f"ledger/promotions/double-v1/{promotion.name}"),
        ("PV601", Severity.ERROR, f"ledger/receipts/double-v1/{other.name}"),
        ("PV601", Severity.WARNING, "ledger/receipts/double-v1/.tmp-1"),
        ("PV601", Severity.ERROR, "ledger/receipts/x.json"),
    }


def test_pv602_a_cited_receipt_that_is_missing_or_damaged(tmp_path: Path) -> None:
    ledger, cited, promotion = ledger_of(tmp_path)
    missing = ("PV602", Severity.ERROR, f"ledger/promotions/double-v1/{promotion.name}",
               f"cites the receipt {cited.stem[:12]}… for FALSIFY-D-001, which is not in the ledger")  # fmt: skip
    whole = cited.read_bytes()
    cited.write_bytes(whole + b" ")
    assert missing in found(ledger)
    assert len(found(ledger)) == 2
    cited.unlink()
    assert found(ledger) == [missing]
    cited.write_bytes(whole)
    assert found(ledger) == []


@pytest.mark.parametrize(("changes", "message"), [
    ({"test": {"id": "FALSIFY-D-002", "contract": "double-v1"}}, "which is about FALSIFY-D-002"),
    ({"subject": {"equation": "double", "name": "other", "target": "a:b"}}, "which is about FALSIFY-D-001"),
    ({"subject": {"equation": "triple", "name": "plain", "target": "a:b"}}, "which is about FALSIFY-D-001"),
    ({"verdict": "falsified", "reason": "no"}, "whose verdict is falsified"),
    ({"verdict": "vacuous", "reason": "no"}, "whose verdict is vacuous"),
    ({"verdict": "not_measured", "reason": "no"}, "whose verdict is not measured"),
])  # fmt: skip
def test_pv603_a_cited_receipt_that_does_not_fit(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    cited = put_receipt(ledger, **changes)
    promotion = put_promotion(ledger, promise(cited.stem))
    assert found(ledger) == [
        ("PV603", Severity.ERROR, f"ledger/promotions/double-v1/{promotion.name}",
         f"cites for FALSIFY-D-001 the receipt {cited.stem[:12]}…, {message}"),
    ]  # fmt: skip


def test_pv603_a_file_in_the_folder_of_another_contract(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    lost = add(ledger / "receipts/triple-v1", receipt_value())
    assert found(ledger) == [
        ("PV603", Severity.ERROR, f"ledger/receipts/triple-v1/{lost.name}",
         "is about double-v1 and lies in the folder of triple-v1"),
    ]  # fmt: skip


def git(root: Path, *command: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *who, *command], check=True, capture_output=True)


def gone(root: Path, reference: str = "HEAD") -> list[Finding]:
    return list(missing_since(root, "ledger", reference))


@pytest.mark.parametrize("below", [".", "a folder/é"])
def test_pv604_what_the_reference_had_and_is_gone(below: str, tmp_path: Path) -> None:
    """Also where the project is a folder of the repository, of a name that git would quote."""
    root = tmp_path / below
    ledger, cited, promotion = ledger_of(root)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "all")
    put_receipt(ledger, checks=300)
    assert gone(root) == []
    promotion.unlink()
    [row] = gone(root)
    shown = f"ledger/promotions/double-v1/{promotion.name}"
    assert (row.code, row.severity, row.place.path) == ("PV604", Severity.ERROR, shown)
    assert row.message == "was in the ledger at HEAD and is gone"
    assert row.hint == f"git checkout HEAD -- {shown}"
    cited.rename(cited.with_name(f"{'1' * 64}.json"))
    assert {row.place.path for row in gone(root)} == {shown, f"ledger/receipts/double-v1/{cited.name}"}


@pytest.mark.parametrize("reference", ["no-such-branch", "-x", "--output=/tmp/x", ""])
def test_a_reference_that_git_does_not_know_is_misuse(reference: str, tmp_path: Path) -> None:
    ledger_of(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "all")
    with pytest.raises(PvError) as caught:
        gone(tmp_path, reference)
    assert caught.value.exit is Exit.ASK


def test_a_folder_that_is_no_repository_is_misuse(tmp_path: Path) -> None:
    ledger_of(tmp_path)
    with pytest.raises(PvError, match="is in no git repository"):
        gone(tmp_path)


def test_without_git_it_has_to_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PvError, match="needs git") as caught:
        gone(tmp_path)
    assert caught.value.exit is Exit.RUN


@pytest.mark.parametrize("damage", [
    lambda path: path.unlink(),
    lambda path: path.write_bytes(path.read_bytes()[:-1]),
    lambda path: path.write_bytes(path.read_bytes()[:-2] + b"x\n"),
    lambda path: path.rename(path.with_name(f"{'2' * 64}.json")),
], ids=["deleted", "cut", "changed", "renamed"])  # fmt: skip
def test_no_damage_to_a_cited_receipt_goes_unsaid(damage: Callable[[Path], None], tmp_path: Path) -> None:
    ledger, cited, _ = ledger_of(tmp_path)
    damage(cited)
    assert "PV602" in {row[0] for row in found(ledger)}
