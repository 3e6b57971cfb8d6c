"""The README works as printed: its first project, its transcript."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from conftest import ROOT, Ran
from transcript import transcript, written

Pv = Callable[..., Ran]
FILES = ("kernels.py", "contracts/soft-cap-v1.yaml", "falsifiers/soft_cap.py", "contracts/binding.yaml")


def printed(name: str) -> str:
    """The code block that follows the mention of `name`."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"`{re.escape(name)}`:\n\n```\w+\n(.*?)```", text, re.DOTALL)
    assert found, name
    return found[1]


def make(root: Path) -> None:
    """The README's project, as a reader would paste it."""
    for name in FILES:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(printed(name), encoding="utf-8")


def test_the_first_contract_and_falsifier_work_as_printed(tmp_path: Path, pv: Pv) -> None:
    make(tmp_path)
    for command in (["validate"], ["falsify"], ["ledger", "promote", "soft-cap-v1"], ["ledger", "verify"], ["gate"]):
        ran = pv(*command, cwd=tmp_path)
        assert ran.exit == 0, ran.said


def test_they_are_as_short_as_the_readme_means_them() -> None:
    assert len(printed("contracts/soft-cap-v1.yaml").splitlines()) <= 15
    assert len(printed("falsifiers/soft_cap.py").splitlines()) <= 7


def test_a_cap_that_leaks_is_caught(tmp_path: Path, pv: Pv) -> None:
    make(tmp_path)
    kernel = tmp_path / "kernels.py"
    kernel.write_text(kernel.read_text(encoding="utf-8").replace("30.0 * torch", "30.1 * torch"), encoding="utf-8")
    ran = pv("falsify", cwd=tmp_path)
    assert (ran.exit, "soft_cap/capped" in ran.out) == (1, True)


def test_the_transcript_is_what_a_fresh_run_prints() -> None:
    assert written() == transcript()
