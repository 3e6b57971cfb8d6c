"""Trials that are done, made by hand, for tests of what tells of them."""

from __future__ import annotations

from typing import Any

from receipts import NONE, receipt_value

from pv.campaign.run import Finished
from pv.contract.model import Binding, Contract, Equation, FalsificationTest, Holds, Invariant
from pv.falsify.outcome import Outcome
from pv.falsify.work import Work
from pv.finding import Finding, Place, Severity
from pv.report.trial_formats import Result, Selected
from pv.verdict import Verdict

HERE = Place("contracts/double-v1.yaml", 3, 5)
KERNEL = Place("kernels/double.py", 5)
TWICE = Invariant("double", "twice", Place("contracts/double-v1.yaml", 15, 9), "it is twice the argument", Holds.EXACT)
TEST = FalsificationTest("FALSIFY-D-001", HERE, ("double/twice",), "rule", "prediction", "look at\n the factor")
CONTRACT = Contract("double-v1", "contracts/double-v1.yaml", HERE, "1.0.0", "",
                    (Equation("double", HERE, "2x", "d", "c", invariants=(TWICE,)),), (TEST,))  # fmt: skip
BINDING = Binding("double-v1", "double", "plain", HERE, "subject", True, "kernels.double:double")
WORK = Work(CONTRACT, TEST, BINDING)
OTHER = Work(CONTRACT, TEST, BINDING._replace(name="numpy", default=False))
BROKEN = {
    "invariant": "double/twice", "stratum": "x.ordinary", "arguments": {"x": 18, "y": {"float": (0.5).hex()}}, "digest": NONE,
    "observed": "37", "expected": "36", "message": "differs", "at": "falsifiers/double.py:9",
}  # fmt: skip
WIDE = Finding("PV406", Severity.WARNING, HERE, "the tolerance is wide", "tighten it")


def residual(residual: float, bound: float, dtype: str = "float32") -> dict[str, str]:
    return {"invariant": "double/twice", "dtype": dtype, "residual": residual.hex(), "bound": bound.hex()}


def selected(work: Work = WORK, *, slow: bool = False) -> Selected:
    return Selected(work, work.binding.default, slow)


def done(verdict: str = "held", work: Work = WORK, *, slow: bool = False, printed: str = "", **changes: Any) -> Result:
    """A trial of `work` that came to `verdict`, its receipt with `changes`; nothing of it is kept, its code is not found."""
    receipt = receipt_value(verdict=verdict, **changes)
    outcome = Outcome(Verdict(verdict), receipt["reason"])
    return Result(selected(work, slow=slow), Finished(work, outcome, receipt, printed))


def falsified(work: Work = WORK, **changes: Any) -> Result:
    return done("falsified", work, counterexample=BROKEN, **changes)
