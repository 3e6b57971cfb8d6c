"""A counterexample from the run that finds it until it is mended: pasted, replayed, pinned, and tried first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit

Pv = Callable[..., Ran]
BREAKS = {
    "FALSIFY-MG-004": ("kernels.py", "torch.sqrt(mean_square + RMS_EPSILON)", "(torch.sqrt(mean_square) + RMS_EPSILON)"),
    "FALSIFY-MG-024": ("kernels.py", "if cumulative >= draw:", "if cumulative >= 0.5:"),
    "FALSIFY-MG-036": ("model.py", "split_parameters(parameters), tokens)", "split_parameters(parameters), tokens) * 1.1"),
}  # fmt: skip
# The lines pasted, but for what they define, are run in a module of their own; `case` is what a long case is loaded as.
PASTE = """
import runpy, sys
from pv.falsify.encode import fingerprint
names = runpy.run_path("pasted.py")
print(fingerprint(names.get("case") or {name: names[name] for name in sys.argv[1:]}).hex())
"""


def pasted(out: str) -> list[str]:
    """The lines of the smallest case, as a person copies them."""
    lines = out.splitlines()
    first = next(index for index, line in enumerate(lines) if "smallest case found" in line) + 1
    last = next(index for index, line in enumerate(lines) if line.startswith("  observed "))
    return [line.strip() for line in lines[first:last]]


def standing(test: str, root: Path, pv: Pv) -> tuple[str, list[object]]:
    """The level of `test` on torch, and what is stale of it."""
    rows = json.loads(pv("status", "--format", "json", cwd=root).out)["tests"]
    [row] = [row for row in rows if (row["test"], row["subject"]) == (test, "torch")]
    return row["level"], row["stale"]


@pytest.mark.parametrize("test", [
    pytest.param(test, marks=() if test == "FALSIFY-MG-004" else pytest.mark.slow) for test in BREAKS
])  # fmt: skip
def test_a_counterexample_is_pasted_replayed_pinned_and_tried_first(test: str, scratch: Path, pv: Pv) -> None:
    file, right, wrong = BREAKS[test]
    path = scratch / "implementations/microgpt" / file
    before = standing(test, scratch, pv)
    edit(path, right, wrong)
    ran = pv("falsify", "--id", test, "--kind", "algorithm", cwd=scratch)
    assert ran.exit == 1
    [kept] = (scratch / f".pv/counterexamples/microgpt-v1/{test}").glob("*.json")
    case = json.loads(kept.read_bytes())

    lines = pasted(ran.out)
    assert lines[-1].endswith(")")
    (scratch / "pasted.py").write_text("\n".join(lines), encoding="utf-8")
    names = [row["name"] for row in case["arguments"]]
    done = subprocess.run(
        [sys.executable, "-c", PASTE, *names], cwd=scratch, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [case["digest"]]

    assert pv("pin", test, cwd=scratch).exit == 0
    replayed = pv("replay", test, cwd=scratch)
    assert (replayed.exit, "STILL FAILS" in replayed.out) == (1, True)
    again = pv("falsify", "--id", test, "--kind", "algorithm", "--format", "json", cwd=scratch)
    [again] = json.loads(again.out)["receipts"]
    assert (again["counterexample"]["digest"], again["counterexample"]["stratum"]) == (case["digest"], "pinned")

    edit(path, wrong, right)
    replayed = pv("replay", test, cwd=scratch)
    assert (replayed.exit, replayed.out.splitlines()[-1]) == (0, "1 case run: 1 fixed")
    assert pv("falsify", "--id", test, cwd=scratch).exit == 0
    assert standing(test, scratch, pv) == before
