"""mutmut 3 on microGPT's kernels: the same properties, strategies and examples as `pv teeth`, written as tests of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

PEER = "mutmut==3.8.1"
ROOT = Path(__file__).resolve().parent.parent
EQUATIONS = ("one_hot", "rms_norm", "causal_mask", "softmax", "weighted_sample")

CONFIG = """\
[tool.mutmut]
source_paths = ["implementations/microgpt/kernels.py"]
tests_dir = ["tests"]
also_copy = ["implementations", "contracts", "falsifiers", "conftest.py"]
use_git_change_detection = false

[tool.pv]
"""
TESTS = '''\
"""Each falsifier of a kernel as a test of Hypothesis' own: the strategies, the checks and the examples are pv's."""
import inspect
from pathlib import Path

import hypothesis, pytest, torch
from hypothesis import HealthCheck, Phase, settings

from falsifiers import microgpt
from implementations.microgpt import kernels
from pv.falsify.cases import Region, regions
from pv.falsify.check import Check
from pv.project import project_at

EXAMPLES = 200
[contract] = [file.contract for file in project_at(Path(ORIGIN)).contract_files if file.contract.name == "microgpt-v1"]
marks = {mark.test: mark for value in vars(microgpt).values() if (mark := getattr(value, "__pv_falsifier__", None))}
tests = [test for test in contract.tests if test.equation in EQUATIONS]
torch.set_num_threads(1)


@pytest.mark.parametrize("test", tests, ids=lambda test: test.id)
def test_falsifier(test):
    mark, equation = marks[test.id], contract.equation(test.equation)
    invariants = [contract.invariant(name) for name in test.binds_to]
    every = [Region(name, strategy, None) for name, strategy in mark.cases] or regions(equation)

    def body(case):
        given = {"subject": lambda *values: getattr(kernels, equation.name)(*values), "case": case, "check": check}
        mark.function(**{role: given[role] for role in inspect.signature(mark.function).parameters})

    for region in every:
        check = Check(invariants)
        run = settings(max_examples=-(-EXAMPLES // len(every)), database=None, deadline=None, derandomize=True,
                       suppress_health_check=list(HealthCheck), phases=(Phase.generate,), report_multiple_bugs=False)
        run(hypothesis.given(case=region.strategy)(body))()
'''


def environment() -> Path:
    """The folder of mutmut's commands, in an environment made once, which sees the libraries of this one."""
    home = Path(
        tempfile.gettempdir(), f"pv-benchmark-peers-{os.getuid()}-{sys.version_info.minor}-{PEER.replace('==', '-')}"
    )
    commands = home / "bin"
    if not (commands / "mutmut").exists():
        print(f"installing {PEER} into {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([commands / "python", "-m", "pip", "install", "--quiet", PEER], check=True)
        packages = next(home.glob("lib/python*/site-packages"))
        (packages / "zz-beside.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return commands


def mutants_per_second(project: Path, jobs: int, limit: float) -> tuple[int, float]:
    """(mutants judged, seconds) of `mutmut run` in `project`, from its first verdict on, for at most `limit` seconds after.

    What comes before (mutants made, tests timed, tests run clean) is left out. Raises RuntimeError when it judged none.
    """
    (project / "pyproject.toml").write_text(CONFIG, encoding="utf-8")
    (project / "conftest.py").write_text("", encoding="utf-8")
    (project / "tests").mkdir()
    tests = TESTS.replace("ORIGIN", repr(str(project))).replace("EQUATIONS", repr(EQUATIONS))
    (project / "tests/test_kernels.py").write_text(tests, encoding="utf-8")
    process = subprocess.Popen(
        [environment() / "mutmut", "run", "--max-children", str(jobs)],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    said, first, last = b"", (0, 0.0), (0, 0.0)
    while data := os.read(process.stdout.fileno(), 1 << 16):
        said = (said + data)[-4000:]
        counted = re.findall(rb"(\d+)/\d+ ", data)
        if counted:
            last = (int(counted[-1]), time.perf_counter())
            first = first if first[1] else last
            if last[1] - first[1] > limit:
                os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if last[0] == first[0]:
        raise RuntimeError(f"mutmut judged nothing: {said.decode(errors='replace')[-600:]}")
    return last[0] - first[0], last[1] - first[1]
