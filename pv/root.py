"""Where a project's root is, what its folders are called, and what `[tool.pv]` holds. Nothing else knows folder names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pv.finding import PvError

CONTRACTS = "contracts"
BINDING = "contracts/binding.yaml"
FAMILIES = "contracts/families"
STAGES = "contracts/stages"
FALSIFIERS = "falsifiers"
PINS = "falsifiers/pins"
EQUIVALENT = "falsifiers/equivalent.yaml"
LEDGER = "ledger"
SHELF = ".pv"
INDEX = ".pv/index"
COUNTEREXAMPLES = ".pv/counterexamples"
CAPTURES = ".pv/captures"


def find_root(start: Path) -> Path | None:
    """The nearest ancestor of `start` with a `[tool.pv]` table or a contracts/binding.yaml."""
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / BINDING).is_file() or read_settings(folder) is not None:
            return folder
    return None


@lru_cache(maxsize=8)  # a pyproject.toml holds the settings, and what documents say
def parse_toml(text: str) -> Mapping[str, Any]:
    """The table that `text` is, shared by all who ask: nobody may change it. Raises ValueError where it is none."""
    import tomllib

    return tomllib.loads(text)


def read_settings(folder: Path) -> Mapping[str, Any] | None:
    """`[tool.pv]` of the pyproject.toml in `folder`, or None. Raises PvError when the file cannot be read as TOML."""
    path = folder / "pyproject.toml"
    if not path.exists():
        return None
    try:
        table = parse_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PvError(f"{path} cannot be read: {error}", hint="mend it: it is to be TOML in UTF-8") from error
    settings = table.get("tool", {}).get("pv")
    if settings is not None and not isinstance(settings, dict):
        raise PvError(f"{path}: [tool.pv] must be a table", hint="[tool.pv] begins it; write its keys below it")
    return settings
