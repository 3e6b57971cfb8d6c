"""`pv explain --tensor NAME`: a weight by its role, or a stage of the forward pass by its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pv.contract.quote import nearest
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.cli.explain import Wanted
    from pv.cli.models import Opened
    from pv.families.model import Family
    from pv.project import Project


def explain_tensor(
    project: Project | None, families: Sequence[Family], name: str, model: str | None, wanted: Wanted
) -> Exit:
    """What the tensor called `name` is: in `model`, or, without one, by the names that families give."""
    from pv.cli.models import opened

    stages = [] if model is not None else _stages_of_first(project)
    if model is None and name not in stages:
        return _by_convention(families, name, stages, wanted)
    word = model if model is not None or project is None else project.models[0].name
    with opened(project, families, word or "", wanted.seed, run=False) as found:
        if found.stage_map is None or name not in [stage.name for stage in found.stage_map.stages]:
            return _weight(found, families, name, wanted)
        if found.running is not None:
            return _stage(found, name, wanted)
    with opened(project, families, word or "", wanted.seed, run=True) as found:
        return _stage(found, name, wanted)


def _stages_of_first(project: Project | None) -> list[str]:
    """The stages of the project's first model: what a name means when no model is said."""
    from pv.stages.read import read_stage_map

    if project is None or not project.models:
        return []
    stage_map = read_stage_map(project.root, project.models[0].family)
    return [stage.name for stage in stage_map.stages] if stage_map else []


def _by_convention(families: Sequence[Family], name: str, stages: Sequence[str], wanted: Wanted) -> Exit:
    from pv.cli.explain import refuse_idle
    from pv.families.roles import known_parts, roles_like
    from pv.report.plain import json_text

    refuse_idle(wanted, "a weight", "--text", "--seed")
    found = list(roles_like(families, name))
    if not found:
        raise PvError(f"no family here has a tensor {name!r}", hint=nearest(name, [*stages, *known_parts(families)]))
    if wanted.json:
        rows = [
            {"family": r.family.name, "role": r.row.role, "purpose": r.row.purpose or None, "layer": r.layer,
             "names": list(r.row.names), "shape": list(r.row.shape)}
            for r in found
        ]  # fmt: skip
        click.echo(json_text({"tensor": name, "roles": rows}))
        return Exit.OK
    by_text: dict[str, list[str]] = {}
    for role in found:
        layer = "" if role.layer is None else f" of layer {role.layer}"
        by_text.setdefault(f"{role.row.text}{layer}", []).append(role.family.display_name)
    for text, names in by_text.items():
        click.echo(f"{name}: {text}  ({', '.join(dict.fromkeys(names))})")
    return Exit.OK


def _weight(found: Opened, families: Sequence[Family], name: str, wanted: Wanted) -> Exit:
    from pv.cli.explain import refuse_idle
    from pv.families.roles import ends_in
    from pv.introspect.describe import roles_in
    from pv.report.explain import print_roles, tensor_value
    from pv.report.plain import json_text

    rows = list(roles_in(found.described, families))
    chosen = [row for row in rows if row[0].name == name] or [row for row in rows if ends_in(row[0].name, name)]
    if not chosen:
        stages = [stage.name for stage in found.stage_map.stages] if found.stage_map else []
        known = [*stages, *(tensor.name for tensor, _ in rows)]
        raise PvError(f"{found.described.name} has no tensor and no stage {name!r}", hint=nearest(name, known))
    refuse_idle(wanted, "a weight", "--text", "--seed")
    if wanted.json:
        click.echo(json_text({"model": found.described.name, "tensors": [tensor_value(*row) for row in chosen]}))
    else:
        print_roles(chosen, every=True)
    return Exit.OK


def _stage(found: Opened, name: str, wanted: Wanted) -> Exit:
    from pv.cli.explain import attention_pass
    from pv.cli.models import why_not
    from pv.report.plain import json_text
    from pv.report.stage import print_stage, stage_value

    if found.running is None:
        raise why_not(found)
    passed = attention_pass(found, wanted.text)
    if passed is None:
        raise PvError(f"{name} is a stage of a forward pass, which needs something to read", hint="give --text")
    if passed.value(name) is None:
        raise PvError(
            f"the forward pass did not come by {name}: not measured",
            exit=Exit.RUN,
            hint="pv trace MODEL shows the stages that it comes by",
        )
    stage = passed.captured.stage_map.stage(name)
    if wanted.json:
        click.echo(json_text(stage_value(found.described.name, stage, passed)))
    else:
        print_stage(found.described.name, stage, passed)
    return Exit.OK
