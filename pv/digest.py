"""Canonical JSON and the digests made of it.

Canonical form: UTF-8, keys sorted, no white space, floats as C99 hexadecimal strings (so that no two printers of
decimals can disagree), one final newline in files. The name of a file in the ledger is the SHA-256 of these bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
_AS_IT_IS = frozenset({str, int, bool, type(None)})  # of thousands of tokens of code nearly all


def canonical(value: Any) -> bytes:
    """The canonical JSON of `value` (dicts with text keys, lists, tuples, text, integers, floats, booleans, None).

    Raises TypeError for anything else: what cannot be written the same way everywhere must not be hashed.
    """
    return _ENCODER.encode(_plain(value)).encode("ascii")


def sha256(data: bytes) -> str:
    """The SHA-256 of `data`, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """The SHA-256 of the canonical JSON of `value`."""
    return sha256(canonical(value))


def hex_float(value: float) -> str:
    """`value` as C99 hexadecimal text; `nan`, `inf`, `-inf` for what is not finite."""
    return value.hex() if math.isfinite(value) else repr(value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return hex_float(value)
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _AS_IT_IS else _plain(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"canonical JSON needs text keys, not {list(value)[:3]!r}")
        return {key: item if type(item) in _AS_IT_IS else _plain(item) for key, item in value.items()}
    raise TypeError(f"canonical JSON cannot hold a {type(value).__name__}")
