"""Where in a document a claim looks: the one cell or the one phrase that it is about, or why there is not one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pv.claims.drawing import Drawing, read_at
from pv.claims.markdown import Markdown, Paragraph, Spot, Table
from pv.contract.model import Block, Claim, DrawnText, Phrase, StaticBadge, TableCell
from pv.finding import Finding, Place, Severity


def find(claim: Claim, document: Markdown | Drawing) -> Spot | Finding:
    """The text of `document` that `claim` is about, and where it begins: PV502 and PV503 where that is not one."""
    where = claim.where
    if isinstance(document, Drawing) and isinstance(where, DrawnText):
        return _drawn(claim, where, document)
    if isinstance(document, Drawing) or isinstance(where, DrawnText):
        kind = "an SVG drawing" if isinstance(document, Drawing) else "no SVG drawing"
        return nowhere(claim, f"{claim.document} is {kind}", "`drawing:` is the place in an SVG file, and only there")
    if isinstance(where, StaticBadge):
        return _badge(claim, where, document)
    if where.section not in document.headings:
        message = f"{claim.document} has no section {where.section!r}"
        return nowhere(claim, message, nearest(where.section, document.headings))
    if isinstance(where, Block):
        return _block(claim, where, document)
    return _phrase(claim, where, document) if isinstance(where, Phrase) else _cell(claim, where, document)


def nowhere(claim: Claim, message: str, hint: str) -> Finding:
    """PV502."""
    return error("PV502", claim.place, f"claim {claim.id!r} matches nowhere: {message}", hint)


def error(code: str, place: Place, message: str, hint: str) -> Finding:
    """A claim's finding."""
    return Finding(code, Severity.ERROR, place, message, hint)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the names most like `name`, or all of a few."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    return f"known are {_listed(near or names)}" if names else "there is none at all"


def _cell(claim: Claim, wanted: TableCell, document: Markdown) -> Spot | Finding:
    tables = [table for table in document.tables if table.section == wanted.section]
    rows = [(table, row) for table in tables for row in table.rows if row[0].text == wanted.row]
    cells = [row[at] for table, row in rows for at in _positions(table, wanted.column)]
    if len(cells) > 1:
        return _several(claim, cells, "cells", "make section, row or column names unique in the document")
    if cells:
        return cells[0]
    if not tables:
        message = f"section {wanted.section!r} of {claim.document} has no table of its own"
        others = [table.section for table in document.tables]
        return nowhere(claim, message, f"tables are in {_listed(others)}" if others else "the document has no table")
    if not rows:
        message = f"no row of section {wanted.section!r} of {claim.document} begins with {wanted.row!r}"
        return nowhere(claim, message, nearest(wanted.row, [row[0].text for table in tables for row in table.rows]))
    message = f"the table with row {wanted.row!r} in section {wanted.section!r} has no column {wanted.column!r}"
    return nowhere(claim, message, nearest(wanted.column, [cell.text for table, _ in rows for cell in table.header]))


def _positions(table: Table, column: str) -> list[int]:
    return [at for at, cell in enumerate(table.header) if cell.text == column]


def _phrase(claim: Claim, wanted: Phrase, document: Markdown) -> Spot | Finding:
    pattern = _pattern(wanted)
    paragraphs = [paragraph for paragraph in document.paragraphs if paragraph.section == wanted.section]
    read = [(paragraph, found[1]) for paragraph in paragraphs for found in pattern.finditer(paragraph.text)]
    spots = [spot for paragraph in paragraphs for spot in _spots(paragraph, pattern)]
    said = f"{wanted.before}…{wanted.after}"
    if len(read) > 1:
        places = [Spot(value, Place(paragraph.path, paragraph.line)) for paragraph, value in read]
        return _several(claim, places, "phrases", "make the phrase longer, until only one place reads like it")
    if not read:
        message = f"nothing in section {wanted.section!r} of {claim.document} reads {said!r}"
        return nowhere(claim, message, nearest(said, [paragraph.text for paragraph in paragraphs]))
    if [spot.text for spot in spots] != [read[0][1]]:
        message = f"{said!r} is read at {read[0][0].path}:{read[0][0].line}, but is not written there in these words"
        return nowhere(claim, message, "choose words without emphasis, links or back quotes between them")
    return spots[0]


def _block(claim: Claim, wanted: Block, document: Markdown) -> Spot | Finding:
    blocks = [block for block in document.codes if block.section == wanted.section]
    before, after = wanted.before.strip(), wanted.after.strip()
    tail = re.escape(after) + (r"(?!\w)" if after[-1:].isalnum() else "") if after else r"\s*$"
    pattern = re.compile((r"(?<!\w)" if before[:1].isalnum() else "") + re.escape(before) + r"\s*(\S.*?)\s*" + tail)
    pattern = pattern if before else re.compile(r"^\s*(\S.*?)\s*" + tail)
    spots = [
        Spot(found[1], Place(block.path, block.line + number, found.start(1) + 1), found[1])
        for block in blocks
        for number, line in enumerate(block.lines)
        for found in pattern.finditer(line)
    ]
    if len(spots) > 1:
        return _several(claim, spots, "lines", "make the text longer, until only one line reads like it")
    if not spots:
        message = f"no code block of section {wanted.section!r} of {claim.document} has a line {before}…{after}"
        return nowhere(claim, message, nearest(before, [line.strip() for block in blocks for line in block.lines]))
    return spots[0]


def _badge(claim: Claim, wanted: StaticBadge, document: Markdown) -> Spot | Finding:
    spots = [shield.message for shield in document.shields if shield.label == wanted.label]
    if len(spots) > 1:
        return _several(claim, spots, "badges", "give each badge a label of its own")
    if not spots:
        message = f"{claim.document} has no static badge of shields.io with the label {wanted.label!r}"
        return nowhere(claim, message, nearest(wanted.label, [shield.label for shield in document.shields]))
    return spots[0]


def _drawn(claim: Claim, wanted: DrawnText, drawing: Drawing) -> Spot | Finding:
    found = read_at(wanted, drawing)
    said = f"{wanted.before}…{wanted.after}"
    if len(found) > 1:
        places = [shown for shown, _ in found]
        return _several(claim, places, "texts", "make the text longer, until only one reads like it")
    if not found:
        message = f"no text of {claim.document} reads {said!r}"
        return nowhere(claim, message, nearest(said, [words.text for words in drawing.texts]))
    shown, written = found[0]
    if written is None:
        message = f"{said!r} is read at {shown.place}, but is not written there in these words"
        return nowhere(claim, message, "choose words without entities and tags between them")
    return written


def _pattern(wanted: Phrase) -> re.Pattern[str]:
    """`wanted` with any white space for its own, standing alone: what is between words is no part of a longer one."""
    before, after = (
        r"\s+".join(map(re.escape, re.split(r"\s+", text))) for text in (wanted.before.lstrip(), wanted.after.rstrip())
    )
    start, end = (r"(?<!\w)" if before[:1].isalnum() else ""), (r"(?!\w)" if after[-1:].isalnum() else "")
    return re.compile(f"{start}{before}(.+?){after}{end}")


def _spots(paragraph: Paragraph, pattern: re.Pattern[str]) -> list[Spot]:
    """What the source of `paragraph` says in just these words, and where."""
    source = "\n".join(paragraph.lines)
    spots = []
    for found in pattern.finditer(source):
        above = source[: found.start(1)]
        column = found.start(1) - above.rfind("\n")
        spots.append(Spot(found[1], Place(paragraph.path, paragraph.line + above.count("\n"), column), found[1]))
    return spots


def _several(claim: Claim, spots: Sequence[Spot], what: str, hint: str) -> Finding:
    places = ", ".join(str(spot.place) for spot in spots)
    return error("PV503", claim.place, f"claim {claim.id!r} matches {len(spots)} {what}: {places}", hint)


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(map(repr, unique[:5])) + (", …" if len(unique) > 5 else "")
