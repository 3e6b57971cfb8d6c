"""Options that are amounts with a unit: `10m`, `4G`. Each is a function from the text to the number, for click's `type=`."""

from __future__ import annotations

import re

import click

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_PART = re.compile(_NUMBER + "([smhd])")
_SPAN = re.compile(f"(?:{_NUMBER}[smhd])+")
_SIZE = re.compile(_NUMBER + "([KMGT]?)(?:I?B)?")


def span(text: str) -> float:
    """`90`, `90s`, `10m` or `1h30m` in seconds. Raises click.BadParameter for anything else, and for no time at all."""
    lower = text.strip().lower()
    whole = f"{lower}s" if lower[-1:].isdigit() or lower.endswith(".") else lower
    parts = _PART.findall(whole) if _SPAN.fullmatch(whole) else ()
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds <= 0:
        raise click.BadParameter(f"{text!r} is no time above 0: write 90, 90s, 10m or 1h30m")
    return seconds


def size(text: str) -> int:
    """`4G`, `512M`, `1.5GiB` or a number of bytes in bytes; units are powers of 1,024. Raises click.BadParameter otherwise."""
    found = _SIZE.fullmatch(text.strip().upper())
    bytes_ = int(float(found[1]) * _BYTES[found[2]]) if found else 0
    if bytes_ <= 0:
        raise click.BadParameter(f"{text!r} is no amount of memory above 0: write 4G, 512M or a number of bytes")
    return bytes_
