"""The shelf: equal content is one file, what is damaged is said, and nothing is lost when several write at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pv.digest import canonical, sha256
from pv.finding import Exit, PvError
from pv.ledger.store import MAX_BYTES, Stored, add, read, read_shelf

VALUE = {"text": "é\n", "numbers": [1, 1.5, True, None]}
CHANGED = "does not hold what its name says: it was changed, cut short or renamed"
ELSEWHERE = "does not belong here: a shelf has one folder for each contract"


def problems(folder: Path) -> dict[str, str]:
    return {
        stored.path.relative_to(folder).as_posix(): stored.problem for stored in read_shelf(folder) if stored.problem
    }


def put(folder: Path, data: bytes) -> Path:
    """Any bytes under their own digest."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{sha256(data)}.json"
    path.write_bytes(data)
    return path


def test_a_file_is_canonical_and_named_by_its_digest_and_reads_back(tmp_path: Path) -> None:
    path = add(tmp_path / "c-v1", VALUE)
    assert path.read_bytes() == b'{"numbers":[1,"0x1.8000000000000p+0",true,null],"text":"\\u00e9\\n"}\n'
    assert path.name == f"{sha256(path.read_bytes())}.json"
    assert list(read_shelf(tmp_path)) == [Stored(path, path.stem, json.loads(path.read_bytes()))]
    assert oct(path.stat().st_mode & 0o777) == "0o644"


def test_an_equal_value_adds_no_file_and_leaves_the_one_there_untouched(tmp_path: Path) -> None:
    path = add(tmp_path / "c-v1", VALUE)
    before = path.stat()
    assert add(tmp_path / "c-v1", dict(reversed(VALUE.items()))) == path
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert add(tmp_path / "c-v1", {**VALUE, "more": 1}) != path
    assert len(list((tmp_path / "c-v1").iterdir())) == 2


def test_a_damaged_file_is_written_again(tmp_path: Path) -> None:
    path = add(tmp_path / "c-v1", VALUE)
    whole = path.read_bytes()
    path.write_bytes(whole[:10])
    assert problems(tmp_path) == {f"c-v1/{path.name}": CHANGED}
    assert add(tmp_path / "c-v1", VALUE).read_bytes() == whole
    assert problems(tmp_path) == {}


def test_a_write_leaves_no_temporary_file_and_survives_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*arguments: Any) -> None:
        raise PermissionError("a file system without them")

    monkeypatch.setattr(os, "link", no_links)
    path = add(tmp_path / "c-v1", VALUE)
    assert [file.name for file in (tmp_path / "c-v1").iterdir()] == [path.name]


def test_every_flipped_bit_and_every_truncation_is_a_problem(tmp_path: Path) -> None:
    path = add(tmp_path / "c-v1", {"format": "x", "n": [1, 2, 3]})
    whole = path.read_bytes()
    for at in range(len(whole)):
        for bit in (1, 0x80):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            assert read(path) == Stored(path, path.stem, None, CHANGED), at
        path.write_bytes(whole[:at])
        assert read(path).problem == CHANGED, at
    path.write_bytes(whole)
    assert read(path).problem == ""


def test_a_renamed_file_is_a_problem_and_so_are_two_exchanged(tmp_path: Path) -> None:
    one, two = add(tmp_path / "c-v1", {"n": 1}), add(tmp_path / "c-v1", {"n": 2})
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert problems(tmp_path) == {f"c-v1/{one.name}": CHANGED, f"c-v1/{two.name}": CHANGED}
    two.unlink()
    one.rename(one.with_name(f"{'0' * 64}.json"))
    assert problems(tmp_path) == {f"c-v1/{'0' * 64}.json": CHANGED}


def test_a_checkout_with_other_line_ends_reads_the_same(tmp_path: Path) -> None:
    path = add(tmp_path / "c-v1", VALUE)
    before = read(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(path) == before
    inode = path.stat().st_ino
    assert add(tmp_path / "c-v1", VALUE).stat().st_ino == inode


@pytest.mark.parametrize(("data", "problem"), [
    (b'{"n": 1}\n', "is not canonical JSON: it was not written by pv"),
    (b'{"n":1}', "is not canonical JSON: it was not written by pv"),
    (b'{"n":1,"n":1}\n', "is not canonical JSON: it was not written by pv"),
    (b'{"n":1.5}\n', "is not canonical JSON: it was not written by pv"),
    (b'{"b":1,"a":2}\n', "is not canonical JSON: it was not written by pv"),
    (b"\n", "is not JSON"),
    (b"\xff\n", "is not JSON"),
    (b'{"n":NaN}\n', "is not canonical JSON: it was not written by pv"),
    (b"[" * 100_000 + b"\n", "is not JSON"),
    (b'{"n":' + b"9" * 5000 + b"}\n", "is not JSON"),
], ids=range(10))  # fmt: skip
def test_the_right_name_alone_makes_no_file_believable(data: bytes, problem: str, tmp_path: Path) -> None:
    assert read(put(tmp_path / "c-v1", data)).problem == problem


def test_what_does_not_belong_is_said_wherever_it_lies(tmp_path: Path) -> None:
    path = add(tmp_path / "c-v1", VALUE)
    (tmp_path / "c-v1/.tmp-abc").write_bytes(b"half")
    (tmp_path / "c-v1/notes.txt").write_bytes(b"")
    (tmp_path / "c-v1/0123.json").write_bytes(b"{}")
    (tmp_path / "c-v1/deeper").mkdir()
    path.with_name("deeper").joinpath(path.name).write_bytes(path.read_bytes())
    (tmp_path / path.name).write_bytes(path.read_bytes())
    assert problems(tmp_path) == {
        "c-v1/.tmp-abc": "is left over from an interrupted write; it can be deleted",
        "c-v1/notes.txt": "does not belong here: its name is no digest",
        "c-v1/0123.json": "does not belong here: its name is no digest",
        f"c-v1/deeper/{path.name}": ELSEWHERE,
        path.name: ELSEWHERE,
    }


def test_a_shelf_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(read_shelf(tmp_path / "nothing")) == []
    assert read(tmp_path / "x.json").problem.startswith("cannot be read: ")


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / f"{'0' * 64}.json"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert read(path).problem == "larger than 8,388,608 bytes"


@pytest.mark.parametrize("size", [2**16 - 1, 2**16, 2**16 + 1, 3 * 2**16])
def test_a_file_of_any_size_is_read_to_its_end_and_not_a_byte_further_believed(tmp_path: Path, size: int) -> None:
    text = "x" * (size - len(canonical({"t": ""})) - 1)
    path = add(tmp_path / "c-v1", {"t": text})
    assert path.stat().st_size == size
    assert read(path).value == {"t": text}
    with path.open("ab") as stream:
        stream.write(b"\n")
    assert read(path).problem == CHANGED
    with path.open("rb+") as stream:
        stream.truncate(size - 1)
    assert read(path).problem == CHANGED


def test_a_folder_that_cannot_be_written_is_the_callers_to_see_to(tmp_path: Path) -> None:
    (tmp_path / "c-v1").write_text("a file", encoding="utf-8")
    with pytest.raises(PvError, match="cannot write ") as caught:
        add(tmp_path / "c-v1", VALUE)
    assert caught.value.exit is Exit.ASK


WRITER = """
import sys
from pathlib import Path
from pv.ledger.store import add
for n in range(60):
    add(Path(sys.argv[1]), {"shared": n})
    add(Path(sys.argv[1]), {"own": n, "by": sys.argv[2]})
"""


def test_four_processes_at_once_lose_and_tear_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "c-v1"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(n)]) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    stored = list(read_shelf(tmp_path))
    assert [row.problem for row in stored if row.problem] == []
    assert len(stored) == 60 + 4 * 60


@settings(max_examples=50)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8,
))  # fmt: skip
def test_whatever_can_be_written_reads_back_as_its_canonical_form(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    path = add(tmp_path_factory.mktemp("shelf") / "c-v1", value)
    assert (read(path).problem, read(path).value) == ("", json.loads(canonical(value)))
