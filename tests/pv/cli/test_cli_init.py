"""`pv init`: the example is green from end to end and can be broken; the empty project says what is next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit
from ledger_project import git

Pv = Callable[..., Ran]


def contents(root: Path) -> dict[str, bytes]:
    """Every file below `root`."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_example_is_green_by_the_commands_it_prints(tmp_path: Path, pv: Pv) -> None:
    made = pv("init", tmp_path / "demo")
    lines = made.out.splitlines()
    at = lines.index("next:")
    assert (made.exit, lines[at + 1]) == (0, f"  cd {tmp_path}/demo")
    commands = [line.split() for line in lines[at + 2 :]]
    assert [command[:2] for command in commands] == [["pv", word] for word in ("validate", "falsify", "ledger", "gate")]
    for command in commands:
        ran = pv(*command[1:], cwd=tmp_path / "demo")
        assert ran.exit == 0, ran.said


def test_what_it_wrote_is_what_it_says_it_wrote(tmp_path: Path, pv: Pv) -> None:
    made = pv("init", tmp_path / "a new" / "demo")
    said = {line.removeprefix("wrote ") for line in made.out.splitlines() if line.startswith("wrote ")}
    root = tmp_path / "a new" / "demo"
    assert {f"{root.as_posix()}/{name}" for name in contents(root)} == said
    assert f"  cd '{root}'" in made.out.splitlines()


@pytest.mark.parametrize("more", [(), ("--empty",)])
def test_git_takes_the_ledger_byte_for_byte_and_shows_no_diffs_of_it(
    tmp_path: Path, pv: Pv, more: tuple[str, ...]
) -> None:
    pv("init", tmp_path, *more)
    git(tmp_path, "init", "--quiet")
    names = ("ledger/receipts/soft-cap-v1/0.json", "falsifiers/pins/P/0.json", "kernels.py")
    told = git(tmp_path, "check-attr", "text", "diff", "merge", "linguist-generated", "--", *names).splitlines()
    assert told == [
        f"{name}: {attribute}: {value if name != 'kernels.py' else 'unspecified'}"
        for name in names
        for attribute, value in (
            ("text", "unset"),
            ("diff", "unset"),
            ("merge", "unset"),
            ("linguist-generated", "set"),
        )
    ]


def test_the_example_broken_as_its_readme_says_is_stale_and_then_falsified(tmp_path: Path, pv: Pv) -> None:
    pv("init", tmp_path)
    for command in (["falsify"], ["ledger", "promote", "soft-cap-v1"]):
        assert pv(*command, cwd=tmp_path).exit == 0
    edit(tmp_path / "kernels.py", "30.0 * torch.tanh", "30.1 * torch.tanh")
    assert pv("gate", cwd=tmp_path).exit == 3
    ran = pv("falsify", cwd=tmp_path)
    assert (ran.exit, ran.out.count("  falsified")) == (1, 2)


def test_the_empty_project_measures_nothing_and_names_the_next_command(tmp_path: Path, pv: Pv) -> None:
    made = pv("init", tmp_path / "demo", "--empty")
    assert (made.exit, "pv scaffold NAME-v1" in made.out) == (0, True)
    ran = pv("gate", cwd=tmp_path / "demo")
    assert (ran.exit, "PV405" in ran.out, "    pv " in ran.out) == (3, True, True)
    assert pv("validate", cwd=tmp_path / "demo").exit == 3


@pytest.mark.parametrize("there", ["kernels.py", "pyproject.toml", ".gitignore", "falsifiers/soft_cap.py"])
def test_a_file_that_is_there_is_not_overwritten_and_nothing_is_written(tmp_path: Path, pv: Pv, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("# mine\n", encoding="utf-8")
    before = contents(tmp_path)
    ran = pv("init", tmp_path)
    assert (ran.exit, there in ran.err, "nothing was written" in ran.err) == (2, True, True)
    assert contents(tmp_path) == before


def test_a_link_that_leads_nowhere_is_a_file_that_is_there(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "kernels.py").symlink_to(tmp_path / "elsewhere.py")
    assert pv("init", tmp_path).exit == 2
    assert not (tmp_path / "elsewhere.py").exists()


@pytest.mark.parametrize("empty", [[], ["--empty"]])
def test_a_project_is_not_made_twice(tmp_path: Path, pv: Pv, empty: list[str]) -> None:
    pv("init", tmp_path)
    before = contents(tmp_path)
    ran = pv("init", tmp_path, *empty)
    assert (ran.exit, "is a project already" in ran.err) == (2, True)
    assert contents(tmp_path) == before


def test_a_project_made_by_its_settings_alone_is_one(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pv]\n", encoding="utf-8")
    assert "is a project already" in pv("init", tmp_path, "--empty").err


def test_a_folder_inside_a_project_may_become_one_of_its_own(tmp_path: Path, pv: Pv) -> None:
    pv("init", tmp_path, "--empty")
    assert pv("init", tmp_path / "inner").exit == 0
    assert pv("validate", cwd=tmp_path / "inner").exit == 0


@pytest.mark.parametrize("where", ["file", "file/below", "blocked"])
def test_where_no_folder_can_be_nothing_is_left(tmp_path: Path, pv: Pv, where: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked/falsifiers").write_text("", encoding="utf-8")
    before = contents(tmp_path)
    ran = pv("init", tmp_path / where)
    assert (ran.exit, "Traceback" in ran.err) == (2, False), ran.said
    assert contents(tmp_path) == before
