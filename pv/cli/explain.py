"""`pv explain`: what a model, a family or a tensor is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.contract.quote import nearest
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.cli.models import Opened
    from pv.families.model import Family
    from pv.introspect.attention import Attention
    from pv.introspect.forward import Forward
    from pv.project import Project
    from pv.report.explain import Evidence, Pipeline


class Wanted(NamedTuple):
    """What was asked, besides of which model."""

    tensor: str | None
    proof: bool
    verbose: bool
    seed: int | None
    text: str | None
    json: bool


class Seen(NamedTuple):
    """What a model made of a text, and its attention; where that is None, `why` says why."""

    passed: Forward | None
    attention: Attention | None
    why: str = ""


@click.command()
@click.argument("model", shell_complete=complete.models, required=False)
@click.option(
    "--kernel",
    shell_complete=complete.families,
    metavar="FAMILY",
    help="A family of models: sizes, kernels, and their contracts.",
)
@click.option("--tensor", metavar="NAME", help="A weight, or a stage of the forward pass: attn_mask, attn_softmax …")
@click.option("--proof-status", is_flag=True, help="Every test behind the levels of the kernels.")
@click.option(
    "--verbose", "-v", is_flag=True, help="Constraints, sources, and what the project's own model does simpler."
)
@click.option("--seed", type=int, help="Of a fresh model; 42 where none is given.")
@click.option("--text", help="What the model reads while it is explained.")
@FORMAT
def explain(
    model: str | None, kernel: str | None, tensor: str | None, proof_status: bool, verbose: bool, seed: int | None,
    text: str | None, form: str,
) -> Exit:  # fmt: skip
    """What a model is made of: sizes, kernels with their contracts and levels, what each tensor is for, and, where the model
    can run here, whom each position attends to.

    MODEL is a name of [tool.pv.models], or a file or folder: safetensors, GGUF, APR. Levels are those of `pv status`.
    Nothing is imported unless a model must run. Exits 3 when a stage was not reached.

    \b
      pv explain microgpt
      pv explain --kernel llama -v
      pv explain --tensor attn_mask microgpt
      pv explain --tensor blk.0.attn_output.weight

    JSON of a model: model, format, family, family_because, kernel_class, parameters, sizes{NAME{value, source}}, readings,
    tensors[name, shape, dtype, role, purpose, layer], notes, constraints{NAME{value, meaning}},
    kernels[op, kernel, contract, equation, level], attention{tokens, scale, l2, heads[q, k, v, weights, output], mask,
    largest_row_sum_error, largest_later_weight}, attention_missing (why), not_reached, with --proof-status proof[as pv status],
    counts. Of --kernel: family, display_name, kernel_class, architectures, aliases, sources, sizes, constraints,
    constraints_source, kernels, compared{with, constraints[constraint, theirs, ours, ours_is]}. Of --tensor: model,
    tensors[as above] of a weight; tensor, roles[family, role, purpose, layer, names, shape] without a model; model, stage,
    axes, formula, contract, equation, tokens, shape, l2, min, max, mean, std, zero, nan, inf, values of a stage.
    """
    from pv.cli.models import families_of, project_here

    project = project_here()
    families = families_of(project)
    wanted = Wanted(tensor, proof_status, verbose, seed, text, form == "json")
    if kernel is not None and tensor is not None:
        raise PvError("--kernel is about a family and --tensor about a tensor: give one", hint="leave the other out")
    if kernel is not None:
        refuse_idle(wanted, "a family", "--text", "--seed")
        return _kernel(project, families, kernel, model, wanted)
    if tensor is not None:
        from pv.cli.explain_tensor import explain_tensor

        refuse_idle(wanted, "a tensor", "--proof-status")
        return explain_tensor(project, families, tensor, model, wanted)
    if model is None:
        names = [row.name for row in project.models] if project else []
        known = ", ".join([*names, *(f"--kernel {family.name}" for family in families)])
        raise PvError(
            "nothing to explain: name a model, a file, --kernel FAMILY or --tensor NAME", hint=f"known: {known}"
        )
    return _model(project, families, model, wanted)


def refuse_idle(wanted: Wanted, what: str, *options: str) -> None:
    """Raise PvError where one of `options`, which change nothing in what is told of `what`, was given."""
    given = {"--text": wanted.text is not None, "--seed": wanted.seed is not None, "--proof-status": wanted.proof}
    idle = next((option for option in options if given[option]), None)
    if idle is not None:
        raise PvError(f"{idle} changes nothing in what is told of {what}", hint=f"leave {idle} out")


def _kernel(project: Project | None, families: Sequence[Family], word: str, model: str | None, wanted: Wanted) -> Exit:
    from pv.families.find import find_family
    from pv.report import explain as told
    from pv.report import family as told_family
    from pv.report.plain import json_text

    family = find_family(families, word)
    ours = _ours(project, families, model)
    pipeline = pipeline_of(project, family, family.default)
    if wanted.json:
        beside = {} if ours is None else {"compared": told_family.comparison_value(ours, family)}
        click.echo(
            json_text(
                {**told_family.family_value(family), **told.pipeline_value(pipeline, proof=wanted.proof), **beside}
            )
        )
        return Exit.OK
    told_family.print_family(family, verbose=wanted.verbose)
    told.print_pipeline(pipeline, proof=wanted.proof)
    if wanted.verbose and ours is not None and ours.name != family.name:
        told_family.print_comparison(ours, family)
    return Exit.OK


def _ours(project: Project | None, families: Sequence[Family], model: str | None) -> Family | None:
    """What a family is compared with: the family of MODEL, or of the project's first model."""
    from pv.cli.models import opened
    from pv.families.find import find_family

    models = project.models if project else ()
    named = next((row for row in models if model in (None, row.name)), None)
    if named is not None:
        return find_family(families, named.family)
    if model is None:
        return None
    with opened(project, families, model, None, run=False) as found:
        described = found.described
    if described.family is None:
        raise PvError(
            f"nothing can be compared with {model}: {described.because}",
            hint="name a model whose family pv knows: pv explain --help",
        )
    return described.family


def evidence_of(project: Project | None, family: Family) -> Evidence:
    """What is known of every equation that the kernels of `family` cite; a contract of another project is left out."""
    contracts = {contract.name: contract for contract in project.contracts} if project else {}
    found: dict[tuple[str, str], Any] = {}
    for kernel in family.kernels:
        contract = contracts.get(kernel.contract)
        if contract is None or project is None:
            continue
        if kernel.equation not in (equation.name for equation in contract.equations):
            seen = f"{family.path}: {kernel.contract} has no equation {kernel.equation!r}"
            hint = nearest(kernel.equation, [equation.name for equation in contract.equations])
            raise PvError(seen, exit=Exit.MEND, hint=hint)
        found[contract.name, kernel.equation] = [
            row
            for row in project.assessments().values()
            if row.default and (row.contract, row.equation) == (contract.name, kernel.equation)
        ]
    return found


def _model(project: Project | None, families: Sequence[Family], word: str, wanted: Wanted) -> Exit:
    from pv.cli.models import opened
    from pv.report.plain import json_text

    with opened(project, families, word, wanted.seed, run=True) as found:
        seen = _seen(found, wanted.text)
        if wanted.json:
            click.echo(json_text(_value(project, families, found, seen, wanted)))
        else:
            _print(project, families, found, seen, wanted)
    return Exit.RUN if seen.passed and seen.passed.not_reached else Exit.OK


def _seen(found: Opened, text: str | None) -> Seen:
    """The model's attention, or why there is none. Raises PvError for a text that was asked for and cannot be read."""
    from pv.cli.models import why_not
    from pv.introspect.attention import NEEDED, attention

    try:
        passed = attention_pass(found, text)
    except PvError as error:
        if text is not None or error.exit is not Exit.ASK:
            raise
        return Seen(None, None, f"the example of [tool.pv.models] does not fit: {error.message}")
    if passed is None:
        can = found.running is not None and found.stage_map is not None
        return Seen(None, None, "there is no example; give --text" if can else why_not(found).message)
    seen = attention(passed)
    if seen is not None:
        return Seen(passed, seen)
    known = [stage.name for stage in found.stage_map.stages] if found.stage_map else []
    gone = [name for name in NEEDED if name in known and passed.value(name) is None]
    unknown = [name for name in NEEDED if name not in known]
    return Seen(passed, None, f"not reached: {', '.join(gone)}" if gone else f"no stage is called {', '.join(unknown)}")


def attention_pass(found: Opened, text: str | None) -> Forward | None:
    """One forward pass over `text`, or over the model's example; None where the model does not run or has none."""
    from pv.cli.models import asked_of, why_not
    from pv.introspect.forward import forward

    if found.running is None or found.stage_map is None:
        if text is not None:
            raise why_not(found)
        return None
    said = text if text is not None else (found.named.example if found.named else "")
    return forward(found.running, found.stage_map, asked_of(found, said)) if said or text is not None else None


def _print(project: Project | None, families: Sequence[Family], found: Opened, seen: Seen, wanted: Wanted) -> None:
    from pv.introspect.describe import roles_in
    from pv.report import explain as told
    from pv.report.attention import print_attention
    from pv.report.family import print_constraints

    described, family = found.described, found.described.family
    told.print_architecture(described, verbose=wanted.verbose)
    told.print_roles(roles_in(described, families))
    if family is not None:
        told.print_pipeline(pipeline_of(project, family, _sizes(found)), proof=wanted.proof)
        if wanted.verbose:
            print_constraints(family)
    if seen.passed is not None and seen.attention is not None:
        print_attention(seen.passed, seen.attention)
    else:
        click.echo(f"\nattention is not shown: {seen.why}")
    if seen.passed is not None and seen.passed.not_reached:
        click.echo(f"not reached, and not measured: {', '.join(seen.passed.not_reached)}")


def pipeline_of(project: Project | None, family: Family, sizes: Mapping[str, Any]) -> Pipeline:
    """The kernels of `family`, with what is known here of the equations they cite."""
    from pv.assess.policy import ANYWHERE
    from pv.report.explain import Pipeline

    return Pipeline(family, sizes, evidence_of(project, family), project.scope if project else ANYWHERE)


def _sizes(found: Opened) -> Mapping[str, Any]:
    return {name: size.value for name, size in found.described.sizes.items()}


def _value(
    project: Project | None, families: Sequence[Family], found: Opened, seen: Seen, wanted: Wanted
) -> dict[str, Any]:
    from pv.introspect.describe import roles_in
    from pv.report import explain as told
    from pv.report.attention import attention_value
    from pv.report.family import constraints_value

    described, family = found.described, found.described.family
    kernels = (
        {} if family is None else told.pipeline_value(pipeline_of(project, family, _sizes(found)), proof=wanted.proof)
    )
    return {
        **told.described_value(described, roles_in(described, families)),
        "constraints": None if family is None else constraints_value(family),
        **kernels,
        "attention": None if seen.attention is None else attention_value(seen.attention),
        "attention_missing": seen.why or None,
        "not_reached": list(seen.passed.not_reached) if seen.passed else [],
    }
