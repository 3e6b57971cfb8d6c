"""What a user sees who breaks a kernel: the invariant, the smallest case, what follows; and staleness before that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Ran, edit

Pv = Callable[..., Ran]


@dataclass(frozen=True, slots=True)
class Break:
    """One line made wrong by hand, and what must come of it."""

    name: str
    file: str
    find: str
    replace: str
    test: str
    invariant: str
    function: str


BREAKS = [
    Break("eps outside the root", "kernels.py", "torch.sqrt(mean_square + RMS_EPSILON)",
          "(torch.sqrt(mean_square) + RMS_EPSILON)", "FALSIFY-MG-004", "rms_norm/formula", "rms_norm"),
    Break("mask diagonal off by one", "kernels.py", "triu(diagonal=1)", "triu(diagonal=0)",
          "FALSIFY-MG-010", "causal_mask/open_to_past", "causal_mask"),
    Break("softmax on the wrong axis", "kernels.py", "exponentials / exponentials.sum(dim=-1, keepdim=True)",
          "exponentials / exponentials.sum(dim=0, keepdim=True)", "FALSIFY-MG-013", "softmax/unit_sum", "softmax"),
    Break("one_hot off by one", "kernels.py", "(indices[:, None] == classes)", "(indices[:, None] == classes + 1)",
          "FALSIFY-MG-002", "one_hot/at_index", "one_hot"),
    Break("Adam without bias correction", "optimizer.py", "v_hat = v / (1 - BETA2**step)", "v_hat = v + 0",
          "FALSIFY-MG-031", "adam_step/update", "adam_step"),
    Break("weighted_sample ignoring its draw", "kernels.py", "if cumulative >= draw:", "if cumulative >= 0.5:",
          "FALSIFY-MG-024", "weighted_sample/inverse_cdf", "weighted_sample"),
    Break("RMSNorm's scale detached", "kernels.py", "torch.sqrt(mean_square + RMS_EPSILON)",
          "torch.sqrt(mean_square + RMS_EPSILON).detach()", "FALSIFY-MG-009", "rms_norm/gradient", "rms_norm"),
]  # fmt: skip


IN_EVERY_RUN = {"eps outside the root"}  # each takes three runs of its test and three gates


@pytest.mark.parametrize("broken", [
    pytest.param(broken, id=broken.name, marks=() if broken.name in IN_EVERY_RUN else pytest.mark.slow) for broken in BREAKS
])  # fmt: skip
def test_a_broken_kernel_is_stale_then_falsified_then_held_again(broken: Break, scratch: Path, pv: Pv) -> None:
    path = scratch / "implementations/microgpt" / broken.file
    edit(path, broken.find, broken.replace)

    status = pv("status", "--format", "json", cwd=scratch)
    row = next(row for row in json.loads(status.out)["tests"] if row["test"] == broken.test)
    stale = {"cause": "subject", "what": f"implementations/microgpt/{broken.file}: {broken.function}", "how": "changed"}
    assert (status.exit, stale in row["stale"]) == (0, True)
    gate = pv("gate", cwd=scratch)
    assert gate.exit == 3
    assert f"{broken.file}: {broken.function}" in gate.out

    falsify = pv("falsify", "--id", broken.test, cwd=scratch)
    assert falsify.exit == 1
    assert f"{broken.test} falsified: {broken.invariant}" in falsify.out
    assert "smallest case found" in falsify.out
    assert "observed " in falsify.out
    assert "expected " in falsify.out
    assert "if this fails: " in falsify.out
    assert "falsifiers/microgpt.py:" in falsify.out
    assert pv("gate", cwd=scratch).exit == 1

    edit(path, broken.replace, broken.find)
    assert pv("falsify", "--id", broken.test, cwd=scratch).exit == 0
    assert pv("gate", cwd=scratch).exit == 0


def test_an_edit_that_changes_no_code_leaves_everything_fresh(scratch: Path, pv: Pv) -> None:
    path = scratch / "implementations/microgpt/kernels.py"
    path.write_text("# a comment\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    counts = json.loads(pv("status", "--format", "json", cwd=scratch).out)["counts"]
    assert (counts["stale"], counts["held"]) == (0, counts["selected"])


def test_a_constant_of_an_imported_module_makes_what_uses_it_stale(scratch: Path, pv: Pv) -> None:
    edit(scratch / "implementations/microgpt/config.py", "BETA1 = 0.85", "BETA1 = 0.9")
    rows = json.loads(pv("status", "--format", "json", cwd=scratch).out)["tests"]
    stale = {row["equation"] for row in rows if row["stale"]}
    assert "adam_step" in stale
    causes = {(cause["cause"] == "live", cause["what"]) for row in rows for cause in row["stale"]}
    config = "implementations/microgpt/config.py"
    assert causes == {(False, f"{config}: top level"), (True, config)}  # a command runs more of it than was seen
