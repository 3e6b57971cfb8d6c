"""The pages about the commands: what each says of itself, its options, and what it printed in the book's session."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

import click
from markdown.extensions.toc import slugify

from pages.session import Screen
from pages.text import cell, code, notice, paragraph
from pv.cli.group import GROUPS
from pv.cli.group import pv as door

_LEADS = {
    "Daily": "What you run every day. Each screen on this page was printed by the command above it, in the project that "
    "`pv init demo` makes.",
    "Evidence": "What stands behind a level, how to keep it, and what somebody relies on.",
    "Contracts": "Contracts themselves: what changed, what they say, what refers to what.",
    "Documents": "What documents say of the source. More about claims: [Claims and documents](../claims.md).",
    "Models": "What a model is, what it computes on the way, and which stage is to blame. More: [Models](../models.md), "
    "[pv bisect](../bisect.md).",
    "Setting up": "The first minutes of a project, and what is installed.",
}
_UNDER = {
    "claims": {"record": "Run the command of a claim, and keep what it prints."}
}  # words that claims reads itself
_EXITS = """| Exit code | Meaning |
|---|---|
| 0 | all that was selected was measured and holds |
| 1 | mend something: invalid, falsified, vacuous, errored, tampered, a claim is wrong |
| 3 | run something: stale, not measured, nothing selected, a library missing |
| 2 | ask differently: usage, configuration, a path that is not there |
| 70, 130 | a bug in pv; interrupted |"""


def file_of(group: str) -> str:
    """The page of a group of commands, below docs/commands."""
    return f"{slugify(group, '-')}.md"


def group_page(group: str, screens: Mapping[str, Sequence[Screen]]) -> str:
    """The page of one group."""
    parts = [notice("the commands' help and a session of the book"), f"# {group}", _LEADS[group]]
    for name, (_, about) in GROUPS[group].items():
        command = door.get_command(click.Context(door), name)
        assert command
        parts.append("\n\n".join(_section(name, command, about, screens, "##")))
        under = command.commands if isinstance(command, click.Group) else {}
        for word, inner in under.items():
            path = f"{name} {word}"
            parts.append("\n\n".join(_section(path, inner, inner.get_short_help_str(200), screens, "###")))
        for word, said in _UNDER.get(name, {}).items():
            path = f"{name} {word}"
            parts.append("\n\n".join([f"### pv {path}", said, *(screen.block for screen in screens[path])]))
    return "\n\n".join(parts) + "\n"


def index_page() -> str:
    """The page that lists them all."""
    done = subprocess.run([sys.executable, "-m", "pv", "--help"], capture_output=True, text=True, check=True)
    rows = [
        f"| [pv {name}]({file_of(group)}#pv-{slugify(name, '-')}) | {cell(about)} |"
        for group, commands in GROUPS.items()
        for name, (_, about) in commands.items()
    ]
    lead = "Every command says what it found, what was expected, and what to do next; `-h` after any of them tells its options."
    table = "\n".join(["| Command | What it tells |", "|---|---|", *rows])
    ends = "## Exit codes\n\nThey are the same for every command. When several apply: 70, 2, 1, 3, 0."
    return (
        "\n\n".join(
            [
                notice("the commands' help"),
                "# Commands",
                lead,
                table,
                f"```console\n$ pv --help\n{done.stdout}```",
                ends,
                _EXITS,
            ]
        )
        + "\n"
    )


def _section(
    path: str, command: click.Command, about: str, screens: Mapping[str, Sequence[Screen]], level: str
) -> Iterator[str]:
    context = click.Context(command, info_name=f"pv {path}")
    yield f"{level} pv {path}"
    yield paragraph(about)
    usage = re.sub(r"\s+", " ", command.get_usage(context)).removeprefix("Usage: ")
    yield f"```text\n{usage}\n```"
    yield from (screen.block for screen in screens.get(path, ()))
    yield from _prose(inspect.cleandoc(command.help or ""), about)
    if rows := list(_options(command, context)):
        yield "\n".join(["| Option | What |", "|---|---|", *rows])


def _prose(text: str, about: str) -> Iterator[str]:
    """The paragraphs of a command's help; what click is told not to wrap is a block."""
    for block in re.split(r"\n\s*\n", text):
        lines = block.split("\n")
        if lines[0] == "\b":
            yield "\n".join(["```text", *inspect.cleandoc("\n" + "\n".join(lines[1:])).split("\n"), "```"])
        elif paragraph(block) != paragraph(about):
            yield paragraph(block)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record and "--help" not in record[0]:
            yield f"| {code(record[0])} | {cell(record[1])} |"
