"""A drawing: well-formed SVG of a plain size, which runs nothing and fetches nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces

from pv.documents.examine import Fault
from pv.documents.target import refused_scheme

NAMESPACE = "http://www.w3.org/2000/svg"
MAX_BYTES = 1024 * 1024
MAX_SIDE = 10_000.0
_LENGTH = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(px|pt|pc|mm|cm|in|em|ex|rem|%)?\s*")
_FETCHES = re.compile(r"@import|url\(\s*['\"]?\s*(?!#)[^)\s'\"]", re.IGNORECASE)
_DECLARED = re.compile(r"\ufeff?<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"']*)")
_RUNS = ("script", "foreignobject", "iframe", "object", "embed", "handler")


def svg_faults(source: str) -> list[Fault]:
    """What is wrong with the text of an SVG file: PV715 and PV716, in the order of their places."""
    from defusedxml import DefusedXmlException
    from defusedxml.sax import make_parser

    if len(source.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return [("PV715", 1, 1, f"larger than {MAX_BYTES:,} bytes", "draw it simpler")]
    if encoding := other_encoding(source):
        return [
            (
                "PV715",
                1,
                1,
                f"declares the encoding {encoding}, and is read as UTF-8",
                "write UTF-8, and say so or nothing",
            )
        ]
    reader = _Reader()
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(reader)
    parser.setErrorHandler(reader)
    try:
        parser.parse(io.StringIO(source))
    except DefusedXmlException as refused:
        message = f"the file declares a document type or an entity: {refused}"
        reader.tell("PV716", message, "take the declaration out: an entity can stand for any text or file")
    except SAXParseException as broken:
        line, column = broken.getLineNumber() or 1, (broken.getColumnNumber() or 0) + 1
        hint = "mend the XML"
        reader.faults.append(("PV715", line, column, f"not well-formed: {broken.getMessage()}", hint))
    except (SAXException, ValueError) as broken:
        reader.faults.append(("PV715", 1, 1, f"not well-formed: {broken}", "mend the XML"))
    return sorted(reader.faults, key=lambda fault: (*fault[1:3], fault[0]))


def other_encoding(source: str) -> str:
    """The encoding that an XML declaration names, where UTF-8 is not read alike by it; empty where it is, or none is named."""
    named = _DECLARED.match(source)
    return "" if named is None or named[1].lower() in ("utf-8", "us-ascii", "ascii") else named[1]


class _Reader(ContentHandler):
    """Judges each element as it begins."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Fault] = []
        self._locator: Any = None
        self._depth = 0
        self._style: list[str] | None = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 -- SAX names it
        self._locator = locator

    def tell(self, code: str, message: str, hint: str) -> None:
        """A fault where the parser is."""
        line = self._locator.getLineNumber() if self._locator is not None else 1
        column = self._locator.getColumnNumber() if self._locator is not None else 0
        self.faults.append((code, line or 1, (column or 0) + 1, message, hint))

    def warning(self, exception: SAXException) -> None:
        """Of no weight."""

    def error(self, exception: SAXException) -> None:
        raise exception

    def fatalError(self, exception: SAXException) -> None:  # noqa: N802 -- SAX names it
        raise exception

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:  # noqa: N802 -- SAX
        given = {key[1]: value for key, value in attrs.items()}
        space, local = name
        if self._depth == 0:
            self._root(space, local, given)
        self._depth += 1
        if local.lower() in _RUNS:
            self.tell("PV716", f"<{local}> brings code or content of its own", "take it out: a drawing only draws")
        self._style = [] if local.lower() == "style" else self._style
        for code, message, hint in _attribute_faults(local, given):
            self.tell(code, message, hint)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802 -- SAX names it
        self._depth -= 1
        if name[1].lower() == "style" and self._style is not None:
            if problem := _style_problem("".join(self._style)):
                self.tell("PV716", f"the style sheet {problem}", "write the style into the drawing")
            self._style = None

    def characters(self, content: str) -> None:
        """Text comes in pieces: a style sheet is judged when it ends."""
        if self._style is not None:
            self._style.append(content)

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: N802 -- SAX names it
        self.tell("PV716", f"<?{target}?> asks for a file beside the drawing", "take it out")

    def _root(self, space: str | None, local: str, given: Mapping[str, str]) -> None:
        if (space, local) != (NAMESPACE, "svg"):
            message = f"the root is <{local}> of the namespace {space!r}, not <svg> of {NAMESPACE!r}"
            self.tell("PV715", message, f'begin with <svg xmlns="{NAMESPACE}" …>')
        if problem := _box_problem(given.get("viewBox")):
            self.tell("PV715", problem, 'write viewBox="0 0 WIDTH HEIGHT"')
        for side in ("width", "height"):
            if side in given and (problem := _side_problem(given[side])):
                self.tell("PV715", f"{side} {problem}", f"leave {side} out, or make it at most {MAX_SIDE:g}")


def _box_problem(box: str | None) -> str:
    if box is None:
        return "there is no viewBox: the drawing cannot be scaled"
    found = [_LENGTH.fullmatch(part) for part in re.split(r"[\s,]+", box.strip())]
    sides = [float(part[1]) for part in found if part is not None and part[2] is None]
    if len(found) != 4 or len(sides) != 4:
        return f"viewBox is {box!r}, not four numbers"
    if not all(0 < side <= MAX_SIDE for side in sides[2:]):
        return f"viewBox is {box!r}: its width and height have to be above 0 and at most {MAX_SIDE:g}"
    return ""


def _side_problem(side: str) -> str:
    found = _LENGTH.fullmatch(side)
    if found is None:
        return f"is {side!r}, no length"
    return "" if 0 < float(found[1]) <= MAX_SIDE else f"is {side!r}: it has to be above 0 and at most {MAX_SIDE:g}"


def _style_problem(text: str) -> str:
    if "\\" in text:
        return "has an escape, which can hide what it fetches"
    return "fetches from outside" if _FETCHES.search(text) else ""


def _attribute_faults(local: str, given: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, value in given.items():
        if name.lower().startswith("on"):
            yield "PV716", f"<{local}> has the event handler {name}", "take it out: a drawing runs nothing"
        elif name.lower() in ("href", "src") and not value.strip().startswith("#"):
            hint = "draw it here, and refer to it as #id"
            yield "PV716", f"<{local}> refers to {value[:80]!r}, outside of the file", hint
        elif name == "attributeName" and value.strip().lower().startswith("on"):
            yield "PV716", f"<{local}> sets the event handler {value.strip()}", "take it out: a drawing runs nothing"
        elif problem := _style_problem(value):
            yield "PV716", f"{name} of <{local}> {problem}: {value[:80]!r}", "refer to it as url(#id)"
        elif scheme := next(filter(None, map(refused_scheme, value.split(";"))), ""):
            yield "PV716", f"{name} of <{local}> is `{scheme}:`", "take it out: a drawing runs nothing"
