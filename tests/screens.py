"""The screens of docs/models.md: commands of this project, run for real.

`python tests/screens.py --write` puts them into the page; a test holds the two together.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/models.md"
_SCREEN = re.compile(r"(<!-- screen: pv (?P<command>[^\n]*) -->\n)(?P<shown>.*?)(<!-- /screen -->)", re.DOTALL)
_LEVEL = re.compile(r"(?:DISCHARGED|FUNCTIONAL|PARTIAL|NO EVIDENCE|NO CHECK|FALSIFIED) \d+(?: · [A-Z ]+ \d+)*")


def screens() -> Iterator[tuple[str, str]]:
    """Each command of the page, and what the page says it prints."""
    text = PAGE.read_text(encoding="utf-8")
    return ((found["command"], found["shown"]) for found in _SCREEN.finditer(text))


def screen(command: str) -> str:
    """The fenced block of `pv` with these arguments."""
    env = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "pv", *shlex.split(command)],
        cwd=ROOT, capture_output=True, text=True, check=True, env=env,
    )  # fmt: skip
    return f"```console\n$ pv {command}\n{done.stdout}```\n"


def without_levels(shown: str) -> str:
    """A screen less what changes from day to day: levels, and the width of their column."""
    return re.sub(r" +|─+", " ", _LEVEL.sub("LEVEL", shown))


def write() -> None:
    """Put fresh screens into the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_SCREEN.sub(lambda found: found[1] + screen(found["command"]) + found[4], text), encoding="utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    write()
