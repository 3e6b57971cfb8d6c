"""What a verdict depends on: the parts of the project that a trial's processes entered, opened and imported."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pv.assess.freshness import Today, binding_parts, live_parts
from pv.digest import sha256
from pv.falsify.work import Functions, Work
from pv.finding import PvError
from pv.ledger.receipt import TOP_LEVEL, Part
from pv.source.parts import Code
from pv.source.target import find_target
from pv.verdict import Kind

Depends = dict[str, tuple[Part, ...]]


class Dependencies:
    """The parts behind each trial of a campaign, each file parsed once as long as nobody edits it."""

    def __init__(self, root: Path, sources: Sequence[str], today: Today) -> None:
        self._root = root.resolve()
        self._sources = tuple(sources)
        self._today = today
        self._code = today.code

    def of(
        self, work: Work, answers: Sequence[Mapping[str, Any]], *, held: bool, capture: Mapping[str, Any] | None = None
    ) -> tuple[Depends, str]:
        """The parts by cause, and why they cannot be believed (empty when they can). `capture` is what a live command did."""
        depends: Depends = {
            "clause": self._today.clause(work.contract, work.test),
            "falsifier": self._today.falsifier(work.contract, work.test),
            "binding": binding_parts(work.binding),
            "reference": self._reference(work, answers),
            "live": self._live(work, capture),
        }
        problem = self._changed([*answers, *([capture] if capture else [])])
        if problem or not answers:
            return depends, problem
        try:
            depends["subject"] = self._subject(work, answers, {part.path for part in depends["falsifier"]})
        except PvError as error:
            return depends, error.message
        if held and not depends["subject"]:  # nothing could ever make it stale
            return depends, f"{work.binding.code} was run, but its source is not found below the project"
        return depends, self._not_apart(depends["subject"], work, answers)

    def functions(self, answers: Sequence[Mapping[str, Any]]) -> Functions:
        """The outermost functions that the subject entered, methods beside them too; none where they are not what ran."""
        if any(answer["blind"] for answer in answers):
            return ()
        entered = self._code.functions((path, name) for answer in answers for path, name in answer["entered"])
        outer = [(path, name) for path, name in sorted(entered) if "<" not in name]
        return tuple((self._code.module_name(path), path, name) for path, name in outer)

    def _reference(self, work: Work, answers: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
        """What a reference is: what is stated of it, its modules as a whole, and the files it opened."""
        if work.reference is None:
            return ()
        modules = self._code.modules_of(work.reference)
        opened = {path for answer in answers for path in answer["reference_opened"]}
        opened |= {path for answer in answers for module, path in answer["opened_at_import"] if module in modules}
        stated = self._today.reference(work.contract, work.test.equation)
        return (*stated, *self._code.whole(modules | _entered_by_reference(answers), opened))

    def _live(self, work: Work, capture: Mapping[str, Any] | None) -> tuple[Part, ...]:
        """What a live command is: its text, the modules it names or entered, as a whole, and the files it opened."""
        if work.kind is not Kind.LIVE:
            return ()
        named = self._code.command(work.binding.live)
        seen = capture or {"entered": (), "opened": ()}
        entered = {path for path, _ in seen["entered"] if _is_theirs(path)}
        parts = {*named, *self._code.whole(entered, seen["opened"])}
        return (*live_parts(work.binding), *sorted(parts, key=lambda part: (part.path, part.name)))

    def _not_apart(self, subject: Sequence[Part], work: Work, answers: Sequence[Mapping[str, Any]]) -> str:
        """What code the reference shares with the subject, by what was entered; empty when it is a second opinion."""
        entered = _entered_by_reference(answers)
        shared = self._code.shared({part.path for part in subject if part.path.endswith(".py")}, entered)
        return (
            f"the reference {work.reference.name} enters {shared[0]}, which the subject runs"
            if work.reference and shared
            else ""
        )

    def _changed(self, answers: Sequence[Mapping[str, Any]]) -> str:
        """A file that is no longer what a trial imported, or was not what this process has read."""
        for answer in answers:
            for file, was in answer["loaded"].items():
                path = Path(file).relative_to(self._root).as_posix()
                if was != _content(Path(file)) or self._code.content(path) not in (None, was):
                    self._code = Code(self._root, self._sources)
                    return f"{path} was changed while it was being judged: run again"
        return ""

    def _subject(
        self, work: Work, answers: Sequence[Mapping[str, Any]], attacking: Collection[str]
    ) -> tuple[Part, ...]:
        if work.binding.command:  # another process: what it enters cannot be seen from here
            return self._code.command(work.binding.command)
        found = find_target(self._root, self._sources, work.binding.target)
        if not found.path:
            return ()
        entered = _pairs(answers, "entered")
        opened = {path for answer in answers for path in answer["opened"]}
        imported = _pairs(answers, "entered_at_import")
        referred = self._code.modules_of(work.reference) if work.reference else set()
        others = {*attacking, *referred, *_entered_by_reference(answers)}
        entered |= {row for row in _pairs(answers, "entered_later") if row[0] not in others and _is_theirs(row[0])}
        # Imported by a computed name, for no import statement leads there: who uses what it holds cannot be told.
        explained = {*self._code.closure(found.path), *others}
        unexplained = {row for row in imported if row[1] == TOP_LEVEL and row[0] not in explained}
        entered |= {row for row in unexplained if _is_theirs(row[0])}
        target = (found.path, work.binding.target.partition(":")[2])
        modules = {other for path in (found.path, *(path for path, _ in entered)) for other in self._code.closure(path)}
        opened |= {path for answer in answers for module, path in answer["opened_at_import"] if module in modules}
        scripted = {path for answer in answers for path in answer["scripting"]}
        seen = not any(answer["blind"] for answer in answers) and not scripted & modules
        started = {part for answer in answers for row in answer["commands"] for part in self._code.command(row)}
        parts = {*self._code.subject(entered, opened, imported, target, seen=seen), *started}
        return tuple(sorted(parts, key=lambda part: (part.path, part.name)))


def _entered_by_reference(answers: Sequence[Mapping[str, Any]]) -> set[str]:
    return {path for path, _ in _pairs(answers, "referred") if _is_theirs(path)}


def _pairs(answers: Sequence[Mapping[str, Any]], key: str) -> set[tuple[str, str]]:
    return {(path, name) for answer in answers for path, name in answer[key]}


def _is_theirs(path: str) -> bool:
    """Whether it is not pv itself, which is below the root of the project that makes it."""
    return not path.startswith("pv/")


def _content(path: Path) -> str:
    try:
        return sha256(path.read_bytes())
    except OSError:
        return "gone"
