"""`pv equations`: the equations of a contract, to be read or printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.contract.model import Contract


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "latex"]),
    default="text",
    show_default=True,
    help="For the terminal, or the body of a LaTeX document (amsmath, amssymb).",
)
def equations(file: str, form: str) -> Exit:
    """Formula, domain, codomain, arguments, returns and invariants with their tolerances, equation by equation.

    FILE is a contract; inside a project its name is enough.

    \b
      pv equations contracts/microgpt-v1.yaml
      pv equations microgpt-v1 --format latex > microgpt.tex
    """
    from pv.report.equations import equations_latex, equations_text

    contract = contract_called(file)
    click.echo(equations_latex(contract) if form == "latex" else equations_text(contract))
    return Exit.OK


def contract_called(name: str) -> Contract:
    """The contract in the file `name`, or the project's contract of that name; raises PvError when there is none."""
    from pv.contract.read import read_contract
    from pv.project import find_root, project_at

    if Path(name).is_file():
        found = read_contract(Path(name), name)
        if found.contract is None:
            raise PvError(f"{name} is no valid contract", exit=Exit.MEND, hint=f"pv validate {name}")
        return found.contract
    root = find_root(Path.cwd())
    if root is None:
        raise PvError(f"there is no file {name!r}", hint="name a contract file; outside a project names do not count")
    return project_at(root).contract(name)
