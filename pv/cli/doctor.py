"""`pv doctor`: what is installed, what is missing, which commands will work."""

from __future__ import annotations

from typing import Any

import click

from pv.cli.group import FORMAT
from pv.finding import Exit


@click.command()
@FORMAT
def doctor(form: str) -> Exit:
    """Say what is installed and in which version, what is missing and how to get it, what the project here holds and how
    much of it is stale, and which commands will work.

    Exits 0 whenever it could look; it mends nothing and writes nothing.

    \b
      pv doctor
      pv doctor --format json

    JSON: python, libraries{extra: [name, version, range, serves]} (null where pv is not installed), tools, devices,
    project, will_work, will_not{command: extra}.
    """
    from pv.cli.group import COMMANDS
    from pv.installed import libraries, working
    from pv.report.doctor import doctor_text, folded, libraries_value
    from pv.report.plain import json_text

    found = libraries()
    works, fails = working(found, COMMANDS) if found is not None else ([], {})
    value = {
        "python": _python(),
        "libraries": libraries_value(found),
        "tools": _tools(),
        "devices": _devices(),
        "project": _project(),
        "will_work": works,
        "will_not": fails,
    }
    if form == "json":
        click.echo(json_text(value))
    else:
        for line in doctor_text(value):
            click.echo(folded(line))
    return Exit.OK


def _python() -> str:
    import platform

    import pv

    told = f"{platform.python_implementation()} {platform.python_version()}"
    return f"pv {pv.__version__} on {told}, {platform.system()} {platform.machine()}"


def _tools() -> dict[str, str]:
    """Programs beside Python, and where they are: git reads the past (`--against`)."""
    import shutil

    return {"git": shutil.which("git") or ""}


def _devices() -> str:
    """What torch can compute on here, empty without torch; one that cannot be loaded says why."""
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        return ""
    try:
        import torch
    except Exception as error:  # a broken installation raises whatever it likes
        return f"torch cannot be imported: {error!r}"
    cuda = [torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count())]
    more = ["mps"] if torch.backends.mps.is_available() else []
    return ", ".join([f"cpu ({torch.get_num_threads()} threads)", *cuda, *more])


def _project() -> dict[str, Any]:
    """The project one stands in: contracts, tests, how many are measured and stale; or why it cannot be read."""
    from pv.finding import PvError
    from pv.project import open_project
    from pv.report.plain import plural
    from pv.report.status import summary_counts

    try:
        project = open_project()
        contracts = len(project.contract_files)
        counts = dict(summary_counts(project.assessments().values()))
    except PvError as error:
        return {"about": f"none that can be read: {error.message}"}
    told = ", ".join(f"{counts[name]:,} {name}" for name in ("measured", "held", "stale", "toothless"))
    under = f"{plural(contracts, 'contract')}, {plural(counts['selected'], 'falsification test')}"
    about = f"{project.root}: {under}: {told}"
    return {"about": about, "root": str(project.root), "contracts": contracts, **counts}
