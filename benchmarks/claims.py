"""How long documents take: 1,000 of Markdown beside the parser alone, one README, and markdownlint-cli2 on the rules it shares.

    python benchmarks/claims.py [--files N] [--rounds N]

Run it with the Python of an environment that holds `pv`. Processes are cold and take turns; what decides is the median of
their time of processors, the time on the wall stands beside it. markdownlint-cli2 is taken from PATH, or from
PV_MARKDOWNLINT (the path of its program); without it that part is not measured, which is said, and the exit is 3.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
from pathlib import Path

from rounds import PV, Command, in_turns, middle, over, ratio

ROOT = Path(__file__).resolve().parents[1]
SHARED = {
    "MD001": "PV701", "MD025": "PV702", "MD040": "PV710", "MD042": "PV705", "MD045": "PV709", "MD051": "PV708",
    "MD056": "PV704",
}  # fmt: skip
PARSE = """
import sys
from markdown_it import MarkdownIt
parser = MarkdownIt("commonmark").enable("table")
for name in sys.argv[1:]:
    parser.parse(open(name, encoding="utf-8").read())
"""
IMPORTS = "import click, yaml, jsonschema_rs, markdown_it"
# Faults of the shared rules, one a document, each with the line it is on.
PLANTED = {
    "MD001": ("# T\n\n### Skipped\n", 3),
    "MD025": ("# T\n\n# Again\n", 3),
    "MD040": ("# T\n\n```\ncode\n```\n", 3),
    "MD042": ("# T\n\n[nowhere]()\n", 3),
    "MD045": ("# T\n\n![](x.png)\n", 3),
    "MD051": ("# T\n\n[there](#not-there)\n", 3),
    "MD056": ("# T\n\n| a | b |\n| - | - |\n| 1 |\n", 5),
}


def main() -> int:
    """Every comparison, one line each; 3 when one could not be made, 1 when a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--files", type=int, default=1000)
    asked.add_argument("--rounds", type=int, default=7)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="pv-benchmark-") as folder:
        home = Path(folder, "corpus")
        home.mkdir()
        size = write_corpus(home, options.files)
        print(
            f"{options.files:,} files, {size / 1e6:.1f} MB; the parser is markdown-it-py with tables, its own process"
        )
        names = [path.name for path in sorted(home.glob("*.md"))]
        runs = in_turns(
            {
                "parse": Command([sys.executable, "-c", PARSE, *names], home),
                "pv": Command([*PV, "claims", *names], home, OURS),
            },
            options.rounds,
        )
        if any(run.exit for run in (*runs["parse"], *runs["pv"])):
            print(f"not measured: the corpus is not clean: {runs['pv'][0].out[-500:]}", file=sys.stderr)
            return 3
        met = [ratio("every rule / the parser alone", runs["pv"], runs["parse"], 1.6), one_readme(options.rounds)]
        program = os.environ.get("PV_MARKDOWNLINT") or shutil.which("markdownlint-cli2")
        if program is None:
            print("not measured: markdownlint-cli2 is neither on PATH nor named by PV_MARKDOWNLINT")
            return 3 if all(met) else 1
        met += [markdownlint(program, home, names), planted(program, Path(folder, "planted"))]
    return 0 if all(met) else 1


OURS = {"PYTHONPATH": str(ROOT)}


def write_corpus(home: Path, files: int) -> int:
    """Documents of about 10 KB, made of this repository's own paragraphs, tables and code; how many bytes they have."""
    sources = [path.read_text(encoding="utf-8") for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]
    blocks = [
        block for text in sources for block in text.split("\n\n") if not block.startswith("#") and "](" not in block
    ]
    blocks = [block for block in blocks if block.count("```") % 2 == 0]
    chance, size = random.Random(0), 0
    for number in range(files):
        before = max(number - 1, 0)
        parts = [f"# Document {number}", f"The one before is [here](d{before}.md#document-{before})."]
        while sum(map(len, parts)) < 10_000:
            parts += [f"## Part {len(parts)}", chance.choice(blocks)]
        text = "\n\n".join(parts) + "\n"
        (home / f"d{number}.md").write_text(text, encoding="utf-8")
        size += len(text.encode())
    return size


def one_readme(rounds: int) -> bool:
    """`pv claims README.md` here, over a process that only imports the libraries it needs."""
    runs = in_turns(
        {
            "imports": Command([sys.executable, "-c", IMPORTS], ROOT),
            "pv": Command([*PV, "claims", "README.md"], ROOT, OURS),
        },
        2 * rounds,
    )
    print(f"    `python -c '{IMPORTS}'`: {1e3 * middle(runs['imports'])[0]:.0f} ms")
    return over("pv claims README.md, its claims and every rule", runs["pv"], runs["imports"], 60)


def markdownlint(program: str, home: Path, names: list[str]) -> bool:
    """The same corpus under markdownlint-cli2 with the shared rules alone; `pv` has all of its own on."""
    configure(home)
    runs = in_turns({"peer": Command([program, "*.md"], home), "pv": Command([*PV, "claims", *names], home, OURS)}, 3)
    return ratio(f"every rule of pv / markdownlint-cli2 with {', '.join(SHARED)}", runs["pv"], runs["peer"], 1.0)


def planted(program: str, home: Path) -> bool:
    """Whether both find each planted fault on its line, and nothing where none is."""
    home.mkdir()
    configure(home)
    for rule, (text, _) in PLANTED.items():
        (home / f"{rule}.md").write_text(text, encoding="utf-8")
    (home / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (home / "clean.md").write_text("# T\n\n## Below\n\n[up](#t)\n", encoding="utf-8")
    names = [path.name for path in sorted(home.glob("*.md"))]
    words = {"peer": [program, "*.md"], "pv": [*PV, "claims", *names, "--format", "json"]}
    runs = in_turns({name: Command(line, home, OURS if name == "pv" else {}) for name, line in words.items()}, 1)
    wanted = {(f"{rule}.md", line, rule) for rule, (_, line) in PLANTED.items()}
    peer = {
        (file, int(line), rule)
        for file, line, rule in re.findall(r"(\S+\.md):(\d+)\S* (?:error )?(MD\d+)", runs["peer"][0].out)
    }
    code = {ours: theirs for theirs, ours in SHARED.items()}
    own = {
        (row["path"], row["line"], code.get(row["code"], row["code"]))
        for row in json.loads(runs["pv"][0].out)["findings"]
    }
    for name, found in (("markdownlint-cli2", peer), ("pv", own)):
        print(f"    {name}: {len(found & wanted)} of {len(wanted)} planted faults, besides {sorted(found - wanted)}")
    print(f"{'ok  ' if own == wanted else 'MISS'} pv finds every planted fault of the shared rules, and nothing else")
    return own == wanted


def configure(home: Path) -> None:
    """The shared rules alone."""
    rules = {"default": False, **dict.fromkeys(SHARED, True)}
    (home / ".markdownlint-cli2.jsonc").write_text(json.dumps({"config": rules}), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
