"""Markdown of Markdown documents, with the exact position of every cell."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pv.claims.markdown import Markdown, Spot, Table, read_markdown
from pv.documents import cells
from pv.finding import Exit, Place, PvError

DOCUMENT = """\
Name | Value
---|---
a | 1

# Sizes of *things*

| Name   | Value | Note |
|:-------|------:|------|
| `wte`  | **432** | [27, 16](x) |
  | w\\|x | | `a\\|b` \\|
| wpe

```
| not | a table |
|---|---|
| in | a fence |
```

> | not | read |
> |---|---|
> | in | a quotation |
"""


def test_tables_cells_and_their_places_are_those_of_the_source() -> None:
    assert _read(DOCUMENT) == Markdown(
        ("Sizes of things",),
        (
            Table("", _at(1, 1), (_cell("Name", 1, 1), _cell("Value", 1, 8)), ((_cell("a", 3, 1), _cell("1", 3, 5)),)),
            Table(
                "Sizes of things",
                _at(7, 3),
                (_cell("Name", 7, 3), _cell("Value", 7, 12), _cell("Note", 7, 20)),
                (
                    (_cell("wte", 9, 3), _cell("432", 9, 12), _cell("27, 16", 9, 22)),
                    (_cell("w|x", 10, 5), _cell("", 10, 12), _cell("a|b |", 10, 14)),
                    (_cell("wpe", 11, 3), _cell("", 11, 6), _cell("", 11, 6)),
                ),
            ),
        ),
    )


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_ends_change_nothing(newline: str) -> None:
    assert _read(DOCUMENT.replace("\n", newline)) == _read(DOCUMENT)


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    assert _read("\ufeff# A\n").headings == ("A",)


def test_a_pipe_in_a_code_span_separates_unless_it_is_escaped() -> None:
    table = _read("|a|b|\n|-|-|\n|`x|y`|z|\n|`x\\|y`|z|\n").tables[0]
    assert [[cell.text for cell in row] for row in table.rows] == [["`x", "y`"], ["x|y", "z"]]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("**4,192**", "4,192"),
        ("`1e-5`", "1e-5"),
        ("*a* _b_ `c`", "a b c"),
        ("[x](javascript:y)", "x"),
        ("&#52;&nbsp;", "4"),
        ("\\*4\\*", "*4*"),
        ("4<br>192", "4<br>192"),
        ("~~4~~", "~~4~~"),
        ("![four](x.svg)", "four"),
    ],
)
def test_a_cell_reads_as_its_text(source: str, text: str) -> None:
    assert _read(f"|a|\n|-|\n|{source}|\n").tables[0].rows[0][0].text == text


def test_sections_are_the_nearest_headings_of_any_level() -> None:
    table = "|a|\n|-|\n|b|\n\n"
    found = _read(f"# A\n\n## B ##\n\n{table}C\n---\n\n{table}> # D\n\n{table}# A\n\n{table}")
    assert (found.headings, [table.section for table in found.tables]) == (("A", "B", "C", "A"), ["B", "C", "C", "A"])


@given(st.lists(st.text("|\\` *a1<>&[]\u00a0\u0085\u2028\t\0", max_size=12), min_size=1, max_size=4), st.integers(1, 4))
def test_every_cell_of_every_document_is_found_where_the_source_has_it(rows: list[str], columns: int) -> None:
    source = "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "\n".join(rows)
    lines = re.split("\r\n?|\n", source.replace("\0", "\ufffd"))
    cells = [cell for table in _read(source).tables for row in (table.header, *table.rows) for cell in row]
    contents = _contents(source)
    at_cells = [lines[cell.place.line - 1][cell.place.column - 1 :].replace("\\|", "|") for cell in cells]
    assert len(cells) == len(contents) >= columns
    assert [rest[: len(content)] for rest, content in zip(at_cells, contents, strict=True)] == contents


def _contents(source: str) -> list[str]:
    """The parser's own text of every cell of a table that is not inside something else."""
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    cells = [after for before, after in pairwise(tokens) if before.type in ("th_open", "td_open") and before.level < 4]
    return [cell.content for cell in cells]


def test_a_position_that_the_parser_does_not_confirm_is_a_bug_and_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_split", lambda line: [(0, "elsewhere")])
    with pytest.raises(PvError, match=r"^README\.md:1:1: the parser reads the cells \['a'\]") as raised:
        _read("|a|\n|-|\n|b|\n")
    assert raised.value.exit is Exit.BUG


def _read(source: str) -> Markdown:
    return read_markdown(source, "README.md")


def _at(line: int, column: int) -> Place:
    return Place("README.md", line, column)


def _cell(text: str, line: int, column: int) -> Spot:
    return Spot(text, _at(line, column))
