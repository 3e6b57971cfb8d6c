"""Badges: images that say something of the project, and whether it is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pv.documents.licence import is_named, licence_file, licence_of
from pv.documents.outline import Link

_HOSTS = re.compile(r"(?:^|\.)(?:shields\.io|badgen\.net|badge\.fury\.io|codecov\.io|coveralls\.io|circleci\.com)$")
_WORKFLOW = re.compile(r"^/[^/]+/[^/]+/(?:actions/)?workflows/([^/]+)/badge\.svg$")
_SHIELDS_WORKFLOW = re.compile(r"^/github/actions/workflow/status/[^/]+/[^/]+/([^/]+)$")
_PART = re.compile(r"(?:[^-]|--)+")
WORKFLOWS = ".github/workflows"

Report = tuple[str, int, int, str, str]


class Badge(NamedTuple):
    """The two halves of a static badge of shields.io: `label-message-colour`."""

    label: str
    message: str


def is_badge(target: str) -> bool:
    """Whether an image is a badge, by where it comes from."""
    parts = urlsplit(target)
    return (
        bool(_HOSTS.search(parts.hostname or ""))
        or bool(_WORKFLOW.match(parts.path))
        or parts.path.endswith("badge.svg")
    )


def static_badge(target: str) -> Badge | None:
    """What a static badge says; None for any other target."""
    parts = urlsplit(target)
    if not (parts.hostname or "").endswith("shields.io") or not parts.path.startswith("/badge/"):
        return None
    fields = _PART.findall(parts.path.removeprefix("/badge/").removesuffix(".svg"))
    if len(fields) < 2:
        return None
    label, message = ("" if len(fields) == 2 else fields[0]), fields[-2]
    return Badge(_plain(label), _plain(message))


def _plain(field: str) -> str:
    """As shields.io reads a field: `--` is a hyphen, `_` a blank, `__` an underscore."""
    text = unquote(field).replace("--", "-")
    return re.sub(r"__|_", lambda found: "_" if found[0] == "__" else " ", text)


def judge_badge(image: Link, root: Path) -> Iterator[Report]:
    """PV711 and PV712 of one image that is a badge."""
    line, column = image.line, image.column
    for target in (image.target, image.around):
        if target.lower().startswith("http:"):
            yield "PV711", line, column, f"the badge leads to {target!r}", "write https:"
    workflow = _workflow(image.target)
    if workflow and (message := _no_workflow(workflow, root)):
        yield "PV711", line, column, message, "name a file of .github/workflows, or take the badge out"
    badge = static_badge(image.target)
    if badge is not None and re.fullmatch(r"licen[cs]e", badge.label.strip(), re.IGNORECASE):
        yield from _licence(badge.message, line, column, root)


def _workflow(target: str) -> str:
    parts = urlsplit(target)
    pattern = _SHIELDS_WORKFLOW if (parts.hostname or "").endswith("shields.io") else _WORKFLOW
    found = pattern.match(parts.path)
    return unquote(found[1]) if found else ""


def _no_workflow(name: str, root: Path) -> str:
    """Why the project has no workflow of that file name or, in badges of old, of that title; empty when it has one.

    Of a folder that is no repository it cannot be told.
    """
    if not (root / ".git").exists() and not (root / ".github").exists():
        return ""
    folder = root / WORKFLOWS
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yml", ".yaml")) if folder.is_dir() else []
    if any(path.name == name for path in files):
        return ""
    if Path(name).suffix not in (".yml", ".yaml") and any(_title(path) == name for path in files):
        return ""
    listed = ", ".join(path.name for path in files[:5]) or "none at all"
    return f"the badge is of the workflow {name!r}, and {WORKFLOWS} has {listed}"


def _title(path: Path) -> str:
    import yaml  # badges of today name the file

    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((str(value.value) for key, value in pairs if key.value == "name"), "")


def _licence(said: str, line: int, column: int, root: Path) -> Iterator[Report]:
    file = licence_file(root)
    if file is None:
        yield (
            "PV712",
            line,
            column,
            f"the badge says {said!r}, and the project has no LICENSE",
            "add the licence's text",
        )
        return
    kind = licence_of(file.read_text(encoding="utf-8", errors="replace"))
    if not is_named(kind, said):
        message = f"the badge says {said!r}, and {file.name} is {kind or 'no licence that pv knows'}"
        yield "PV712", line, column, message, f"write what {file.name} is"
