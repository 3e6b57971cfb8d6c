"""The README's transcript: one falsification of a broken kernel, run for real in a scratch copy of the project.

`python tests/transcript.py --write` puts it into README.md; a test holds the two together.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ["falsify", "--id", "FALSIFY-MG-004", "--kind", "algorithm"]
BEGIN, END = "<!-- transcript -->\n", "<!-- /transcript -->"


def transcript() -> str:
    """The fenced block: the command, what it printed, and its exit code."""
    with tempfile.TemporaryDirectory(prefix="pv-readme-") as folder:
        root = Path(folder)
        for part in ("contracts", "falsifiers", "implementations", "references"):
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", root)
        kernels = root / "implementations/microgpt/kernels.py"
        text = kernels.read_text(encoding="utf-8")
        right, wrong = "torch.sqrt(mean_square + RMS_EPSILON)", "(torch.sqrt(mean_square) + RMS_EPSILON)"
        assert text.count(right) == 1, "the line that the transcript breaks has moved"
        kernels.write_text(text.replace(right, wrong), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pv", *COMMAND], cwd=root, capture_output=True, text=True, check=False
        )
    return f"```console\n$ pv {' '.join(COMMAND)}\n{done.stdout}{done.stderr}$ echo $?\n{done.returncode}\n```\n"


def written() -> str:
    """The block as README.md has it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    """Put a fresh transcript into README.md."""
    path = ROOT / "README.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    path.write_text(before + BEGIN + transcript() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        print(transcript(), end="")
