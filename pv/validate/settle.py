"""From everything that was found to what is reported: comments, settings, options and a baseline taken into account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pv.contract.document import read_bytes
from pv.finding import Finding
from pv.rules.config import Selection, read_weights, weigh
from pv.rules.suppress import Ignore, answered, idle, read_ignores
from pv.validate.judgement import Judgement, Kind
from pv.validate.run import Group, Outcome


class Settled(NamedTuple):
    """What is reported, and how many findings are not, by the reason why."""

    findings: tuple[Finding, ...]
    hidden: tuple[tuple[str, int], ...]


def settle(outcome: Outcome, codes: Collection[str], selection: Selection, read_from: Callable[[str], Path]) -> Settled:
    """Raises PvError when the settings of a project are wrong. `read_from` is where a shown path lies."""
    kept: list[Finding] = []
    ignored = switched_off = 0
    for group in outcome.groups:
        ignores = _ignores(group, read_from)
        left, used = answered(group.findings, ignores)
        ignored += len(group.findings) - len(left)
        left += _idle(group, ignores, used, codes)
        settings = group.project.settings.get("rules", {}) if group.project else {}
        weighed, off = weigh(left, read_weights(settings, codes))
        switched_off += off
        kept += weighed
    shown = [finding for finding in kept if selection.admits(finding.code)]
    hidden = (("ignored", ignored), ("switched off", switched_off), ("not selected", len(kept) - len(shown)))
    return Settled(tuple(shown), tuple((why, count) for why, count in hidden if count))


def _ignores(group: Group, read_from: Callable[[str], Path]) -> dict[str, Sequence[Ignore]]:
    """The comments of every file judged, and of a binding file that findings lie in and that was not."""
    found: dict[str, Sequence[Ignore]] = {one.path: one.ignores for one in group.judgements}
    for path in {finding.place.path for finding in group.findings} - found.keys():
        if path.endswith((".yaml", ".yml")):
            data = read_bytes(read_from(path), path)
            found[path] = read_ignores(data, path) if isinstance(data, bytes) else ()
    return found


def _idle(
    group: Group, ignores: Mapping[str, Sequence[Ignore]], used: Collection[Ignore], codes: Collection[str]
) -> list[Finding]:
    return [
        finding
        for one in group.judgements
        if ignores[one.path]
        for finding in idle(ignores[one.path], used, codes, _judged(one, group))
    ]


def _judged(one: Judgement, group: Group) -> Callable[[str], bool]:
    """Whether a rule could have found anything in a file: not where the text is wrong, nor without what the rule asks for."""
    alone = one.path in group.alone or any(finding.code == "PV300" for finding in one.findings)

    def judged(code: str) -> bool:
        if one.kind is Kind.BINDING:
            return group.whole
        return not one.unread and not (alone and code.startswith(("PV3", "PV4")))

    return judged
