"""What `pv show` says of a test: what its falsifier may cost, and what its mutants came to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran
from small_project import FILES, run_at, write_project

FALSIFIER = "falsifiers/double.py"
FALSIFIES = '@falsifier("FALSIFY-D-001"'


@pytest.mark.parametrize(("more", "said"), [
    ("", "is_twice"),
    (", slow=True", "is_twice (slow)"),
    (", examples=1, timeout=90, slow=True", "is_twice (slow, 1 example, at most 90 s a step)"),
])  # fmt: skip
def test_the_cost_that_a_falsifier_declares_is_shown(
    more: str, said: str, tmp_path: Path, pv: Callable[..., Ran]
) -> None:
    write_project(tmp_path, {FALSIFIER: FILES[FALSIFIER].replace(FALSIFIES, FALSIFIES + more)})
    shown = pv("show", "FALSIFY-D-001", cwd=tmp_path).out.splitlines()
    assert next(line for line in shown if "  falsifier  " in line).endswith(f"  {said}")


def test_how_many_mutants_were_tried_is_shown(tmp_path: Path, pv: Callable[..., Ran]) -> None:
    write_project(tmp_path)
    assert "  mutants  " not in pv("show", "FALSIFY-D-001", cwd=tmp_path).out
    mutants = run_at(tmp_path).outcome.mutants
    assert mutants is not None
    said = f"  mutants    {mutants['tried']} tried, {mutants['past']} past the smoke check, killed {mutants['killed']}"
    assert said in pv("show", "FALSIFY-D-001", cwd=tmp_path).out.splitlines()
