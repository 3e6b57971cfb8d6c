"""The shelf under many writers at once, and under one that is killed: nothing is lost, nothing is half there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from receipts import receipt_value

from pv.ledger.store import add, read, read_shelf
from pv.ledger.verify import verify

PROCESSES, FILES = 8, 200
WRITER = """
import sys
from pathlib import Path
from pv.ledger.store import add
folder, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    add(folder, {"by": who, "number": number, "padding": "x" * 4096})
    print(number, flush=True)
"""


def writer(folder: Path, who: object, count: int) -> subprocess.Popen[str]:
    """A process that is ready to add `count` files and waits for a line."""
    command = [sys.executable, "-c", WRITER, str(folder), str(who), str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def written_by(folder: Path, names: list[object]) -> list[int]:
    """The exit codes of a process for each of `names`, all adding at the same time."""
    writers = [writer(folder, name, FILES) for name in names]
    for process in writers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [(process.communicate(), process.returncode)[1] for process in writers]


@pytest.mark.parametrize(("names", "expected"), [
    (list(range(PROCESSES)), PROCESSES * FILES), (["all"] * PROCESSES, FILES),
], ids=["files of their own", "the same files"])  # fmt: skip
def test_eight_processes_lose_and_tear_nothing(names: list[object], expected: int, tmp_path: Path) -> None:
    assert written_by(tmp_path / "c-v1", names) == [0] * PROCESSES
    stored = list(read_shelf(tmp_path))
    assert [row.problem for row in stored if row.problem] == []
    kept = {(row.value["by"], row.value["number"]) for row in stored}
    assert (len(stored), len(kept)) == (expected, expected)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_writer_that_is_killed_leaves_whole_files_and_leftovers_that_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "c-v1"
    for who in range(5):
        process = writer(folder, who, 100_000)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        done = [process.stdout.readline() for _ in range(20 + who)]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        said = {(str(who), int(line)) for line in done}
        whole = {(row.value["by"], row.value["number"]) for row in read_shelf(tmp_path) if not row.problem}
        assert said <= whole, "what a writer had said to be written is there"
    broken = [row for row in read_shelf(tmp_path) if row.problem]
    assert all(row.path.name.startswith(".tmp-") for row in broken)


def test_a_leftover_is_ignored_by_readers_and_reported_by_verify(tmp_path: Path) -> None:
    """What a killed writer may leave: half of a file under a temporary name."""
    path = add(tmp_path / "receipts/double-v1", receipt_value())
    leftover = path.with_name(".tmp-abcdefgh")
    leftover.write_bytes(path.read_bytes()[:100])
    assert [row.path for row in read_shelf(tmp_path / "receipts") if not row.problem] == [path]
    found = [(finding.code, finding.severity.name, finding.place.path) for finding in verify(tmp_path, "ledger")]
    assert found == [("PV601", "WARNING", f"ledger/receipts/double-v1/{leftover.name}")]


def test_half_a_file_under_its_own_name_is_told(tmp_path: Path) -> None:
    """The control of the above: without the temporary name it would be torn."""
    path = add(tmp_path / "receipts/double-v1", receipt_value())
    path.write_bytes(path.read_bytes()[:100])
    assert read(path).problem
    assert [finding.severity.name for finding in verify(tmp_path, "ledger")] == ["ERROR"]
