"""An outcome as the JSON of a receipt; see schemas/receipt-v1.json."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pv
from pv.contract.model import Binding, FalsificationTest
from pv.digest import canonical, hex_float
from pv.falsify.encode import encode, fingerprint
from pv.falsify.trial import Counterexample, Outcome, Plan
from pv.ledger.receipt import CAUSES, DIGESTS, FORMAT, Part
from pv.verdict import Kind

MAX_ARGUMENTS = 64 * 1024


def receipt_value(
    contract: str,
    test: FalsificationTest,
    binding: Binding,
    outcome: Outcome,
    plan: Plan,
    depends: Mapping[str, tuple[Part, ...]],
    root: Path,
) -> dict[str, Any]:
    """The receipt of an `algorithm` trial. No time and no host: an equal run gives equal bytes."""
    return {
        "format": FORMAT,
        "digests": DIGESTS,
        "tool": _tool(),
        "kind": Kind.ALGORITHM.value,
        "test": {"id": test.id, "contract": contract},
        "subject": {"equation": binding.equation, "name": binding.name, "target": binding.target},
        "scope": _scope(outcome),
        "depends": {
            cause: [{"path": part.path, "name": part.name, "digest": part.digest} for part in depends.get(cause, ())]
            for cause in CAUSES
        },
        "cases": {
            "seed": plan.seed,
            "requested": plan.examples,
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
        "verdict": outcome.verdict.value,
        "reason": _without_root(outcome.reason, root),
        "counterexample": None if outcome.counterexample is None else _counterexample(outcome.counterexample, root),
    }


def _tool() -> dict[str, str]:
    import hypothesis

    return {"pv": pv.__version__, "hypothesis": hypothesis.__version__}


def _scope(outcome: Outcome) -> dict[str, list[str]]:
    import torch

    python = ".".join(platform.python_version_tuple()[:2])
    return {
        "python": [python],
        "torch": [torch.__version__.partition("+")[0]],
        "device": ["cpu"],
        "dtypes": list(outcome.dtypes),
        "threads": [str(torch.get_num_threads())],
    }


def _counterexample(found: Counterexample, root: Path) -> dict[str, Any]:
    arguments = {name: encode(value) for name, value in found.case.values.items()}
    return {
        "invariant": found.failure.invariant,
        "stratum": found.stratum,
        "arguments": arguments if len(canonical(arguments)) <= MAX_ARGUMENTS else None,
        "digest": fingerprint(found.case.values).hex(),
        "observed": found.failure.observed,
        "expected": found.failure.expected,
        "message": found.failure.message,
        "at": _without_root(found.failure.at, root),
    }


def _without_root(text: str, root: Path) -> str:
    """A receipt names no machine: paths in it are relative to the project."""
    return text.replace(f"{root.resolve().as_posix()}/", "")
