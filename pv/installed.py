"""Which of the libraries that pv asks for are here: from what the installed distribution says of itself, importing none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

DISTRIBUTION = "pv-contracts"
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*(?P<range>[^;]*?)\s*(?:;.*extra == ['\"](?P<extra>\w+)['\"])?")
_BOUND = re.compile(r"(>=|<=|==|!=|>|<)\s*([\d.]+)")

NEEDS: Mapping[str, tuple[str, ...]] = {
    "tensors": ("tensors --stats", "diff --values"),
    "gguf": ("tensors --stats of quantised GGUF files",),
    "torch": ("falsify", "teeth", "replay", "pin", "gate --falsify", "gate --reproduce", "trace", "bisect"),
    "hf": ("trace and bisect of Hugging Face folders",),
    "plot": ("bisect --plot FILE.png",),
}
"""What each extra makes work; a command that is named nowhere here needs the core alone."""


@dataclass(frozen=True, slots=True)
class Library:
    """One library that is asked for: `range` as pyproject.toml has it, `version` empty where it is not installed."""

    name: str
    range: str
    version: str

    @property
    def serves(self) -> bool:
        """Whether it is here, in a version of the range."""
        return bool(self.version) and _within(self.version, self.range)


def libraries() -> dict[str, tuple[Library, ...]] | None:
    """What each extra asks for, by its name, the core's under ""; None where pv is run from a folder, not installed."""
    try:
        rows = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return None
    asked: dict[str, list[Library]] = {"": []}
    for row in rows:
        found = _REQUIREMENT.fullmatch(row)
        if found is not None:
            name = found["name"]
            asked.setdefault(found["extra"] or "", []).append(Library(name, found["range"], _version(name)))
    return {extra: tuple(found) for extra, found in asked.items()}


def working(found: Mapping[str, Sequence[Library]], commands: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Which of `commands` will work with the libraries `found`, and which will not, each with the extra it lacks."""
    lacking = {extra for extra, rows in found.items() if not all(row.serves for row in rows)}
    needs = {command: extra for extra, does in NEEDS.items() for command in does}
    needs = {**{name: "" for name in commands if name not in needs}, **needs}
    works = [name for name, extra in needs.items() if not lacking & {"", extra}]
    return works, {name: "" if "" in lacking else extra for name, extra in needs.items() if lacking & {"", extra}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _within(here: str, wanted: str) -> bool:
    own = _numbers(here)
    return all(_holds(own, sign, _numbers(bound)) for sign, bound in _BOUND.findall(wanted))


def _holds(own: tuple[int, ...], sign: str, bound: tuple[int, ...]) -> bool:
    length = max(len(own), len(bound))
    left, right = (numbers + (0,) * (length - len(numbers)) for numbers in (own, bound))
    less, more = left < right, left > right
    return {">=": not less, "<=": not more, "==": left == right, "!=": left != right, ">": more, "<": less}[sign]


def _numbers(text: str) -> tuple[int, ...]:
    """`2.13.0+cpu` as (2, 13, 0)."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
