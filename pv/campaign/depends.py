"""What a verdict depends on: the parts of the project that a trial's processes entered, opened and imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pv.assess.freshness import Today, binding_parts
from pv.digest import sha256
from pv.falsify.work import Functions, Work
from pv.finding import PvError
from pv.ledger.receipt import Part
from pv.source.parts import Code
from pv.source.target import find_target

Depends = dict[str, tuple[Part, ...]]


class Dependencies:
    """The parts behind each trial of a campaign, each file parsed once as long as nobody edits it."""

    def __init__(self, root: Path, sources: Sequence[str], today: Today) -> None:
        self._root = root.resolve()
        self._sources = tuple(sources)
        self._today = today
        self._code = today.code

    def of(self, work: Work, answers: Sequence[Mapping[str, Any]], *, held: bool) -> tuple[Depends, str]:
        """The parts by cause, and why they cannot be believed (empty when they can)."""
        depends: Depends = {
            "clause": self._today.clause(work.contract, work.test),
            "falsifier": self._today.falsifier(work.contract, work.test),
            "binding": binding_parts(work.binding),
        }
        if not answers:
            return depends, ""
        problem = self._changed(answers)
        if problem:
            return depends, problem
        try:
            depends["subject"] = self._subject(work, answers)
        except PvError as error:
            return depends, error.message
        if held and not depends["subject"]:  # nothing could ever make it stale
            return depends, f"{work.binding.code} was run, but its source is not found below the project"
        return depends, ""

    def functions(self, answers: Sequence[Mapping[str, Any]]) -> Functions:
        """The outermost functions that the subject entered, methods beside them too; none where they are not what ran."""
        if any(answer["blind"] for answer in answers):
            return ()
        entered = self._code.functions((path, name) for answer in answers for path, name in answer["entered"])
        outer = [(path, name) for path, name in sorted(entered) if "<" not in name]
        return tuple((self._code.module_name(path), path, name) for path, name in outer)

    def _changed(self, answers: Sequence[Mapping[str, Any]]) -> str:
        """A file that is no longer what a trial imported, or was not what this process has read."""
        for answer in answers:
            for file, was in answer["loaded"].items():
                path = Path(file).relative_to(self._root).as_posix()
                if was != _content(Path(file)) or self._code.content(path) not in (None, was):
                    self._code = Code(self._root, self._sources)
                    return f"{path} was changed while it was being judged: run again"
        return ""

    def _subject(self, work: Work, answers: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
        if work.binding.command:  # another process: what it enters cannot be seen from here
            return self._code.command(work.binding.command)
        found = find_target(self._root, self._sources, work.binding.target)
        if not found.path:
            return ()
        entered = {(path, name) for answer in answers for path, name in answer["entered"]}
        opened = {path for answer in answers for path in answer["opened"]}
        imported = {(path, name) for answer in answers for path, name in answer["entered_at_import"]}
        target = (found.path, work.binding.target.partition(":")[2])
        modules = {other for path in (found.path, *(path for path, _ in entered)) for other in self._code.closure(path)}
        opened |= {path for answer in answers for module, path in answer["opened_at_import"] if module in modules}
        seen = not any(answer["blind"] for answer in answers)
        return self._code.subject(entered, opened, imported, target, seen=seen)


def _content(path: Path) -> str:
    try:
        return sha256(path.read_bytes())
    except OSError:
        return "gone"
