"""Units and their parts as JSON, and back: what a worker sends is data, never objects of the code it ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pv.falsify.outcome import Counterexample, Failure, Nearest, Recorded, Unit
from pv.verdict import Verdict


def unit_value(unit: Unit) -> dict[str, Any]:
    """`unit` as JSON."""
    return {
        **{name: getattr(unit, name) for name in _PLAIN},
        "verdict": unit.verdict.value,
        "nearest": [[*key, row.residual, row.bound] for key, row in unit.nearest],
        "recorded": [[row.stratum, row.arguments, row.outputs] for row in unit.recorded],
        "counterexample": asdict(unit.counterexample) if unit.counterexample else None,
    }


def unit_of(value: Mapping[str, Any]) -> Unit:
    """The unit that `unit_value` wrote."""
    plain: dict[str, Any] = {name: tuple(item) if isinstance(item := value[name], list) else item for name in _PLAIN}
    return Unit(
        **plain,
        verdict=Verdict(value["verdict"]),
        nearest=tuple(((name, dtype), Nearest(residual, bound)) for name, dtype, residual, bound in value["nearest"]),
        recorded=tuple(Recorded(*row) for row in value["recorded"]),
        counterexample=counterexample_of(value["counterexample"]),
    )


def counterexample_of(value: Mapping[str, Any] | None) -> Counterexample | None:
    """A counterexample from its JSON."""
    if value is None:
        return None
    return Counterexample(value["arguments"], value["digest"], value["stratum"], Failure(**value["failure"]))


_PLAIN = ("index", "region", "share", "reason", "seen", "offered", "exhausted", "checks", "valid", "digest", "dtypes")
