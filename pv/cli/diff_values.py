"""`pv diff --values`: two files of stages, two captures, or the weights of two models, element by element."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from pv.finding import Exit, PvError

_LONG = 2**26  # elements from which on it is told how far it is: about a tenth of a second


def diff_values(
    what: Sequence[str], shapes: str | None, rtol: float | None, atol: float | None, top: int | None, form: str
) -> Exit:
    """Compare the two operands in `what`, the first the reference, and print what came of it."""
    from pv.compare.doors import TOP
    from pv.compare.doors import diff_values as compare
    from pv.report.plain import json_text
    from pv.report.values import print_values, values_value

    found = compare(
        *map(Path, _two(what)),
        shapes=Path(shapes) if shapes else None,
        rtol=rtol,
        atol=atol,
        top=TOP if top is None else top,
        watched=_progress,
    )
    if form == "json":
        click.echo(json_text(values_value(found)))
    else:
        print_values(found)
    return found.agreement.exit


def _two(what: Sequence[str]) -> Sequence[str]:
    if len(what) != 2:
        raise PvError(f"--values compares two paths, not {len(what)}", hint="pv diff --values REFERENCE OTHER")
    return what


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
