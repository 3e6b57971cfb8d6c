"""Another process answers calls; whatever else it does breaks the trial with what it said, and it never outlives it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT
from several_subjects import FILES, write_project

from pv.falsify.port import Port
from pv.finding import Exit, PvError
from pv.project import project_at

X = torch.tensor([1.5, -2.0])
OK = 'print(json.dumps({"ok": True, "count": x.size}), flush=True)'
Made = Callable[..., Port]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A port of the project whose ports/scale.py has `replace` in the place of `find`; or with another command."""
    with ExitStack() as closing:

        def make(find: str = "", replace: str = "", contract: tuple[str, str] = ("", ""), **changes: Any) -> Port:
            script, text = FILES["ports/scale.py"], FILES["contracts/scale-v1.yaml"]
            assert find in script
            files = {
                "ports/scale.py": script.replace(find, replace),
                "contracts/scale-v1.yaml": text.replace(*contract),
            }
            project = project_at(write_project(tmp_path, files))
            equation = project.contracts[0].equation("scale")
            binding = next(row for row in project.bindings if row.name == "port")
            assert equation is not None
            port = Port(binding._replace(**changes), equation, tmp_path)
            closing.callback(port.close)
            return port

        yield make


def broken(port: Port, *arguments: Any) -> str:
    """Why a call breaks the trial, and every call after it."""
    with pytest.raises(PvError) as caught:
        port(*(arguments or (X, 2)))
    with pytest.raises(PvError) as again:
        port(X, 2)
    assert (again.value.message, caught.value.exit) == (caught.value.message, Exit.MEND)
    return caught.value.message.removeprefix("the command python ports/scale.py ")


@pytest.mark.parametrize(("find", "replace", "said"), [
    (OK, "sys.exit('no room left')", "ended with exit code 1 without an answer; it said: no room left"),
    (OK, "import os; os.kill(os.getpid(), 9)", "ended with exit code -9 without an answer"),
    (OK, "os.close(1); sys.stdin.read()", "closed its standard output without an answer"),
    (OK, "print('computing', flush=True)", "answered 'computing'; one line of JSON with `ok` or `error` is needed"),
    (OK, "print('[1]', flush=True)", "answered '[1]'; one line"),
    (OK, "print('{\"ok\": 1}', flush=True)", "answered '{\"ok\": 1}'; one line"),
    (OK, "print('{', end='', flush=True); sys.exit()", "answered a line without an end (1 bytes)"),
    (OK, OK.replace('"count"', '"number"'), "returned no 'count': the answer has ok, number"),
    ('save_file({"y"', 'save_file({"z"', "returned no 'y': the file `out` has z"),
    ('save_file({"y": scaled(x, k)}, call["out"])', "", "returned no 'y': the file `out` has nothing"),
    ('save_file({"y": scaled(x, k)}, call["out"])', 'open(call["out"], "wb").write(b"no")', "is no safetensors file"),
    ("for line", "raise RuntimeError('no licence')\nfor line", "RuntimeError: no licence"),
])  # fmt: skip
def test_whatever_is_no_answer_breaks_the_trial_with_what_the_program_said(
    find: str, replace: str, said: str, made: Made
) -> None:
    assert said in broken(made(find, replace.replace("os.close", "import os; os.close")))


@pytest.mark.parametrize(("command", "said"), [
    (("no-such-program",), "cannot be started: No such file or directory"),
    (("ports/scale.py",), "cannot be started: Permission denied"),
    (("python", "ports/gone.py"), "can't open file"),
])  # fmt: skip
def test_a_program_that_cannot_be_started_is_named(command: tuple[str, ...], said: str, made: Made) -> None:
    message = broken(made(command=command))
    assert message.startswith(f"the command {' '.join(command)} ")
    assert said in message


def test_an_argument_that_json_cannot_hold_is_no_fault_of_the_program(made: Made) -> None:
    assert broken(made(), X, torch.float32).startswith("cannot be asked: Object of type dtype is not JSON serializable")


@pytest.mark.parametrize(("name", "kind", "text"), [
    ("IndexError", IndexError, "k is -4; at least 0 is needed"),
    ("NoSuchError", RuntimeError, "NoSuchError: k is -4; at least 0 is needed"),
    ("SystemExit", RuntimeError, "SystemExit: k is -4; at least 0 is needed"),
    ("UnicodeDecodeError", RuntimeError, "UnicodeDecodeError: k is -4; at least 0 is needed"),
])  # fmt: skip
def test_an_error_is_raised_under_its_name_and_a_foreign_one_says_it(
    name: str, kind: type[Exception], text: str, made: Made
) -> None:
    port = made('"ValueError"', f'"{name}"')
    with pytest.raises(kind) as caught:
        port(X, -4)
    assert (type(caught.value), str(caught.value)) == (kind, text)
    assert port(X, 2)[1] == 2


def test_what_an_earlier_call_left_behind_is_no_answer_to_a_later_one(made: Made) -> None:
    port = made('save_file({"y": scaled(x, k)}, call["out"])', 'if k == 1: save_file({"y": x}, call["out"])')
    assert port(X, 1)[0].tolist() == X.tolist()
    assert "returned no 'y'" in broken(port)


def test_a_program_that_says_much_does_not_stand_still(made: Made) -> None:
    port = made(OK, f"sys.stderr.write('x' * 10**6); {OK}")
    assert [port(X, k)[0].tolist() for k in (1, 2, 3)] == [(k * X).tolist() for k in (1, 2, 3)]


def test_numbers_beyond_json_travel_and_a_whole_number_can_be_a_real_one(made: Made) -> None:
    with pytest.raises(ValueError, match="k is nan"):
        made("k < 0", "k != k")(X, float("nan"))
    assert type(made()(X, 2)[1]) is int
    assert type(made(contract=("count: {type: integer}", "count: {type: real}"))(X, 2)[1]) is float


def test_the_program_ends_with_the_port_and_leaves_nothing_behind(
    tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    port = made("for line", f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\nfor line")
    port(X, 2)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)  # it is there
    assert list((tmp_path / "temporary").iterdir()) != []
    port.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not list(tmp_path.rglob("__pycache__"))
    assert port(X, 2)[1] == 2  # and can be asked again


def test_python_is_the_one_that_runs_pv(made: Made) -> None:
    port = made('f"k is {k}; at least 0 is needed"', "sys.executable")
    with pytest.raises(ValueError, match=f"^{re.escape(sys.executable)}$"):
        port(X, -1)


def test_the_port_that_the_documentation_shows_works_as_it_says(tmp_path: Path) -> None:
    [script] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/ports.md").read_text(encoding="utf-8"), re.DOTALL)
    project = project_at(write_project(tmp_path, {"ports/scale.py": script}))
    equation = project.contracts[0].equation("scale")
    assert equation is not None
    port = Port(next(row for row in project.bindings if row.name == "port"), equation, tmp_path)
    try:
        assert port(X, 3)[0].tolist() == [4.5, -6.0]
        with pytest.raises(ValueError, match="k is -1; at least 0 is needed"):
            port(X, -1)
    finally:
        port.close()
