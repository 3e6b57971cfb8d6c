"""Tables of a few columns, as wide as what they hold; where the terminal is narrow folded, then one row below the other."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill, wrap
from typing import Literal

from pv.report.text import one_line

_NUMBER = r"[-+−]?(?:\d[\d.,]*(?:e[-+]?\d+)?|∞|inf|nan)%?"
_NUMERIC = re.compile(_NUMBER)
_RANGES = re.compile(rf"{_NUMBER}|\[{_NUMBER}, {_NUMBER}\]")
_PAPER = 160  # columns where nobody says how many there are: a file, a pipe
_GAP = 2  # columns between two cells; as many are at the ends together
_WORD = 20  # columns a text is given at least, where it has a word as long


def heading(title: str) -> None:
    """A title with a line below."""
    shown = one_line(title)
    print(f"{shown}\n{'═' * min(len(shown), width())}")


def print_grid(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, fold: bool = True, several: bool = False
) -> None:
    """A table; a column of numbers stands to the right. Numbers and the first column are never folded, and with `fold`
    off nothing is: where the table is then too wide, each row stands by itself, one below the other.

    With `several`, a cell may have several lines; without, the end of one steers no terminal, wherever a text comes from.
    """
    cells = [["\n".join(map(one_line, cell.split("\n") if several else (cell,))) for cell in row] for row in rows]
    whole = [not at or not fold or _are(_RANGES, [row[at] for row in cells]) for at in range(len(columns))]
    needed = (_least([column, *(row[at] for row in cells)], whole[at]) + _GAP for at, column in enumerate(columns))
    if sum(needed) <= width():
        _print_table(columns, cells, whole)
    else:
        _print_stacked(columns, cells)


def width() -> int:
    """How many columns there are to write in."""
    told = sys.stdout.isatty() or "COLUMNS" in os.environ
    return shutil.get_terminal_size().columns if told else _PAPER


def room(most: int) -> int:
    """How many columns a line may take: `most`, and on a terminal no more than that has; a pipe is read line by line."""
    return min(most, width()) if sys.stdout.isatty() else most


def folded(line: str, indent: int = 0) -> str:
    """`line`, broken between words where the terminal is narrower, what comes after it `indent` columns in."""
    most = room(len(line))
    return line if len(line) <= most else fill(line, most, subsequent_indent=" " * indent, break_long_words=False)


def _are(pattern: re.Pattern[str], cells: Sequence[str]) -> bool:
    """Whether all cells are written so, of those in which something is."""
    written = [cell for cell in cells if cell not in ("", "-")]
    return bool(written) and all(pattern.fullmatch(cell) for cell in written)


def _least(cells: Sequence[str], whole: bool) -> int:
    """How many columns these cells take at least."""
    from rich.cells import cell_len

    if whole:
        return max(cell_len(line) for cell in cells for line in cell.split("\n"))
    return min(_WORD, max((cell_len(word) for cell in cells for word in cell.split()), default=0))


def _print_table(columns: Sequence[str], cells: Sequence[Sequence[str]], whole: Sequence[bool]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for at, column in enumerate(columns):
        side: Literal["left", "right"] = "right" if _are(_NUMERIC, [row[at] for row in cells]) else "left"
        table.add_column(column, justify=side, overflow="fold", no_wrap=whole[at])
    for row in cells:
        table.add_row(*row)
    console = Console(width=width(), highlight=False, markup=False, emoji=False)
    with console.capture() as shown:
        console.print(table)
    print("\n".join(line.rstrip() for line in shown.get().splitlines() if line.strip()))


def _print_stacked(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> None:
    for row in cells:
        rest = [cell.replace("\n", "; ") for cell in row[1:]]
        print(row[0].replace("\n", "\n  "))
        for line in _packed([f"{column} {cell}" for column, cell in zip(columns[1:], rest, strict=True) if cell]):
            for part in wrap(line, max(1, width() - 2), break_long_words=False, break_on_hyphens=False):
                print(f"  {part}")


def _packed(parts: Iterable[str]) -> Iterator[str]:
    """As many parts a line as fit."""
    line = ""
    for part in parts:
        if line and len(line) + len(part) + 5 > width():
            yield line
            line = ""
        line += f"   {part}" if line else part
    if line:
        yield line
