"""The pages of the book that nobody writes by hand: what they are, and whether the files are what they should be.

`python tests/book.py --write` writes them; a test says which are out of date.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pages.commands import file_of, group_page, index_page
from pages.formats import PAGES, formats_page
from pages.microgpt import contract_page, evidence_page
from pages.rules import rules_page
from pages.session import play

from pv.cli.group import GROUPS

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_MACHINE = re.compile(
    r"\b[0-9a-f]{6,64}\b…?"  # names of receipts, which hold the versions that ran
    r"|\b\d+(?:\.\d+)?e[+-]?\d+"
    r"|\b\d+\.\d+"
    r"|\(\d[\d,]* bytes\)"
)


def reference_pages(root: Path = ROOT) -> dict[str, str]:
    """The pages that are made by reading: path below docs → text."""
    pages = {f"reference/{name}.md": formats_page(root, name) for name in PAGES}
    pages["reference/rules.md"] = rules_page()
    pages["microgpt/contract.md"] = contract_page(root)
    pages["microgpt/evidence.md"] = evidence_page(root)
    return pages


def command_pages(root: Path = ROOT) -> dict[str, str]:
    """The pages that are made by running every command."""
    with tempfile.TemporaryDirectory(prefix="pv-book-") as scratch:
        screens = play(root, Path(scratch).resolve())
    return {"commands/index.md": index_page()} | {
        f"commands/{file_of(group)}": group_page(group, screens) for group in GROUPS
    }


def out_of_date(pages: Mapping[str, str], docs: Path) -> list[str]:
    """Which of `pages` the files below `docs` do not say, but for what another machine may print otherwise."""
    return [path for path, text in pages.items() if comparable(_read(docs / path)) != comparable(text)]


def comparable(page: str) -> str:
    """A page less what its screens owe to the machine: digests, residuals, versions, and all figures of some commands."""
    return _BLOCK.sub(lambda found: _screen(found[1]), page)


def _screen(shown: str) -> str:
    if shown.startswith("$ pv doctor"):
        return "\n".join(line.partition(" ")[0] for line in shown.split("\n"))
    if shown.startswith(("$ pv bisect", "$ pv diff --values")):
        return re.sub(r"[\s─]+", " ", re.sub(r"\d[\d.,e+-]*", "N", shown))
    return re.sub(r"[ ─]+", " ", _MACHINE.sub("N", shown))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def write() -> None:
    """Write every page."""
    for path, text in {**reference_pages(), **command_pages()}.items():
        file = ROOT / "docs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    write()
