"""Everything that can happen to a file of the ledger is named with that file: by `pv ledger verify`, or with `--against`.

A ledger of twelve files, of every kind there is, in a git repository; each damage is done to a copy of it and undone.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import combinations, permutations
from pathlib import Path

import pytest
from conftest import Ran
from receipts import promise, put_promotion, put_receipt, receipt_value
from small_project import write_project

from pv.digest import sha256
from pv.finding import Finding, Severity
from pv.ledger.against import missing_since
from pv.ledger.promotion import promotion_value
from pv.ledger.receipt import Part
from pv.ledger.record import record_value
from pv.ledger.release import document_text, publish, release_value
from pv.ledger.retraction import retraction_value
from pv.ledger.store import add
from pv.ledger.verify import SHELVES, verify
from pv.ledger.waiver import Excuse, waiver_value
from pv.level import Level
from pv.project import project_at

FILES = 12
OTHER = "triple-v1"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a ledger, committed; nothing of it is broken."""
    root = write_project(tmp_path_factory.mktemp("project"))
    ledger = root / "ledger"
    old, new = put_receipt(ledger), put_receipt(ledger, checks=300)
    live = put_receipt(ledger, kind="live", checks=301)
    other = {**receipt_value(test={"id": "FALSIFY-T-001", "contract": OTHER}),
             "subject": {"equation": "double", "name": "plain", "target": "kernels.double:double"}}  # fmt: skip
    apart = add(ledger / "receipts" / OTHER, other)
    first = put_promotion(ledger, promise(old.stem))
    second = put_promotion(ledger, promise(new.stem, live.stem, level=Level.FUNCTIONAL))
    row = promise(apart.stem, test="FALSIFY-T-001")
    third = add(ledger / "promotions" / OTHER, promotion_value(OTHER, row.level, [type(row)(OTHER, *_rest(row))]))
    taken = add(ledger / "retractions/double-v1", retraction_value("double-v1", first.stem, [], "a wrong formula"))
    excuse = Excuse("FALSIFY-T-001", "double", "plain", Level.NO_EVIDENCE, ("subject changed (x.py: f)",), "0" * 64)
    add(ledger / "waivers" / OTHER, waiver_value(OTHER, third.stem, [excuse], date(2030, 1, 1), "on holiday"))
    _release(root, "1.0.0", "", promise(old.stem), [first.stem], [])
    _release(root, "1.1.0", "1.0.0", promise(new.stem, live.stem, level=Level.FUNCTIONAL),
             [first.stem, second.stem], [taken.stem])  # fmt: skip
    part = Part("kernels/double.py", "double", "0" * 64)  # nothing cites what a command printed
    add(ledger / "records/double-v1", record_value("double-v1", ["python", "count.py"], "7", [part]))
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *command], cwd=root, check=True)
    assert len(files(root)) == FILES
    assert {path.parent.parent.name for path in files(root)} == set(SHELVES)
    assert told(root) == {}
    return root


def _rest(row: object) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in ("test", "equation", "subject", "level", "receipts"))


def _release(
    root: Path, version: str, previous: str, row: object, promotions: list[str], retractions: list[str]
) -> None:
    contract = root / "contracts/double-v1.yaml"
    text = contract.read_text(encoding="utf-8")
    contract.write_text(text.replace("version: 1.0.0", f"version: {version}"), encoding="utf-8")
    [file] = project_at(root).contract_files
    value = release_value(
        "double-v1", version, previous, document_text(file.document), {}, [row], promotions, retractions
    )
    publish(root / "ledger/releases/double-v1", value)
    contract.write_text(text, encoding="utf-8")


def files(root: Path) -> list[Path]:
    return sorted((root / "ledger").rglob("*.json"))


def told(root: Path) -> dict[str, set[str]]:
    """The codes of what is wrong, by file: of `pv ledger verify`, and of `--against HEAD`."""
    return _by_file([*verify(root / "ledger", "ledger"), *missing_since(root, "ledger", "HEAD")])


def _by_file(findings: list[Finding]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in findings:
        assert finding.severity is Severity.ERROR, finding
        found.setdefault(finding.place.path, set()).add(finding.code)
    return found


@contextmanager
def damaged(*paths: Path) -> Iterator[None]:
    """Inside of it `paths` may be changed or moved; afterwards they are what they were."""
    before = [path.read_bytes() for path in paths]
    try:
        yield
    finally:
        for path, data in zip(paths, before, strict=True):
            path.write_bytes(data)


def shown(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def alone(path: Path, home: Path) -> Path:
    """A ledger of nothing but a copy of `path`."""
    copy = home / path.parent.parent.name / path.parent.name / path.name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    return copy


@pytest.mark.parametrize("number", range(FILES))
def test_every_truncation_and_every_flipped_lowest_bit_of_each_file_is_named(
    repository: Path, number: int, tmp_path: Path
) -> None:
    copy = alone(files(repository)[number], tmp_path)
    data, expected = copy.read_bytes(), {shown(tmp_path, copy): {"PV601"}}
    undamaged = _by_file(list(verify(tmp_path, tmp_path.name)))
    assert "PV601" not in set().union(*undamaged.values(), set())
    for at in range(len(data)):
        for what, bad in (("cut", data[:at]), ("bit", data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])):
            copy.write_bytes(bad)
            found = {finding.place.path.partition("/")[2]: {finding.code} for finding in verify(tmp_path, "ledger")}
            assert found == expected, (what, at)


def test_damage_is_named_beside_what_cites_the_file_and_nothing_else_is(repository: Path) -> None:
    for path in files(repository):
        data = path.read_bytes()
        for bad in (data[:-1], data[: len(data) // 2], b"", data[:100] + bytes([data[100] ^ 1]) + data[101:]):
            with damaged(path):
                path.write_bytes(bad)
                found = told(repository)
            codes = found.pop(shown(repository, path))
            assert "PV601" in codes
            assert set(found) == citing(repository, path)
            assert all(map(is_missing, found.values()))


def test_every_deletion_is_named_against_the_commit_and_by_itself_where_something_cites_the_file(
    repository: Path,
) -> None:
    for path in files(repository):
        with damaged(path):
            path.unlink()
            by_itself, against = _by_file(list(verify(repository / "ledger", "ledger"))), told(repository)
        assert set(by_itself) == citing(repository, path)
        assert all(map(is_missing, by_itself.values()))
        assert against == {**by_itself, shown(repository, path): {"PV604"}}


def test_what_nothing_cites_can_be_deleted_unseen_without_a_reference(repository: Path) -> None:
    """Why CI compares with one."""
    unseen = [path.parent.parent.name for path in files(repository) if not citing(repository, path)]
    assert unseen == ["records", "releases", "waivers"]


def test_every_rename_to_the_name_of_another_file_is_named(repository: Path) -> None:
    for one, other in permutations(files(repository), 2):
        with damaged(one, other):
            one.replace(other)
            found = told(repository)
        assert "PV604" in found[shown(repository, one)], (one, other)
        assert "PV601" in found[shown(repository, other)], (one, other)


def test_every_swap_of_two_files_is_named_for_both(repository: Path) -> None:
    for one, other in combinations(files(repository), 2):
        with damaged(one, other):
            data = one.read_bytes()
            one.write_bytes(other.read_bytes())
            other.write_bytes(data)
            found = told(repository)
        assert "PV601" in found[shown(repository, one)], (one, other)
        assert "PV601" in found[shown(repository, other)], (one, other)


def test_a_file_in_the_folder_of_another_contract_or_shelf_is_named(repository: Path) -> None:
    for path in files(repository):
        contract = OTHER if path.parent.name == "double-v1" else "double-v1"
        homes = [
            repository / "ledger" / shelf / path.parent.name for shelf in SHELVES if shelf != path.parent.parent.name
        ]
        for home in (path.parents[1] / contract, *homes):
            moved = home / path.name
            made = not home.exists()
            home.mkdir(parents=True, exist_ok=True)
            with damaged(path):
                path.replace(moved)
                found = told(repository)
                moved.unlink()
            if made:
                home.rmdir()
            assert found[shown(repository, path)] == {"PV604"}, moved
            assert found[shown(repository, moved)] & {"PV601", "PV603"}, moved


def test_a_checkout_with_other_line_ends_is_no_damage(repository: Path) -> None:
    with damaged(*files(repository)):
        for path in files(repository):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert told(repository) == {}


def test_an_edited_file_under_the_name_of_its_new_content_is_gone_under_the_old(repository: Path) -> None:
    """Whoever knows how the names are made can write a file; not without the old one being missed."""
    for path in files(repository):
        if path.parent.parent.name == "releases":
            continue
        data = path.read_bytes().replace(b'"contract":', b'"contract" :', 1)
        with damaged(path):
            path.unlink()
            forged = path.with_name(f"{sha256(data)}.json")
            forged.write_bytes(data)
            found = told(repository)
            forged.unlink()
        assert found[shown(repository, path)] == {"PV604"}
        assert found[shown(repository, forged)] == {"PV601"}


def test_the_command_says_the_same_and_exits_1(repository: Path, pv: Callable[..., Ran]) -> None:
    assert pv("ledger", "verify", "--against", "HEAD", cwd=repository).exit == 0
    path = files(repository)[-1]
    with damaged(path):
        os.truncate(path, 10)
        ran = pv("ledger", "verify", cwd=repository)
    assert (ran.exit, shown(repository, path) in ran.out) == (1, True)


def is_missing(codes: set[str]) -> bool:
    """What is said of a file that cites one which is not there; the kinds that are left may be too few for its level."""
    return {"PV602"} <= codes <= {"PV602", "PV603"}


def citing(root: Path, path: Path) -> set[str]:
    """The files that hold the name of `path`; of a release, those that follow it."""
    if path.parent.parent.name == "releases":
        wanted = f'"previous":"{path.stem}"'
        return {shown(root, other) for other in files(root) if wanted in other.read_text(encoding="utf-8")}
    return {shown(root, other) for other in files(root) if path.stem in other.read_text(encoding="utf-8")}
