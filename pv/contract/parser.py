"""A document over PyYAML's events, and what they say is wrong with its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import yaml

from pv.contract.bounds import MAX_FINDINGS
from pv.contract.document import fault, locate
from pv.contract.nodes import build
from pv.finding import Finding, Place

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BAD_ESCAPE = "found invalid Unicode character escape code"  # libyaml's words for "\ud800"


def parse(body: bytes, text: str, shown: str) -> tuple[Any, Any, list[Finding]]:
    """The value of `text`, which is `body` in UTF-8, its position tree (see `pv.contract.nodes`), and what is wrong with it."""
    findings: list[Finding] = []

    def note(code: str, mark: Any, message: str, hint: str) -> bool:
        findings.append(fault(code, Place(shown, mark.line + 1, mark.column + 1), message, hint))
        return len(findings) <= MAX_FINDINGS

    values: list[Any] = []
    marks: list[Any] = []
    try:
        build(_events(body, text), note, values, marks)
    except yaml.reader.ReaderError:
        findings.append(_unprintable(text, shown))
    except yaml.MarkedYAMLError as wrong:
        findings.append(_unparsed(wrong, text, shown))
    return next(iter(values), None), next(iter(marks), None), findings


def _events(body: bytes, text: str) -> Callable[[], Any]:
    """The next event of libyaml, or of PyYAML's own parser (20 times slower) where PyYAML was built without it."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser

        events: Callable[[], Any] = cast(Any, CParser(body)).get_event  # the stubs leave it untyped
        return events
    return pure_events(text)


def pure_events(text: str) -> Callable[[], Any]:
    """The next event of PyYAML's own parser, which libyaml's refusal of impossible characters is added to."""
    loader: Any = cast(Any, yaml.SafeLoader(text))  # the stubs leave its methods untyped

    def next_event() -> Any:
        try:
            event = loader.get_event()
        except (ValueError, OverflowError) as wrong:  # chr() of an escape beyond U+10FFFF
            raise yaml.scanner.ScannerError(None, None, _BAD_ESCAPE, loader.get_mark()) from wrong
        value = getattr(event, "value", None)
        if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            raise yaml.scanner.ScannerError(None, None, _BAD_ESCAPE, event.start_mark)
        return event

    return next_event


def _unprintable(text: str, shown: str) -> Finding:
    match = _UNPRINTABLE.search(text)
    at = match.start() if match else 0
    seen = f"character U+{ord(text[at]):04X} is not text" if match else "a character is not text"
    return fault("PV104", locate(text[:at], shown), seen, "remove it; in a quoted scalar write it as an escape")


def _unparsed(wrong: yaml.MarkedYAMLError, text: str, shown: str) -> Finding:
    mark: Any = wrong.problem_mark or wrong.context_mark
    at_end = mark is None or mark.index >= len(text)  # libyaml marks the end of the last line as one line further
    place = locate(text, shown) if at_end else Place(shown, mark.line + 1, mark.column + 1)
    problem = wrong.problem or "the text is no YAML"
    if problem == _BAD_ESCAPE:
        return fault("PV106", place, "an escape that stands for no character", "write the character itself")
    if not at_end and text[mark.index] == "\t":
        return fault("PV101", place, "a tab where YAML admits only spaces", "indent with spaces")
    context = f" {wrong.context}" if wrong.context else ""
    began = f" that begins in line {wrong.context_mark.line + 1}" if context and wrong.context_mark else ""
    return fault("PV101", place, f"does not parse: {problem}{context}{began}", "see https://yaml.org/spec/1.2.2/")
