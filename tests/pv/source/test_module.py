"""What is remembered of a module is what reading it would tell; of other bytes nothing is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT

from pv.digest import sha256
from pv.finding import PvError
from pv.ledger.receipt import TOP_LEVEL, WHOLE
from pv.source.code import imported_modules, module_parts
from pv.source.data import names_in
from pv.source.memory import Memory
from pv.source.module import Module
from pv.source.parts import Code

MODULES = sorted((ROOT / "implementations").rglob("*.py")) + sorted((ROOT / "falsifiers").glob("*.py"))


def answers(module: Module) -> list[object]:
    names = [*module.names, TOP_LEVEL, WHOLE]
    return [
        module.is_python,
        module.is_bare,
        [(name, module.digest(name), module.names_used_by(name), module.files_named_in(name)) for name in names],
        [module.part_of(name) for name in ("f.<locals>.g", "C.m", "<listcomp>", *module.names[:3])],
        module.imports("implementations.x"),
    ]


def test_a_second_run_answers_what_the_first_one_read() -> None:
    first = Memory()
    read = [answers(Module(path.name, path.read_bytes(), first)) for path in MODULES]
    known = Memory(json.loads(json.dumps(first.kept)))
    assert [answers(Module(path.name, path.read_bytes(), known)) for path in MODULES] == read
    assert (len(MODULES) > 20, first.grew, known.grew) == (True, True, False)


def test_the_answers_are_those_of_the_syntax_tree() -> None:
    for path in MODULES:
        source = path.read_text(encoding="utf-8")
        parts, module = module_parts(source), Module(path.name, path.read_bytes(), Memory())
        assert module.names == parts.names
        assert [module.digest(name) for name in parts.names] == [parts.digest(name) for name in parts.names]
        assert (module.digest(TOP_LEVEL), module.digest(WHOLE)) == (parts.top_level_digest(), parts.whole_digest())
        assert module.imports("a.b") == imported_modules(source, "a.b", path.name == "__init__.py")
        for name in parts.names:
            assert module.names_used_by(name) == parts.names_used_by(name)
            assert module.files_named_in(name) == names_in(parts.nodes(name))


def test_of_changed_bytes_nothing_is_known(tmp_path: Path) -> None:
    """With its control: of the same bytes what was planted is believed, so the memory is what answers."""
    (tmp_path / "m.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    planted = Memory({sha256((tmp_path / "m.py").read_bytes()): {"is Python": True, "digest f": "planted"}})
    assert Code(tmp_path, ["."], planted).digest("m.py", "f") == "planted"
    (tmp_path / "m.py").write_text("def f():\n    return 2\n", encoding="utf-8")
    assert Code(tmp_path, ["."], planted).digest("m.py", "f") == Code(tmp_path, ["."]).digest("m.py", "f") != "planted"


@pytest.mark.parametrize("data", [b"def f(:\n", b"\xff\xfe", b"# coding: no-such\n", b"x = '\x00'\n"])
def test_what_is_no_python_stays_none(data: bytes) -> None:
    first = Memory()
    for memory in (first, Memory(first.kept)):
        module = Module("m.py", data, memory)
        assert not module.is_python
        with pytest.raises(PvError, match=r"^m\.py"):
            module.imports("m")


def test_what_cannot_have_been_kept_is_not_taken() -> None:
    data = b"x = 1\n"
    assert Module("m.py", data, Memory({sha256(data): ["digest <whole>", "planted"]})).digest(WHOLE) != "planted"


def test_code_is_read_anew(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = 1\n", encoding="utf-8")
    code = Code(tmp_path, ["."])
    before = code.command(["python", "m.py"])
    (tmp_path / "m.py").write_text("x = 2\n", encoding="utf-8")
    assert code.command(["python", "m.py"]) == before
    assert code.anew().command(["python", "m.py"]) != before
