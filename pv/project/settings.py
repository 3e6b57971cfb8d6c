"""What `[tool.pv]` may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pv.contract.quote import nearest
from pv.finding import PvError
from pv.models import read_models

_KEYS = ("source", "scope", "policy", "rules", "models")
_SCOPE_KEYS = ("python", "torch", "device", "dtypes", "threads")


def require_settings(settings: Mapping[str, Any]) -> None:
    """Raise PvError when `settings` are wrong.

    Closed, like every format of pv: a misspelt key would otherwise weaken the gate in silence.
    """
    for key in settings:
        if key not in _KEYS:
            raise PvError(f"[tool.pv] has the unknown key {key!r}", hint=nearest(key, _KEYS))
    if not _is_list_of_text(settings.get("source", [])):
        raise PvError("[tool.pv] source must be a list of folders", hint='source = ["."]')
    for key, values in _table(settings, "scope").items():
        if key not in _SCOPE_KEYS or not _is_list_of_text(values):
            raise PvError(
                f"[tool.pv.scope] {key} is not known or no list of text", hint=f"known: {', '.join(_SCOPE_KEYS)}"
            )
    for key, value in _table(settings, "policy").items():
        if key not in ("cases", "stratum") or not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise PvError(
                f"[tool.pv.policy] {key} = {value!r} is not known or no whole number above 0",
                hint="mend it in pyproject.toml",
            )
    read_models(settings)


def _table(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = settings.get(name, {})
    if not isinstance(table, dict):
        raise PvError(
            f"[tool.pv.{name}] must be a table", hint="[tool.pv.NAME] begins a table; write its keys below it"
        )
    return table


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
