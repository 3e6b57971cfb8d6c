"""A second gate knows the modules that have not changed, and says the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_project import FILES, run, write_project

from pv.cli.gate import examine
from pv.level import Level
from pv.project import project_at
from pv.validate.remembered import remembered


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path / "cache/pv-contracts/validate"


DOCUMENTED = FILES["contracts/double-v1.yaml"] + "documents: [{files: README.md}]\n"


def judged(root: Path) -> dict[str, list[str]]:
    project = project_at(root)
    with remembered(project.root) as project.memory:
        found = examine(project, Level.PARTIAL_ALGORITHM_LEVEL, None)
    return {name: [f"{row.place} {row.code} {row.message}" for row in rows] for name, rows in found.items()}


def plant(kept: Path) -> Path:
    """Another digest for everything that is remembered; the file of it."""
    [file] = kept.glob("*.json")
    value = json.loads(file.read_text(encoding="utf-8"))
    for told in value["modules"].values():
        told.update({asked: "planted" for asked in told if asked.startswith("digest ")})
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


def test_warm_is_what_cold_is_and_what_changes_is_seen(tmp_path: Path, kept: Path) -> None:
    root = write_project(tmp_path / "p")
    run(project_at(root))
    cold = judged(root)
    assert (cold["levels"], len(list(kept.glob("*.json")))) == ([], 1)
    assert judged(root) == cold
    kernel = next(path for path in root.rglob("*.py") if "def double" in path.read_text(encoding="utf-8"))
    kernel.write_text(
        kernel.read_text(encoding="utf-8").replace("def double(x):", "def double(x, more=0):"), encoding="utf-8"
    )
    stale = judged(root)
    assert any("stale" in row for row in stale["levels"])
    assert judged(root) == stale


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "pv/cache-1", "modules": 3}', '{"format": "other"}'])
def test_what_pv_did_not_write_is_not_believed(tmp_path: Path, kept: Path, text: str) -> None:
    root = write_project(tmp_path / "p")
    run(project_at(root))
    cold = judged(root)
    [file] = kept.glob("*.json")
    file.write_text(text, encoding="utf-8")
    assert judged(root) == cold


def test_what_others_may_write_is_not_believed(tmp_path: Path, kept: Path) -> None:
    """Its control: in a file of one's own the planted digests are believed, and make all of it stale."""
    root = write_project(tmp_path / "p")
    run(project_at(root))
    cold = judged(root)
    file = plant(kept)
    planted = file.read_bytes()
    assert judged(root) != cold
    file.write_bytes(planted)
    file.chmod(0o666)
    assert judged(root) == cold


def test_in_ci_nothing_is_believed_and_nothing_kept(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its control is above: outside of CI what is planted in one's own file is believed."""
    root = write_project(tmp_path / "p")
    run(project_at(root))
    cold = judged(root)
    file = plant(kept)
    planted = file.read_bytes()
    monkeypatch.setenv("CI", "true")
    assert judged(root) == cold
    assert file.read_bytes() == planted


def test_a_document_is_read_again_when_it_changed(tmp_path: Path, kept: Path) -> None:
    """Its control: what is remembered of one that did not change is what is said."""
    root = write_project(tmp_path / "p", {"contracts/double-v1.yaml": DOCUMENTED, "README.md": "# One\n\n[x]()\n"})
    cold = judged(root)["claims"]
    assert [row.split()[1] for row in cold] == ["PV705"]
    assert judged(root)["claims"] == cold
    (root / "README.md").write_text("# One\n\n![](x.png)\n", encoding="utf-8")
    assert [row.split()[1] for row in judged(root)["claims"]] == ["PV707", "PV709"]
    [file] = kept.glob("*.json")
    value = json.loads(file.read_text(encoding="utf-8"))
    for told in value["modules"].values():
        if "examined" in told:
            told["examined"]["faults"] = []
    file.write_text(json.dumps(value), encoding="utf-8")
    assert [row.split()[1] for row in judged(root)["claims"]] == ["PV707"]
