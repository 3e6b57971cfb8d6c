"""A trial's subject with an edit in its code, judged by the falsifier's own checks."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

from pv.contract.model import SMOKE_ABOUT
from pv.falsify.cases import Case
from pv.falsify.judge import Trial, copied
from pv.falsify.subject import Call, Subject, Wrong, smoke_of
from pv.falsify.teeth import TEETH_FEW, TEETH_SEEDS, Answer, Corpus
from pv.falsify.work import Functions
from pv.finding import PvError
from pv.mutants.install import installed, resolve
from pv.mutants.make import Mutant, compile_mutant, control, mutants_of
from pv.mutants.output import OUTPUT_FAULTS, OutputFault, damage

_EXACT = 1e-6  # what stands for the tolerance of a clause that holds exactly, where a fault is to be a few of them


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """A mutant of a function that is imported here, and the code that stands for it."""

    mutant: Mutant
    function: FunctionType
    code: CodeType


def edits_of(functions: Functions) -> Iterator[Edit]:
    """Every mutant of `functions` whose code can be exchanged; one that is gone from its module by now has none."""
    for found, path, qualname in _functions(functions):
        file, line = found.__code__.co_filename, found.__code__.co_firstlineno
        for mutant in mutants_of(path, _text(file), qualname, line=line):
            yield Edit(mutant, found, compile_mutant(mutant, filename=file))


def named_edits(functions: Functions) -> dict[str, Edit]:
    """`edits_of` by id; where functions of two modules have one name, that of the later begins with its path."""
    found: dict[str, Edit] = {}
    for edit in edits_of(functions):
        name = edit.mutant.id
        name = f"{edit.mutant.path}:{name}" if name in found else name
        found[f"{name}:{edit.mutant.line}" if name in found else name] = edit
    return found


def unmasked(trial: Trial, functions: Functions, corpus: Corpus) -> str:
    """What the falsifier says against the subject's own code compiled anew; empty when it holds, as it should."""
    anew = [(found, _compiled_anew(found, path, name)) for found, path, name in _functions(functions)]

    @contextmanager
    def around() -> Iterator[None]:
        with ExitStack() as stack:
            for function, code in anew:
                stack.enter_context(installed(function, code))
            yield

    answer = corpus.ask_few(trial.subject.edited(around), 0)
    return answer.gross or answer.error or (f"a check of {answer.invariant} failed" if answer.invariant else "")


def own_reference(trial: Trial, functions: Functions, corpus: Corpus) -> str:
    """The function of the subject that the falsifier, or what it uses, calls past the subject; empty when there is none."""
    codes = {found.__code__: name for found, _, name in _functions(functions)}
    files = {code.co_filename for code in codes}
    home = f"{Path(trial.falsifier.function.__code__.co_filename).parent}{os.sep}"
    inside, past = set(), set()
    depth = 0

    def wrong(plain: Call, again: Call, case: Case) -> Any:
        nonlocal depth
        depth += 1
        try:
            return again()
        finally:
            depth -= 1

    def entered(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code in codes:
            caller = frame.f_back.f_code.co_filename if frame.f_back else ""
            if depth:
                inside.add(codes[frame.f_code])
            elif caller.startswith(home) and caller not in files and not frame.f_code.co_flags & inspect.CO_GENERATOR:
                past.add(codes[frame.f_code])

    before = sys.getprofile()
    sys.setprofile(entered)
    try:
        anew = trial.subject.edited(nullcontext)  # what is remembered enters nothing
        corpus.ask_few(anew.altered(wrong, smoke=False), 0)
    finally:
        sys.setprofile(before)
    return min(inside & past, default="")


def edited(subject: Subject, edit: Edit) -> Subject:
    """`subject` with `edit` in its code, for as long as a case is judged: its backward pass is edited too."""
    return subject.edited(lambda: installed(edit.function, edit.code))


def damaged(trial: Trial, corpus: Corpus) -> dict[str, tuple[OutputFault, Subject]]:
    """The subject with each fault in its output that changes it for some case; by name."""
    tolerances = [sum(row) for one in trial.invariants for _, row in one.tolerances]
    tolerance = max(tolerances, default=0.0) or _EXACT
    outputs = []
    for case in corpus.domain().cases(0, TEETH_FEW):
        with suppress(Exception):  # what it refuses has no output to damage
            outputs.append(trial.subject(*copied(case)))
    found = {}
    for fault in OUTPUT_FAULTS:
        if any(damage(fault, output, tolerance) is not None for output in outputs):
            wrong = trial.subject.altered(_wrong_output(fault, tolerance), smoke=False)
            found[f"output:{fault.name}"] = (fault, wrong)
    return found


def _wrong_output(fault: OutputFault, tolerance: float) -> Wrong:
    def wrong(plain: Call, again: Call, case: Case) -> Any:
        output = again()
        other = damage(fault, output, tolerance)
        return output if other is None else other

    return wrong


def untouched(subject: Subject) -> Subject:
    """The subject itself, seen through what a mutant is seen through."""
    return subject.altered(lambda plain, again, case: again(), smoke=False)


class Smoke:
    """The smoke check: on a few cases of the equation, does a subject look like the one under test?"""

    def __init__(self, subject: Subject, corpus: Corpus) -> None:
        self._cases = corpus.domain().cases(0, TEETH_FEW)
        self._wanted = tuple(self._seen(untouched(subject)))

    def catches(self, subject: Subject) -> str:
        """What it sees of `subject` that is not so of the one under test; empty when it lets that live."""
        for seen, wanted in zip(self._seen(subject), self._wanted, strict=True):
            if seen != wanted:
                return f"{seen} where the subject gives {wanted}"
        return ""

    def _seen(self, subject: Subject) -> Iterator[str]:
        for place, case in enumerate(self._cases):  # whether it repeats is asked of the first
            yield smoke_of(subject, partial(copied, case), twice=place == 0)


def killed_by(corpus: Corpus, subject: Subject) -> Answer:
    """The answer of the first seed that does not kill, or of the last: a kill is a failed check under every seed."""
    for seed in range(TEETH_SEEDS):
        answer = corpus.ask(subject, seed)
        if not answer.invariant:
            break
    return answer


def shuffled(edits: Sequence[Edit]) -> list[Edit]:
    """An order without rhyme, the same everywhere: neighbours are often alike."""
    return sorted(edits, key=lambda edit: hashlib.sha256(edit.mutant.id.encode()).digest())


def smoked(trial: Trial) -> bool:
    """Whether what the test is about lies beyond the smoke check."""
    return not all(invariant.about in SMOKE_ABOUT for invariant in trial.invariants)


def _functions(functions: Functions) -> Iterator[tuple[FunctionType, str, str]]:
    """The function objects behind the names, each once, with the path and the name under which their text is found."""
    seen: set[FunctionType] = set()
    for module, path, qualname in functions:
        try:
            found = resolve(sys.modules[module], qualname)
        except (KeyError, PvError):
            continue
        if found not in seen and found.__code__.co_qualname == qualname:
            seen.add(found)
            yield found, path, qualname


def _compiled_anew(function: FunctionType, path: str, qualname: str) -> CodeType:
    file, line = function.__code__.co_filename, function.__code__.co_firstlineno
    return control(path, _text(file), qualname, line=line, filename=file)


def _text(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")
