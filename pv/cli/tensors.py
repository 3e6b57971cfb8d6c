"""`pv tensors`: the tensors of a model or a file, and their statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.contract.quote import nearest
from pv.finding import Exit, PvError, worst

if TYPE_CHECKING:
    from pv.checkpoints import Checkpoint, TensorEntry
    from pv.cli.models import Opened
    from pv.families.model import Family
    from pv.project import Project
    from pv.report.tensors import Measured


@click.command()
@click.argument("model", shell_complete=complete.models)
@click.option("--stats", is_flag=True, help="Mean, deviation, smallest and largest value; reads every value.")
@click.option(
    "--filter", "pattern", metavar="PAT", help="Names with PAT in them; with * ? [ in it, names that match whole."
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=0, metavar="N", help="Show the first N; 0, as if not given, is all."
)
@click.option("--seed", type=int, help="Of a fresh model; 42 where none is given.")
@FORMAT
def tensors(model: str, stats: bool, pattern: str | None, limit: int, seed: int | None, form: str) -> Exit:
    """Every tensor of a model: name, shape (outermost first), dtype, size, and statistics when asked for.

    MODEL is a name of [tool.pv.models], or a file or folder: safetensors, GGUF, APR. Statistics run in float64 over finite
    values; NaN and infinity are counted apart. Exits 3 when a tensor could not be measured, 1 when the file must not be
    believed.

    \b
      pv tensors microgpt --stats
      pv tensors model.gguf --filter 'blk.0.*' --stats
      pv tensors runs/names --format json

    JSON: model, format, tensor_count, element_count, total_size_bytes, dtypes, problems, tensors[name, dtype, shape,
    elements, size_bytes, file, offset, statistics{count, mean, std, min, max, max_abs, l2, nan, inf, zero}, unmeasured].
    """
    from pv.report.plain import json_text
    from pv.report.tensors import tensors_value

    with looked_at(model, seed) as found:
        checkpoint = found.checkpoint
        matching = select(checkpoint.tensors, pattern)
        shown = matching[:limit] if limit else matching
        rows = [measured(entry) for entry in shown] if stats else unmeasured(shown)
    if form == "json":
        click.echo(json_text(tensors_value(found.opened.described.name, checkpoint, matching, rows)))
    else:
        _print(checkpoint, matching, rows)
    return outcome(checkpoint, rows)


class Looked(NamedTuple):
    """A model, its tensors, and what is known around the working directory."""

    opened: Opened
    project: Project | None
    families: Sequence[Family]

    @property
    def checkpoint(self) -> Checkpoint:
        """Its tensors."""
        return self.opened.checkpoint


@contextmanager
def looked_at(word: str, seed: int | None, *, run: bool = False) -> Iterator[Looked]:
    """The model that `word` means; within the block it can run, if `run` and something here can load it."""
    from pv.cli.models import families_of, opened, project_here

    project = project_here()
    families = families_of(project)
    with opened(project, families, word, seed, run=run) as found:
        yield Looked(found, project, families)


def select(entries: Sequence[TensorEntry], pattern: str | None) -> Sequence[TensorEntry]:
    """Those whose name has `pattern` in it, or matches it. Raises PvError with the nearest names where none does."""
    if pattern is None:
        return entries
    whole = any(sign in pattern for sign in "*?[")
    found = [row for row in entries if (fnmatchcase(row.name, pattern) if whole else pattern in row.name)]
    if not found:
        hint = nearest(pattern, (row.name for row in entries))
        raise PvError(f"no tensor of {len(entries):,} has a name like {pattern!r}", hint=hint)
    return found


def measured(entry: TensorEntry) -> Measured:
    """`entry` with its statistics, or with why there are none."""
    from pv.checkpoints import statistics
    from pv.report.tensors import Measured

    try:
        return Measured(entry, statistics(entry))
    except PvError as error:
        if error.exit is not Exit.RUN:
            raise
        return Measured(entry, unmeasured=f"{error.message}{f' ({error.hint})' if error.hint else ''}")


def unmeasured(entries: Sequence[TensorEntry]) -> list[Measured]:
    """As they are, without statistics."""
    from pv.report.tensors import Measured

    return [Measured(entry) for entry in entries]


def outcome(checkpoint: Checkpoint, rows: Sequence[Measured]) -> Exit:
    """Something to mend where the file must not be believed, something to run where a tensor was not measured."""
    return worst(
        (Exit.MEND if checkpoint.problems else Exit.OK, Exit.RUN if any(row.unmeasured for row in rows) else Exit.OK)
    )


def _print(checkpoint: Checkpoint, matching: Sequence[TensorEntry], rows: Sequence[Measured]) -> None:
    from pv.report.inspect import problem_lines
    from pv.report.tensors import anomalies, footer, print_tensors

    if rows:
        print_tensors(rows)
    click.echo(footer(matching, len(rows)))
    for line in anomalies(rows):
        click.echo(f"  {line}")
    for line in problem_lines(checkpoint):
        click.echo(line)
