"""Completion: the shell's own protocol, through the command as installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran

from pv.cli.completion import SHELLS

Pv = Callable[..., Ran]


def completed(pv_process: Pv, words: str, cwd: Path = ROOT) -> list[str]:
    """What bash is told for `words`, the last of them begun."""
    environment = {"_PV_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    return [line.partition(",")[2] for line in pv_process(cwd=cwd, env=environment).out.split()]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("pv sta", ["status"]),
        ("pv show FALSIFY-MG-00", [f"FALSIFY-MG-00{number}" for number in range(1, 10)]),
        ("pv status micro", ["microgpt-v1"]),
        ("pv ledger promote micro", ["microgpt-v1"]),
        ("pv explain --kernel ll", ["llama"]),
        ("pv inspect micro", ["microgpt"]),
        ("pv trace microgpt --save-tensor ffn_si", ["ffn_silu"]),
        ("pv rule pv201", ["PV201"]),
        ("pv gate --min", ["--min-level"]),
        ("pv show NO-SUCH", []),
    ],
)
def test_names_are_completed(pv_process: Pv, words: str, told: list[str]) -> None:
    assert completed(pv_process, words) == told


def test_a_folder_without_a_project_completes_commands_and_no_names(tmp_path: Path, pv_process: Pv) -> None:
    assert completed(pv_process, "pv val", tmp_path) == ["validate"]
    assert completed(pv_process, "pv show F", tmp_path) == []


WATCHED = """
import atexit, sys
atexit.register(lambda: print(*sorted(name for name in sys.modules if name.startswith("pv."))))
from pv.cli import main
main([])
"""


def test_completing_a_command_imports_none() -> None:
    environment = {"_PV_COMPLETE": "bash_complete", "COMP_WORDS": "pv s", "COMP_CWORD": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1].split() == ["pv.cli", "pv.cli.group", "pv.finding"]


@pytest.mark.parametrize(
    ("shell", "begins"), list(zip(SHELLS, ("_pv_completion()", "#compdef pv", "function _pv"), strict=True))
)
def test_the_script_is_the_shells_own(pv: Pv, shell: str, begins: str) -> None:
    assert pv("completion", shell).out.startswith(begins)


def test_bash_reads_its_script(pv: Pv, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(pv("completion", "bash").out, encoding="utf-8")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_another_shell_is_refused(pv: Pv) -> None:
    assert pv("completion", "tcsh").exit == 2
