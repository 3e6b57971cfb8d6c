"""The project: where its root is, what its settings may say, and what is selected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from receipts import promise, put_promotion, put_receipt, receipt_value
from small_project import FILES, run, write_project

from pv.finding import Exit, PvError
from pv.level import Level
from pv.project import contracts_in, find_root, matches, open_project, project_at, yaml_paths

SECOND = """\
  - id: FALSIFY-D-002
    rule: as the first
    prediction: as the first
    binds_to: [double/twice]
    if_fails: look at the first
"""


def test_the_root_is_the_nearest_ancestor_with_settings_or_bindings(tmp_path: Path) -> None:
    root = write_project(tmp_path / "outer")
    inner = root / "kernels/deeper"
    inner.mkdir()
    assert find_root(inner) == root
    (root / "kernels/pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    assert find_root(inner) == root
    (root / "kernels/pyproject.toml").write_text("[tool.pv]\n", encoding="utf-8")
    assert find_root(inner) == root / "kernels"
    (root / "pyproject.toml").unlink()
    assert find_root(root) == root
    (root / "contracts/binding.yaml").unlink()
    assert find_root(root) is None
    with pytest.raises(PvError, match="there is no project here"):
        open_project(root)


def test_a_root_reached_by_a_link_is_the_same_project(tmp_path: Path) -> None:
    root = write_project(tmp_path / "real")
    (tmp_path / "link").symlink_to(root)
    assert open_project(tmp_path / "link").root == root


@pytest.mark.parametrize(("settings", "said"), [
    ("sources = ['src']", "unknown key 'sources'"),
    ("source = 'src'", "source must be a list of folders"),
    ("scope = {tourch = ['2']}", "tourch is not known"),
    ("scope = {torch = '2'}", "torch is not known or no list"),
    ("scope = 1", "[tool.pv.scope] must be a table"),
    ("policy = {cases = 0}", "cases = 0 is not known or no whole number above 0"),
    ("policy = {cases = true}", "cases = True is not known"),
    ("policy = {cases = 1.5}", "cases = 1.5 is not known"),
    ("policy = {stratums = 5}", "stratums = 5 is not known"),
])  # fmt: skip
def test_settings_that_are_not_known_are_refused(settings: str, said: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, {"pyproject.toml": f"[tool.pv]\n{settings}\n"})
    with pytest.raises(PvError) as caught:
        open_project(root)
    assert said in caught.value.message
    assert caught.value.exit is Exit.ASK


@pytest.mark.parametrize("text", ["[tool.pv", "\x00", "[tool]\npv = 1\n"])
def test_a_pyproject_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, {"pyproject.toml": text})
    with pytest.raises(PvError):
        open_project(root)


def test_settings_are_what_the_project_stands_behind(tmp_path: Path) -> None:
    text = "[tool.pv]\nsource = ['src']\nscope = {torch = ['2.13']}\npolicy = {cases = 9, stratum = 3}\n"
    project = open_project(write_project(tmp_path, {"pyproject.toml": text}))
    assert project.sources == ("src", ".")
    assert project.scope.accepted == (("torch", ("2.13",)),)
    assert (project.policy.cases, project.policy.stratum) == (9, 3)


def test_an_id_selects_itself_and_its_ending_every_id_with_it() -> None:
    assert [asked for asked in ("FALSIFY-D-001", "FALSIFY-001", "001", "D-001") if matches("FALSIFY-D-001", asked)] == [
        "FALSIFY-D-001", "FALSIFY-001", "001", "D-001",
    ]  # fmt: skip
    assert [
        asked for asked in ("FALSIFY-D-01", "01", "1", "", "FALSIFY-", "FALSIFY-D") if matches("FALSIFY-D-001", asked)
    ] == []


def test_tests_are_selected_by_id_and_by_contract_name_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_project(tmp_path, {"contracts/double-v1.yaml": FILES["contracts/double-v1.yaml"] + SECOND})
    project = open_project(root)
    monkeypatch.chdir(root)

    def ids(*ids: str, contracts: tuple[str, ...] = ()) -> list[str]:
        return [test.id for _, test in project.select(list(ids), list(contracts))]

    both = ["FALSIFY-D-001", "FALSIFY-D-002"]
    assert ids() == both
    assert ids("FALSIFY-002", "FALSIFY-D-001") == both
    assert ids("002") == both[1:]
    for name in ("double-v1", "contracts/double-v1.yaml", str(root / "contracts/double-v1.yaml")):
        assert ids("001", contracts=(name,)) == both[:1]
    with pytest.raises(PvError, match="no falsification test is called 'FALSIFY-D-003'") as caught:
        ids("FALSIFY-D-003")
    assert "FALSIFY-D-00" in caught.value.hint
    with pytest.raises(PvError, match="there is no contract 'dubble-v1'") as caught:
        ids(contracts=("dubble-v1",))
    assert "double-v1" in caught.value.hint


def test_a_contract_that_is_not_valid_is_said_and_not_skipped(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"contracts/bad-v1.yaml": "schema: pv/contract-v1\nmetadata: {}\n"})
    project = open_project(root)
    assert [contract.name for contract in project.contracts] == ["double-v1"]
    assert len(project.contract_files) == 2
    with pytest.raises(PvError, match=r"contracts/bad-v1\.yaml is no valid contract") as caught:
        project.select([], ["bad-v1"])
    assert caught.value.exit is Exit.MEND


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("contracts/binding.yaml", FILES["contracts/binding.yaml"], "holds bindings"),
        ("contracts/data.yaml", "schema: pv/family-v1\n", "holds data"),
        ("old-v1.yaml", "metadata: {version: 1.0.0}\nequations: {}\nproof_obligations: []\n", "of the predecessor"),
    ],
)
def test_a_file_of_another_kind_is_a_wrong_question_and_no_broken_contract(
    tmp_path: Path, path: str, text: str, said: str
) -> None:
    root = write_project(tmp_path, {path: text})
    with pytest.raises(PvError, match=said) as caught:
        open_project(root).contract(str(root / path))
    assert caught.value.exit is Exit.ASK
    (root / path).write_text("schema: pv/contract-v1\n", encoding="utf-8")
    with pytest.raises(PvError, match="is no valid contract") as caught:
        open_project(root).contract(str(root / path))
    assert caught.value.exit is Exit.MEND


def test_the_subject_is_the_default_or_the_only_one(tmp_path: Path) -> None:
    row = '{contract: double-v1, equation: double, name: NAME, role: ROLE, default: DEFAULT, target: "kernels.double:double"}'

    def subject(*rows: tuple[str, str, str]) -> str | None:
        lines = [f"  - {row.replace('NAME', n).replace('ROLE', r).replace('DEFAULT', d)}" for n, r, d in rows]
        text = "\n".join(["schema: pv/binding-v1", "bindings:", *lines, ""])
        project = project_at(write_project(tmp_path, {"contracts/binding.yaml": text}))
        [(contract, test)] = project.select([], [])
        found = project.subject(contract, test)
        return found.name if found else None

    assert subject(("a", "subject", "false")) == "a"
    assert subject(("a", "subject", "false"), ("b", "subject", "true")) == "b"
    assert subject(("a", "subject", "false"), ("b", "subject", "false")) is None
    assert subject(("a", "reference", "true")) is None


def test_without_a_subject_there_is_no_check(tmp_path: Path) -> None:
    text = FILES["contracts/binding.yaml"].replace("equation: double", "equation: triple")
    [row] = project_at(write_project(tmp_path, {"contracts/binding.yaml": text})).assessments().values()
    assert (row.level, row.lacking) == (
        Level.NO_CHECK,
        ("a subject: double is not bound in contracts/binding.yaml",),
    )


def test_receipts_of_both_shelves_count_and_the_unbelievable_do_not(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    project = project_at(root)
    kept = project.keep(receipt_value())
    assert kept.parent == root / ".pv/receipts/double-v1"
    put_receipt(root / "ledger")
    other = put_receipt(root / "ledger", checks=300)
    damaged = put_receipt(root / "ledger", checks=400)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    put_promotion(root / "ledger", promise(other.stem))
    assert {row.name for row in project.receipts["FALSIFY-D-001"]} == {kept.stem, other.stem}
    assert [row.promises for row in project.promotions] == [(promise(other.stem),)]


def test_assessing_writes_nothing(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    run(project_at(root))
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert [row.level for row in project_at(root).assessments().values()] == [Level.PARTIAL_ALGORITHM_LEVEL]
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_a_folder_gives_its_contracts_and_what_cannot_be_read(tmp_path: Path) -> None:
    root = write_project(tmp_path, {
        "contracts/other.yaml": "a: 1\n", "contracts/broken.yaml": "a: [\n", "contracts/.hidden/x.yaml": "a: [\n",
        "contracts/deep/more-v1.yml": FILES["contracts/double-v1.yaml"], "contracts/notes.txt": "x",
        "contracts/families/f.yaml": "schema: pv/family-v1\nfamily: [\n",
        "contracts/families/g.yaml": "schema: pv/family-v1\nfamily: \x07\n",
    })  # fmt: skip
    found = contracts_in(yaml_paths(root / "contracts"), lambda path: path.relative_to(root).as_posix())
    assert [(file.document.path, file.contract is not None) for file in found] == [
        ("contracts/broken.yaml", False), ("contracts/deep/more-v1.yml", True), ("contracts/double-v1.yaml", True),
        ("contracts/families/g.yaml", False),
    ]  # fmt: skip


def test_yaml_is_found_in_order_and_not_in_hidden_folders(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", ".x.yaml", ".git/c.yaml", "d/e.yaml", "f.yaml/g.yaml", "h.yml.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    shown = [path.relative_to(tmp_path).as_posix() for path in yaml_paths(tmp_path)]
    assert shown == ["a.yml", "b.yaml", "d/e.yaml", "f.yaml/g.yaml"]


def test_paths_are_shown_from_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = project_at(write_project(tmp_path / "in"))
    monkeypatch.chdir(tmp_path / "in/kernels")
    assert project.shown(Path("double.py")) == "kernels/double.py"
    assert project.shown(tmp_path / "out.py") == (tmp_path / "out.py").as_posix()
    assert os.sep in project.shown(Path("double.py"))
