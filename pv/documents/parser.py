"""The Markdown parser, and where in the source its inline elements stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

LINE_ENDS = re.compile(r"\r\n?|\n")
_OPENERS = {"link": "[", "image": "!", "autolink": "<", "html_inline": "<"}
_PREFIX = re.compile(r"(?:[ \t>]|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))*")


def source_lines(source: str) -> list[str]:
    """The lines of a document as the parser counts them."""
    return LINE_ENDS.split(source.replace("\0", "\ufffd"))


@cache
def parser() -> MarkdownIt:
    """CommonMark with GFM's tables; no link is left out for what it leads to, and each knows where it begins."""
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import autolink, html_inline, image, link

    made = MarkdownIt("commonmark").enable("table")
    made.validateLink = lambda url: True  # type: ignore[method-assign]  # the rules judge it: the parser would hide it
    for name, rule in {"link": link, "image": image, "autolink": autolink, "html_inline": html_inline}.items():
        made.inline.ruler.at(name, _placed(rule, _OPENERS[name]))
    return made


def _placed(rule: Callable[[StateInline, bool], bool], opener: str) -> Callable[[StateInline, bool], bool]:
    """`rule`, which notes in the first token it makes at which character of the block's text that begins."""

    def placed(state: StateInline, silent: bool) -> bool:
        start = state.pos
        if state.src[start] != opener:
            return False
        if silent:
            return rule(state, silent)
        # What is pending would be pushed first, by the rule itself.
        first = len(state.tokens) + bool(state.pending)
        found = rule(state, silent)
        if found and len(state.tokens) > first:
            state.tokens[first].meta["at"] = start
        return found

    return placed


def block_position(inline: Token, offset: int, lines: Sequence[str]) -> tuple[int, int]:
    """Line and column, from 1, of the character `offset` of the text of a block other than a table's cell.

    Raises PvError (bug) when the source does not hold there what the parser read.
    """
    if inline.map is None:
        raise _bug(inline.content)
    above = inline.content.count("\n", 0, offset)
    begin = inline.content.rfind("\n", 0, offset) + 1
    end = inline.content.find("\n", offset)
    text = inline.content[begin : len(inline.content) if end < 0 else end]
    # What stands before the text (white space, signs of quotations and lists) is not read back, so the end decides.
    rest = text[offset - begin :].rstrip()
    for number in range(inline.map[0] + above, min(inline.map[1], len(lines))):
        column = lines[number].rfind(rest)
        if column >= 0:
            return number + 1, column + 1
    raise _bug(text)


def without_prefix(line: str) -> str:
    """A line of a table inside lists and quotations, with their signs blanked out; columns stay."""
    found = _PREFIX.match(line)
    end = found.end() if found else 0
    return " " * end + line[end:]


def _bug(text: str) -> PvError:
    message = f"the parser reads {text[:80]!r}, and the source does not hold it there"
    return PvError(message, exit=Exit.BUG, hint="this is a bug in pv: please report it with the document")
