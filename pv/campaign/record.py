"""An outcome as the JSON of a receipt; see schemas/receipt-v1.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pv
from pv.digest import canonical, hex_float
from pv.falsify.outcome import Counterexample, Outcome
from pv.falsify.work import Plan, Work
from pv.ledger.receipt import CAUSES, DIGESTS, FORMAT, Part

MAX_ARGUMENTS = 64 * 1024


def receipt_value(
    work: Work,
    outcome: Outcome,
    plan: Plan,
    depends: Mapping[str, tuple[Part, ...]],
    root: Path,
    live: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The receipt of a trial. No time and no host: an equal run gives equal bytes. `live` counts the calls of a command."""
    scope = {name: list(values) for name, values in outcome.scope.items()}
    return {
        "format": FORMAT,
        "digests": DIGESTS,
        "tool": {"pv": pv.__version__, **{name: value for name in ("hypothesis",) for value in scope.pop(name, [])}},
        "kind": work.kind.value,
        "test": {"id": work.test.id, "contract": work.contract.name},
        "subject": {"equation": work.binding.equation, "name": work.binding.name, "target": work.binding.code},
        "scope": {**scope, "dtypes": list(outcome.dtypes)} if scope else {},
        "depends": {
            cause: [{"path": part.path, "name": part.name, "digest": part.digest} for part in depends.get(cause, ())]
            for cause in CAUSES
        },
        "cases": {
            "seed": plan.seed,
            "requested": plan.asked(len(outcome.strata)),
            "valid": outcome.valid,
            "digest": outcome.cases_digest,
            "strata": [
                {"name": row.name, "distinct": row.distinct, "exhausted": row.exhausted} for row in outcome.strata
            ],
        },
        "checks": outcome.checks,
        "residuals": [
            {"invariant": name, "dtype": dtype, "residual": hex_float(row.residual), "bound": hex_float(row.bound)}
            for (name, dtype), row in outcome.nearest
        ],
        "teeth": [
            {"invariant": row.invariant, "fault": row.fault, "caught": row.caught, "seeds": row.seeds}
            for row in outcome.teeth
        ],
        **({} if outcome.mutants is None else {"mutants": dict(outcome.mutants)}),
        **({} if live is None else {"live": dict(live)}),
        "verdict": outcome.verdict.value,
        "reason": _without_root(outcome.reason, root),
        "counterexample": None if outcome.counterexample is None else _counterexample(outcome.counterexample, root),
    }


def _counterexample(found: Counterexample, root: Path) -> dict[str, Any]:
    return {
        "invariant": found.failure.invariant,
        "stratum": found.stratum,
        "arguments": found.arguments if len(canonical(found.arguments)) <= MAX_ARGUMENTS else None,
        "digest": found.digest,
        "observed": found.failure.observed,
        "expected": found.failure.expected,
        "message": found.failure.message,
        "at": _without_root(found.failure.at, root),
    }


def _without_root(text: str, root: Path) -> str:
    """A receipt names no machine: paths in it are relative to the project."""
    return text.replace(f"{root.resolve().as_posix()}/", "")
