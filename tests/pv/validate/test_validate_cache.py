"""The cache of `pv validate`: it is used, a change of anything shows at once, and what is not the user's own is not read."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Ran, copy_project, edit
from projects import CONTRACT, softmax_project

from pv.validate import cache as cache_module
from pv.validate.cache import cache_folder

Pv = Callable[..., Ran]
COMMAND = ("validate", "--format", "json")


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path / "cache/pv-contracts/validate"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with enough contracts for the cache to be asked."""
    root = softmax_project(tmp_path / "project")
    for number in range(20):
        shutil.copy(root / CONTRACT, root / f"contracts/other{number:02}-v1.yaml")
    return root


def codes(ran: Ran, path: str = "softmax-v1.yaml") -> set[str]:
    """The codes found in one file, of an answer in JSON."""
    return {finding["code"] for finding in json.loads(ran.out)["findings"] if finding["path"].endswith(path)}


def forge(caches: Path) -> None:
    """Write another answer into every kept file, as whoever could write there would."""
    for path in caches.glob("*.json"):
        value = json.loads(path.read_bytes())
        if "text" in value:
            value["text"] = "forged"
        path.write_text(json.dumps(value), encoding="utf-8")


def test_an_answer_is_kept_and_given_again(project: Path, caches: Path, pv: Pv) -> None:
    first = pv(*COMMAND, cwd=project)
    assert pv(*COMMAND, cwd=project) == first
    forge(caches)
    assert pv(*COMMAND, cwd=project).out == "forged\n", "the control: the second answer does come from the cache"
    assert pv(*COMMAND, "--no-cache", cwd=project) == first
    assert pv("validate", "--format", "github", cwd=project).exit == first.exit, "another format is another answer"


def test_only_the_file_that_changed_is_judged_again(
    project: Path, caches: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch
) -> None:
    pv(*COMMAND, cwd=project)
    edit(project / CONTRACT, "every row sums to 1", "every entry is strictly between 0 and 1")
    judged: list[str] = []
    from pv.validate import run

    original = run.judge
    monkeypatch.setattr(run, "judge", lambda *a, **k: judged.append(a[1]) or original(*a, **k))
    assert "PV208" in codes(pv(*COMMAND, cwd=project))
    assert judged == ["contracts/softmax-v1.yaml"]


CHANGES = {
    "contract": (CONTRACT, "every row sums to 1", "every entry is strictly between 0 and 1", "PV208"),
    "binding": ("contracts/binding.yaml", "kernels:softmax", "kernels:sotfmax", "PV305"),
    "falsifier": ("falsifiers/softmax.py", '@fault("softmax/unit_sum")', "", "PV306"),
    "code": ("kernels.py", "def softmax(", "def softmax_of(", "PV305"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_what_an_answer_depends_on_shows_at_once(what: str, project: Path, caches: Path, pv: Pv) -> None:
    path, before, after, code = CHANGES[what]
    assert all(code not in codes(pv(*COMMAND, cwd=project), name) for name in ("softmax-v1.yaml", "binding.yaml"))
    assert len(list(caches.iterdir())) == 2
    edit(project / path, before, after)
    ran = pv(*COMMAND, cwd=project)
    assert code in codes(ran) | codes(ran, "binding.yaml")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no time of the last change of a file's state")
def test_a_change_that_keeps_size_and_time_shows_at_once(project: Path, caches: Path, pv: Pv) -> None:
    file = project / "kernels.py"
    before = file.stat()
    assert "PV305" not in codes(pv(*COMMAND, cwd=project), "binding.yaml")
    edit(file, "def softmax(", "def sotfmax(")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert "PV305" in codes(pv(*COMMAND, cwd=project), "binding.yaml")


def test_a_change_of_the_configuration_shows_at_once(project: Path, caches: Path, pv: Pv) -> None:
    edit(project / CONTRACT, "every row sums to 1", "every entry is strictly between 0 and 1")
    assert "PV208" in codes(pv(*COMMAND, cwd=project))
    (project / "pyproject.toml").write_text(
        '[tool.pv.rules]\nPV208 = {severity = "off", reason = "x"}\n', encoding="utf-8"
    )
    assert "PV208" not in codes(pv(*COMMAND, cwd=project))
    (project / "pyproject.toml").write_text("[tool.pv.ruels]\n", encoding="utf-8")
    assert pv(*COMMAND, cwd=project).exit == 2


def test_a_new_file_and_a_baseline_show_at_once(project: Path, caches: Path, pv: Pv) -> None:
    first = json.loads(pv(*COMMAND, cwd=project).out)["checked"]["files"]
    shutil.copy(project / CONTRACT, project / "contracts/added-v1.yaml")
    assert json.loads(pv(*COMMAND, cwd=project).out)["checked"]["files"] == first + 1
    assert pv(*COMMAND, "--baseline", "known.json", "--update-baseline", cwd=project).exit == 0
    assert pv(*COMMAND, "--baseline", "known.json", cwd=project).exit == 0
    (project / "known.json").write_text('{"format": "pv/baseline-v1", "findings": []}', encoding="utf-8")
    assert pv(*COMMAND, "--baseline", "known.json", cwd=project).exit == 1


@pytest.fixture
def own_pv(tmp_path: Path) -> Path:
    """A copy of pv and its schemas, to be changed."""
    home = tmp_path / "own"
    for part in ("pv", "schemas"):
        shutil.copytree(ROOT / part, home / part, ignore=shutil.ignore_patterns("__pycache__"))
    return home


RULE = '''

@rule("PV299")
def always(judged: Judged) -> Iterator[Report]:
    """A rule that fires."""
    yield judged.at(), "seen", "hint"
'''


@pytest.mark.parametrize("what", ["rule", "schema"])
def test_a_change_of_pv_itself_shows_at_once(
    what: str, own_pv: Path, project: Path, caches: Path, pv_process: Pv
) -> None:
    environment = {"PYTHONPATH": str(own_pv), "XDG_CACHE_HOME": str(caches.parent.parent)}
    code = {"rule": "PV299", "schema": "PV112"}[what]
    assert code not in codes(pv_process(*COMMAND, cwd=project, env=environment))
    if what == "rule":
        with (own_pv / "pv/rules/domain.py").open("a", encoding="utf-8") as file:
            file.write(RULE)
    else:
        schema = own_pv / "schemas/contract-v1.json"
        value = json.loads(schema.read_bytes())
        value["properties"]["equations"]["minProperties"] = 7
        schema.write_text(json.dumps(value), encoding="utf-8")
    assert code in codes(pv_process(*COMMAND, cwd=project, env=environment))


def test_evidence_that_is_gone_shows_at_once(tmp_path: Path, caches: Path, pv: Pv) -> None:
    root = copy_project(tmp_path / "scratch")
    for number in range(20):
        shutil.copy(root / "contracts/microgpt-v1.yaml", root / f"contracts/microgpt{number:02}-v1.yaml")
    contract = root / "contracts/microgpt-v1.yaml"
    text = contract.read_text(encoding="utf-8")
    contract.write_text(
        text.replace("    rule:", "    status: PARTIAL_ALGORITHM_LEVEL\n    rule:", 1), encoding="utf-8"
    )
    before = pv(*COMMAND, "--select", "PV401", cwd=root)
    if "PV401" in codes(before, "microgpt-v1.yaml"):
        pytest.fail(
            "the ledger of this repository does not support its first test: pv falsify --stale, pv ledger promote"
        )
    shutil.rmtree(root / "ledger")
    assert "PV401" in codes(pv(*COMMAND, "--select", "PV401", cwd=root), "microgpt-v1.yaml")


@pytest.mark.skipif(os.name != "posix", reason="who owns a file is told by POSIX")
@pytest.mark.parametrize(
    "how", ["readable by others", "torn", "another format", "a link", "the folder is open", "a stranger's", "too large"]
)
def test_a_cache_that_is_not_the_users_own_is_not_read(
    how: str, project: Path, caches: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = pv(*COMMAND, cwd=project)
    forge(caches)
    for path in caches.iterdir():
        match how:
            case "readable by others":
                path.chmod(0o644)
            case "torn":
                path.write_bytes(path.read_bytes()[:-7])
            case "another format":
                path.write_text(path.read_text(encoding="utf-8").replace("pv/cache-1", "pv/cache-0"), encoding="utf-8")
            case "a link":
                path.rename(tmp_path / path.name)
                path.symlink_to(tmp_path / path.name)
            case "a stranger's" if os.geteuid() == 0:
                os.chown(path, 12345, 12345)
            case "a stranger's":
                pytest.skip("only root can give a file away")
    if how == "the folder is open":
        caches.chmod(0o755)
    if how == "too large":
        monkeypatch.setattr(cache_module, "MAX_BYTES", 10)
    assert pv(*COMMAND, cwd=project) == first


@pytest.mark.parametrize(
    "rows",
    ['{"contracts/softmax-v1.yaml": 1}', "[]", '{"contracts/softmax-v1.yaml": ["DATA", "AROUND", ["contract"]]}'],
)
def test_rows_that_pv_did_not_write_are_not_believed(rows: str, project: Path, caches: Path, pv: Pv) -> None:
    first = pv(*COMMAND, cwd=project)
    for path in caches.iterdir():
        value = json.loads(path.read_bytes())
        if "rows" in value:
            entry = value["rows"]["contracts/softmax-v1.yaml"]
            value["rows"] = json.loads(rows.replace("DATA", entry[0]).replace("AROUND", entry[1]))
            path.write_text(json.dumps(value), encoding="utf-8")
        else:
            path.unlink()
    assert pv(*COMMAND, cwd=project) == first


def falsifiers_kept(caches: Path) -> tuple[Path, dict[str, Any], list[Any]]:
    """The file with what is kept of the falsifiers, its content, and of that the attacks, one for each falsifier."""
    for path in caches.iterdir():
        value = json.loads(path.read_bytes())
        if "rows" in value:
            [name] = [name for name in value["rows"] if name.startswith("\0")]
            return path, value, value["rows"][name][2][4]
    raise AssertionError("nothing is kept")


def test_what_is_known_of_the_falsifiers_says_the_same(project: Path, caches: Path, pv: Pv) -> None:
    """Of a contract that changed, while they did not; the control: it is what is kept that says it."""
    with (project / "falsifiers/softmax.py").open("a", encoding="utf-8") as file:
        file.write(
            '\n\n@falsifier("FALSIFY-SM-001")\ndef asserts(subject, case, check):\n    assert subject(case.x) == 1\n'
        )
    pv(*COMMAND, cwd=project)
    for change in ("the first", "the second"):
        edit(project / CONTRACT, "schema: pv/contract-v1\n", f"schema: pv/contract-v1  # {change}\n")
        warm = pv(*COMMAND, cwd=project)
        assert codes(warm, "falsifiers/softmax.py") == {"PV311", "PV315", "PV317"}
        assert warm == pv(*COMMAND, "--no-cache", cwd=project)
        edit(project / CONTRACT, f"  # {change}\n", "\n")
    path, value, attacks = falsifiers_kept(caches)
    for attack in attacks:
        attack[:3] = [], [], []
    path.write_text(json.dumps(value), encoding="utf-8")
    edit(project / CONTRACT, "schema: pv/contract-v1\n", "schema: pv/contract-v1  # the third\n")
    assert codes(pv(*COMMAND, cwd=project), "falsifiers/softmax.py") == {"PV311"}


@pytest.mark.parametrize("row", [[], [1], [[[1]], [], [], [], [[]]], [[], [], [], [], [[1, 2, 3, 4]]]])
def test_falsifiers_that_pv_did_not_write_are_not_believed(
    row: list[object], project: Path, caches: Path, pv: Pv
) -> None:
    pv(*COMMAND, cwd=project)
    edit(project / CONTRACT, "schema: pv/contract-v1\n", "schema: pv/contract-v1  # changed\n")
    path, value, _ = falsifiers_kept(caches)
    value["rows"] = {
        name: [*entry[:2], row] if name.startswith("\0") else entry for name, entry in value["rows"].items()
    }
    path.write_text(json.dumps(value), encoding="utf-8")
    assert pv(*COMMAND, cwd=project) == pv(*COMMAND, "--no-cache", cwd=project)
    _, _, attacks = falsifiers_kept(caches)
    assert len(attacks) == (project / "falsifiers/softmax.py").read_text(encoding="utf-8").count("@falsifier(")


def test_a_folder_that_cannot_be_written_is_no_trouble(
    project: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for home in (str(tmp_path / "file"), "relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", home)
        monkeypatch.setenv("HOME", home)
        assert pv(*COMMAND, cwd=project).exit == 1


def test_each_system_has_its_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"XDG_CACHE_HOME": "", "HOME": "/home/a", "LOCALAPPDATA": "/local"}.items():
        monkeypatch.setenv(name, value)
    places = {}
    for system in ("linux", "darwin", "win32"):
        monkeypatch.setattr("sys.platform", system)
        places[system] = str(cache_folder())
    assert places == {
        "linux": "/home/a/.cache/pv-contracts/validate",
        "darwin": "/home/a/Library/Caches/pv-contracts/validate",
        "win32": "/local/pv-contracts/validate",
    }


def test_few_files_are_judged_without_a_cache(tmp_path: Path, caches: Path, pv: Pv) -> None:
    root = softmax_project(tmp_path / "small")
    assert pv("validate", cwd=root).exit == 0
    assert not caches.exists()
