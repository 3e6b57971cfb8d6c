"""`pv diff --values`: two files of stages, two captures, or the weights of two models, element by element."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.compare.pairs import ValueDiff

_LONG = 2**26  # elements from which on it is told how far it is: about a tenth of a second
TOP = 10


def diff_values(
    what: Sequence[str], shapes: str | None, rtol: float | None, atol: float | None, top: int, form: str
) -> Exit:
    """Compare the two operands in `what`, the first the reference, and print what came of it."""
    from pv.report.plain import json_text
    from pv.report.values import print_values, values_value

    found = _compared(what, shapes, rtol, atol, top)
    if form == "json":
        click.echo(json_text(values_value(found)))
    else:
        print_values(found)
    return found.agreement.exit


def _compared(
    what: Sequence[str], shapes: str | None, rtol: float | None, atol: float | None, top: int
) -> ValueDiff:  # fmt: skip
    from pv.checkpoints.values import INSTALL
    from pv.compare.operands import open_operand
    from pv.compare.pairs import compared, matched
    from pv.compare.tolerance import asked

    if len(what) != 2:
        raise PvError(f"--values compares two paths, not {len(what)}", hint="pv diff --values REFERENCE OTHER")
    tolerance = asked(rtol, atol)
    if find_spec("numpy") is None:
        raise PvError("values need numpy, which is not installed", exit=Exit.RUN, hint=INSTALL)
    a, b = (open_operand(Path(word), Path(shapes) if shapes else None) for word in what)
    pairs = matched(a, b)
    with _progress(pairs.elements) as told:
        return compared(a, b, pairs, tolerance, top, told)


@contextmanager
def _progress(elements: int) -> Iterator[Callable[[int], None]]:
    """How far it is, on a terminal where somebody would wait for it."""
    if not sys.stderr.isatty() or elements < _LONG:
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("comparing", total=elements)
        yield lambda count: progress.advance(task, count)
