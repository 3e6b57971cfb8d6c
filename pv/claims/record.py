"""What a command printed, recorded once and believed until the code it ran changes. `pv claims` never runs one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pv.claims.data import Unrecorded, below, spelt
from pv.contract.model import Recorded
from pv.finding import Exit, Place, PvError
from pv.ledger.receipt import DIGESTS
from pv.ledger.record import Record, record_value
from pv.source.constants import Folded, Unfolded
from pv.source.parts import Code

TIMEOUT = 600.0
_MOST = 1024 * 1024  # bytes of output


def run_and_value(contract: str, command: Sequence[str], root: Path, code: Code) -> dict[str, Any]:
    """Run `command` in `root`; the JSON of its record. Raises PvError when it cannot be believed."""
    parts = code.command(command)
    if not parts:
        hint = "put the script that makes the number below the project's root, and run that"
        raise PvError(f"{' '.join(command)} names no file of the project: nothing could make it stale", hint=hint)
    argv = [sys.executable if command[0] == "python" else command[0], *command[1:]]
    try:
        # Python knows a compiled module by size and second: one left here would stand for an edit of the same second.
        alone = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(
            argv, cwd=root, env=alone, capture_output=True, timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as problem:
        raise PvError(f"{command[0]} cannot be run: {problem.strerror or problem}", hint="name a program") from problem
    except subprocess.TimeoutExpired:
        raise PvError(
            f"{' '.join(command)} took more than {TIMEOUT:g} s",
            exit=Exit.MEND,
            hint="record a command that ends sooner",
        ) from None
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip()[-500:]
        raise PvError(f"{' '.join(command)} ended with {ran.returncode}: {said}", exit=Exit.MEND, hint="mend it")
    if len(ran.stdout) > _MOST:
        raise PvError(f"it printed more than {_MOST:,} bytes", exit=Exit.MEND, hint="print the numbers alone")
    if code.anew().command(command) != parts:
        raise PvError("its code changed while it ran: nothing was recorded", exit=Exit.RUN, hint="run it again")
    return record_value(contract, command, ran.stdout.decode("utf-8", "replace").strip(), parts)


def recorded_value(asked: Recorded, records: Iterable[Record], code: Code, shown: str) -> Folded | Unfolded:
    """What the command printed when code just as it is today was run; `shown` is how the folder of records is written."""
    every = [record for record in records if record.command == asked.command]
    again = "pv claims record ID runs it"
    if not every:
        return Unrecorded(f"{' '.join(asked.command)} was never recorded", hint=again)
    today = code.command(asked.command)
    fresh = [record for record in every if record.digests == DIGESTS and record.depends == today]
    if not fresh:
        then = {part for record in every for part in record.depends}
        changed = [part.what for part in today if part not in then] or ["what it is made of"]
        return Unrecorded(f"the record of {' '.join(asked.command)} is stale: {changed[0]} changed", hint=again)
    outputs = {record.output for record in fresh}
    if len(outputs) > 1:
        return Unfolded("records of the same code differ: what it prints is not determined", hint="fix its seeds")
    place = Place(f"{shown}/{fresh[0].contract}/{fresh[0].name}.json")
    value = _value(outputs.pop(), asked.key)
    return value if isinstance(value, Unfolded) else Folded(value, place)


def _value(output: str, key: Sequence[str | int]) -> str | int | float | Unfolded:
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        value = None
    found = below(value, key) if key else value
    if key and found is None:
        return Unfolded(f"what it printed has nothing at {spelt(key)}", hint="print JSON that has it")
    if isinstance(found, str | int | float) and not isinstance(found, bool):
        return found
    return output if not key else Unfolded(f"{spelt(key)} of what it printed is no single value")
