"""`pv gate` judges contracts as `pv validate` does: from memory where nothing has changed, anew where something has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran
from small_project import FILES, write_project

from pv.validate import run as judging

Pv = Callable[..., Ran]


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of twenty contracts, bound to one kernel; without evidence, and not in CI, where the gate remembers nothing."""
    monkeypatch.delenv("CI", raising=False)
    names = [f"c{number:02}" for number in range(20)]
    contract, row = FILES["contracts/double-v1.yaml"], FILES["contracts/binding.yaml"].splitlines()[-1]
    own = {f"contracts/{name}-v1.yaml": contract.replace("FALSIFY-D", f"FALSIFY-{name.upper()}") for name in names}
    for name in names:
        text = FILES["falsifiers/double.py"].replace("double-v1", f"{name}-v1")
        own[f"falsifiers/{name}.py"] = text.replace("FALSIFY-D", f"FALSIFY-{name.upper()}")
    rows = "\n".join(row.replace("double-v1", f"{name}-v1") for name in ["double", *names])
    own["contracts/binding.yaml"] = f"schema: pv/binding-v1\nbindings:\n{rows}\n"
    return write_project(tmp_path / "project", own)


def found(pv: Pv, root: Path) -> list[dict[str, Any]]:
    """What the gate says of contracts."""
    rows: list[dict[str, Any]] = json.loads(pv("gate", "--format", "json", cwd=root).out)["findings"]["contracts"]
    return rows


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_what_has_not_changed_is_not_judged_again_and_what_has_is(
    many: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    judge = judging.judge
    monkeypatch.setattr(judging, "judge", lambda *a, **k: (judged.append(a[1]), judge(*a, **k))[1])
    first = found(pv, many)
    assert len(judged) == 22, "the control: twenty-one contracts and their bindings were judged"
    assert found(pv, many) == first
    assert len(judged) == 22

    replace(many / "contracts/c07-v1.yaml", "holds: exact", "holds: exactly")
    assert [row["path"] for row in found(pv, many) if row not in first] == ["contracts/c07-v1.yaml"]
    assert judged[22:] == ["contracts/c07-v1.yaml"]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("falsifiers/c07.py", '@fault("double/twice")', '@fault("double/other")'),
        ("kernels/double.py", "def double(", "def doubled("),
        ("contracts/binding.yaml", "c07-v1, equation: double", "c07-v1, equation: other"),
    ],
)
def test_what_contracts_speak_of_is_part_of_what_is_remembered(
    many: Path, pv: Pv, path: str, old: str, new: str
) -> None:
    first = found(pv, many)
    replace(many / path, old, new)
    assert [row for row in found(pv, many) if row not in first]
