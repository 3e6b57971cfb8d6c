"""Which licence a text is, and whether two names mean the same one."""

from __future__ import annotations

import re
from pathlib import Path

FILES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "LICENCE.md", "LICENCE.txt", "COPYING", "COPYING.txt")

# A sentence of each text, most particular first; the first that is found decides.
_SAYS = (
    ("agpl30", "gnu affero general public license version 3"),
    ("lgpl30", "gnu lesser general public license version 3"),
    ("lgpl21", "gnu lesser general public license version 2.1"),
    ("gpl30", "gnu general public license version 3"),
    ("gpl20", "gnu general public license version 2"),
    ("apache20", "apache license version 2.0"),
    ("mpl20", "mozilla public license version 2.0"),
    ("bsd3clause", "neither the name of"),
    ("bsd2clause", "redistributions in binary form must reproduce"),
    ("isc", "permission to use, copy, modify, and/or distribute this software for any purpose"),
    ("mit", "permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("unlicense", "this is free and unencumbered software released into the public domain"),
    ("cc010", "cc0 1.0 universal"),
)
_ALIKE = {"apache2": "apache20", "gpl3": "gpl30", "gplv3": "gpl30", "gpl2": "gpl20", "gplv2": "gpl20", "mpl2": "mpl20"}
_ALIKE |= {"bsd3": "bsd3clause", "3clausebsd": "bsd3clause", "newbsd": "bsd3clause", "bsd2": "bsd2clause"}
_FAMILIES = ("agpl", "apache", "bsd", "gpl", "lgpl", "mpl")
_ALIKE |= {"agpl3": "agpl30", "agplv3": "agpl30", "lgpl3": "lgpl30", "lgplv3": "lgpl30", "cc0": "cc010"}


def licence_file(root: Path) -> Path | None:
    """The project's licence, if it lies at its root."""
    return next((root / name for name in FILES if (root / name).is_file()), None)


def licence_of(text: str) -> str:
    """The licence whose text this is, as `licence_named` spells it; empty when it is none of those known."""
    plain = re.sub(r"[\s,]+", " ", text.lower())
    return next((name for name, sentence in _SAYS if sentence.replace(",", "") in plain), "")


def is_named(kind: str, said: str) -> bool:
    """Whether `said` names the licence `kind`; BSD alone, say, names each of them."""
    name = licence_named(said)
    return kind == name or (name in _FAMILIES and kind.startswith(name))


def licence_named(name: str) -> str:
    """`name` without what people spell differently: `Apache-2.0`, `Apache 2.0` and `Apache License 2.0` are one."""
    plain = re.sub(r"[^a-z0-9]", "", re.sub(r"licen[cs]e|only|or-?later|\bthe\b", "", name.lower()))
    return _ALIKE.get(plain, plain)
