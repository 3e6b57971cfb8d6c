"""Documents of a project held against every rule that speaks of them: PV700 to PV717."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pv.collector import collector_paused
from pv.documents.book import FILES as BOOKS
from pv.documents.book import Book, book_faults, chapters, read_book
from pv.documents.examine import Fault
from pv.documents.media import MAGIC, media_problem
from pv.documents.site import MARKDOWN, Site, judge, missing_sections
from pv.finding import Finding, Place, Severity
from pv.source.files import leaves, project_file
from pv.source.memory import Memory

_MOST = 64 * 1024 * 1024


def check_documents(
    root: Path,
    paths: Iterable[str],
    sections: Mapping[str, Sequence[str]],
    memory: Memory | None = None,
) -> list[Finding]:
    """What is wrong with the documents at `paths`, relative to `root`; with a book, with its chapters too.

    `sections` are those that a document has to have; what `memory` has of a text is not read again.
    """
    wanted = list(dict.fromkeys(posixpath.normpath(path) for path in paths))
    books = {path: _book(root, path) for path in wanted if posixpath.basename(path) in BOOKS}
    for path, book in books.items():
        if isinstance(book, Book):
            wanted += [name for name in _chapters(root, path, book) if name not in wanted]
    homes = [posixpath.normpath(posixpath.join(posixpath.dirname(path), book.folder)) for path, book in _read(books)]
    site = Site(root, homes[0] if homes else "", memory or Memory())
    with collector_paused():  # tokens are many, and hold no circles: looking for some takes a third of the time
        return [
            Finding(code, Severity.ERROR, Place(path, line, column), message, hint)
            for path in wanted
            for code, line, column, message, hint in _faults(path, site, books, sections.get(path, ()))
        ]


def _read(books: Mapping[str, Book | Fault]) -> Iterator[tuple[str, Book]]:
    yield from ((path, book) for path, book in books.items() if isinstance(book, Book))


def _chapters(root: Path, path: str, book: Book) -> list[str]:
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), book.folder))
    return [posixpath.join(folder, name) for name in chapters(root / folder)]


def _book(root: Path, path: str) -> Book | Fault:
    data = _data(root, path)
    if not isinstance(data, bytes):
        return data
    try:
        return read_book(data.decode("utf-8"))
    except UnicodeDecodeError as problem:
        return _unreadable(f"it is no UTF-8 text: {problem.reason} at byte {problem.start}")


def _data(root: Path, path: str) -> bytes | Fault:
    if leaves(root, path):
        return _unreadable("it leads out of the project")
    file = project_file(root, path)
    if file is None:
        return _unreadable("there is no such file")
    try:
        if file.stat().st_size > _MOST:
            return _unreadable(f"it has more than {_MOST:,} bytes")
        return file.read_bytes()
    except OSError as problem:
        return _unreadable(f"{problem.strerror or problem}")


def _unreadable(why: str) -> Fault:
    return ("PV700", 1, 1, f"the document cannot be read: {why}", "name a file of the project; text is saved as UTF-8")


def _faults(path: str, site: Site, books: Mapping[str, Book | Fault], sections: Sequence[str]) -> Iterable[Fault]:
    if path in books:
        book = books[path]
        return book_faults(book, (site.root / path).parent) if isinstance(book, Book) else [book]
    data = _data(site.root, path)
    if not isinstance(data, bytes):
        return [data]
    suffix = posixpath.splitext(path)[1].lower()
    if suffix in MAGIC:
        problem = media_problem(suffix, data[:16])
        return [("PV717", 1, 1, problem, "give the file the name of what it is, or write it anew")] if problem else []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        return [_unreadable(f"it is no UTF-8 text: {problem.reason} at byte {problem.start}")]
    if suffix == ".svg":
        from pv.documents.svg import svg_faults

        return svg_faults(text)
    if suffix in MARKDOWN:
        return _markdown(text, path, site, sections)
    return [_unreadable(f"pv knows no documents that end in {suffix or posixpath.basename(path)!r}")]


def _markdown(text: str, path: str, site: Site, sections: Sequence[str]) -> list[Fault]:
    examined = site.examine(path, text)
    found = [*examined["faults"], *judge(examined, path, site), *missing_sections(examined, sections)]
    return sorted(found, key=lambda fault: (*fault[1:3], fault[0]))
