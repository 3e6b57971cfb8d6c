"""Files that pv writes for people to go on with, from the templates that lie in `pv/templates`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.scaffold import Lacking

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).resolve().parent.parent / "templates"
_SUFFIX = ".jinja"


def falsifiers_module(contract: str, missing: Lacking) -> str:
    """The text of a module with a function for every falsifier and fault that is missing."""
    return _render("falsifiers.py", contract=contract, falsifiers=missing.falsifiers, faults=missing.faults)


def project_files(kind: str) -> dict[str, str]:
    """Path below the new folder → text, for a project of `kind`: example or empty."""
    folder = _FOLDER / kind
    paths = sorted(path for path in folder.rglob(f"*{_SUFFIX}"))
    names = [path.relative_to(folder).as_posix().removesuffix(_SUFFIX) for path in paths]
    return {_dotted(name): _render(f"{kind}/{name}") for name in names}


def svg(name: str, **values: Any) -> str:
    """The drawing of the template `name`; every value is escaped."""
    return _environment(escape=True).get_template(name + _SUFFIX).render(**values)


def _dotted(name: str) -> str:
    """`dot-gitignore` is written as `.gitignore`: hidden files are easily lost on the way into a distribution."""
    return name.replace("dot-", ".", 1) if name.startswith("dot-") else name


def _render(name: str, **values: Any) -> str:
    environment = _environment(escape=False)  # nothing becomes HTML; what becomes Python goes through these filters
    environment.filters["comment"] = _comment
    environment.filters["literal"] = _literal
    return environment.get_template(name + _SUFFIX).render(**values)


def _environment(*, escape: bool) -> Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        undefined=jinja2.StrictUndefined,
        autoescape=escape,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _comment(text: str) -> str:
    """`text` as indented comment lines, whatever it holds."""
    printable = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in " ".join(text.split()))
    return textwrap.fill(printable, 116, initial_indent="    # ", subsequent_indent="    # ")


def _literal(text: str) -> str:
    """`text` as a Python literal, in double quotes where that needs no escapes."""
    plain = text.isprintable() and not any(sign in text for sign in "\"'\\")
    return f'"{text}"' if plain else repr(text)
