"""The located loader: values of YAML 1.2 core, the place of everything, and a finding for every hostile file."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from pv.contract import document as module
from pv.contract import parser
from pv.contract.bounds import MAX_BYTES, MAX_FINDINGS
from pv.contract.document import Document, parse_document, read_document
from pv.contract.parser import pure_events
from pv.finding import Exit, Place, PvError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def said(document: Document) -> list[tuple[str, str]]:
    return [(finding.code, f"{finding.place.line}:{finding.place.column}") for finding in document.findings]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E+2", 100.0),
        ("+.5", 0.5),
        ("1.", 1.0),
        ("-0.0", -0.0),
        ("017", 17),
        ("-12", -12),
        ("0o17", 15),
        ("0x1F", 31),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("nULL", "nULL"),
        ("12:30:45", "12:30:45"),
        ("2026-11-21", "2026-11-21"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("-0x1F", "-0x1F"),
        ("1e", "1e"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("|-\n 12", "12"),
        ("\u0661\u0662", "\u0661\u0662"),
        ("9" * 64, int("9" * 64)),
        ("9" * 65, "9" * 65),
        ("1." + "0" * 70, "1." + "0" * 70),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_core_says(text: str, value: object) -> None:
    read = parse_document(f"a: {text}\n".encode(), "a.yaml").value["a"]
    assert (read, type(read)) == (value, type(value))


def test_every_value_and_every_key_has_its_line_and_column_in_characters() -> None:
    text = "é: {∑: [1, two]}\nb:\n  - x: |\n      long\n    y: ''\n  - z\n"
    document = parse_document(text.encode(), "a.yaml")
    places = {
        "": document.place(()),
        "é": document.place(("é",), key=True),
        "é value": document.place(("é",)),
        "∑": document.place(("é", "∑"), key=True),
        "∑/1": document.place(("é", "∑", 1)),
        "b/0": document.place(("b", 0)),
        "b/0/x": document.place(("b", 0, "x")),
        "b/0/y": document.place(("b", 0, "y"), key=True),
        "b/1": document.place(("b", 1), key=True),
    }
    assert {name: (place.line, place.column) for name, place in places.items()} == {
        "": (1, 1),
        "é": (1, 1),
        "é value": (1, 4),
        "∑": (1, 5),
        "∑/1": (1, 12),
        "b/0": (3, 5),
        "b/0/x": (3, 8),
        "b/0/y": (5, 5),
        "b/1": (6, 5),
    }


def test_what_is_not_there_has_the_place_of_its_nearest_ancestor() -> None:
    document = parse_document(b"a:\n  b: [1]\n", "a.yaml")
    assert document.place(("a", "b", 7)) == Place("a.yaml", 2, 6)
    assert document.place(("a", "c", "d")) == Place("a.yaml", 2, 3)
    assert document.place(("a", "c"), key=True) == Place("a.yaml", 1, 1)
    assert document.place(("z",)) == Place("a.yaml", 1, 1)
    assert parse_document(b"", "a.yaml").place(("z", 1)) == Place("a.yaml", 1, 1)


def test_a_byte_order_mark_moves_nothing() -> None:
    document = parse_document(b"\xef\xbb\xbfa: 1\n", "a.yaml")
    assert (document.value, said(document), document.place(("a",))) == ({"a": 1}, [], Place("a.yaml", 1, 4))


def test_of_a_key_that_stands_twice_the_first_is_kept_and_named() -> None:
    document = parse_document(b"a: 1\nb: 2\na: {a: 3}\na: 4\n", "a.yaml")
    assert document.value == {"a": 1, "b": 2}
    assert said(document) == [("PV102", "3:1"), ("PV102", "4:1")]
    assert document.findings[1].message == "key 'a' is there already, in line 1"


REFUSED = {
    "alias": (b"a: &x 1\nb: *x\n", [("PV103", "1:4"), ("PV103", "2:4")]),
    "alias as key": (b"*x : 1\n", [("PV103", "1:1")]),
    "anchored collection": (b"a: &x\n  b: 1\n", [("PV103", "1:4")]),
    "merge key": (b"a: {<<: {b: 1}}\n", [("PV103", "1:5")]),
    "tag": (b"a: !!str 1\n", [("PV103", "1:4")]),
    "tag that says nothing": (b"a: ! 1\n", [("PV103", "1:4")]),
    "tag on a collection": (b"a: !x [1]\n", [("PV103", "1:4")]),
    "tag directive": (b"%TAG ! tag:x,2000:\n---\na: 1\n", [("PV103", "1:1")]),
    "yaml 1.1": (b"%YAML 1.1\n---\na: 1\n", [("PV103", "1:1")]),
    "second document": (b"a: 1\n---\nb: 2\n", [("PV103", "2:1")]),
    "nan": (b"a: .NaN\n", [("PV106", "1:4")]),
    "infinity": (b"a: [-.inf]\n", [("PV106", "1:5")]),
    "overflow": (b"a: 1e999\n", [("PV106", "1:4")]),
    "number as key": (b"1: a\n", [("PV106", "1:1")]),
    "truth as key": (b"true: a\n", [("PV106", "1:1")]),
    "null as key": (b"{~: a}\n", [("PV106", "1:2")]),
    "list as key": (b"? [a]\n: b\n", [("PV106", "1:3")]),
    "surrogate": (b'a: "\\ud800"\n', [("PV106", "1:7")]),
    "beyond unicode": (b'a: "\\Uffffffff"\n', [("PV106", "1:7")]),
    "tab": (b"a:\n\tb: 1\n", [("PV101", "2:1")]),
    "no yaml": (b"a: [1\n", [("PV101", "2:1")]),
    "colon in text": (b"a: b: c\n", [("PV101", "1:5")]),
    "nul": (b"a: b\x00c\n", [("PV104", "1:5")]),
    "control": (b"a: 1\n\xc3\xa9: \x07\n", [("PV104", "2:4")]),
    "not utf-8": (b"a: \xc3\xa9\xff\n", [("PV104", "1:5")]),
    "utf-8 of a surrogate": (b"a: \xed\xa0\x80\n", [("PV104", "1:4")]),
    "utf-16": ("a: 1".encode("utf-16"), [("PV104", "1:1")]),
    "utf-16 without mark": ("a: 1".encode("utf-16-le"), [("PV104", "1:2")]),
    "deep flow": (b"[" * 100_000, [("PV105", "1:65")]),
    "deep blocks": (b"- " * 100_000, [("PV105", "1:129")]),
    "long scalar": (b"a: " + b"x" * (1024 * 1024 + 1), [("PV105", "1:4")]),
    "large": (b"#" * (MAX_BYTES + 1), [("PV105", "1:1")]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_contract_has_no_use_for_is_refused_in_its_place_at_once(name: str) -> None:
    data, expected = REFUSED[name]
    began = time.process_time()
    document = parse_document(data, "a.yaml")
    assert time.process_time() - began < 0.2
    assert said(document) == expected
    assert all(len(finding.message) < 200 and finding.hint for finding in document.findings)


@pytest.mark.parametrize(
    "text",
    [
        "a: '&x *x !x <<'\n",
        "'<<': 1\n",
        "'1': a\n",
        "---\na: 1\n...\n",
        "%YAML 1.2\n---\na: 1\n",
        "a:\tb\n",
        'a: "\\ud83d"\n'.replace("\\ud83d", "\\U0001F600"),
        "[" * 64 + "]" * 64,
        "a: " + "x" * (1024 * 1024),
        "# only a comment\n",
        "a: 1\r\nb: 2\r\n",
    ],
)
def test_its_near_miss_is_not_refused(text: str) -> None:
    assert said(parse_document(text.encode(), "a.yaml")) == []


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    document = parse_document(bomb.encode(), "a.yaml")
    assert {finding.code for finding in document.findings} == {"PV103"}
    assert len(document.findings) == 9 + 16


def test_more_values_than_the_bound_end_the_reading() -> None:
    document = parse_document(b"[" + b"1," * 200_000 + b"]", "a.yaml")
    assert [finding.code for finding in document.findings] == ["PV105"]
    assert said(parse_document(b"[" + b"1," * 190_000 + b"]", "a.yaml")) == []


@pytest.mark.parametrize(("twice", "count"), [(99, 99), (100, 100), (101, 100), (5000, 100)])
def test_findings_of_one_file_are_capped_and_the_last_says_so(twice: int, count: int) -> None:
    findings = parse_document(b"a: 1\n" * (twice + 1), "a.yaml").findings
    assert len(findings) == count <= MAX_FINDINGS
    assert ("more than 100 findings" in findings[-1].message) == (twice > 100)


def test_a_text_that_does_not_parse_keeps_what_stands_before() -> None:
    document = parse_document(b"schema: pv/contract-v1\nb: [\n", "a.yaml")
    assert (document.value, said(document)) == ({"schema": "pv/contract-v1", "b": []}, [("PV101", "3:1")])


def test_long_values_are_cut_in_messages() -> None:
    key = "k" * 1000
    (finding,) = parse_document(f"{key}: 1\n{key}: 2\n".encode(), "a.yaml").findings
    assert finding.message == f"key '{'k' * 59}…' is there already, in line 1"


def test_a_missing_file_is_asked_for_differently(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path / "a.yaml" / "b.yaml", Path("nul\0.yaml")):
        (tmp_path / "a.yaml").touch()
        with pytest.raises(PvError) as raised:
            read_document(path, "none.yaml")
        assert (raised.value.exit, raised.value.message) == (Exit.ASK, "there is no file 'none.yaml'")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to("none.yaml")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _unreadable(path: Path) -> None:
    path.symlink_to("/proc/self/mem")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (_fifo, "'a.yaml' is no regular file"),
        (_loop, "'a.yaml' cannot be opened: Too many levels of symbolic links"),
        (_dangling, "'a.yaml' is a link to 'none.yaml', where nothing is"),
        (_socket, "'a.yaml' cannot be opened: No such device or address"),
        (_device, "'a.yaml' is no regular file"),
        (_unreadable, "'a.yaml' cannot be read: Input/output error"),
        (Path.mkdir, "'a.yaml' is no regular file"),
    ],
)
def test_what_is_no_regular_file_is_a_finding_at_once(
    make: Any, problem: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    make(Path("a.yaml"))
    began = time.monotonic()
    (finding,) = read_document(Path("a.yaml"), "a.yaml").findings
    assert time.monotonic() - began < 0.2
    assert (finding.code, finding.place, finding.message) == ("PV104", Place("a.yaml"), problem)


def test_a_regular_file_is_read_also_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: 1\n")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    assert read_document(tmp_path / "b.yaml", "b.yaml").value == {"a": 1}


def test_a_file_of_9_mib_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    document = read_document(tmp_path / "a.yaml", "a.yaml")
    assert (said(document), document.findings[0].message) == ([("PV105", "1:1")], "more than 8,388,608 bytes")


def test_both_parsers_are_here_and_give_the_same_values_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yaml.__with_libyaml__
    good = sorted(path for path in EXAMPLES.rglob("*.yaml") if "good" in path.parts)
    assert len(good) > 20
    for path in good:
        with monkeypatch.context() as without:
            without.setattr(module, "read_rows", lambda text: None)
            by_c = parse_document(path.read_bytes(), path.name)
            without.setattr(yaml, "__with_libyaml__", False)
            by_python = parse_document(path.read_bytes(), path.name)
        assert by_c.value == by_python.value
        assert by_c.marks == by_python.marks


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "large"])
def test_the_parser_of_python_refuses_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, expected = REFUSED[name]
    monkeypatch.setattr(parser, "_events", lambda body, text: pure_events(text))
    assert [code for code, _ in said(parse_document(data, "a.yaml"))] == [code for code, _ in expected]
