"""`pv trace`: a forward pass, stage by stage, shown or saved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.cli.models import Opened
    from pv.cli.trace_save import Wanted


@click.command()
@click.argument("model", shell_complete=complete.models)
@click.option("--text", help="What the model reads; the next token of each position is then known.")
@click.option("--tokens", metavar="IDS", help="The same as token ids: 0,5,13.")
@click.option("--prompt", help="The beginning of a text: no special token is added that a tokenizer can leave out.")
@click.option(
    "--save-tensor",
    "stages",
    metavar="STAGES",
    help="Write these stages to --output: a list with commas, or all.",
    shell_complete=complete.stages,
)
@click.option("--layer", metavar="N", help="Of one layer only.")
@click.option("--layers", metavar="A..B", help="Of layers A to B only, B not among them.")
@click.option("--position", type=click.Choice(["all", "last"]), help="Of all positions (by itself), or of the last.")
@click.option(
    "--output", metavar="DIR", type=click.Path(path_type=Path), help="Where the tensors go: a folder without any."
)
@click.option(
    "--no-check", is_flag=True, help="Do not read once more without hooks to see that the output is the same."
)
@click.option("--dtype", help="Run in float32, bfloat16, float16 or float64; else as it was saved.")
@click.option("--device", help="Run there: cpu (by itself), cuda, cuda:1, mps.")
@click.option(
    "--attn", type=click.Choice(["eager", "sdpa"]), help="How transformers computes attention; eager by itself."
)
@click.option("--seed", type=int, help="Of a fresh model; 42 where none is given.")
@click.option(
    "--verbose", "-v", is_flag=True, help="Deviation, share of zeros and formula of every stage; names of tensors."
)
@FORMAT
def trace(model: str, seed: int | None, verbose: bool, form: str, **given: Any) -> Exit:
    """Let a model read a text, and show every stage on the way: shape, L2, range, mean; then what it predicts. With
    --save-tensor the tensors themselves are written to a folder.

    MODEL is a name of [tool.pv.models], a file or folder (safetensors, GGUF, APR), or a folder of transformers, which it
    loads from there alone. Without a text nothing runs: the layers are shown, and the stages there are. Exits 3 when a
    stage was not reached; what `--save-tensor all` did not reach of a model without a map is named.

    A stage is written to DIR/layer-N/STAGE.bin (DIR/STAGE.bin where it is of the whole model) as APRT, float32; float64 and
    integers to .safetensors; capture.json says last of all what lies there. `lm_head` with --position last are the logits of
    the next token. Unless told --no-check, the model reads twice, and its output must be the same bits with hooks as
    without.

    \b
      pv trace microgpt --text emma
      pv trace runs/names --tokens 0,5,13 --format json
      pv trace qwen --prompt "What is 2+2?" --save-tensor attn_out,ffn_out --layers 0..4 --output captured
      pv trace llama --text emma --save-tensor lm_head --position last --dtype bfloat16 --output captured

    JSON: model, tokens, stages[stage, layer, part, what, axes, formula, contract, equation, measured, shape, l2, min, max,
    mean, std, zero, nan, inf], predictions[position, token, target, predicted, p_target; both null where the logits are no
    numbers], not_reached. Without a text: model, layers[name, tensors, parameters], stages, measured. With --save-tensor:
    model, tokens, output, checked, bytes, stages[stage, layer, file, shape, axes, dtype, sha256, bytes],
    not_reached[stage, layer].
    """
    from pv.cli.models import families_of, opened, project_here
    from pv.introspect.load import Setting

    reads = {name: given[name] for name in READS if given[name] is not None}
    _refuse_idle(given, reads=bool(reads))
    wanted = _wanted(given)
    project = project_here()
    setting = Setting(given["dtype"] or "", given["device"] or "", given["attn"] or "")
    with opened(project, families_of(project), model, seed, run=bool(reads), setting=setting) as found:
        if wanted is not None:
            return _save(found, wanted, reads, as_json=form == "json")
        if reads:
            return _forward(found, reads, verbose=verbose, as_json=form == "json")
        return _skeleton(found, verbose=verbose, as_json=form == "json")


READS = ("text", "tokens", "prompt")
_RUNS = {"--dtype": "dtype", "--device": "device", "--attn": "attn", "--save-tensor": "stages"}
_SAVES = {
    "--layer": "layer",
    "--layers": "layers",
    "--position": "position",
    "--output": "output",
    "--no-check": "no_check",
}


def _refuse_idle(given: Mapping[str, Any], *, reads: bool) -> None:
    """Raises PvError for an option that the others leave nothing to do."""
    for options, used, needs in (
        (_RUNS, reads, "--text, --tokens or --prompt"),
        (_SAVES, given["stages"] is not None, "--save-tensor"),
    ):
        idle = [option for option, name in options.items() if given[name] not in (None, False)]
        if idle and not used:
            raise PvError(f"{', '.join(idle)} without {needs} has nothing to do", hint=f"give {needs}")


def _wanted(given: Mapping[str, Any]) -> Wanted | None:
    if given["stages"] is None:
        return None
    from pv.cli.trace_save import Wanted, read_layers, read_stages, unused_folder

    return Wanted(
        stages=read_stages(given["stages"]),
        layers=read_layers(given["layer"], given["layers"]),
        position=given["position"] or "all",
        output=unused_folder(given["output"]),
        check=not given["no_check"],
    )


def _save(found: Opened, wanted: Wanted, reads: Mapping[str, str], *, as_json: bool) -> Exit:
    from pv.cli.models import asked_of, why_not
    from pv.cli.trace_save import save_tensors

    if found.running is None or found.stage_map is None:
        raise why_not(found)
    save_tensors(found, wanted, asked_of(found, **reads), reads, as_json=as_json)
    return Exit.OK


def _forward(found: Opened, reads: Mapping[str, str], *, verbose: bool, as_json: bool) -> Exit:
    from pv.cli.models import asked_of, why_not
    from pv.introspect.forward import forward
    from pv.report.plain import json_text
    from pv.report.trace import print_trace, trace_value

    if found.running is None or found.stage_map is None:
        raise why_not(found)
    passed = forward(found.running, found.stage_map, asked_of(found, **reads))
    if as_json:
        click.echo(json_text(trace_value(found.described.name, passed)))
    else:
        print_trace(found.described.name, passed, verbose=verbose)
    return Exit.RUN if passed.not_reached else Exit.OK


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
