"""Which parts of a project a subject's evidence rests on where tracing cannot see: compiled code, another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.ledger.receipt import Part
from pv.source.parts import Code
from pv.source.target import TargetFound, command_files, find_command

FILES = {
    "compiled.py": "import kernels\n\nsoftmax = compile_(kernels.softmax)\n",
    "kernels.py": "import factor\n\n\ndef softmax(x):\n    return x\n",
    "factor.py": "FACTOR = 2\n",
    "ports/softmax.py": "import beside\nimport kernels\n",
    "ports/beside.py": "",
    "ports/broken.py": "def (",
    "ports/softmax.sh": "exec cat\n",
    "tool/__init__.py": "",
    "tool/run.py": "from tool import inner\n",
    "tool/inner.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def names(parts: tuple[Part, ...]) -> list[str]:
    return [f"{part.path}: {part.name}" for part in parts]


def test_where_the_bound_code_was_not_entered_all_that_it_imports_counts_whole(root: Path) -> None:
    """A function that is compiled runs without being entered; only its top level would be no evidence."""
    code = Code(root, ["."])
    unseen = code.subject({("kernels.py", "softmax")}, (), (), ("compiled.py", "softmax"))
    assert names(unseen) == ["compiled.py: <whole>", "factor.py: <whole>", "kernels.py: <whole>"]
    seen = code.subject({("kernels.py", "softmax")}, (), (), ("kernels.py", "softmax"))
    assert names(seen) == ["factor.py: <module>", "kernels.py: <module>", "kernels.py: softmax"]
    compiled = code.subject({("kernels.py", "softmax")}, (), (), ("kernels.py", "softmax"), seen=False)
    assert names(compiled) == ["factor.py: <whole>", "kernels.py: <whole>"]


@pytest.mark.parametrize(("command", "parts"), [
    (["python", "ports/softmax.py"],
     ["factor.py: <whole>", "kernels.py: <whole>", "ports/beside.py: <whole>", "ports/softmax.py: <whole>"]),
    (["sh", "./ports/softmax.sh", "--fast"], ["ports/softmax.sh: <file>"]),
    (["ports/softmax.sh", "factor.py"], ["factor.py: <whole>", "ports/softmax.sh: <file>"]),
    (["python", "-m", "tool.run"], ["tool/__init__.py: <whole>", "tool/inner.py: <whole>", "tool/run.py: <whole>"]),
    (["python", "ports/broken.py"], ["ports/broken.py: <file>"]),
    (["cat", "-", "../outside", "/etc/passwd", "ports", "gone.py"], []),
])  # fmt: skip
def test_a_command_rests_on_the_files_that_it_names_and_a_script_on_what_it_imports(
    root: Path, command: list[str], parts: list[str]
) -> None:
    assert names(Code(root, ["."]).command(command)) == parts


def test_the_code_of_a_command_is_its_first_file(root: Path) -> None:
    assert find_command(root, ["sh", "ports/softmax.sh", "factor.py"]) == TargetFound("ports/softmax.sh", 1)
    found = find_command(root, ["sh", "ports/sofmax.sh"])
    assert (found.problem, bool(found.hint)) == ("'sh ports/sofmax.sh' names no file of the project", True)


def test_a_program_outside_the_project_that_a_link_leads_to_is_none_of_its_files(root: Path) -> None:
    (root / "python").symlink_to("/bin/sh")
    assert list(command_files(root, ["python", "factor.py"])) == [("factor.py", ".")]
