"""`pv trace`: a forward pass, stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit

if TYPE_CHECKING:
    from pv.cli.models import Opened


@click.command()
@click.argument("model")
@click.option("--text", help="What the model reads; the next token of each position is then known.")
@click.option("--tokens", metavar="IDS", help="The same as token ids: 0,5,13.")
@click.option("--seed", type=int, help="Of a fresh model; 42 where none is given.")
@click.option(
    "--verbose", "-v", is_flag=True, help="Deviation, share of zeros and formula of every stage; names of tensors."
)
@FORMAT
def trace(model: str, text: str | None, tokens: str | None, seed: int | None, verbose: bool, form: str) -> Exit:
    """Let a model read a text, and show every stage on the way: shape, L2, range, mean; then what it predicts.

    MODEL is a name of [tool.pv.models], or a file or folder: safetensors, GGUF, APR. Without a text nothing runs: the
    layers are shown, and the stages there are. Exits 3 when a stage was not reached.

    \b
      pv trace microgpt --text emma
      pv trace runs/names --tokens 0,5,13 --format json
      pv trace model.gguf

    JSON: model, tokens, stages[stage, part, what, axes, formula, contract, equation, measured, shape, l2, min, max, mean, std,
    zero, nan, inf], predictions[position, token, target, predicted, p_target; both null where the logits are no
    numbers], not_reached. Without a text: model,
    layers[name, tensors, parameters], stages, measured.
    """
    from pv.cli.models import families_of, opened, project_here

    project = project_here()
    asked = text is not None or tokens is not None
    with opened(project, families_of(project), model, seed, run=asked) as found:
        if asked:
            return _forward(found, text, tokens, verbose=verbose, as_json=form == "json")
        return _skeleton(found, verbose=verbose, as_json=form == "json")


def _forward(found: Opened, text: str | None, tokens: str | None, *, verbose: bool, as_json: bool) -> Exit:
    from pv.cli.models import asked_of, why_not
    from pv.introspect.forward import forward
    from pv.report.plain import json_text
    from pv.report.trace import print_trace, trace_value

    if found.running is None or found.stage_map is None:
        raise why_not(found)
    passed = forward(found.running, found.stage_map, asked_of(found, text, tokens))
    if as_json:
        click.echo(json_text(trace_value(found.described.name, passed)))
    else:
        print_trace(found.described.name, passed, verbose=verbose)
    return Exit.RUN if passed.captured.missing else Exit.OK


def _skeleton(found: Opened, *, verbose: bool, as_json: bool) -> Exit:
    from pv.introspect.layers import layers_of
    from pv.report.plain import json_text
    from pv.report.trace import print_skeleton, skeleton_value

    layers = layers_of(found.described)
    if as_json:
        click.echo(json_text(skeleton_value(found.described.name, layers, found.stage_map)))
    else:
        print_skeleton(found.described.name, layers, found.stage_map, verbose=verbose)
    return Exit.OK
