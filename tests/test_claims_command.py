"""`pv claims` as a whole: places, sources, bounds, --fix, --unbound, recorded commands, formats."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project
from conftest import Ran, edit
from small_project import IDENTITY, write_project

Pv = Callable[..., Ran]

README = """\
# A model

![tests](https://img.shields.io/badge/tests-1_000-green)

It has 4,192 weights, trained with Adam (beta1=0.85, beta2=0.99) in at most 60 s; a loss of about 2.1 was seen.

| what | value |
|------|-------|
| width | `16` |
| files | 2 |
| name | demo |

```python
width = 16,  # of 27
```
"""
CONTRACT = (
    IDENTITY
    + """\
claims:
  - id: WEIGHTS
    document: README.md
    phrase: {section: A model, text: "has {value} weights"}
    source: {tensors: m.safetensors}
    form: "{:,}"
  - id: ADAM
    document: README.md
    phrase: {section: A model, text: "trained with {value} in at"}
    sources: {a: {python: config.py, name: Adam.beta1}, b: {python: config.py, name: "BETAS[1]"}}
    form: "Adam (beta1={a}, beta2={b})"
  - id: SECONDS
    document: README.md
    phrase: {section: A model, text: "at most {value}; a"}
    source: {json: run.json, key: [s]}
    form: "{} s"
    holds: at_most
  - id: LOSS
    document: README.md
    phrase: {section: A model, text: "about {value} was"}
    source: {json: run.json, key: [loss]}
    holds: about
    tolerance: {relative: 0.05}
  - id: WIDTH
    document: README.md
    cell: {section: A model, row: width, column: value}
    source: {python: config.py, name: WIDTH}
  - id: FILES
    document: README.md
    cell: {section: A model, row: files, column: value}
    source: {files: "*.json"}
  - id: NAME
    document: README.md
    cell: {section: A model, row: name, column: value}
    source: {toml: pyproject.toml, key: [project, name]}
  - id: CODE
    document: README.md
    block: {section: A model, text: "width = {value},"}
    source: {python: config.py, name: WIDTH}
  - id: VOCAB
    document: README.md
    block: {section: A model, text: "# of {value}"}
    source: {command: [python, tools/count.py]}
  - {id: TESTS, document: README.md, badge: {label: tests}, source: {yaml: facts.yaml, key: [tests]}}
documents:
  - {files: README.md}
"""
)
FILES = {
    "README.md": README,
    "contracts/model-v1.yaml": CONTRACT,
    "pyproject.toml": "[project]\nname = 'demo'\n\n[tool.pv]\n",
    "config.py": "from dataclasses import dataclass\nBETAS = (0.85, 0.99)\nWIDTH = 4 * 4\n\n"
    "@dataclass\nclass Adam:\n    beta1: float = 0.85\n",
    "run.json": '{"s": 41.5, "loss": 2.169}\n',
    "other.json": "{}\n",
    "facts.yaml": "tests: 1 000\n",
    "tools/count.py": "from words import WORDS\nprint(len(WORDS))\n",
    "tools/words.py": "WORDS = list(range(27))\n",
}


@pytest.fixture
def project(tmp_path: Path, pv: Pv) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    header = json.dumps(
        {
            "w": {"dtype": "U8", "shape": [64, 65], "data_offsets": [0, 4160]},
            "b": {"dtype": "U8", "shape": [32], "data_offsets": [4160, 4192]},
        }
    ).encode()
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4192))
    assert pv("claims", "record", "VOCAB", cwd=tmp_path).exit == 0
    return tmp_path


def codes(ran: Ran) -> list[str]:
    return [line.split(" ")[2] for line in ran.out.splitlines() if ": error " in line or ": unmeasured " in line]


def test_all_of_it_holds(project: Path, pv: Pv) -> None:
    ran = pv("claims", cwd=project)
    assert (ran.exit, ran.out) == (0, "10 claims, 1 document; 0 errors, 0 warnings\n")


@pytest.mark.parametrize(
    ("file", "old", "new", "claim"),
    [
        ("README.md", "4,192", "4192", "WEIGHTS"),
        ("config.py", "float = 0.85", "float = 0.9", "ADAM"),
        ("config.py", "(0.85, 0.99)", "(0.85, 0.999)", "ADAM"),
        ("run.json", "41.5", "61", "SECONDS"),
        ("README.md", "60 s", "60 ms", "SECONDS"),
        ("run.json", "2.169", "2.4", "LOSS"),
        ("README.md", "| `16` |", "| `17` |", "WIDTH"),
        ("README.md", "files | 2 |", "files | 3 |", "FILES"),
        ("pyproject.toml", "'demo'", "'other'", "NAME"),
        ("README.md", "width = 16,", "width = 161,", "CODE"),
        ("README.md", "tests-1_000", "tests-1_001", "TESTS"),
        ("facts.yaml", "1 000", "1 002", "TESTS"),
    ],
)
def test_a_changed_source_or_place_makes_its_claim_wrong_and_no_other(
    project: Path, pv: Pv, file: str, old: str, new: str, claim: str
) -> None:
    edit(project / file, old, new)
    ran = pv("claims", cwd=project)
    assert (ran.exit, codes(ran)) == (1, ["PV501"])
    assert f"claim {claim!r} is wrong" in ran.out


def test_a_recorded_command_is_stale_when_a_module_it_imports_changes(project: Path, pv: Pv) -> None:
    edit(project / "tools/words.py", "27", "28")
    ran = pv("claims", cwd=project)
    assert (ran.exit, codes(ran), "tools/words.py changed" in ran.out) == (3, ["PV506"], True)
    assert pv("claims", "record", "VOCAB", cwd=project).exit == 0
    ran = pv("claims", cwd=project)
    assert (ran.exit, codes(ran), "'27'" in ran.out) == (1, ["PV501"], True)
    assert pv("ledger", "verify", cwd=project).exit == 0


def test_a_recording_edited_by_hand_is_not_believed(project: Path, pv: Pv) -> None:
    [record] = (project / "ledger/records/model-v1").glob("*.json")
    record.write_text(record.read_text(encoding="utf-8").replace('"27"', '"28"'), encoding="utf-8")
    assert codes(pv("claims", cwd=project)) == ["PV506"]
    assert "PV601" in pv("ledger", "verify", cwd=project).out


def test_fix_writes_the_values_and_keeps_every_other_byte(project: Path, pv: Pv) -> None:
    readme = project / "README.md"
    right = readme.read_text(encoding="utf-8").replace("\n", "\r\n").encode()
    wrong = right
    for old, new in (
        (b"4,192", b"5,000"),
        (b"beta2=0.99", b"beta2=0.9"),
        (b"`16`", b"`18`"),
        (b"1_000", b"9"),
        (b"demo", b"omed"),
    ):
        assert wrong.count(old) == 1
        wrong = wrong.replace(old, new)
    readme.write_bytes(wrong)
    ran = pv("claims", "--fix", cwd=project)
    assert (ran.exit, readme.read_bytes()) == (0, right), ran.said


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("run.json", "41.5", "61"), ("pyproject.toml", "'demo'", "'a|b'"), ("README.md", "| `16` |", "| 1**7** |")],
)
def test_fix_refuses_what_it_is_not_sure_of(project: Path, pv: Pv, file: str, old: str, new: str) -> None:
    edit(project / file, old, new)
    before = (project / "README.md").read_bytes()
    ran = pv("claims", "--fix", cwd=project)
    assert (ran.exit, sorted(codes(ran)), (project / "README.md").read_bytes()) == (1, ["PV501", "PV509"], before)


def test_numbers_without_a_claim_are_listed_unless_a_reason_is_given(project: Path, pv: Pv) -> None:
    assert pv("claims", "--unbound", cwd=project).exit == 0
    edit(project / "README.md", "# A model\n", "# A model\n\nOf 2019, v1.2, see [3](https://x/4).\n")
    ran = pv("claims", "--unbound", cwd=project)
    assert (ran.exit, codes(ran)) == (1, ["PV507", "PV507"])
    assert "README.md:3:4" in ran.out
    edit(
        project / "contracts/model-v1.yaml",
        "{files: README.md}",
        '{files: README.md, numbers: bound, ignore: [{text: "Of 2019", reason: a year}, {text: "[3]", reason: a mark}]}',
    )
    assert pv("claims", cwd=project).exit == 0
    edit(project / "README.md", "Of 2019", "Of 2020")
    assert codes(pv("claims", cwd=project)) == ["PV507", "PV508"]


def test_a_document_alone_needs_no_project(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "README.md").write_text("# A\n\n[b](gone.md)\n", encoding="utf-8")
    ran = pv("claims", "README.md", cwd=tmp_path)
    assert (ran.exit, codes(ran)) == (1, ["PV707"])


@pytest.mark.parametrize("files", ["README.md", "./README.md", "READ*.md", "*.md", "**/*.md", "[A-Z]*.md"])
def test_of_a_document_is_asked_what_any_pattern_asks_of_it(files: str, tmp_path: Path, pv: Pv) -> None:
    """And of patterns that cannot name it, nothing: that they name no file is told where all is looked at."""
    asked = f'documents: [{{files: "{files}", sections: [Uses]}}, {{files: docs/none-*.md}}]\n'
    root = write_project(
        tmp_path,
        {"contracts/double-v1.yaml": small_project.FILES["contracts/double-v1.yaml"] + asked, "README.md": "# A\n"},
    )
    one, every = (json.loads(pv("claims", *of, "--format", "json", cwd=root).out) for of in (["README.md"], []))
    assert {row["code"] for row in one["findings"]} == {"PV703"}
    assert {row["code"] for row in every["findings"]} == {"PV703", "PV700"}


@pytest.mark.parametrize("form", ["json", "sarif", "github", "junit"])
def test_every_format_names_the_finding(project: Path, pv: Pv, form: str) -> None:
    edit(project / "README.md", "| `16` |", "| `17` |")
    ran = pv("claims", "--format", form, cwd=project)
    assert (ran.exit, "PV501" in ran.out) == (1, True)


def test_the_gate_includes_claims_and_documents(project: Path, pv: Pv) -> None:
    edit(project / "README.md", "# A model", "## A model")
    ran = pv("gate", cwd=project)
    assert ran.exit == 1
    assert "PV702" in ran.out


@pytest.mark.parametrize("command", ["validate", "claims", "status", "--help"])
def test_closed_streams_ask_for_the_exit_code_alone(project: Path, command: str) -> None:
    shell = f'"{sys.executable}" -m pv {command}'
    ran, shut = (
        subprocess.run(["sh", "-c", f"{shell} {streams}"], cwd=project, capture_output=True, text=True, check=False)
        for streams in ("", ">&- <&-")
    )
    assert (shut.returncode, shut.stdout, shut.stderr) == (ran.returncode, "", ran.stderr)
