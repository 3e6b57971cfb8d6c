"""Several processes: the same answer as one, a dead worker is an error, an interruption leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Ran
from projects import EXAMPLE

from pv import workers
from pv.finding import Exit, PvError
from pv.validate import run
from pv.workers import Wire, spread, worker_count

Pv = Callable[..., Ran]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are workers where a process can fork")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """240 files: contracts with and without findings, broken ones, and ones that are skipped."""
    sources = [*sorted((ROOT / "tests/examples/bad").glob("*.yaml"))[:20], EXAMPLE / "contracts/softmax-v1.yaml"]
    for number in range(240):
        shutil.copy(sources[number % len(sources)], tmp_path / f"c{number:03}-v1.yaml")
    (tmp_path / "other.yaml").write_text("on: push\n", encoding="utf-8")
    return tmp_path


def test_many_processes_say_what_one_says(many: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(workers, "worker_count", lambda items: started.append(items) or 3)
    several = pv("validate", many, "--no-cache", "--format", "json")
    assert started == [241], "the control: they were started"
    monkeypatch.setattr(run, "MANY_FILES", 10**9)
    monkeypatch.setattr(run, "MANY_BYTES", 10**12)
    assert pv("validate", many, "--no-cache", "--format", "json") == several
    assert several.exit == 1


def test_where_nothing_can_fork_one_process_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert worker_count(1000) == 1


def test_answers_come_in_the_order_of_the_items() -> None:
    there_and_back: Wire[tuple[int, bool]] = Wire(list, tuple)
    assert spread(list(range(11)), lambda item: (item, os.getpid() == PARENT), 3, there_and_back) == [
        (i, i % 3 == 0) for i in range(11)
    ]


def test_what_the_other_processes_did_and_nothing_else_comes_over_the_wire() -> None:
    wire: Wire[int] = Wire(lambda item: {"was": item}, lambda row: -int(row["was"]))
    assert spread([1, 2, 3, 4], lambda item: item, 2, wire) == [1, -2, 3, -4]


PARENT = os.getpid()
PLAIN: Wire[int] = Wire(int, int)


def children() -> set[str]:
    """Process ids of this process' children, running or dead (proc(5))."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


@pytest.fixture(autouse=True)
def no_children() -> Iterator[None]:
    """Fail if a test leaves a child; those that falsifying keeps in this process were there before."""
    before = children()
    yield
    assert children() <= before


@pytest.mark.parametrize("death", ["exit", "kill"])
def test_a_worker_that_dies_is_an_error_and_no_silent_loss(death: str) -> None:
    def work(item: int) -> int:
        if item == 4:  # in the second of three
            os._exit(0) if death == "exit" else os.kill(os.getpid(), signal.SIGKILL)
        return item

    with pytest.raises(PvError, match="without an answer") as raised:
        spread(list(range(9)), work, 3, PLAIN)
    assert raised.value.exit is Exit.BUG


def test_what_a_worker_raises_is_raised_here() -> None:
    def work(item: int) -> int:
        if item == 1:
            raise PvError("no such thing", exit=Exit.ASK, hint="try another")
        if item == 2:
            raise KeyError("a bug")
        return item

    with pytest.raises(PvError, match="no such thing") as raised:
        spread([0, 1], work, 2, PLAIN)
    assert (raised.value.exit, raised.value.hint) == (Exit.ASK, "try another")
    with pytest.raises(PvError, match="KeyError") as raised:
        spread([0, 0, 2], work, 3, PLAIN)
    assert raised.value.exit is Exit.BUG


def test_an_interruption_here_ends_the_workers() -> None:
    def work(item: int) -> int:
        if item == 0:
            raise KeyboardInterrupt
        time.sleep(60)
        return item

    with pytest.raises(KeyboardInterrupt):
        spread([0, 1, 2], work, 3, PLAIN)


def test_a_worker_that_control_c_ended_is_an_interruption_and_no_bug() -> None:
    def work(item: int) -> int:
        if item == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return item

    with pytest.raises(KeyboardInterrupt):
        spread([0, 1], work, 2, PLAIN)


def test_control_c_ends_pv_at_once_with_130(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests/examples/good", tmp_path / "good")
    big = "a: [" + "1, " * 150_000 + "1]\n"
    for number in range(40):
        (tmp_path / f"big{number:03}-v1.yaml").write_text(f"schema: pv/contract-v1\n{big}", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "pv", "validate", tmp_path, "--no-cache"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until_forked(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "\npv: interrupted; what was finished is kept\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def until_forked(pid: int) -> None:
    """Wait until the process has a child."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("who is whose child is read from /proc")
    for _ in range(6000):
        if children.read_text(encoding="ascii").strip():
            return
        time.sleep(0.01)
    pytest.fail("no worker was started")
