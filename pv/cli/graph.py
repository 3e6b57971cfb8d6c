"""`pv graph`: what binds to, attacks, violates, stands for and depends on what."""

from __future__ import annotations

import click

from pv.cli import complete
from pv.finding import Exit


@click.command()
@click.argument("contracts", nargs=-1, shell_complete=complete.contracts)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "dot", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="A tree for people, a drawing for Graphviz or Markdown, values for programs.",
)
def graph(contracts: tuple[str, ...], form: str) -> Exit:
    """Contracts, equations, invariants, tests, falsifiers, faults and bindings, and what refers to what.

    CONTRACTS are names or files; without any, all of the project. A reference that leads nowhere is shown as dangling.
    Nothing is imported or run; exits 0 whenever it could read (`pv validate` fails on what dangles).

    \b
      pv graph microgpt-v1
      pv graph --format dot | dot -Tsvg > graph.svg
      pv graph --format mermaid > graph.mmd
    """
    from pv.graph import build_graph, restricted
    from pv.project import open_project
    from pv.report.graph import render_graph

    project = open_project()
    chosen = {project.contract(name).name for name in contracts}
    whole = build_graph(project.contract_files, project.bindings, project.index)
    click.echo(render_graph(restricted(whole, chosen) if chosen else whole, form))
    return Exit.OK
