"""Values of JSON, TOML and YAML files that claims may name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pv.contract.document import parse_document
from pv.contract.model import DataValue
from pv.finding import Place
from pv.root import parse_toml
from pv.source.constants import Folded, Unfolded
from pv.source.files import project_file

Key = Sequence[str | int]


class Unrecorded(Unfolded):
    """A command that has only to be recorded again."""


def data_value(root: Path, asked: DataValue) -> Folded | Unfolded:
    """The text or number at `asked`, and its file; what is not there, or not of that kind, has no value."""
    kind = asked.kind.upper()
    file = project_file(root, asked.path)
    if file is None:
        hint = f"name a {kind} file of the project, relative to its root"
        return Unfolded(f"there is no file {asked.path!r}", hint=hint)
    try:
        whole = _parsed(asked.kind, file.read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        return Unfolded(f"{asked.path} is not {kind}: {problem}", hint="write it anew")
    value = below(whole, asked.key)
    if value is None:
        return Unfolded(f"{asked.path} has nothing at {spelt(asked.key)}", hint="name the keys and indices on the way")
    if isinstance(value, dict | list) or not isinstance(value, str | int | float):
        message = f"{spelt(asked.key)} of {asked.path} is no single text or number"
        return Unfolded(message, hint="name the keys down to a value")
    return Folded(value, Place(asked.path))


def data_place(root: Path, asked: DataValue) -> Place:
    """Where the value at `asked` stands, which `data_value` has read: looked for only where a claim is wrong."""
    try:
        data = (root / asked.path).read_bytes()
    except OSError:  # it went away meanwhile
        return Place(asked.path)
    if asked.kind != "toml":
        return parse_document(data, asked.path).place(asked.key)
    return Place(asked.path, _toml_line(data.decode("utf-8", "replace"), asked.key))


def below(value: Any, key: Key) -> Any:
    """What stands below the keys and indices of `key`; None when nothing does."""
    for step in key:
        here = value[step] if isinstance(value, dict) and step in value else None
        here = value[step] if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value) else here
        if here is None:
            return None
        value = here
    return value


def spelt(key: Key) -> str:
    """`key` as people write it."""
    return ".".join(map(str, key))


@lru_cache(maxsize=16)  # several claims are of one file
def _parsed(kind: str, data: bytes) -> Any:
    if kind == "json":
        return json.loads(data)
    if kind == "toml":
        return parse_toml(data.decode("utf-8"))
    document = parse_document(data, "")
    if document.findings:
        raise ValueError(document.findings[0].message)
    return document.value


def _toml_line(text: str, key: Key) -> int:
    """The line on which a TOML file gives `key`, where it says so plainly; its first otherwise."""
    names = [step for step in key if isinstance(step, str)]
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if table := re.match(r"\s*\[\[?([^\]]+)\]\]?\s*(?:#|$)", line):
            inside = [part.strip().strip("\"'") for part in table[1].split(".")]
        elif given := re.match(r"\s*([\w.\-\"']+)\s*=", line):
            own = [*inside, *(part.strip("\"'") for part in given[1].split("."))]
            if own == names[: len(own)]:
                return number
    return 1
