"""What a worker process does: it takes tasks from its connection, runs each by itself, and answers in plain JSON.

Whatever the code under test does to its process, the process that asked only ever sees data, an exit code, or silence.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import hypothesis
import torch

from pv.falsify.alike import compare
from pv.falsify.capture import capture
from pv.falsify.judge import Trial, why
from pv.falsify.limits import confine, extend, limit
from pv.falsify.load import Loader
from pv.falsify.mutate import mutate, survey
from pv.falsify.prove import prove, rerun
from pv.falsify.stage import trial_of
from pv.falsify.tampering import Libraries, Scene
from pv.falsify.trace import Tracer
from pv.falsify.trial import run_units
from pv.falsify.wire import unit_value
from pv.falsify.work import Action, Task
from pv.finding import Exit, PvError

_BEAT = 0.2  # seconds between two signs of life

Say = Callable[[Mapping[str, Any]], None]
Seen = Callable[[], dict[str, Any]]
"""What a trial's process has entered, opened and imported so far, and what it changed that it must not."""


def serve(connection: socket.socket, printed: socket.socket) -> None:
    """Run tasks until the connection closes. What is printed goes to `printed`."""
    confine(connection, printed)
    connection.setblocking(True)
    tasks = connection.makefile("rb")

    born = os.getpid()

    def say(message: Mapping[str, Any]) -> None:
        if os.getpid() != born:  # a copy that the code under test made of its process has no say
            os._exit(1)
        if "alive" in message:
            extend(task.timeout)
        connection.sendall(json.dumps(message).encode() + b"\n")

    while size := tasks.read(8):
        task: Task = pickle.loads(tasks.read(int.from_bytes(size, "little")))  # noqa: S301 -- of the process that started this one
        limit(task.timeout, task.memory)
        try:
            value = answer(task, say)
        except KeyboardInterrupt as error:  # nobody's keys reach this process: the code under test raised it
            value = {"failed": {"reason": why(error), "exit": int(Exit.MEND), "hint": ""}}
        say({"answer": value})


def answer(task: Task, say: Say) -> dict[str, Any]:
    """What `task` came to. Exceptions of the code under test are part of it; only KeyboardInterrupt comes out."""
    os.chdir(task.site.root)
    tracer, aside = Tracer(task.site.root), Tracer(task.site.root)
    loader = Loader(task.site.root, task.site.sources, tracer)
    loader.fresh(task.site.tops)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with loader.active():
        if task.action is Action.CAPTURE:
            return capture(task, loader)
        try:
            _import_falsifier(task, loader)
            each = [task, *(replace(task, work=work, site=site) for work, site in task.others)]
            trial, *others = (trial_of(one, loader, tracer, aside) for one in each)
        except PvError as error:
            return {"failed": {"reason": error.message, "exit": int(error.exit), "hint": error.hint}}
        if task.action in _AGAIN and any(one.falsifier.slow for one in (trial, *others)):
            for one in (trial, *others):
                one.remember()
        tracer.forget()
        aside.forget()
        scene = Scene(f"{task.site.root}{os.sep}", task.site.falsifier[0].partition(".")[0])

        def seen() -> dict[str, Any]:
            return {
                "tampered": scene.tampered() or tracer.interfered(),
                "entered": sorted(tracer.entered()),
                "blind": tracer.blind,
                "entered_later": sorted(tracer.entered_later()),
                "scripting": sorted(tracer.scripting() | loader.scripting),
                "commands": sorted(tracer.commands() | loader.commands),
                "opened": sorted(tracer.opened() | tracer.held()),
                "entered_at_import": sorted(loader.entered_at_import),
                "opened_at_import": sorted(loader.opened_at_import),
                "referred": sorted(aside.entered()),
                "reference_opened": sorted(aside.opened()),
            }

        try:
            if task.action in _TOGETHER:
                value = _TOGETHER[task.action](task, [trial, *others], say)
            else:
                value = _ACTIONS[task.action](task, trial, say, seen)
        except PvError as error:  # the strata cannot be made
            return {"failed": {"reason": error.message, "exit": int(Exit.MEND), "hint": error.hint}}
        loader.closing.close()
        was = seen()
        was["tampered"] = was["tampered"] or scene.left_running()
        return {**value, **was, "loaded": loader.as_loaded(), "scope": _scope()}


def _import_falsifier(task: Task, loader: Loader) -> None:
    """Before all else of the project: what it changes by being imported would change the subject too."""
    libraries, name = Libraries(), task.site.falsifier[0]
    loader.module(name)
    for change in libraries.changes():
        raise PvError(
            f"the trial is void: when {name} is imported, {change}",
            exit=Exit.MEND,
            hint="change it inside the functions that need it, and put it back",
        )


def _attack(task: Task, trial: Trial, say: Say, seen: Seen) -> dict[str, Any]:
    """Says each unit as soon as it is done. One of several parts says with it what was seen up to then: another part may
    turn out to have ended the trial before the next unit, and what came of that must not count."""
    torch.manual_seed(0)
    for unit in run_units(trial, task.plan, part=task.part, parts=task.parts, progress=_heart(say)):
        say({"unit": unit_value(unit), **(seen() if task.parts > 1 else {})})
        torch.manual_seed(0)  # a unit does not depend on which ones ran before it
    return {}


def _heart(say: Say) -> Callable[[], None]:
    """Counts cases, and says how many there were, a few times a second."""
    count, last = 0, time.monotonic()

    def beat() -> None:
        nonlocal count, last
        count += 1
        now = time.monotonic()
        if now - last >= _BEAT:
            last = now
            say({"cases": count})

    return beat


def _scope() -> dict[str, list[str]]:
    return {
        "python": [".".join(platform.python_version_tuple()[:2])],
        "torch": [torch.__version__.partition("+")[0]],
        "device": ["cpu"],
        "threads": [str(torch.get_num_threads())],
        "hypothesis": [hypothesis.__version__],
    }


_ACTIONS: Mapping[Action, Callable[[Task, Trial, Say, Seen], dict[str, Any]]] = {
    Action.ATTACK: _attack,
    Action.PROVE: lambda task, trial, say, _: prove(task, trial, say),
    Action.REPLAY: lambda task, trial, say, _: rerun(task, trial, say),
}
# Those that judge many subjects by the same cases.
_AGAIN = frozenset((Action.PROVE, Action.SURVEY, Action.MUTATE))
# Those of all falsifiers of an equation.
_TOGETHER: Mapping[Action, Callable[[Task, Sequence[Trial], Say], dict[str, Any]]] = {
    Action.SURVEY: survey,
    Action.MUTATE: mutate,
    Action.COMPARE: compare,
}
