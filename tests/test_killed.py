"""A worker is killed, `pv` is killed, somebody presses Ctrl-C: what was finished is kept whole, and nobody stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_project import FILES, write_project
from survivors import MARK, eventually, survivors

from pv.ledger.formats import problem_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")

TESTS = """\
  - {{id: FALSIFY-D-{number:03}, rule: a result is twice its argument, prediction: double(x) = 2 x for every x,
     binds_to: [double/twice], if_fails: look at the factor}}
"""
WAITS = """\
import os
import time
from pathlib import Path


@falsifier("FALSIFY-D-003")
def waits(subject, case, check):
    check.equal(subject(case.x), twice(case.x))
    Path({told!r}).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(3600)
"""


@contextmanager
def under_way(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`pv falsify` of three tests, two of them finished, and the process of the third, which waits for an hour."""
    root, told = tmp_path / "project", tmp_path / "told"
    contract = FILES["contracts/double-v1.yaml"].partition("  - id: FALSIFY-D-001")[0]
    falsifiers = FILES["falsifiers/double.py"] + FILES["falsifiers/double.py"].partition("\n\n\n")[2].partition(
        "@fault"
    )[0].replace("D-001", "D-002").replace("is_twice", "is_twice_too")
    files = {
        "contracts/double-v1.yaml": contract + "".join(TESTS.format(number=number) for number in (1, 2, 3)),
        "falsifiers/double.py": falsifiers + WAITS.format(told=str(told)),
    }
    write_project(root, files)
    process = subprocess.Popen(
        [sys.executable, "-m", "pv", "falsify", "--jobs", "2"],
        cwd=root, env={**os.environ, MARK: str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert eventually(lambda: told.exists() and told.read_text(encoding="utf-8") != "" and len(kept(root)) == 2)
        yield process, int(told.read_text(encoding="utf-8"))
    finally:
        process.kill()
        process.communicate()


def kept(root: Path) -> dict[str, str]:
    """The verdict of each test that has a receipt; every file there is a whole one."""
    found = {}
    for path in (root / ".pv/receipts").glob("*/[!.]*"):
        receipt = json.loads(path.read_text(encoding="utf-8"))
        assert problem_of("pv/receipt-v1", receipt) == ""
        found[receipt["test"]["id"]] = receipt["verdict"]
    return found


def test_a_worker_that_is_killed_is_its_own_trials_error(tmp_path: Path) -> None:
    with under_way(tmp_path) as (process, worker):
        os.kill(worker, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "its process was killed (SIGKILL)" in out.decode()
    assert err == b""
    assert kept(tmp_path / "project") == {
        "FALSIFY-D-001": "held", "FALSIFY-D-002": "held", "FALSIFY-D-003": "errored",
    }  # fmt: skip
    assert eventually(lambda: not survivors(str(tmp_path)))


def test_when_pv_is_killed_nobody_stays_behind_and_what_was_finished_is_whole(tmp_path: Path) -> None:
    with under_way(tmp_path) as (process, worker):
        assert worker in survivors(str(tmp_path))
        process.kill()
        process.wait(60)
        assert eventually(lambda: not survivors(str(tmp_path)))
    assert kept(tmp_path / "project") == {"FALSIFY-D-001": "held", "FALSIFY-D-002": "held"}
    assert not list((tmp_path / "project").rglob(".tmp-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_is_done_and_ends_with_130(tmp_path: Path, number: signal.Signals) -> None:
    with under_way(tmp_path) as (process, _):
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert "FALSIFY-D-003" in out.decode()  # as not run
    assert kept(tmp_path / "project") == {"FALSIFY-D-001": "held", "FALSIFY-D-002": "held"}
    assert eventually(lambda: not survivors(str(tmp_path)))
