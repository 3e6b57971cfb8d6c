"""What commands write: colour on terminals alone, nothing lost where they are narrow, and no error without a next step."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Ran
from small_project import FILES, write_project
from terminals import on_a_terminal, pv_on_a_terminal

from pv.finding import PvError

Pv = Callable[..., Ran]
COMMANDS = (
    ["--help"], ["validate"], ["status"], ["gate"], ["show", "FALSIFY-D-001"], ["coverage"], ["doctor"], ["claims"],
    ["ledger", "verify"], ["rule"], ["graph"], ["equations", "double-v1"],
)  # fmt: skip
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|9[0-7]|38;5;\d+|48;5;\d+)m")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project whose one test held, and what its run wrote to a terminal that is to have no colour."""
    root = write_project(tmp_path_factory.mktemp("narrow"))
    return root, pv_on_a_terminal(["falsify"], root, 80, NO_COLOR="1")


@pytest.fixture(scope="module")
def project(plain: tuple[Path, str]) -> Path:
    root, said = plain
    assert "1 held" in said
    return root


# --- colour


def test_colour_is_for_terminals_that_have_it_and_people_who_want_it(tmp_path: Path, pv_process: Pv) -> None:
    root = write_project(tmp_path, {"contracts/double-v1.yaml": FILES["contracts/double-v1.yaml"] + "claims: 3\n"})
    asked = ["validate", "--no-cache"]
    assert COLOUR.search(pv_on_a_terminal(asked, root, 80)), "the control: there is colour to be left out"
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        said = pv_on_a_terminal(asked, root, 80, **environment)
        assert ("PV112" in said, ESCAPE.findall(said)) == (True, []), environment
    assert ESCAPE.findall(pv_process(*asked, cwd=root).said) == []


def test_the_progress_of_a_run_has_colour_only_where_it_is_wanted(plain: tuple[Path, str]) -> None:
    root, without = plain
    assert COLOUR.search(pv_on_a_terminal(["falsify"], root, 80))
    assert ("1 held" in without, COLOUR.search(without)) == (True, None)


@pytest.mark.parametrize("command", [*COMMANDS, ["falsify"]], ids=" ".join)
def test_nothing_steers_a_pipe(project: Path, pv_process: Pv, command: list[str]) -> None:
    ran = pv_process(*command, cwd=project)
    assert (bool(ran.out), "\x1b" in ran.said) == (True, False)


# --- narrow


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_sixty_columns_lose_no_word(project: Path, command: list[str]) -> None:
    narrow, wide = (ESCAPE.sub("", pv_on_a_terminal(command, project, columns)) for columns in (60, 250))
    shown = "".join(narrow.split())
    unheld = {"slack"}  # a column in which nothing stands is left out where rows stand by themselves
    assert {word for word in wide.split() if word not in shown and set(word) - set("─═")} <= unheld


@pytest.mark.parametrize(
    "command",
    [["status"], ["coverage"], ["doctor"], ["--help"], ["rule"], ["rule", "PV110"], ["equations", "double-v1"]],
    ids=" ".join,
)
def test_what_is_laid_out_fits(project: Path, command: list[str]) -> None:
    lines = laid_out(pv_on_a_terminal(command, project, 60))
    assert lines
    assert max(map(len, lines)) <= 60
    assert max(map(len, laid_out(pv_on_a_terminal(command, project, 250)))) > 60, (
        "the control: it is as wide as it may be"
    )


def laid_out(text: str) -> list[str]:
    """The lines of `text` but sentences at its end, which the terminal itself folds."""
    return [line for line in ESCAPE.sub("", text).splitlines() if not re.match(r"\d+ \w+( selected)?: |scope: ", line)]


def test_a_terminal_is_as_wide_as_it_is_told(tmp_path: Path) -> None:
    assert on_a_terminal(["sh", "-c", "test -t 1 && tput cols"], tmp_path, 61) == "61\n"


# --- errors


def without_a_next_step(source: str) -> Iterator[int]:
    """The lines of `source` that raise a PvError of which nobody is told what to do next."""
    for node in ast.walk(ast.parse(source)):
        called = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if called == "PvError" and not any(
            said.arg == "hint" and not may_be_empty(said.value) for said in node.keywords
        ):
            yield node.lineno


def may_be_empty(value: ast.expr) -> bool:
    """Whether a branch of the expression is the empty text."""
    if isinstance(value, ast.IfExp):
        return may_be_empty(value.body) or may_be_empty(value.orelse)
    return isinstance(value, ast.Constant) and not value.value


def test_every_error_says_what_to_do_next() -> None:
    found = {str(path): list(without_a_next_step(path.read_text("utf-8"))) for path in (ROOT / "pv").rglob("*.py")}
    assert len(found) > 400
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "call", ["PvError('x')", "PvError('x', hint='')", "finding.PvError('x', hint='' if a else 'b')"]
)
def test_one_that_does_not_is_seen(call: str) -> None:
    assert list(without_a_next_step(f"def f(a):\n    raise {call}\n")) == [2]


def test_none_can_be_made_without(pv: Pv) -> None:
    with pytest.raises(TypeError, match="hint"):
        PvError("x")  # type: ignore[call-arg] # what is tried
    ran = pv("validate", "nowhere.yaml")
    assert ran.err.splitlines()[1:] == ["  next: name a contract file or a folder of contracts"]


@pytest.mark.parametrize(("command", "said"), [
    (["validat"], "did you mean 'validate'?"),
    (["gate", "--falsify", "all"], "Try 'pv gate --help'"),
    (["falsify", "--examples", "none"], "Try 'pv falsify --help'"),
    (["gate", "--min-level", "HIGH"], "next: PARTIAL, FUNCTIONAL or DISCHARGED"),
    (["show", "FALSIFY-D-002"], "next: did you mean 'FALSIFY-D-001'?"),
    (["ledger", "promote", "doubel-v1"], "next: did you mean 'double-v1'?"),
    (["validate", "doubel-v1"], "did you mean 'double-v1'?"),
])  # fmt: skip
def test_misuse_is_answered_with_what_to_ask(project: Path, pv: Pv, command: list[str], said: str) -> None:
    ran = pv(*command, cwd=project)
    assert (ran.exit, said in ran.err) == (2, True), ran.said
