"""What `pv trace --save-tensor` does: it reads the choice, runs the model, and writes the folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pv import __version__
from pv.contract.quote import shorten
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.cli.models import Opened
    from pv.introspect.load import Running
    from pv.introspect.tokens import Asked
    from pv.tensors.manifest import StageRecord
    from pv.tensors.place import Place

_LAYERS = re.compile(r"(\d{1,9})\s*\.\.\s*(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written where: names of stages, `all` among them; None are all layers."""

    stages: tuple[str, ...]
    layers: range | None
    position: str
    output: Path
    check: bool


def read_stages(text: str) -> tuple[str, ...]:
    """The names in `attn_out, ffn_out`, or in `all`; capitals and blanks do not matter. Raises PvError for an empty one."""
    names = [name.strip().lower() for name in text.split(",")]
    if "" in names:
        seen = f"--save-tensor {shorten(text)} has an empty name in it"
        raise PvError(seen, hint="give names with commas between, attn_out,ffn_out, or all")
    return tuple(dict.fromkeys(names))


def read_layers(layer: str | None, layers: str | None) -> range | None:
    """The layers that --layer N or --layers A..B means; None for neither. Raises PvError for both, and what is no range."""
    if layer is not None and layers is not None:
        raise PvError("--layer and --layers say the same in two ways: give one", hint="leave the other out")
    if layer is not None:
        if not re.fullmatch(r"\s*\d{1,9}\s*", layer, re.ASCII):
            raise PvError(f"--layer {shorten(layer)} is no number of a layer", hint="the first layer is 0")
        return range(int(layer), int(layer) + 1)
    if layers is None:
        return None
    found = _LAYERS.fullmatch(layers.strip())
    if found is None or int(found[1]) >= int(found[2]):
        hint = "A..B are the layers from A on, without B: 0..4 are the first four"
        raise PvError(f"--layers {shorten(layers)} is no range of layers", hint=hint)
    return range(int(found[1]), int(found[2]))


def unused_folder(folder: Path | None) -> Path:
    """`folder`, which holds nothing yet or is not there. Raises PvError for one that does, and where none is named."""
    if folder is None:
        raise PvError(
            "--save-tensor needs --output DIR: where the tensors go",
            hint="--output DIR, a folder that is not there yet",
        )
    try:
        there = next(folder.iterdir(), None) if folder.is_dir() else None
        if folder.exists() and not folder.is_dir():
            raise PvError(f"{folder} is no folder", hint="name one that is not there yet")
    except OSError as error:
        raise PvError(
            f"{folder} cannot be looked into: {error.strerror or error}",
            hint="see that it is there, and that you may read it",
        ) from error
    if there is not None:
        holds = "a capture" if (folder / "capture.json").exists() else f"{there.name}"
        raise PvError(f"{folder} holds {holds} already", hint="name a folder that is empty, or not there yet")
    return folder


def save_tensors(found: Opened, wanted: Wanted, asked: Asked, inputs: Mapping[str, str], *, as_json: bool) -> None:
    """Let the model of `found` read, write what is `wanted` of it, and say what was written.

    Raises PvError for stages and layers that it has not, where it is interrupted, and as `pv.stages.save` does; the folder
    then holds nothing new.
    """
    from pv.stages.facts import Reading, manifest_of
    from pv.stages.places import places_of
    from pv.stages.save import Plan, copy, save
    from pv.tensors.writer import CaptureWriter

    running, stage_map = found.running, found.stage_map
    assert running is not None
    assert stage_map is not None
    places = places_of(running.model, stage_map, wanted.stages, wanted.layers)
    plan = Plan(running.model, stage_map, places, wanted.position, wanted.check, wanted.stages)
    with _whole(wanted.output), CaptureWriter(wanted.output, copy) as writer, _progress(len(places)) as seen:
        missing = save(plan, lambda: _read(running, asked.tokens), writer, seen)
        reading = Reading(found.described.name, asked.tokens, inputs, wanted.position, {"pv": __version__})
        manifest = manifest_of(running.model, stage_map, reading)
        records = writer.finish(manifest, places)
    _tell(found.described.name, asked.tokens, wanted, records, missing, as_json=as_json)


@contextmanager
def _whole(folder: Path) -> Iterator[None]:
    """SIGTERM ends what is done in the block as Ctrl-C does, at once: what was begun in `folder` is taken away."""
    from pv.cli.interrupt import interruptible
    from pv.tensors.manifest import MANIFEST

    try:
        with interruptible():  # nothing here starts a process: a signal needs not wait
            yield
    except KeyboardInterrupt:
        if (folder / MANIFEST).exists():
            raise
        hint = "run it again: the folder is free"
        raise PvError("interrupted; nothing was captured", exit=Exit.INTERRUPTED, hint=hint) from None


def _read(running: Running, tokens: Sequence[int]) -> Any:
    """The logits; what the model raises on what it reads is its fault, not ours."""
    from pv.stages.fault import faults_of

    with faults_of("the model", f"tokens {list(tokens[:20])}"):
        return running.read(tokens)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Place], None]]:
    """A bar of `total` places on standard error where that is a terminal; told of each place as it comes."""
    if not sys.stderr.isatty():
        yield lambda place: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("capturing"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda place: bar.update(task, advance=1, description=str(place))


def _tell(
    name: str,
    tokens: Sequence[int],
    wanted: Wanted,
    records: Sequence[StageRecord],
    missing: Sequence[Place],
    *,
    as_json: bool,
) -> None:
    from pv.report.plain import json_text
    from pv.report.saved import print_saved, saved_value

    saved = [(record, (wanted.output / record.file).stat().st_size) for record in records]
    if missing:
        click.echo(f"not reached: {', '.join(map(str, missing))}", err=True)
    if as_json:
        click.echo(json_text(saved_value(name, tokens, wanted.output, saved, missing, checked=wanted.check)))
    else:
        print_saved(name, tokens, wanted.output, saved, checked=wanted.check)
