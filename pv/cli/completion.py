"""`pv completion`: the script that lets a shell complete pv."""

from __future__ import annotations

import click

from pv.finding import Exit

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> Exit:
    """Print the script that lets SHELL complete commands, options, ids of tests, contracts, stages, families, models and codes.

    \b
      pv completion bash >> ~/.bashrc
      pv completion zsh >> ~/.zshrc
      pv completion fish > ~/.config/fish/completions/pv.fish
    """
    from click.shell_completion import get_completion_class

    from pv.cli.group import pv

    kind = get_completion_class(shell)
    assert kind is not None, f"click has no completion for {shell}"
    click.echo(kind(pv, {}, "pv", "_PV_COMPLETE").source())
    return Exit.OK
