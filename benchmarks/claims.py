"""How long the documents take: a corpus of Markdown against the parser alone, one README, and markdownlint-cli2 beside it.

    python benchmarks/claims.py [--files N] [--rounds N]

Everything is measured in this process or one of its own, the best of several rounds; prints ratios. markdownlint-cli2 is run
where `npx` finds it installed, on the rules the two share; where it does not, that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARSER = 1.6  # times the parser's own time, at most
CACHE = Path(tempfile.gettempdir()) / "pv-claims-bytecode"
README = 0.060  # seconds over the imports, at most
SHARED = ("MD001", "MD025", "MD040", "MD042", "MD045", "MD056")
_IMPORTS = "import click, yaml, jsonschema_rs, markdown_it.rules_inline"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--files", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        size = write_corpus(home, options.files)
        print(f"{options.files:,} files, {size / 1e6:.1f} MB")
        corpus(home, options.rounds)
        one_readme(options.rounds)
        markdownlint(home)


def write_corpus(home: Path, files: int) -> int:
    """Documents of about 10 KB, made of this repository's own paragraphs, tables and code; how many bytes they have."""
    sources = [path.read_text(encoding="utf-8") for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]
    blocks = [
        block for text in sources for block in text.split("\n\n") if not block.startswith("#") and "](" not in block
    ]
    blocks = [block for block in blocks if block.count("```") % 2 == 0]
    chance, size = random.Random(0), 0
    for number in range(files):
        parts = [
            f"# Document {number}",
            f"The one before is [here](d{max(number - 1, 0)}.md#document-{max(number - 1, 0)}).",
        ]
        while sum(map(len, parts)) < 10_000:
            parts += [f"## Part {len(parts)}", chance.choice(blocks)]
        text = "\n\n".join(parts) + "\n"
        (home / f"d{number}.md").write_text(text, encoding="utf-8")
        size += len(text.encode())
    return size


def best(rounds: int, run: Callable[[], object]) -> float:
    """The shortest of `rounds` runs, in seconds of this process."""
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        run()
        times.append(time.process_time() - begun)
    return min(times)


def corpus(home: Path, rounds: int) -> None:
    """Every rule over every file, beside markdown-it-py's parse of the same files."""
    from markdown_it import MarkdownIt

    from pv.documents.check import check_documents

    names = [path.name for path in sorted(home.glob("*.md"))]
    parser = MarkdownIt("commonmark").enable("table")

    def parse() -> None:
        for name in names:
            parser.parse((home / name).read_text(encoding="utf-8"))

    def check() -> None:
        check_documents(home, names, {})

    alone, all_rules = best(rounds, parse), best(rounds, check)
    print(
        f"parse {alone:.2f} s, every rule {all_rules:.2f} s: {all_rules / alone:.2f} times, at most {PARSER} is the aim"
    )


def one_readme(rounds: int) -> None:
    """`pv claims README.md` as a process, over a process that only imports what it needs."""
    imports = timed([sys.executable, "-c", _IMPORTS], rounds * 2)
    command = timed([sys.executable, "-m", "pv", "claims", "README.md"], rounds * 2)
    over = (command - imports) * 1e3
    print(f"one README {command * 1e3:.0f} ms, its imports {imports * 1e3:.0f} ms")
    print(f"{over:.0f} ms over the imports, at most {README * 1e3:.0f} is the aim")


def timed(command: list[str], rounds: int) -> float:
    """The shortest time of processors that `command` took: other programs disturb it less than the time on the wall."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(CACHE)
    times = []
    for _ in range(rounds + 1):  # the first compiles what an installation has compiled
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def markdownlint(home: Path) -> None:
    """markdownlint-cli2 on the rules that the two share."""
    program = shutil.which("markdownlint-cli2")
    if program is None:
        print("markdownlint-cli2 is not installed: not measured")
        return
    rules = {"default": False, **dict.fromkeys(SHARED, True)}
    (home / ".markdownlint-cli2.jsonc").write_text(json.dumps({"config": rules}), encoding="utf-8")
    begun = time.perf_counter()
    subprocess.run([program, "*.md"], cwd=home, capture_output=True, check=False)
    other = time.perf_counter() - begun
    begun = time.perf_counter()
    names = [path.name for path in sorted(home.glob("*.md"))]
    subprocess.run([sys.executable, "-m", "pv", "claims", *names], cwd=home, capture_output=True, check=False)
    own = time.perf_counter() - begun
    print(f"markdownlint-cli2 {other:.2f} s ({', '.join(SHARED)}), pv claims {own:.2f} s (all its rules)")


if __name__ == "__main__":
    main()
