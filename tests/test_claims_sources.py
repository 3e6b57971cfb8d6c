"""Every claim of this project: when its source changes, it fails, and so do those on the same source, and no other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
from changed_sources import changes
from conftest import ROOT

from pv.claims.check import compare_claims
from pv.cli.claims import source_value
from pv.contract.model import Claim, Constant, Count, DataValue, PromisedTest, Source
from pv.project import Project, project_at


def claims_of(project: Project) -> list[Claim]:
    return [claim for contract in project.contracts for claim in contract.claims]


def sources_of(claim: Claim) -> tuple[Source, ...]:
    return tuple(source for _, source in claim.sources) or (claim.source,)


CLAIMS = claims_of(project_at(ROOT))
SOURCES = list(dict.fromkeys(source for claim in CLAIMS for source in sources_of(claim)))


def kind_of(source: Source) -> str:
    """As the keys of a contract tell them apart."""
    match source:
        case DataValue(kind, _, _):
            return kind
        case Count(what, _):
            return what
        case PromisedTest(_, _, _, figure):
            return figure or "promise"
    return type(source).__name__


def parts() -> set[str]:
    """What lies at the root of the project that claims and their sources are in."""
    patterns = [source.which for source in SOURCES if isinstance(source, Count) and source.what == "files"]
    paths = [str(source.path) for source in SOURCES if isinstance(source, Constant | DataValue)]
    named = [claim.document for claim in CLAIMS] + paths + patterns
    return {path.partition("/")[0] for path in named} | {"contracts", "ledger", "pyproject.toml"}


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a folder of its own, which each test leaves as it was."""
    root = tmp_path_factory.mktemp("claims")
    for part in parts():
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, root / part)
    return root


@contextmanager
def restored(root: Path, paths: Mapping[Path, bytes | None]) -> Iterator[None]:
    """With what `paths` are to hold, None for nothing; afterwards with what they held."""
    before = {path: path.read_bytes() if path.is_file() else None for path in paths}
    _put(paths)
    try:
        yield
    finally:
        _put(before)


def _put(paths: Mapping[Path, bytes | None]) -> None:
    for path, data in paths.items():
        path.unlink(missing_ok=True) if data is None else path.write_bytes(data)


def failing(root: Path) -> set[str]:
    """The claims that do not hold in the project at `root`."""
    project = project_at(root)
    unread = [file.path for file in project.contract_files if file.contract is None and file.findings]
    assert unread == []
    made = claims_of(project)
    checked = compare_claims(root, made, cache(partial(source_value, project)))
    held = {claim.id for rows in checked.spots.values() for claim, _, finding in rows if finding is None}
    return {claim.id for claim in made} - held


def test_in_an_untouched_copy_every_claim_holds(copy: Path) -> None:
    assert failing(copy) == set()


def test_there_are_enough_of_them() -> None:
    pairs = {(claim.document, claim.where, source) for claim in CLAIMS for source in sources_of(claim)}
    assert len(pairs) >= 45
    assert len({kind_of(source) for source in SOURCES}) >= 7
    assert {type(claim.where).__name__ for claim in CLAIMS} == {
        "TableCell", "Phrase", "Block", "StaticBadge", "DrawnText",
    }  # fmt: skip
    assert {"README.md", "docs/claims.svg"} < {claim.document for claim in CLAIMS}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: "-".join(str(part) for part in source if part))
def test_a_source_that_changes_fails_its_claims_and_no_other(copy: Path, source: Source) -> None:
    changed, touched = changes(copy, source)
    expected = {claim.id for claim in CLAIMS if any(touched(one) for one in sources_of(claim))}
    assert {claim.id for claim in CLAIMS if source in sources_of(claim)} <= expected
    with restored(copy, changed):
        assert failing(copy) == expected
    assert {path for path, data in changed.items() if path.exists() and path.read_bytes() == data} == set()


def test_a_claim_about_the_same_value_of_another_source_stays_right(copy: Path) -> None:
    """The control of the control: a change that the claims do not see fails none."""
    with restored(copy, {copy / "implementations/microgpt/config.py": _unclaimed(copy)}):
        assert failing(copy) == set()


def _unclaimed(root: Path) -> bytes:
    file = root / "implementations/microgpt/config.py"
    return file.read_bytes().replace(b"SEED = 42", b"SEED = 16")
