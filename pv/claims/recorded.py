"""Values of JSON files that claims may name."""

from __future__ import annotations

import json
from pathlib import Path

from pv.contract.document import parse_document
from pv.contract.model import JsonValue
from pv.source.constants import Folded, Unfolded
from pv.source.files import project_file


def recorded(root: Path, asked: JsonValue) -> Folded | Unfolded:
    """The text or number at `asked`, with the line it stands on; what is not there, or no JSON, has no value."""
    file = project_file(root, asked.path)
    if file is None:
        return Unfolded(
            f"there is no file {asked.path!r}", hint="name a JSON file of the project, relative to its root"
        )
    try:
        data = file.read_bytes()
        value = json.loads(data)
    except (OSError, ValueError, RecursionError) as problem:
        return Unfolded(f"{asked.path} is not JSON: {problem}", hint="write it anew")
    for step in asked.key:
        here = value[step] if isinstance(value, dict) and step in value else None
        here = value[step] if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value) else here
        if here is None:
            return Unfolded(
                f"{asked.path} has nothing at {_written(asked)}", hint="name the keys and indices on the way"
            )
        value = here
    if isinstance(value, dict | list):
        return Unfolded(f"{_written(asked)} of {asked.path} is no single value", hint="name the keys down to a value")
    return Folded(value, parse_document(data, asked.path).place(asked.key))


def _written(asked: JsonValue) -> str:
    return ".".join(map(str, asked.key))
