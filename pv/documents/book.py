"""A book of MkDocs: its navigation and its files, each held against the other."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pv.documents.examine import Fault
from pv.documents.site import MARKDOWN
from pv.documents.target import scheme_of

if TYPE_CHECKING:
    import yaml  # most documents are no book

FILES = ("mkdocs.yml", "mkdocs.yaml")


class Entry(NamedTuple):
    """One line of the navigation: the target, and where it stands."""

    target: str
    line: int
    column: int


class Book(NamedTuple):
    """The folder of the chapters, beside the file of the book; `nav` is None where MkDocs is to take every file."""

    folder: str
    nav: tuple[Entry, ...] | None
    left_out: tuple[str, ...]
    line: int
    column: int


def read_book(text: str) -> Book | Fault:
    """The book that a `mkdocs.yml` describes, or why it cannot be read. Its tags, which run code, are not looked at."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return ("PV714", line, column, f"the book is not YAML: {getattr(error, 'problem', None) or error}", "mend it")
    if not isinstance(root, yaml.MappingNode):
        return ("PV714", 1, 1, "the book is no mapping", "write `site_name: …` and `nav: …`")
    keys = {key.value: (key, value) for key, value in root.value if isinstance(key, yaml.ScalarNode)}
    folder = _text(keys["docs_dir"][1]) if "docs_dir" in keys else "docs"
    left_out = [name for key in ("not_in_nav", "exclude_docs") if key in keys for name in _text(keys[key][1]).split()]
    if "nav" not in keys:
        return Book(folder, None, tuple(left_out), 1, 1)
    key, nav = keys["nav"]
    mark = key.start_mark
    return Book(folder, tuple(_entries(nav)), tuple(left_out), mark.line + 1, mark.column + 1)


def book_faults(book: Book, folder: Path) -> Iterator[Fault]:
    """PV714: entries without a file, twice, or leading out; chapters without an entry. `folder` is that of the book's file."""
    if book.nav is None:
        return
    home = folder / book.folder
    named: dict[str, Entry] = {}
    for entry in book.nav:
        if scheme_of(entry.target):
            continue
        path = posixpath.normpath(entry.target)
        if path.startswith(("../", "/")):
            yield "PV714", entry.line, entry.column, f"{entry.target!r} leads out of {book.folder}", "name a chapter"
        elif not (home / path).is_file():
            message = f"the navigation names {entry.target!r}, and {book.folder} has no such file"
            yield "PV714", entry.line, entry.column, message, "write the chapter, or take the line out"
        elif path in named:
            message = f"{entry.target!r} is named on line {named[path].line} too"
            yield "PV714", entry.line, entry.column, message, "take one of the two out"
        named.setdefault(path, entry)
    for path in chapters(home):
        if path not in named and path not in book.left_out:
            message = f"{book.folder}/{path} is no part of the navigation: nobody finds it"
            yield "PV714", book.line, book.column, message, f"name it below `nav`, or below `not_in_nav`: {path}"


def chapters(home: Path) -> list[str]:
    """The Markdown files below `home`, relative to it."""
    found = (path for path in home.rglob("*") if path.suffix in MARKDOWN and path.is_file())
    return sorted(path.relative_to(home).as_posix() for path in found)


def _entries(node: yaml.Node) -> Iterator[Entry]:
    if isinstance(node.value, str):
        yield Entry(node.value, node.start_mark.line + 1, node.start_mark.column + 1)
        return
    for item in node.value:  # of a mapping pairs of a key and a value
        yield from _entries(item[1] if isinstance(item, tuple) else item)


def _text(node: yaml.Node) -> str:
    return node.value if isinstance(node.value, str) else ""
