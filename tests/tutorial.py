"""docs/tutorial.md, gone through as a reader does: files written, lines changed, commands run, in the order of the page.

`python tests/tutorial.py --write` puts what the commands print into the page; a test holds the two together.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/tutorial.md"
_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`(?P<how>, changed|, added)?:\n\n|(?P<skipped>^<!-- not run: [^\n]+ -->\n))?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```\n",
    re.DOTALL | re.MULTILINE,
)
_MASKS = (
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"\b[0-9a-f]{16}\.json", "<digest>.json"),
    (r"\b[0-9a-f]{12}…", "<digest>…"),
    (r"duration: [\d.]+s", "duration: <time>"),
    (r"slack +[\d.e+]+|(?<=  )\d+\.\d+$", "<slack>"),  # of the processor's own rounding
)
_FINISHED = re.compile(r"(?:^FALSIFY-\S+  \w+ .*\d+ checks.*\n)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `file` and `how` are what the line above says of it."""

    language: str
    text: str
    file: str = ""
    how: str = ""
    skipped: bool = False


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of the page, in order."""
    for found in _BLOCK.finditer(page):
        yield Block(
            found["language"], found["text"], found["file"] or "", found["how"] or "", skipped=bool(found["skipped"])
        )


def follow(page: str, folder: Path) -> str:
    """The page with what its commands print in `folder`, once its files are written there and its lines changed."""
    programs = _programs(folder.parent / "programs")
    last = 0

    def done(found: re.Match[str]) -> str:
        nonlocal last
        block = next(blocks(found[0]))
        if block.skipped:
            return found[0]
        if block.language != "console":
            _write(block, folder)
            return found[0]
        lines = []
        for command in commands(block):
            last, said = _run(command, folder, programs, last)
            lines.append(f"$ {command}\n{said}")
        before, _, _ = found[0].partition("```console\n")
        return f"{before}```console\n{''.join(lines)}```\n"

    return _BLOCK.sub(done, page)


def commands(block: Block) -> list[str]:
    """What a reader types of a block of the console."""
    return [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]


def masked(text: str) -> str:
    """`text` less what differs from day to day: digests, times, and which of two workers was done first."""
    for pattern, word in _MASKS:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return _FINISHED.sub(lambda found: "".join(sorted(found[0].splitlines(keepends=True))), text)


def _write(block: Block, folder: Path) -> None:
    assert block.file, f"a reader is not told where this goes:\n{block.text}"
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    if not block.how:
        path.write_text(block.text, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    if block.how == ", added":
        path.write_text(text + block.text, encoding="utf-8")
        return
    old, new = ("".join(line[1:] for line in block.text.splitlines(True) if line[0] == sign) for sign in "-+")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {block.file}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def _programs(folder: Path) -> Path:
    """A folder with `pv` and `pre-commit` as an installation would put them on the path."""
    folder.mkdir()
    for name, module in (("pv", "pv"), ("pre-commit", "pre_commit")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def _run(command: str, folder: Path, programs: Path, last: int) -> tuple[int, str]:
    """Exit code and both streams of `command`, as a shell runs it whose last command ended with `last`."""
    unset = ("COLUMNS", "GIT_DIR", "GIT_INDEX_FILE", "PRE_COMMIT", "PV_AGAINST")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {
        "PATH": f"{programs}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PRE_COMMIT_HOME": str(programs / "pre-commit-home"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{
            f"GIT_{role}_{what}": "reader@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        },
    }
    ran = subprocess.run(
        ["bash", "-c", f"(exit {last})\n{command}"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout


def write() -> None:
    """Put what the commands print now into the page."""
    with tempfile.TemporaryDirectory(prefix="pv-tutorial-") as scratch:
        folder = Path(scratch) / "attention"
        folder.mkdir()
        PAGE.write_text(follow(PAGE.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    write()
