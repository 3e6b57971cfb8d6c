"""The `pv` command and the table of its sub-commands."""

from __future__ import annotations

import importlib
from keyword import iskeyword
from typing import TYPE_CHECKING

import click

import pv as package

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# group: {name: (module, what `pv --help` says)}. The daily five first.
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Daily": {
        "validate": ("pv.cli.validate", "Is the contract well-formed, resolved and honest? Runs nothing."),
        "falsify": ("pv.cli.falsify", "Attack the implementation; keep what was shown as receipts."),
        "status": ("pv.cli.status", "What is supported today: level and freshness of every test."),
        "gate": ("pv.cli.gate", "One verdict over contracts, evidence, promises and claims."),
        "show": ("pv.cli.show", "All about one falsification test, and what to do next."),
    },
    "Evidence": {
        "teeth": ("pv.cli.teeth", "Could the falsifiers fail? Mutate the subjects, see what lives."),
        "replay": ("pv.cli.replay", "Run exactly the counterexamples that are kept."),
        "pin": ("pv.cli.pin", "Keep a counterexample, tried first from then on."),
        "ledger": ("pv.cli.ledger", "Promote levels; verify that nothing was tampered with."),
        "coverage": ("pv.cli.coverage", "What stands behind each invariant, holes first."),
    },
    "Contracts": {
        "diff": ("pv.cli.diff", "What changed, and does the version say so? --values: in tensors."),
        "bump": ("pv.cli.bump", "Write the version that the changes require."),
        "equations": ("pv.cli.equations", "The equations, to be read or printed."),
        "graph": ("pv.cli.graph", "What binds to, attacks, violates and stands for what."),
        "rule": ("pv.cli.rule", "What a code means, why it matters, how to mend it."),
    },
    "Documents": {
        "claims": ("pv.cli.claims", "Do the documents say what the source says?"),
    },
    "Models": {
        "inspect": ("pv.cli.inspect", "Sizes, tensors, kernels and their levels."),
        "tensors": ("pv.cli.tensors", "Every tensor, with statistics when asked for."),
        "explain": ("pv.cli.explain", "What it is made of, kernel by kernel."),
        "trace": ("pv.cli.trace", "A forward pass stage by stage, shown or saved."),
        "bisect": ("pv.cli.bisect", "Two implementations disagree: which stage introduces the error?"),
    },
    "Setting up": {
        "init": ("pv.cli.init", "Make a project to begin with."),
        "scaffold": ("pv.cli.scaffold", "Begin the falsifiers, faults and bindings that are lacking."),
        "import": ("pv.cli.import_", "Rewrite a contract of the predecessor's dialect as ours."),
        "doctor": ("pv.cli.doctor", "What is installed, what is missing, which commands will work."),
        "completion": ("pv.cli.completion", "The script that lets bash, zsh or fish complete pv."),
    },
}
COMMANDS = {name: row for group in GROUPS.values() for name, row in group.items()}


class Lazy(click.Group):
    """Imports a command's module only when that command is called; help comes from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As click does, without importing a command."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=about) for name, (_, about) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command named when there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from pv.contract.quote import nearest

            raise click.UsageError(f"there is no command {args[0]!r}; {nearest(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands: that there are `--help` and `--version` the usage says."""
        self.format_commands(ctx, formatter)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """`[--version] [-h|--help] COMMAND [ARGS]...`"""
        return ["[--version] [-h|--help]", "COMMAND [ARGS]..."]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing a command."""
        formatter.write_paragraph()
        for title, commands in GROUPS.items():
            formatter.write(f"{title}:\n")
            with formatter.indentation():
                formatter.write_dl([(f"{name:<10}", about) for name, (_, about) in commands.items()])


EPILOG = """\b
Exit codes: 0 holds · 1 mend · 3 run · 2 ask · 70 a bug
The main job: pv validate && pv falsify --stale && pv gate
"""


@click.group(
    cls=Lazy, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package.__version__, prog_name="pv")
def pv() -> None:
    """A YAML contract says what a kernel must do. pv validates it, attacks the implementation on its behalf, records
    what was shown, and says whether what is promised is supported, today: a green that means something.
    """


SUBJECT = click.option(
    "--subject", metavar="NAME|all", default="", help="Another subject than the default one, or all of them."
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
