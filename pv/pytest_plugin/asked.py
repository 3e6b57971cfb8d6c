"""Which contracts a run of pytest is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from pv.finding import Exit, PvError
from pv.project import open_project, project_at
from pv.pytest_plugin.bench import PytestBench, told
from pv.pytest_plugin.items import SUFFIXES, Collection, Judged
from pv.root import CONTRACTS, find_root


def take_part(config: pytest.Config) -> None:
    """Have the contracts collected that are asked for; raises pytest.UsageError where there are none."""
    said = [name for name in config.getini("pv_contracts") if name != "false"]
    try:
        asked = _asked(config, said)
        named = [path for path in _arguments(config) if path.suffix in SUFFIXES]
        files = _files([*asked, *named], config)
        if asked and not files:
            raise PvError(
                f"there is no contract at {', '.join(map(str, asked))}",
                exit=Exit.RUN,
                hint="name a contract file, or a folder that holds one",
            )
    except PvError as error:
        raise pytest.UsageError(f"pv: {told(error)}") from error
    if files:
        config.addinivalue_line("markers", "slow: minutes rather than seconds")
        config.pluginmanager.register(Collection(files), "pv-collection")
    _extend(config, asked)


def _asked(config: pytest.Config, said: Sequence[str]) -> list[Path]:
    """The files and folders whose contracts --pv or the ini asks for."""
    if paths := [(config.rootpath / name).resolve() for name in said if name != "true"]:
        return paths
    return [open_project(config.rootpath).root / CONTRACTS] if said or config.option.pv else []


def _arguments(config: pytest.Config) -> list[Path]:
    return [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]


def _files(paths: Iterable[Path], config: pytest.Config) -> dict[Path, Judged]:
    """The contracts at `paths`, of a folder that is asked for all below it, each by its own path."""
    found: dict[Path, Judged] = {}
    benches: dict[Path, PytestBench] = {}
    for path in paths:
        root = find_root(path if path.is_dir() else path.parent)
        if root is None:
            continue
        bench = benches.setdefault(root, PytestBench(project_at(root), config))
        for file in bench.project.contract_files:
            place = root / file.document.path
            if place == path or path in place.parents:
                found[place] = Judged(file, bench)
    return found


def _extend(config: pytest.Config, asked: Iterable[Path]) -> None:
    """Add what is asked for to what pytest walks. Paths on the command line restrict it, unless --pv then means nothing."""
    given = _arguments(config)
    explicit = config.args_source is pytest.Config.ArgsSource.ARGS
    if not explicit or (config.option.pv and not any(_touches(path, given) for path in asked)):
        config.args.extend(str(path) for path in asked if not _touches(path, given))


def _touches(path: Path, others: Iterable[Path]) -> bool:
    return any(path == other or path in other.parents or other in path.parents for other in others)
