"""The commands that the book shows, run one after the other in scratch projects, and what each printed."""

from __future__ import annotations

import datetime
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_WHO = ["-c", "user.name=book", "-c", "user.email=book@example.invalid"]
_MODEL_PARTS = ("contracts", "falsifiers", "implementations", "references")
_CAP, _LEAK = "30.0 * torch.tanh", "30.1 * torch.tanh"


class Screen(NamedTuple):
    """A command with what it printed; `before` says what was done first."""

    before: str
    shown: str

    @property
    def block(self) -> str:
        """The screen in Markdown."""
        return (f"{self.before}\n\n" if self.before else "") + f"```console\n{self.shown}```"


class Session:
    """Runs `pv` in a folder that changes from step to step; screens are kept by command."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.folder = scratch
        self.screens: dict[str, list[Screen]] = {}
        drop = ("COLUMNS", "PYTHONPATH", "PYTEST_CURRENT_TEST")
        self.env = {key: value for key, value in os.environ.items() if key not in drop}
        self.env |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}

    def run(self, command: str, arguments: str, before: str = "", *, head: int = 0) -> str:
        """Show `pv COMMAND ARGUMENTS` below COMMAND; of long output the first `head` lines, as `| head` would."""
        line = f"pv {command} {arguments}".strip()
        done = self.pv(line.removeprefix("pv "))
        printed = (done.stdout + done.stderr).replace(str(self.scratch), "~")
        said = re.sub(r" +$", "", printed, flags=re.MULTILINE).strip("\n").split("\n")
        ends = [] if done.returncode == 0 or head else ["$ echo $?", str(done.returncode)]
        piped = f" | head -{head}" if head else ""
        rows = [f"$ {line}{piped}", *said[: head or None], *ends]
        self.screens.setdefault(command, []).append(Screen(before, "\n".join(rows) + "\n"))
        return done.stdout

    def pv(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run `pv` with the words of `line`, and show nothing."""
        return subprocess.run(
            [sys.executable, "-m", "pv", *shlex.split(line)],
            cwd=self.folder, capture_output=True, text=True, check=False, env=self.env,
        )  # fmt: skip

    def edit(self, path: str, find: str, replace: str) -> None:
        """Replace the one occurrence of `find`; the story has to notice when the project has changed under it."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(find) == 1, f"{find!r} occurs {text.count(find)} times in {path}"
        file.write_text(text.replace(find, replace), encoding="utf-8")

    def git(self, *arguments: str) -> None:
        """Run git quietly in the folder."""
        subprocess.run(["git", *_WHO, *arguments], cwd=self.folder, check=True, capture_output=True)


def play(root: Path, scratch: Path) -> dict[str, list[Screen]]:
    """Run the whole story below `scratch`, for the project at `root`: command → its screens."""
    session = Session(scratch)
    _begin(session)
    promise = _promise(session)
    _look(session)
    _break(session, promise)
    _mend(session)
    _change(session, promise)
    _write(session, root)
    _models(session, root)
    return session.screens


def _begin(session: Session) -> None:
    session.run("init", "demo")
    session.folder = session.scratch / "demo"
    session.run("validate", "")
    session.edit("contracts/soft-cap-v1.yaml", "if_fails: One", "if_fail: One")
    session.run("validate", "", "With a key misspelt:")
    session.edit("contracts/soft-cap-v1.yaml", "if_fail: One", "if_fails: One")
    session.run("falsify", "--jobs 1")
    session.run("status", "")


def _promise(session: Session) -> str:
    """Promise and release; how the promotion's name begins."""
    promoted = session.run("ledger promote", "soft-cap-v1")
    found = re.search(r"promotions/soft-cap-v1/(\w{6})", promoted)
    assert found, promoted
    session.run("ledger verify", "")
    session.run("ledger release", "soft-cap-v1")
    session.run("ledger log", "FALSIFY-CAP-001")
    session.run("ledger export", "--in-toto -", head=7)
    session.run("gate", "")
    session.git("init", "-q")
    session.git("add", "-A")
    session.git("commit", "-qm", "all")
    return found[1]


def _look(session: Session) -> None:
    session.run("show", "FALSIFY-CAP-002")
    session.run("coverage", "")
    session.run("graph", "")
    session.run("equations", "soft-cap-v1")
    session.run("rule", "PV203")
    session.run("teeth", "--jobs 1")
    session.run("doctor", "")
    session.run("completion", "fish", head=5)


def _break(session: Session, promise: str) -> None:
    session.edit("kernels.py", _CAP, _LEAK)
    session.run("gate", "", "With `30.1 * torch.tanh` in the kernel, before anything is run again:")
    session.run("falsify", "--id FALSIFY-CAP-001 --jobs 1", "With `30.1 * torch.tanh` in the kernel:")
    session.run("replay", "FALSIFY-CAP-001", "While the kernel is wrong:")
    session.run("pin", "FALSIFY-CAP-001")
    session.run("status", "--against HEAD", "The same since the last commit, with `30.1 * torch.tanh` in the kernel:")
    until = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)).isoformat()
    line = f'{promise} --until {until} --reason "the new cap is agreed; ticket 812"'
    session.run("ledger waive", line)
    last = session.screens["ledger waive"][-1]
    dateless = re.sub(r"(?<=waivers/soft-cap-v1/)\w+", "DIGEST", last.shown.replace(until, "YYYY-MM-DD"))
    session.screens["ledger waive"][-1] = Screen(last.before, dateless)


def _mend(session: Session) -> None:
    session.edit("kernels.py", _LEAK, _CAP)
    session.run("replay", "FALSIFY-CAP-001", "With the kernel mended:")
    session.run("falsify", "--stale --jobs 1", "The pinned case is part of the evidence, so there is something to run:")
    session.run("ledger gc", "")
    session.git("add", "-A")
    session.git("commit", "-qm", "pinned")


def _change(session: Session, promise: str) -> None:
    session.edit("contracts/soft-cap-v1.yaml", "absolute: 1e-37, relative: 1e-6", "absolute: 1e-37, relative: 1e-5")
    session.run("diff", "", "With the tolerance of float32 ten times as large:")
    session.run("bump", "")
    session.run("ledger retract", f'{promise} --reason "the kernel is no longer shipped"')


_RELU = """schema: pv/contract-v1
metadata: {version: 0.1.0, description: The positive part}
equations:
  relu:
    formula: max(x, 0)
    domain: finite x in ℝ^n
    codomain: "[0, ∞)^n"
    dimensions: {n: {min: 1, max: 8}}
    arguments: {x: {type: tensor, dtype: [float32], shape: [n]}}
    returns: {y: {type: tensor, like: x, shape: [n]}}
    invariants: [{id: positive, statement: no value is below 0, holds: exact}]
falsification_tests:
  - id: FALSIFY-RELU-001
    binds_to: [relu/positive]
    rule: Nothing negative passes
    prediction: Whatever a finite x holds, the least value of the result is at least 0
    if_fails: A score that must not count does
"""
_CLAIMS = """
claims:
  - id: README-TESTS
    document: README.md
    phrase: {section: One kernel under contract, text: "It has {value} falsification tests"}
    source: {tests: soft-cap-v1}
  - id: README-LINES
    document: README.md
    phrase: {section: One kernel under contract, text: "in {value} lines of code"}
    source: {command: [python, count.py, kernels.py]}
"""


def _write(session: Session, root: Path) -> None:
    folder = session.folder
    (folder / "contracts/relu-v1.yaml").write_text(_RELU, encoding="utf-8")
    session.run("scaffold", "relu-v1", "For a contract that nobody has written code for yet:")
    (folder / "count.py").write_text(
        "import sys\nprint(len(open(sys.argv[1]).read().splitlines()))\n", encoding="utf-8"
    )
    with (folder / "contracts/soft-cap-v1.yaml").open("a", encoding="utf-8") as file:
        file.write(_CLAIMS)
    session.edit("README.md", "it is about.\n", "it is about. It has 3 falsification tests, in 10 lines of code.\n")
    session.run("claims record", "README-LINES")
    session.run("claims", "", "A README that says three tests where the contract has two:")
    session.run("claims", "--fix")
    shutil.copy(root / "tests/examples/good/PV111-predecessor-aliases-v1.yaml", folder / "old-v1.yaml")
    session.run("import", "old-v1.yaml")


def _models(session: Session, root: Path) -> None:
    session.folder = session.scratch / "microgpt"
    for part in _MODEL_PARTS:
        shutil.copytree(root / part, session.folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", session.folder)
    session.run("inspect", "microgpt", head=20)
    session.run("tensors", "microgpt --filter 'w_*' --stats")
    session.run("explain", "--tensor blk.0.attn_output.weight")
    session.run("explain", "--kernel llama", head=12)
    stages = "--save-tensor all --output"
    before = "What the model computed on the way, written to a folder:"
    session.run("trace", f"microgpt --text emma {stages} right", before, head=8)
    session.edit(
        "implementations/microgpt/kernels.py",
        "torch.sqrt(mean_square + RMS_EPSILON)",
        "(torch.sqrt(mean_square) + RMS_EPSILON)",
    )
    session.pv(f"trace microgpt --text emma {stages} wrong")
    before = "Of tensors: what a model with its ε outside the root computes otherwise."
    session.run("diff", "--values right wrong --top 3", before, head=24)
    session.run("bisect", "right wrong --weights microgpt", "Which of them introduces it:")
