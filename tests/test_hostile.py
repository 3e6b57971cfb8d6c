"""`pv falsify` over falsifiers of every bad kind: it finishes, blames each by its cause, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from survivors import MARK, eventually, survivors

from pv.ledger.formats import problem_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="they use what only Linux has, to do their worst")

HOSTILE = Path(__file__).parent / "hostile"
VOID = "the trial is void: it"

# id: (verdict, words of the reason)
BLAME = {
    "001": ("held", ""),
    "002": ("errored", "it did not finish within 2 s"),
    "003": ("errored", "it ended its process with exit code 0"),
    "004": ("errored", "it crashed its process (SIGSEGV)"),
    "005": ("errored", "MemoryError"),
    "006": ("errored", "it printed more than 8 MiB"),
    "007": ("errored", "Foreign: (its text cannot be shown)"),
    "008": ("errored", f"{VOID} left 1 thread running: left behind"),
    "009": ("errored", "it did not finish within 2 s: it had stopped its process (SIGSTOP)"),
    "010": ("errored", "it closed the descriptors of its process"),
    "011": ("errored", "SystemExit: 0"),
    "012": ("errored", f"{VOID} changed torch's default dtype"),
    "013": ("errored", f"{VOID} removed the module json in sys.modules"),
    "014": ("vacuous", "no check was executed for the case"),
    "015": ("vacuous", "no check was executed for the case"),
    "016": ("vacuous", "the falsifier turned away"),
    "017": ("vacuous", "the falsifier turned away"),
    "018": ("falsified", "has another shape"),
    "019": ("falsified", "is not finite at [0]"),
    "020": ("vacuous", "it does not catch the fault one_more of double/twice"),
    "021": ("errored", f"{VOID} changed kernels.double"),
    "022": ("errored", f"{VOID} changed Check.close"),
    "023": ("vacuous", "the subject was not called for the case"),
    "024": ("errored", "AttributeError: property 'count' of 'Check' object has no setter"),
    "025": ("vacuous", "no check was executed for the case"),
    "026": ("errored", "it closed the descriptors of its process"),
    "027": ("errored", "an argument was changed in place"),
    "028": ("errored", "not reproducible: in another process the case that failed holds"),
    "029": ("errored", f"{VOID} changed the environment"),
    "030": ("errored", f"{VOID} started a process and did not wait for its end"),
    "031": ("errored", "RecursionError"),
    "032": ("errored", "its process was killed (SIGKILL)"),
    "033": ("errored", f"{VOID} ended the tracing of its calls"),
    "034": ("errored", f"{VOID} changed Tensor.__eq__"),
    "035": ("falsified", "differs at [0]"),
    "036": ("vacuous", "it does not catch the fault one_more of double/twice"),
    "037": ("errored", f"{VOID} kept falsifiers.deceiving.SEEN from one case to the next"),
    "038": ("errored", f"{VOID} kept falsifiers.deceiving.counts_its_calls from one case to the next"),
    "039": (
        "errored",
        "not reproducible: in another process, for a case that held, the subject returned something else",
    ),
    "040": ("errored", f"{VOID} wrote to, moved or removed left.txt of the project"),
    "041": ("errored", "an argument was changed in place"),
    "042": ("falsified", r"\ud800 \x1b[2J"),
    "043": ("falsified", "long long long"),
    "044": ("errored", "the falsifier raised Falsified itself"),
    "045": ("errored", "KeyboardInterrupt"),
    "046": ("vacuous", "no check was executed for the case"),
    "047": ("vacuous", "no check was executed for the case"),
    "048": ("errored", "SkipTest: not today"),
    "049": ("errored", f"{VOID} changed what torch's functions are handed to"),
    "050": ("errored", f"{VOID} changed how floats are rounded"),
    "051": ("errored", f"{VOID} changed torch's autocast"),
    "052": ("errored", f"{VOID} changed builtins.abs"),
    "053": ("errored", f"{VOID} changed hypothesis.assume"),
    "054": ("vacuous", "it fails on the subject itself when that is wrapped"),
    "055": ("vacuous", "it calls double itself, which the subject runs"),
    "056": ("vacuous", "the subject was given no case of x.ordinary"),
    "057": ("vacuous", "the subject was not called for the case"),
    "059": ("errored", f"{VOID} kept falsifiers.deceiving.First from one case to the next"),
    "061": ("errored", f"{VOID} left 1 thread running: one without a name"),
    "062": ("errored", f"{VOID} left 1 thread running: not a daemon"),
    "063": ("errored", f"{VOID} changed signal handlers"),
    "064": ("errored", f"{VOID} changed the limits of its process"),
    "065": ("errored", "it crashed its process (SIG"),
    "066": ("errored", f"{VOID} started a process and did not wait for its end"),
    "067": ("errored", f"{VOID} started a process and did not wait for its end"),
    "068": ("errored", f"{VOID} started a process and did not wait for its end"),
    "069": ("errored", "can't allocate memory: you tried to allocate 10737418240 bytes"),
    "070": ("errored", "it took more than 0.5 GiB of shared memory"),
    "071": ("errored", "it ended its process with exit code 0"),
    "072": ("errored", f"{VOID} changed sys.stdout"),
    "073": ("errored", "EOFError"),
    "074": ("errored", "BdbQuit"),
    "075": ("errored", "it did not finish within 2 s"),
    "076": ("errored", "it crashed its process (SIGTERM)"),
    "077": ("errored", f"{VOID} started a process and did not wait for its end"),
    "081": ("errored", "when falsifiers.importing is imported, it changed torch's default dtype"),
    "082": ("errored", "it ended its process with exit code 3"),
    "083": ("errored", f"{VOID} wrote to, moved or removed falsifiers/rewriting.py of the project"),
    "084": ("errored", "falsifiers/rewriting_elsewhere.py was changed while it was being judged"),
}


def test_each_is_blamed_by_its_cause_and_the_honest_one_holds(tmp_path: Path) -> None:
    shutil.copytree(HOSTILE, tmp_path / "hostile", ignore=shutil.ignore_patterns("__pycache__", ".pv"))
    done = subprocess.run(
        [sys.executable, "-m", "pv", "falsify", "--memory", "512M"],
        cwd=tmp_path / "hostile", capture_output=True, check=False, env={**os.environ, MARK: str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.decode() == done.stdout.decode().replace("\x1b", "")  # nothing that a terminal would obey
    seen = receipts(tmp_path / "hostile")
    wrong = {
        name: seen.get(name)
        for name, (verdict, words) in BLAME.items()
        if name not in seen or seen[name][0] != verdict or words not in seen[name][1]
    }
    assert (wrong, set(seen) - set(BLAME)) == ({}, set())
    assert eventually(lambda: not survivors(str(tmp_path)))
    assert not list((tmp_path / "hostile").rglob(".tmp-*"))


def test_who_is_left_behind_is_found(tmp_path: Path) -> None:
    """The negative control of the search above."""
    with subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: str(tmp_path)}) as left:
        try:
            assert survivors(str(tmp_path)) == [left.pid]
        finally:
            left.kill()
    assert survivors(str(tmp_path)) == []


def receipts(root: Path) -> dict[str, tuple[str, str]]:
    """Verdict and reason by the number of each test; every receipt is whole and what its schema says."""
    found = {}
    for path in (root / ".pv/receipts/hostile-v1").iterdir():
        receipt = json.loads(path.read_text(encoding="utf-8"))
        assert problem_of("pv/receipt-v1", receipt) == ""
        assert str(root) not in path.read_text(encoding="utf-8")
        found[receipt["test"]["id"][-3:]] = (receipt["verdict"], receipt["reason"])
    return found
