"""What a built book would ask of other hosts when somebody reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

_FETCHED = ("src", "srcset", "poster", "data", "xlink:href", "background")
_IN_STYLE = re.compile(r"""@import\s+["']([^"']+)|url\(\s*["']?([^)"'\s]+)""", re.IGNORECASE)
_ABROAD = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


def foreign(site: Path) -> list[str]:
    """`file: address` for everything below `site` that a browser would fetch from elsewhere; links to click do not count."""
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix in (".html", ".svg"):
            addresses = iter(html_addresses(path.read_text(encoding="utf-8")))
        elif path.suffix == ".css":
            addresses = style_addresses(path.read_text(encoding="utf-8"))
        else:
            continue
        found += [f"{path.relative_to(site).as_posix()}: {address}" for address in addresses if _ABROAD.match(address)]
    return found


def html_addresses(text: str) -> list[str]:
    """What a page loads: sources of every element, `href` of what is no link to click, and its styles."""
    reader = _Reader()
    reader.feed(text)
    return reader.found


def style_addresses(text: str) -> Iterator[str]:
    """What a style sheet imports or names in `url()`."""
    return (imported or named for imported, named in _IN_STYLE.findall(text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses of one element."""
        self._in_style = tag == "style"
        for name, value in attrs:
            if name in _FETCHED or (name == "href" and tag not in ("a", "area")):
                separated = (value or "").split(",") if name == "srcset" else [value or ""]
                self.found += [address.split()[0] for address in separated if address.split()]
            elif name == "style":
                self.found += style_addresses(value or "")

    def handle_data(self, data: str) -> None:
        """Collect the addresses of a style sheet within the page."""
        if self._in_style:
            self.found += style_addresses(data)

    def handle_endtag(self, tag: str) -> None:
        """A style sheet ends."""
        self._in_style = False
