"""Whether a ledger file has the layout its `format` names."""

from __future__ import annotations

from functools import cache
from typing import Any

from pv.contract.schema import load_schema


def problem_of(layout: str, value: Any) -> str:
    """Why `value` is no `layout` (`pv/receipt-v1`, `pv/promotion-v1`); empty when it is one."""
    found = value.get("format") if isinstance(value, dict) else None
    if found != layout:
        return f"has the format {found!r}, not {layout!r}"
    validator = _validator(layout)
    if validator.is_valid(value):
        return ""
    error = next(iter(validator.iter_errors(value)), None)
    where = "/".join(map(str, error.instance_path)) if error is not None else ""
    return f"does not have the layout of {layout}" + (f": see {where}" if where else "")


@cache
def _validator(layout: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(load_schema(layout))
