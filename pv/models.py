"""`[tool.pv.models.NAME]`: the models of a project that can be called by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pv.contract.quote import nearest
from pv.finding import PvError

_KEYS = ("family", "contract", "load", "tokenizer", "example")
_NAME = r"[a-z0-9][a-z0-9._-]*"
_MODULE = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"
_FORMS = {"load": rf"{_MODULE}:[A-Za-z_]\w*", "tokenizer": _MODULE}


class NamedModel(NamedTuple):
    """One model. `load` is `module:function`, taking (path or None, *, seed) and returning a torch.nn.Module; `tokenizer`
    a module with `tokenize` and `decode`, empty where there is none; `example` a text to explain it with."""

    name: str
    family: str
    load: str
    contract: str = ""
    tokenizer: str = ""
    example: str = ""


def read_models(settings: Mapping[str, Any]) -> tuple[NamedModel, ...]:
    """The models of `[tool.pv]`. Raises PvError for a table that is not as it must be."""
    table = settings.get("models", {})
    if not isinstance(table, dict):
        raise PvError("[tool.pv.models] must be a table of tables", hint="[tool.pv.models.NAME] begins one")
    return tuple(_model(name, row) for name, row in table.items())


def find_model(models: tuple[NamedModel, ...], family: str) -> NamedModel | None:
    """The first model of `family`."""
    return next((model for model in models if model.family == family), None)


def _model(name: str, row: Any) -> NamedModel:
    where = f"[tool.pv.models.{name}]"
    if not isinstance(row, dict) or not re.fullmatch(_NAME, name):
        raise PvError(
            f"{where} must be a table, its name of lower-case letters, digits, dots and dashes",
            hint="[tool.pv.models.NAME] begins one",
        )
    for key, value in row.items():
        if key not in _KEYS:
            raise PvError(f"{where} has the unknown key {key!r}", hint=nearest(key, _KEYS))
        if not isinstance(value, str) or not value:
            raise PvError(f"{where} {key} = {value!r} is no text", hint="write it in quotes")
        if key in _FORMS and not re.fullmatch(_FORMS[key], value):
            wanted = "module:function" if key == "load" else "a module"
            raise PvError(f"{where} {key} = {value!r} does not name {wanted}", hint="mend it in pyproject.toml")
    for key in ("family", "load"):
        if key not in row:
            raise PvError(f"{where} has no {key!r}", hint=f'{key} = "…"')
    return NamedModel(name, **row)
