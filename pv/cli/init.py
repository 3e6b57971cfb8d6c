"""`pv init`: a project to begin with."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from pv.finding import Exit, PvError


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--empty", is_flag=True, help="Settings and an empty list of bindings, no example.")
def init(folder: Path, empty: bool) -> Exit:
    """Make a project in DIR: one kernel under contract, with falsifiers that have teeth, and green when run.

    Nothing is overwritten: where DIR is a project already, or holds a file of that name, nothing is written at all.

    \b
      pv init demo && cd demo && pv falsify
      pv init . --empty      for a kernel of your own; pv gate then exits 3 and says what comes next
    """
    from pv.report.templates import project_files

    files = project_files("empty" if empty else "example")
    require_room(folder, files)
    for path in write_files(folder, files):
        click.echo(f"wrote {path.as_posix()}")
    for line in next_commands(folder, empty=empty):
        click.echo(line)
    return Exit.OK


def require_room(folder: Path, files: Iterable[str]) -> None:
    """Raise PvError when `folder` is a project already, or when one of `files` could not be made anew in it."""
    from pv.project import BINDING, find_root

    if folder.exists() and not folder.is_dir():
        raise PvError(f"{folder} is no folder", hint="name a folder; it is made when it is not there")
    if os.path.lexists(folder / BINDING) or (
        (folder / "pyproject.toml").is_file() and find_root(folder) == folder.resolve()
    ):
        raise PvError(f"{folder} is a project already; nothing was written", hint="pv status, or name another folder")
    there = sorted(name for name in files if os.path.lexists(folder / name))
    if there:
        hint = "name another folder, and move over what you need; [tool.pv] in a pyproject.toml makes a project too"
        raise PvError(f"{folder} holds {', '.join(there)} already; nothing was written", hint=hint)


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write `files` into `folder`; all of them, or, when one cannot be written, none. Their paths."""
    from pv.write import write_whole

    written: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
            written.append(path)
    except OSError as error:
        for path in written:
            path.unlink()
        raise PvError(
            f"cannot write {error.filename or folder}: {error.strerror}; nothing was written",
            hint="name a folder that you may write to",
        ) from error
    return written


def next_commands(folder: Path, *, empty: bool) -> list[str]:
    """What to type now."""
    change = [] if folder.resolve() == Path.cwd() else [f"  cd {shlex.quote(folder.as_posix())}"]
    if empty:
        return ["next:", *change, "  write contracts/NAME-v1.yaml, then pv scaffold NAME-v1"]
    steps = ["pv validate", "pv falsify", "pv ledger promote soft-cap-v1", "pv gate"]
    return ["next:", *change, *(f"  {step}" for step in steps)]
