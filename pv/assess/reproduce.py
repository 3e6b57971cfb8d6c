"""Whether a run made again came to what its receipt records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pv.verdict import Verdict

# What does not tell of the run itself: what made it is asked for first, and a reason is told with the verdict.
_APART = ("format", "digests", "tool", "scope", "reason")
_PLACE = ("python", "torch", "device")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A receipt held against a run made again.

    `differs` says what is not the same. `elsewhere` says why that need not mean anything (another torch, another
    Hypothesis, no run at all); both are empty when the receipt reproduces.
    """

    differs: tuple[str, ...] = ()
    elsewhere: str = ""


def compare(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> Comparison:
    """Hold the JSON of a recorded receipt against that of the same run made again here.

    On the same Python, torch, device and version of what draws the cases everything must be equal; residuals also need the
    same number of threads. Anywhere else other cases are drawn and other rounding is seen, but what held has to hold.
    """
    if not again["scope"]:
        return Comparison(elsewhere=again["reason"] or "it could not be run here")
    elsewhere = _elsewhere(recorded, again)
    if elsewhere:
        broken = again["verdict"] not in (recorded["verdict"], Verdict.NOT_MEASURED.value)
        return Comparison((_field("verdict", recorded, again),)) if broken else Comparison(elsewhere=elsewhere)
    scopes = recorded["scope"], again["scope"]
    apart = _APART if scopes[0].get("threads") == scopes[1].get("threads") else (*_APART, "residuals")
    names = [name for name in {**again, **recorded} if name not in apart]
    differs = [_field(name, recorded, again) for name in names if recorded.get(name) != again.get(name)]
    if scopes[0].get("dtypes") != scopes[1].get("dtypes"):
        differs.append("dtypes")
    return Comparison(tuple(differs))


def _elsewhere(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    """What made the recorded run and is not here; empty when it is the same."""
    pairs = [(name, recorded["scope"].get(name), again["scope"].get(name)) for name in _PLACE]
    pairs += [(name, recorded["tool"].get(name), again["tool"].get(name)) for name in sorted(again["tool"])]
    other = [f"{name} {_words(then)}, here {_words(now)}" for name, then, now in pairs if then != now]
    return f"made with {'; '.join(other)}" if other else ""


def _field(name: str, recorded: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    """What is not the same, as exactly as it can be said in a line."""
    then, now = recorded.get(name), again.get(name)
    if name == "verdict":
        return f"verdict (recorded {then}, now {now}{': ' + again['reason'] if again['reason'] else ''})"
    if name == "checks":
        return f"checks (recorded {then:,}, now {now:,})"
    if isinstance(then, dict) and isinstance(now, dict):
        return f"{name} ({', '.join(sorted(key for key in {**then, **now} if then.get(key) != now.get(key)))})"
    return name


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "unknown")
