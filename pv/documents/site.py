"""A document where it lies: what its links, badges and sections are held against in the project."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from pv.digest import sha256
from pv.documents.anchors import book_anchors, github_anchors
from pv.documents.badges import is_badge, judge_badge
from pv.documents.examine import Examined, Fault, examine
from pv.documents.outline import Heading, Link
from pv.documents.target import local_target, refused_scheme, scheme_of
from pv.source.files import leaves
from pv.source.memory import Memory

MARKDOWN = (".md", ".markdown")
_EXAMINED = "examined"


class Site:
    """The files of one project as links see them; each document is read at most once.

    `book` is the folder of the book, relative to the root, whose anchors are MkDocs' and not GitHub's; empty without one.
    What `memory` has of a text is not read again.
    """

    def __init__(self, root: Path, book: str, memory: Memory) -> None:
        self.root = root
        self.book = book
        self._memory = memory
        self._examined: dict[str, Examined] = {}
        self._anchors: dict[str, frozenset[str]] = {}
        self._there: dict[str, bool] = {}
        self._names: dict[str, frozenset[str]] = {}

    def examine(self, path: str, text: str) -> Examined:
        """What the Markdown document at `path` holds, whose text is known; read once, for those that link to it too."""
        if path not in self._examined:
            told = self._memory.of(sha256(text.encode()))
            if _EXAMINED not in told:
                told[_EXAMINED] = examine(text)
            self._examined[path] = told[_EXAMINED]
        return self._examined[path]

    def has(self, path: str) -> bool:
        """Whether the project has a file or a folder of that path, spelt just so."""
        if path not in self._there:
            self._there[path] = path == "." or ((self.root / path).exists() and self._spelt(path))
        return self._there[path]

    def _spelt(self, path: str) -> bool:
        """A file system may know `README.MD` for `README.md`; a server does not."""
        folder, name = posixpath.split(path)
        return name in self.names(folder)

    def names(self, folder: str) -> frozenset[str]:
        """What lies in a folder of the project."""
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(path.name for path in (self.root / folder).iterdir())
            except OSError:
                self._names[folder] = frozenset()
        return self._names[folder]

    def anchors(self, path: str) -> frozenset[str]:
        """What can be linked to in the Markdown document at `path`; nothing in one that cannot be read."""
        if path not in self._anchors:
            try:
                held = self._examined.get(path) or self.examine(path, (self.root / path).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return frozenset()
            texts = [str(row[1]) for row in held["headings"]]
            inside = self.book and (path == self.book or path.startswith(f"{self.book}/"))
            own = book_anchors(texts) if inside else github_anchors(texts)
            self._anchors[path] = frozenset(own | set(held["anchors"]) | {"top"})
        return self._anchors[path]


def judge(examined: Examined, path: str, site: Site) -> Iterator[Fault]:
    """PV707, PV708, PV711 and PV712 of the Markdown document at `path`, relative to the root of `site`."""
    for row in examined["links"]:
        link = Link(*row)
        if link.kind == "image" and is_badge(link.target):
            yield from judge_badge(link, site.root)
        if link.target.strip() not in ("", "#") and not scheme_of(link.target) and not refused_scheme(link.target):
            yield from _judge_local(link, path, site)


def missing_sections(examined: Examined, wanted: Iterable[str]) -> Iterator[Fault]:
    """PV703: each section that the document has to have and has not."""
    texts = [Heading(*row).text for row in examined["headings"]]
    for section in wanted:
        if section not in texts:
            near = _nearest(section, texts, 1)
            hint = f"is it {near[0]!r}?" if near else f"write `## {section}`"
            yield "PV703", 1, 1, f"there is no section {section!r}", hint


def _judge_local(link: Link, path: str, site: Site) -> Iterator[Fault]:
    wanted = local_target(link.target)
    folder = "" if wanted.path.startswith("/") else posixpath.dirname(path)
    aim = posixpath.normpath(posixpath.join(folder, wanted.path.lstrip("/"))) if wanted.path else path
    if aim == ".." or aim.startswith("../") or "\0" in aim or leaves(site.root, aim):
        message = f"{link.target[:80]!r} leads out of the project"
        yield "PV707", link.line, link.column, message, "link to a file of the project, or to https://…"
    elif wanted.path and not site.has(aim):
        yield (
            "PV707",
            link.line,
            link.column,
            f"{link.target[:80]!r} leads to {aim!r}, which is not there",
            _near(aim, site),
        )
    elif wanted.anchor and aim.endswith(MARKDOWN) and wanted.anchor not in site.anchors(aim):
        near = _nearest(wanted.anchor, site.anchors(aim) - {"top"}, 2)
        hint = f"is it {' or '.join(f'#{name}' for name in near)}?" if near else "an anchor is a heading in lower case"
        yield "PV708", link.line, link.column, f"{aim} has no anchor #{wanted.anchor[:80]}", hint


def _near(aim: str, site: Site) -> str:
    folder, name = posixpath.split(aim)
    near = _nearest(name, site.names(folder), 2)
    return f"beside it are {', '.join(near)}" if near else "name a file of the project, relative to this document"


def _nearest(name: str, known: Iterable[str], count: int) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, list(known), n=count)
