"""`pv trace` and `pv diff` as a port: command lines in, exit code, words and files out.

A call gives several lines, run one after another in an empty folder that is gone afterwards; `{}` in a line is its path. A line
is what follows `pv`, or `flip FILE`, which turns the highest bit of the file's last byte over, or `remove FILE`. What the last
line came to is answered, and what then lies in the folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

# What follows the first is imported by name while a command runs: evidence about a script depends on what it says it imports.
import pv.cli.diff
import pv.cli.trace
import pv.stages.hooks.local  # noqa: F401 -- as above
from pv.cli import main

COMMANDS = ("trace", "diff")


@cache
def run(command: str) -> dict[str, object]:
    """The answer to one call.

    Kept for as long as this process lives, which is a part of one trial: teeth are tried on the same cases again and again, and
    change answers, not commands. What differs from run to run shows between the lines of a call, and between processes.
    """
    with TemporaryDirectory(prefix="pv-commands-") as folder:
        said, code = "", 2
        for line in command.split("\n"):
            code, said = step(line.replace("{}", folder).split())
        files = [f"{path.relative_to(folder).as_posix()} {told(path)}" for path in sorted(Path(folder).rglob("*"))]
        return {"ok": True, "exit": code, "said": said.replace(folder, "{}"), "files": "\n".join(files)}


def step(words: list[str]) -> tuple[int, str]:
    """The exit code of one line and what it said, on both streams."""
    match words:
        case ["flip", file]:
            data = bytearray(Path(file).read_bytes())
            data[-1] ^= 0x80
            Path(file).write_bytes(data)
            return 0, ""
        case ["remove", file]:
            Path(file).unlink()
            return 0, ""
        case [command, *_] if command in COMMANDS:
            stream = io.StringIO()
            with redirect_stdout(stream), redirect_stderr(stream):
                code = main(words)
            return code, stream.getvalue()
    return 2, f"no command of this port: {words[:1]}"


def told(path: Path) -> str:
    """How large a file is, and its SHA-256."""
    return f"{path.stat().st_size} {hashlib.sha256(path.read_bytes()).hexdigest()}" if path.is_file() else "folder"


if __name__ == "__main__":
    for request in sys.stdin:
        print(json.dumps(run(json.loads(request)["arguments"]["command"])), flush=True)
