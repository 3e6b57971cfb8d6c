"""A stage map made of a model's own modules, for one that no map is known of."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from pv.finding import PvError
from pv.stages.map import Stage, StageMap

GENERIC = "generic"


def generic_map(model: Any) -> StageMap:
    """A stage for the output of every leaf module of the torch.nn.Module `model`, in the order in which they are registered.

    The longest list of modules of one class is taken for the layers. Stages are called as their modules, `self_attn.q_proj`
    as `self_attn_q_proj`; their axes are not known, and nothing is known of what they compute. An activation or dropout that
    lies at several places is no stage: whose call a hook sees cannot be told. Raises PvError for what is no module.
    """
    from torch import nn

    if not isinstance(model, nn.Module):
        raise PvError(f"a {type(model).__name__} is no torch.nn.Module", hint="capture watches the modules of one")
    layers = _layers(model)
    shared = _shared(model, layers)
    rows: dict[str, Stage] = {}
    names: set[str] = set()
    for path, module in model.named_modules():
        row = _general(path, layers)
        if next(module.children(), None) is None and row not in shared and row not in rows:
            rows[row] = _stage(_name(path, row, layers, names), row)
            names.add(rows[row].name)
    return StageMap(GENERIC, f"the modules of {type(model).__name__}", {}, tuple(rows.values()), layers=layers)


def _layers(model: Any) -> str:
    """Where the longest list of several modules of one class lies, that lies in no such list; "" where there is none."""
    from torch import nn

    found: dict[str, int] = {}
    for path, module in model.named_modules():
        several = path and isinstance(module, nn.ModuleList) and len(module) > 1
        if several and len({type(m) for m in module}) == 1 and not any(path.startswith(f"{each}.") for each in found):
            found[path] = len(module)
    return max(found, key=found.__getitem__) if found else ""


def _shared(model: Any, layers: str) -> set[str]:
    """The rows of modules without parameters that lie at several places. One with parameters is left: to be refused."""
    homes: dict[int, list[str]] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        if next(module.parameters(), None) is None:
            homes.setdefault(id(module), []).append(_general(path, layers))
    return {row for rows in homes.values() if len(rows) > 1 for row in rows}


def _general(path: str, layers: str) -> str:
    """`path` with {layer} for the number of the layer that it is in."""
    inside = re.match(re.escape(layers) + r"\.\d+(?=\.|$)", path) if layers else None
    return f"{layers}.{{layer}}{path[inside.end() :]}" if inside else path


def _name(path: str, row: str, layers: str, taken: Collection[str]) -> str:
    """A name that can be a file's and that no other stage has."""
    own = row.removeprefix(f"{layers}.{{layer}}").strip(".") or layers if row != path else path or "output"
    plain = re.sub(r"[^a-z0-9_]+", "_", own.lower()).strip("_")
    name = plain if plain[:1].isalpha() else f"m{plain}"
    free = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in free if other not in taken)


def _stage(name: str, row: str) -> Stage:
    scope = "layer" if "{layer}" in row else "model"
    return Stage(name=name, part="", axes=(), hook={"module": row}, scope=scope, when=row)
