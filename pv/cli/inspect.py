"""`pv inspect`: what a model or a file of tensors is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.finding import Exit

if TYPE_CHECKING:
    from pv.cli.tensors import Looked
    from pv.introspect.forward import Forward
    from pv.report.explain import Pipeline
    from pv.report.tensors import Measured

_SMALL, _FEW = 16 * 1024 * 1024, 1000
"""Bytes and tensors of a file whose values are read too; of a larger one the header alone."""


@click.command()
@click.argument("model", shell_complete=complete.models)
@click.option("--vocab", is_flag=True, help="Also what the file says of its vocabulary.")
@click.option("--seed", type=int, help="Of a fresh model; 42 where none is given.")
@click.option("--text", help="Let the model read this, and say what it predicts.")
@click.option("--verbose", "-v", is_flag=True, help="Also where each size was read.")
@FORMAT
def inspect(model: str, vocab: bool, seed: int | None, text: str | None, verbose: bool, form: str) -> Exit:
    """What a model is: architecture, file, tensors with mean and deviation, kernels with their contracts and levels, what each
    tensor is for, and, of a model that runs, what it predicts.

    MODEL is a name of [tool.pv.models], or a file or folder: safetensors, GGUF, APR. Of a file above 16 MiB or 1,000 tensors
    only the header is read. Exits 1 when the file must not be believed: a wrong checksum, an index that disagrees with its
    shards.

    \b
      pv inspect microgpt --seed 7
      pv inspect runs/names --text mar
      pv inspect model.gguf --vocab

    JSON: model, format, family, family_because, kernel_class, parameters, sizes, readings, notes, size_bytes, tensor_count,
    dtypes, dominant_dtype, facts, problems, provenance (APR), metadata, config, tensors[as pv tensors, role, purpose, layer],
    kernels[op, kernel, contract, equation, level], forward{input_tokens, output_shape, next_token, next_label}.
    """
    from pv.cli.explain import attention_pass
    from pv.cli.tensors import looked_at, measured
    from pv.report.plain import json_text

    with looked_at(model, seed, run=text is not None) as found:
        rows = {} if _why_unread(found) else {entry.name: measured(entry) for entry in found.checkpoint.tensors}
        passed = attention_pass(found.opened, text)
        if form == "json":
            click.echo(json_text(_value(found, rows, passed)))
        else:
            _print(found, rows, passed, vocab=vocab, verbose=verbose)
    return Exit.MEND if found.checkpoint.problems else Exit.OK


def _print(found: Looked, rows: Mapping[str, Measured], passed: Forward | None, *, vocab: bool, verbose: bool) -> None:
    from pv.introspect.describe import roles_in
    from pv.report import inspect as told
    from pv.report.explain import print_architecture, print_pipeline, print_roles
    from pv.report.tensors import anomalies

    described, checkpoint = found.opened.described, found.checkpoint
    print_architecture(described, verbose=verbose)
    told.print_file(checkpoint)
    told.print_metadata(checkpoint, vocabulary=vocab)
    told.print_some_tensors(checkpoint.tensors, rows)
    for line in anomalies(rows.values()):
        click.echo(f"  {line}")
    if why := _why_unread(found):
        click.echo(why)
    pipeline = _pipeline(found)
    if pipeline is not None:
        print_pipeline(pipeline, proof=False)
    roles = list(roles_in(described, found.families))
    if any(role for _, role in roles):
        print_roles(roles)
    if passed is not None:
        told.print_forward(passed)


def _why_unread(found: Looked) -> str:
    """Why no value is read; empty where all are."""
    checkpoint = found.checkpoint
    if opaque := next((entry.opaque for entry in checkpoint.tensors if entry.file and entry.opaque), ""):
        return f"values are not read: {opaque}, which is not decoded here"
    if checkpoint.size <= _SMALL and len(checkpoint.tensors) <= _FEW:
        return ""
    limit = f"values are read of at most 16 MiB and {_FEW:,} tensors"
    return f"{limit}; for all of them: pv tensors {found.opened.described.name} --stats"


def _pipeline(found: Looked) -> Pipeline | None:
    """The kernels of the model's family; None where that is not known."""
    from pv.cli.explain import pipeline_of

    described = found.opened.described
    if described.family is None:
        return None
    return pipeline_of(found.project, described.family, {name: size.value for name, size in described.sizes.items()})


def _value(found: Looked, rows: Mapping[str, Measured], passed: Forward | None) -> dict[str, Any]:
    from pv.introspect.describe import roles_in
    from pv.report import inspect as told
    from pv.report.explain import described_value, pipeline_value

    described = described_value(found.opened.described, roles_in(found.opened.described, found.families))
    own = told.rows_value(found.checkpoint.tensors, rows)
    listed = [{**own.get(row["name"], {}), **row} for row in described.pop("tensors")]
    pipeline = _pipeline(found)
    return {
        **described,
        **told.file_value(found.checkpoint),
        "tensors": listed,
        "kernels": pipeline_value(pipeline, proof=False)["kernels"] if pipeline else None,
        "forward": told.forward_value(passed) if passed else None,
    }
