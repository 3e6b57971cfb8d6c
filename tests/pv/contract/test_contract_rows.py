"""Reading by rows says what the YAML parser says, or leaves the text to it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from conftest import ROOT

from pv.contract import document as module
from pv.contract.document import parse_document
from pv.contract.rows import read_rows

PLAIN = """\
# a comment before everything

metadata:
  version: "1.0.0"   # beside
  created: 2026-11-21
  depends_on: [softmax-v1, "a b", null, x.y]
  none: []
equations:
  softmax:
    formula: 'σ(x)_i = exp(x_i)'
    bounds:
    - -1
    - 0.5

    - 1e-5
tests:
   - id: FALSIFY-A-001
     test: cargo test a::b#c
     at:
      - ~
   -   id: "x: y"
       deep: "# no comment"
       escaped: "a \\\\ \\"b\\""
       sizes: [1, -2, 0.5, "3"]
       flow: {a: {b: [], c: {} }, d: [[x y, "z, {w}"], {e: -1e9}], f-g: --all , h: 'i: j'}   # beside
       over: [{a: b, c: ["tab\\t", 1],
         d: null}, e,
           f]
   - as_it_stands: |
       if a:  # text

         b: c···

·········

       d
     last: |-
      x

   # a comment
   - folded: >
       one
       two

       three
         deeper
       four
     last: >-
       five
""".replace("·", " ")
PIECES = (
    *(" ", "  ", "\n", "- ", "-", ": ", ":", "#", " #", '"', "'", "[", "]", "{", "}", ",", "|", ">", "?", "%", "@"),
    *("`", "&a ", "*a", "!t ", "null", "~", "true", "1", "-1", ".5", "1e5", ".inf", "0x1f", "9" * 70, "1e999"),
    *("<<: ", "\\", "a", "key: ", "- key: v\n", "k: |\n  x\n", "[a]", "[a,b]", "[ a ]", "[a,]", '"a"b', "a#b"),
    *("a :b", "é: 1\n", "''", "---\n", "...\n", "\t", "\r", "\x85", "\xa0", "\u2028", "\ufeff", "\x00", "a" * 130),
    *("null: ", "a:\n", "x" * 1100),
)
INDENTS = ("", "", " ", "  ", "  ", "    ", "   ")
HEADS = ("", "- ", "-  ", "a: ", "b: ", "c: ", "a:", "b:", "c:", "- a: ", "- b:", "null: ", "f : ", "g:  ")
VALUES = (
    *("", "", "x", "x y ", '"q"', "'q'", '"a" # c', '"a"#c', "1", "-2", "1.5", "-.5", "0o7", "null", "true", ".inf"),
    *("1e400", "[a, b]", "[]", "[1]", '["x", y.z]', "[a", "# c", "x # c", "x#y", "x:y", "x: y", "x:", "&a", "*a"),
    *("|", ">", "|-", ">-", "|+", ">1", "| # c", "[1, -2.5, .5]", "[1, -20]", r'"a\\b"', r'"\"', r"'\\'"),
    *("{a: [b, {c: 1}], d: e f }", "[{a: b}, c]", "{a: b,", "[[1,", "2], c]", "d: [e]}", "{a: b, a: c}", "{null: a}"),
    *(
        "{a: 1e999}",
        "{a: , b: c}",
        "{a}",
        "[a: b]",
        "[a b: c]",
        "{a: b:c}",
        "{a: --b}",
        "[-]",
        "[- a]",
        "[a, ]",
        "[, a]",
    ),
    *(
        "[a}",
        "{a: [b}]",
        "[a] b",
        '["a" "b"]',
        '{"a": b}',
        "{a: b?c}",
        "[a#b]",
        "[a #b]",
        "{a: b} # c }",
        "[ ''  , a ]",
    ),
    *("-", "?", "{a: b}", "~", '"', "- x", r'"a\n"', "'a''b'", "é", '"x"  '),
)
BLOCK_LINES = (
    *("", "", " ", "x", "x", "x y", "x", "x", "x y", "x  ", " x", "  x  ", "# no comment", "b: 1", "- x", '"', "é"),
    *("---", "...", "|", "a: |", "\\"),
)


def by_parser(text: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the parser makes of `text`: value and places, or that there are findings."""
    with monkeypatch.context() as without:
        without.setattr(module, "read_rows", lambda text: None)
        document = parse_document(text.encode(), "a.yaml")
    return [finding.code for finding in document.findings] or (document.value, document.marks)


def edited(seed: random.Random, texts: list[str]) -> str:
    """Some lines of a contract with one or two edits."""
    lines = seed.choice(texts).splitlines(keepends=True)
    start = seed.randrange(len(lines))
    text = "".join(lines[start : start + seed.randint(1, 14)])
    for _ in range(seed.randint(1, 2)):
        at = seed.randrange(len(text) + 1)
        text = text[:at] + seed.choice(PIECES) + text[at + seed.choice((0, 0, 1, 2, 5)) :]
    return text


def composed(seed: random.Random) -> str:
    """A few rows of every kind below each other."""
    rows = (seed.choice(INDENTS) + seed.choice(HEADS) + seed.choice(VALUES) for _ in range(seed.randint(1, 8)))
    return "\n".join(rows) + seed.choice(("\n", "", "\n\n", " "))


def with_a_block(seed: random.Random) -> str:
    """A block of text with blank, deeper, shallower and blank-looking lines, and what comes after it."""
    start = seed.choice(("", " ", "k:\n  ", "- ", "k:\n - "))
    header = seed.choice(("|", "|", "|", ">", ">", ">", "|-", ">-", "|+", "|2", "> # c"))
    deep = " " * seed.randint(2, 5)
    lines = (deep + seed.choice(BLOCK_LINES) for _ in range(seed.randint(0, 6)))
    rest = (seed.choice(("", "", " ", "b: 1", "  b: 1", "   b: 1", "- a: 1", "# c", " # c", "x")) for _ in range(2))
    return "\n".join((f"{start}a: {header}", *lines, *rest)) + seed.choice(("\n", "\n", ""))


def disagreement(text: str, monkeypatch: pytest.MonkeyPatch, read: Callable[[str], Any] = read_rows) -> str:
    """Where reading by rows says something else than the parser; `repr`, for 1 is neither 1.0 nor True."""
    rows = read(text)
    if rows is None or repr(rows) == repr(parsed := by_parser(text, monkeypatch)):
        return ""
    return f"{text!r}: {rows!r}, and the parser says {parsed!r}"


def test_what_contracts_are_mostly_written_in_is_read_by_rows_and_means_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_rows(PLAIN) is not None
    assert disagreement(PLAIN, monkeypatch) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("a: |+\n  x\n", "a: |2\n  x\n", "a: | # c\n  x\n", "a: |\n\n  x\n", "a: |\n", "a: |\nb: 1\n", "a: |\n  x"),
        *("- |\n  x\n", "- a: |\n  x\n", "a: |\n  x\n y\n", "a: >\n  x\n b: 1\n", "a: [.inf]\n", "a: [1e999]\n"),
        *("a: {b: 1, b: 2}\n", "a: {null: 1}\n", "a: {b}\n", "a: [b: 1]\n", "a: [b}\n", "a: {b: [c}]\n", "a: [b] c\n"),
        *("a: [b, ]\n", "a: [, b]\n", "a: {b: }\n", "a: [1e999]\n", "a: [b\n", "a: [b,\nc]\n", "a: [b\n  , c]\n"),
        *("a: {b: &x 1}\n", "a: [*x]\n", "a: [!t b]\n", 'a: ["b" "c"]\n', "a: [b #c]\n", "a: {? b}\n", "a: [- b]\n"),
        *("a: &x 1\n", "a: *x\n", "a: !t 1\n", "? a\n", "- - a\n", "---\na: 1\n"),
        *("a: 1\n...\n", "a: 1\na: 2\n", "null: 1\n", "<<: 1\n", "1: a\n", "a:\n", "a:\nb: 1\n", "-\n", "- \n"),
        *("a: .inf\n", "a: 1e999\n", "a: x\n  y\n", "a: x\n  y: z\n", 'a: "x\n  y"\n', 'a: "\\r"\n', "a: 'b''c'\n"),
        *("a: b: c\n", "a\n", "", "\n", "# c\n", "a:\tb\n", "a: b\r\nc: d\n", "a: \x85b\n", "a: \u2028b\n"),
        *("a: \x00\n", "\ufeffa: 1\n", "  a: 1\nb: 2\n", "- a\nb: 1\n", "a: 1\n- b\n", "a:\n - b\n - c\n  - d\n"),
        pytest.param("".join(f"k{i}: 1\n" for i in range(25_000)), id="as long as the bound on values"),
        pytest.param("".join(" " * i + "a:\n" for i in range(64)) + " " * 64 + "b: 1", id="too deep"),
        pytest.param(
            "".join(" " * i + "a:\n" for i in range(62)) + " " * 62 + "b: [{c: d}]", id="too deep in brackets"
        ),
    ],
)
def test_anything_else_is_left_to_the_parser(text: str) -> None:
    assert read_rows(text) is None


def test_a_text_as_deep_as_may_be_is_read_by_rows() -> None:
    above = "".join(" " * i + "a:\n" for i in range(62)) + " " * 62
    assert read_rows(f"{above}a:\n{' ' * 63}b: 1") is not None
    assert read_rows(f"{above}b: [c]") is not None


def test_no_text_is_read_otherwise_than_the_parser_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = random.Random(20261121)
    homes = (ROOT / "tests/examples/good", ROOT.parent / "shared/corpus/contracts")
    texts = [PLAIN, *(path.read_text("utf-8") for home in homes for path in sorted(home.rglob("*.yaml")))]
    inputs = [*texts, *(edited(seed, texts) for _ in range(6_000)), *(composed(seed) for _ in range(9_000))]
    blocks = [with_a_block(seed) for _ in range(9_000)]
    assert [told for text in (*inputs, *blocks) if (told := disagreement(text, monkeypatch))] == []
    assert sum(read_rows(text) is not None for text in inputs) > 500
    assert sum(read_rows(text) is not None for text in blocks) > 500


def test_a_reader_that_takes_a_comment_for_text_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    wrong = disagreement("a: x # c\n", monkeypatch, lambda text: ({"a": "x # c"}, (0, 0, {"a": (0, 0, (0, 3))})))
    assert wrong.startswith("'a: x # c\\n': ({'a': 'x # c'}")
