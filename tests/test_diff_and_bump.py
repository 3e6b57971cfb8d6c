"""`pv diff` and `pv bump` as commands, in a throwaway git repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran, edit

Pv = Callable[..., Ran]
EXAMPLES = ROOT / "tests" / "examples" / "diff"
BEFORE = (EXAMPLES / "tolerance-loosened" / "before.yaml").read_text(encoding="utf-8")
KERNEL = Path("contracts/kernel-v1.yaml")


def git(root: Path, *arguments: str) -> None:
    """git, as nobody in particular and without the settings of whoever runs the tests."""
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity |= {
        f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, env={**os.environ, **identity}
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project with one contract, committed."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pv]\n", encoding="utf-8")
    (tmp_path / KERNEL).write_bytes(BEFORE.encode())
    git(tmp_path, "init", "--quiet")
    return commit(tmp_path)


def commit(root: Path) -> Path:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "as it was")
    return root


def test_two_files_are_compared_and_the_exit_says_whether_the_version_moved_enough(tmp_path: Path, pv: Pv) -> None:
    old, new = EXAMPLES / "tolerance-loosened" / "before.yaml", tmp_path / "after.yaml"
    text = (EXAMPLES / "tolerance-loosened" / "after.yaml").read_text(encoding="utf-8")
    versions = {"1.4.0": 1, "1.5.0": 1, "2.0.0": 0, "2.0.0-rc.1": 0, "1.3.0": 1, "two": 1}
    for version, code in versions.items():
        new.write_text(text.replace("version: 1.4.0", f"version: {version}"), encoding="utf-8")
        assert (pv("diff", old, new).exit, version) == (code, version)
    assert pv("diff", old, old).exit == 0


def test_a_change_is_told_with_both_places_a_witness_and_the_version_required(pv: Pv) -> None:
    case = Path("tests/examples/diff/tolerance-loosened")
    ran = pv("diff", case / "before.yaml", case / "after.yaml")
    assert (
        ran.out
        == f"""\
{case}/after.yaml:5:12: error after: 1.4.0 → 1.4.0, but the changes require 2.0.0 (major)
  major: scale/formula: tolerance float32 loosened: 1e-06 → 1e-05
      promises less: what was a failure now passes; only the new admits expected 0.0, residual 5.5e-06
      {case}/before.yaml:22:30 → {case}/after.yaml:24:30
1 contract compared (1 equation, 2 invariants, 2 tests); 1 change: 1 major; 1 to mend
"""
    )


def test_words_that_pv_cannot_read_are_said_to_be_unread(pv: Pv) -> None:
    case = EXAMPLES / "domain-reworded"
    ran = pv("diff", case / "before.yaml", case / "after.yaml")
    assert "at least minor: scale: domain reworded" in ran.out
    assert "pv cannot read words: read both" in ran.out


def test_json_holds_the_same(pv: Pv) -> None:
    case = EXAMPLES / "dtype-dropped"
    value = json.loads(pv("diff", case / "before.yaml", case / "after.yaml", "--format", "json").out)
    (contract,) = value["contracts"]
    (change,) = contract["changes"]
    assert (contract["verdict"], contract["step"], contract["required"]) == ("too little", "major", "2.0.0")
    assert (change["role"], change["move"], change["certain"]) == ("asked", "narrowed", True)
    assert change["witness"] == {"admitted_by": "old", "values": {"dtype": "float64"}}
    assert (change["old"]["line"], change["new"]["line"], change["new"]["text"]) == (14, 16, "float32")
    assert value["compared"] == {"contracts": 1, "equations": 1, "invariants": 2, "tests": 2}


def test_against_a_reference_the_bump_is_what_diff_requires_and_no_more(repository: Path, pv: Pv) -> None:
    assert pv("diff", "--against", "HEAD", cwd=repository).exit == 0
    edit(repository / KERNEL, "float32: 1e-6", "float32: 1e-7")
    wanted = (repository / KERNEL).read_bytes().replace(b"version: 1.4.0", b"version: 1.5.0")
    ran = pv("diff", "--against", "HEAD", cwd=repository)
    assert (ran.exit, f"HEAD:{KERNEL}:22:30 → {KERNEL}:22:30" in ran.out) == (1, True)
    tried = pv("bump", "--against", "HEAD", "--dry-run", cwd=repository)
    assert (tried.exit, "1.4.0 → 1.5.0 (not written)" in tried.out) == (0, True)
    assert (repository / KERNEL).read_bytes() != wanted
    assert pv("bump", "--against", "HEAD", cwd=repository).out == f"{KERNEL}:3:12: kernel-v1: 1.4.0 → 1.5.0\n"
    assert (repository / KERNEL).read_bytes() == wanted
    again = pv("bump", "--against", "HEAD", cwd=repository)
    assert (again.exit, "1.4.0 → 1.5.0, as the changes require" in again.out) == (0, True)
    assert (repository / KERNEL).read_bytes() == wanted
    assert pv("diff", "--against", "HEAD", cwd=repository).exit == 0


def test_every_example_is_right_after_a_bump_that_changed_nothing_but_the_version(repository: Path, pv: Pv) -> None:
    (repository / KERNEL).unlink()
    cases = {case.name: case for case in EXAMPLES.iterdir()}
    for side, line_end in (("before", b"\n"), ("after", b"\r\n")):
        for name, case in cases.items():
            data = (case / f"{side}.yaml").read_bytes().replace(b"\n", line_end)
            (repository / "contracts" / f"{name}-v1.yaml").write_bytes(data)
        if side == "before":
            commit(repository)
    assert pv("diff", "--against", "HEAD", cwd=repository).exit == 1
    assert pv("bump", "--against", "HEAD", cwd=repository).exit == 0
    assert pv("diff", "--against", "HEAD", cwd=repository).exit == 0
    for name, case in cases.items():
        written = (repository / "contracts" / f"{name}-v1.yaml").read_bytes().replace(b"\r\n", b"\n").decode()
        required = written.partition("# required: ")[2].partition("\n")[0]
        old = (case / "before.yaml").read_text(encoding="utf-8").partition("version: ")[2].partition(",")[0].split()[0]
        expected = (case / "after.yaml").read_text(encoding="utf-8")
        assert written == expected.replace(f"version: {old}", f"version: {required}"), name


def test_a_contract_that_is_gone_blocks_and_one_of_the_next_major_takes_its_place(repository: Path, pv: Pv) -> None:
    (repository / KERNEL).rename(repository / "contracts/kernel-v2.yaml")
    ran = pv("diff", "--against", "HEAD", cwd=repository)
    assert (ran.exit, "the contract renamed: kernel-v1 → kernel-v2" in ran.out) == (1, True)
    assert pv("bump", "--against", "HEAD", cwd=repository).exit == 0
    assert pv("diff", "--against", "HEAD", cwd=repository).exit == 0
    (repository / "contracts/kernel-v2.yaml").unlink()
    ran = pv("diff", "--against", "HEAD", cwd=repository)
    assert (ran.exit, "1.4.0 is gone; keep the file, or put kernel-v2.yaml in its place" in ran.out) == (1, True)


def test_a_bump_to_another_major_says_how_the_file_must_be_called(repository: Path, pv: Pv) -> None:
    edit(repository / KERNEL, "float32: 1e-6", "float32: 1e-5")
    ran = pv("bump", "kernel-v1", "--against", "HEAD", cwd=repository)
    assert (ran.exit, "rename the file to kernel-v2.yaml" in ran.out) == (0, True)


def test_a_new_contract_and_a_moved_one_are_no_breach(repository: Path, pv: Pv) -> None:
    (repository / "contracts/kernels").mkdir()
    (repository / KERNEL).rename(repository / "contracts/kernels/kernel-v1.yaml")
    (repository / "contracts/other-v1.yaml").write_text(BEFORE, encoding="utf-8")
    ran = pv("diff", "--against", "HEAD", cwd=repository)
    assert (ran.exit, "1.4.0 → 1.4.0, nothing changed" in ran.out, "new since HEAD" in ran.out) == (0, True, True)


def test_the_project_may_lie_in_a_folder_of_the_repository(tmp_path: Path, pv: Pv) -> None:
    root = tmp_path / "part" / "of it"
    (root / "contracts").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.pv]\n", encoding="utf-8")
    (root / KERNEL).write_text(BEFORE, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    edit(root / KERNEL, "if_fails: Signs are lost", "if_fails: All is lost")
    assert f"HEAD:{KERNEL}:36:15" in pv("diff", "--against", "HEAD", cwd=root).out


def test_a_file_beside_the_contracts_folder_is_compared_when_named(repository: Path, pv: Pv) -> None:
    beside = repository / "kernel-v3.yaml"
    beside.write_text(BEFORE, encoding="utf-8")
    commit(repository)
    edit(beside, "float32: 1e-6", "float32: 1e-5")
    assert pv("diff", "--against", "HEAD", cwd=repository).exit == 0
    assert pv("diff", beside, "--against", "HEAD", cwd=repository).exit == 1
    assert pv("diff", ROOT / "contracts/microgpt-v1.yaml", "--against", "HEAD", cwd=repository).exit == 2


def test_what_cannot_be_compared_is_no_pass(repository: Path, pv: Pv) -> None:
    for arguments, code, said in [
        (["diff"], 3, "there is no release in ledger/releases"),
        (["bump"], 3, "there is no release in ledger/releases"),
        (["diff", "kernel-v1"], 3, "there is no release of kernel-v1"),
        (["diff", "kernal-v1"], 2, "did you mean 'kernel-v1'?"),
        (["diff", "kernal-v1", "--against", "HEAD"], 2, "did you mean 'kernel-v1'?"),
        (["diff", "--against", "nowhere"], 2, "git does not know 'nowhere'"),
        (["diff", "--against=--output=x"], 2, "is no git reference"),
        (["diff", "--against="], 2, "is no git reference"),
        (["diff", "missing.yaml", KERNEL], 2, "there is no file 'missing.yaml'"),
        (["diff", "pyproject.toml", KERNEL], 2, "no valid contract"),
        (["diff", KERNEL, "pyproject.toml"], 1, "is no valid contract"),
    ]:
        ran = pv(*arguments, cwd=repository)
        assert (ran.exit, said in ran.said, arguments) == (code, True, arguments)
    (repository / KERNEL).unlink()
    git(repository, "commit", "--quiet", "--all", "--message", "gone")
    assert pv("diff", "--against", "HEAD", cwd=repository).exit == 3


def test_without_a_repository_or_without_git_the_answer_says_so(
    tmp_path: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pv]\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    ran = pv("diff", "--against", "HEAD", cwd=tmp_path)
    assert (ran.exit, "is in no git repository" in ran.err) == (2, True)
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = pv("diff", "--against", "HEAD", cwd=tmp_path)
    assert (ran.exit, "needs git, which is not installed" in ran.err) == (3, True)


def test_an_invalid_state_is_named_and_the_others_are_still_judged(repository: Path, pv: Pv) -> None:
    other = repository / "contracts/other-v1.yaml"
    other.write_text("schema: pv/contract-v1\n", encoding="utf-8")
    commit(repository)
    other.write_text(BEFORE, encoding="utf-8")
    ran = pv("diff", "--against", "HEAD", cwd=repository)
    assert (ran.exit, "HEAD:contracts/other-v1.yaml is no valid contract" in ran.out) == (3, True)
    edit(repository / KERNEL, "version: 1.4.0", "version: 1.4.0\n  version: 1.4.0")
    ran = pv("diff", "--against", "HEAD", cwd=repository)
    assert (ran.exit, "PV102" in ran.out, "1 not compared" in ran.out) == (1, True, True)


def test_bump_refuses_what_it_is_not_sure_of_and_then_writes_nothing_at_all(repository: Path, pv: Pv) -> None:
    folded = repository / "contracts/zz-v1.yaml"
    folded.write_text(BEFORE.replace("version: 1.4.0", "version: >-\n    1.4.0"), encoding="utf-8")
    commit(repository)
    for path in (folded, repository / KERNEL):
        edit(path, "float32: 1e-6", "float32: 1e-5")
    texts = [path.read_bytes() for path in (folded, repository / KERNEL)]
    ran = pv("bump", "--against", "HEAD", cwd=repository)
    assert (ran.exit, "contracts/zz-v1.yaml:3:12: the version is not written out in one piece" in ran.err) == (1, True)
    assert [path.read_bytes() for path in (folded, repository / KERNEL)] == texts
    edit(folded, "1.4.0", "one")
    assert pv("bump", "zz-v1", "--against", "HEAD", cwd=repository).exit == 1
    edit(repository / KERNEL, "version: 1.4.0", "version: 1.4.0\n  version: 1.4.0")
    assert pv("bump", "kernel-v1", "--against", "HEAD", cwd=repository).exit == 1


PROBE = """
import sys
from pv.cli import main
code = main(sys.argv[1:])
print([name for name in ("torch", "hypothesis", "numpy", "jinja2", "rich") if name in sys.modules], code)
"""


@pytest.mark.parametrize(("command", "expected"), [
    (["diff", "contracts/microgpt-v1.yaml", "contracts/microgpt-v1.yaml"], "[] 0"),
    (["diff", "--against", "HEAD"], "[] "),
    (["bump", "--against", "HEAD", "--dry-run"], "[] "),
    (["status"], "['rich'] 0"),  # the control: the probe does see an import
])  # fmt: skip
def test_diff_and_bump_import_nothing_heavy(command: list[str], expected: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROBE, *command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith(expected)
