"""`pv bisect`: the stage that introduces the error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.bisect.outcome import Outcome
    from pv.bisect.pins import Pin
    from pv.cli.bisect_operands import Sides, Wanted

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("operands", nargs=-1, metavar="REFERENCE CANDIDATE | MODEL", shell_complete=complete.models)
@click.option(
    "--path", "paths", multiple=True, metavar="KEY=VALUE,…", help="How each of the two runs: attn=sdpa,dtype=bfloat16."
)
@click.option("--text", help="What the models read.")
@click.option("--prompt", help="The same as a text that is to go on: without what a tokenizer adds to it.")
@click.option("--tokens", metavar="IDS", help="The same as token ids: 0,5,13.")
@click.option("--ladder", is_flag=True, help="Repeat both in wider dtypes: is it semantics, rounding or dtype policy?")
@click.option("--map", "map_file", type=_FILE, metavar="FILE", help="A stage map, in place of the one that is known.")
@click.option("--shapes", type=_FILE, metavar="MAP", help="Axes and sizes, for captures that have no capture.json.")
@click.option("--weights", metavar="MODEL", help="Of captures: the model whose weights stages are computed again with.")
@click.option("--no-pin", is_flag=True, help="Do not keep the stage that diverged as a case of its equation's tests.")
@click.option(
    "--plot", type=_FILE, metavar="FILE", help="Error over the noise floor by stage: .svg, or .png (matplotlib)."
)
@click.option("--verbose", "-v", is_flag=True, help="Every stage of every layer.")
@FORMAT
def bisect(
    operands: tuple[str, ...], paths: tuple[str, ...], text: str | None, prompt: str | None, tokens: str | None,
    ladder: bool, map_file: Path | None, shapes: Path | None, weights: str | None, no_pin: bool, plot: Path | None,
    verbose: bool, form: str,
) -> Exit:  # fmt: skip
    """Two implementations disagree: which stage of CANDIDATE introduces the error that it has against REFERENCE?

    Each is a model (a name of [tool.pv.models], a Hugging Face folder) or a capture (a folder that `pv trace --save-tensor`
    or another program wrote). Or one MODEL on two paths. --path, given twice, says how each runs: keys device, dtype, attn
    (eager, sdpa, …), compile (on, off), threads, cache (on, off).

    First both run end to end: does the symptom show, do they repeat themselves, does what `generate` computes go the way
    that is captured? How do the weights relate, and what differs between the paths? Then every stage of the candidate is
    computed again in float64 from its own inputs with the reference's weights, and what it adds is held against the noise of
    its dtype: a source begins the error, an amplifier lets it grow, a carrier hands it on.

    Exits 0 when identical or within the noise floor, 1 when diverged, 3 when inconclusive or the capture is invalid. The
    stage that diverged becomes a pinned case where its map names an equation that is bound here.

    \b
      pv bisect microgpt runs/port --text emma
      pv bisect ~/models/qwen2 --path attn=eager --path attn=sdpa --prompt "2 + 2 ="
      pv bisect captures/reference captures/candidate --weights ~/models/qwen2
      pv bisect microgpt captures/from-c --plot error.svg --format json

    JSON: reference, candidate, tokens, verdict, said, at[stage, layer], enclosing, more, symptom{said, outputs,
    first_other_token, reference, candidate, problems}, weights{relation, rounded, compared, not_the_same, only_reference,
    only_candidate}, paths, stages[stage, layer, label, error, floor, local{mean, row, column}, inherited, worst[axis,
    index], least_seen, hint], ladder{meaning, at, enclosing, said, rungs}, notes, pins[stage, layer, test, path, new,
    why_not], next, exit.
    """
    from pv.cli.bisect_operands import Wanted
    from pv.report.plain import json_text

    wanted = Wanted(text, tokens, prompt, map_file, shapes, weights)
    _require_usable(operands, paths, wanted)
    if plot is not None:
        from pv.report.bisect_plot import require_plot

        require_plot(plot)
    found = _found(operands, paths, wanted, ladder=ladder, pinning=not no_pin)
    if plot is not None:
        from pv.report.bisect_plot import write_plot

        write_plot(plot, found)
    if form == "json":
        from pv.report.bisect_value import bisection_value

        click.echo(json_text(bisection_value(found)))
    else:
        from pv.report.bisect import print_bisection

        print_bisection(found, verbose=verbose)
    return found.bisection.verdict.exit


def _require_usable(operands: tuple[str, ...], paths: tuple[str, ...], wanted: Wanted) -> None:
    """Raises PvError for operands and options that do not go together."""
    if len(operands) not in (1, 2) or len(paths) not in (0, 2) or (len(operands) == 1 and not paths):
        seen = f"{len(operands)} operands and {len(paths)} times --path"
        hint = "pv bisect REFERENCE CANDIDATE, or pv bisect MODEL --path attn=eager --path attn=sdpa"
        raise PvError(f"{seen}: a reference and a candidate are needed, or one model on two paths", hint=hint)
    if sum(each is not None for each in (wanted.text, wanted.tokens, wanted.prompt)) > 1:
        raise PvError("--text, --prompt and --tokens are ways to say the same: give one", hint="leave the others out")


def _found(
    operands: tuple[str, ...], paths: tuple[str, ...], wanted: Wanted, *, ladder: bool, pinning: bool
) -> Outcome:
    from pv.bisect.doors import concluded
    from pv.bisect.paths import Route, read_route
    from pv.cli.bisect_operands import record_operands, widening_of

    one, other = map(read_route, paths) if paths else (Route(), Route())
    words, routes = (operands[0], operands[-1]), (one, other)
    sides = record_operands(words, routes, wanted)
    widening = widening_of(words, routes, wanted, sides) if ladder else None
    found = concluded(sides.reference, sides.candidate, sides.stage_map, sides.model, widening)
    pins = _pins(sides, found) if pinning else ()
    return replace(found, pins=pins, next=_next(operands, paths, wanted, found, pins, ladder=ladder))


def _pins(sides: Sides, found: Outcome) -> tuple[Pin, ...]:
    """What a stage that diverged leaves; nothing where the verdict is not sure of it (a layout that somebody only says)."""
    from pv.bisect.given import pins_for
    from pv.bisect.pins import Home
    from pv.bisect.result import Verdict
    from pv.cli.models import project_here

    project = project_here()
    if project is None or found.bisection.verdict is not Verdict.DIVERGED:
        return ()
    home = Home(project.root, project.contracts, project.bindings, project.index)
    return pins_for(found.bisection, sides.candidate.side, sides.stage_map, sides.model, found.tokens, home)


def _next(
    operands: tuple[str, ...],
    paths: tuple[str, ...],
    wanted: Wanted,
    found: Outcome,
    pins: tuple[Pin, ...],
    *,
    ladder: bool,
) -> tuple[str, ...]:
    """The commands that go on from here."""
    import shlex

    from pv.bisect.result import Label, Verdict

    tests = dict.fromkeys(row.test for row in pins if row.path)
    if tests:
        return tuple(f"pv falsify --id {test}" for test in tests)
    grown = any(stage.label in (Label.CARRIER, Label.AMPLIFIER) for stage in found.bisection.stages)
    unsure = found.bisection.verdict is Verdict.INCONCLUSIVE and grown
    if ladder or found.symptom.candidate is None or not (unsure or found.bisection.verdict is Verdict.DIVERGED):
        return ()
    given = [("--text", wanted.text), ("--prompt", wanted.prompt), ("--tokens", wanted.tokens), ("--map", wanted.map)]
    options = [word for key, value in given if value is not None for word in (key, str(value))]
    routes = [word for path in paths for word in ("--path", path)]
    return (shlex.join(["pv", "bisect", *operands, *routes, *options, "--ladder"]),)
