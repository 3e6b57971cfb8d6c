"""From documents to contracts and bindings."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from pv.contract.document import parse_document
from pv.contract.model import Constant, Dimension, FalsificationTest, Holds, Range, TableCell, Tolerance
from pv.contract.read import (
    begins_as_data,
    contract_of,
    data_schema,
    looks_like_contract,
    read_bindings,
    read_contract,
)
from pv.finding import Place, PvError
from pv.level import Level

CONTRACT = """\
schema: pv/contract-v1
metadata: {version: 1.2.0, description: d}
equations:
  x-note: {free: true}
  f:
    formula: f(x, k) = (a, b)
    domain: all
    codomain: all
    dimensions: {n: {min: 1, max: 4}, E: 8}
    arguments:
      x: {type: tensor, dtype: [float32], shape: [n, 2], range: {min: 0, below: k}, strata: [ordinary, nan], nan: admitted}
      k: {type: integer, range: {min: 1, max: 3}}
      s: {type: text, alphabet: abc}
    returns:
      b: {type: tensor, like: x, shape: []}
      a: {type: real}
    invariants:
      - {id: i, statement: s, holds: bounded, about: gradient, tolerance: {float32: 1, float64: {absolute: 0, relative: 2e-3}}}
falsification_tests:
  - id: FALSIFY-X-1
    binds_to: [f/i]
    rule: r
    prediction: p
    if_fails: q
    status: PARTIAL
    oracle: {not_applicable: none}
claims:
  - id: A
    document: README.md
    cell: {section: S, row: R, column: C}
    source: {python: a.py, name: N}
"""


def test_a_contract_is_read_whole() -> None:
    file = contract_of(parse_document(CONTRACT.encode(), "c/f-v1.yaml"), "f-v1")
    assert file.findings == ()
    contract = file.contract
    assert contract is not None
    assert (contract.name, contract.version, contract.place) == ("f-v1", "1.2.0", Place("c/f-v1.yaml", 1, 1))
    (equation,) = contract.equations
    assert equation.place == Place("c/f-v1.yaml", 5, 3)
    assert equation.dimensions == (
        Dimension("n", Place("c/f-v1.yaml", 9, 18), 1, 4),
        Dimension("E", Place("c/f-v1.yaml", 9, 39), 8, 8),
    )
    x, k, s = equation.arguments
    assert (x.dtypes, x.shape, x.range, x.strata) == (("float32",), ("n", 2), Range(0, None, "k"), ("ordinary", "nan"))
    assert (x.nan, x.infinity, k.range, s.alphabet) == (True, False, Range(1, 3), "abc")
    assert [(value.name, value.type, value.like) for value in equation.returns] == [
        ("b", "tensor", "x"),
        ("a", "real", None),
    ]
    (clause,) = equation.invariants
    assert (clause.name, clause.holds, clause.about) == ("f/i", Holds.BOUNDED, "gradient")
    assert clause.tolerances == (("float32", Tolerance(1.0)), ("float64", Tolerance(0.0, 0.002)))
    assert contract.tests == (
        FalsificationTest(
            id="FALSIFY-X-1",
            place=Place("c/f-v1.yaml", 20, 5),
            binds_to=("f/i",),
            rule="r",
            prediction="p",
            if_fails="q",
            status=Level.PARTIAL_ALGORITHM_LEVEL,
            not_applicable=(("oracle", "none"),),
        ),
    )
    (claim,) = contract.claims
    assert (claim.where, claim.source, claim.form) == (TableCell("S", "R", "C"), Constant("a.py", "N"), "{}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "PV112 1:1: the file is empty (null); expected a mapping with `schema: pv/contract-v1`"),
        ("- a\n", "PV112 1:1: the file is a list of 1; expected a mapping with `schema: pv/contract-v1`"),
        ("equations: 1\n", "PV111 1:1: the file has no `schema:`; expected `schema: pv/contract-v1`"),
        ("a: 1\nschema: pv/x\n", "PV112 2:9: schema is 'pv/x'; expected 'pv/contract-v1'"),
        ("schema: 1\n", "PV112 1:9: schema is 1; expected 'pv/contract-v1'"),
    ],
)
def test_a_file_that_is_no_contract_gets_one_finding_that_says_so(text: str, found: str) -> None:
    file = contract_of(parse_document(text.encode(), "a.yaml"), "a")
    (finding,) = file.findings
    assert f"{finding.code} {finding.place.line}:{finding.place.column}: {finding.message}" == found
    assert file.contract is None


def test_a_tolerance_may_be_a_part_of_the_largest_value() -> None:
    text = CONTRACT.replace("relative: 2e-3", "of_largest: 3e-3")
    contract = contract_of(parse_document(text.encode(), "c/f-v1.yaml"), "f-v1").contract

    assert contract is not None
    assert contract.equations[0].invariants[0].tolerance("float64") == Tolerance(0.0, 0.0, 0.003)


def test_the_schema_speaks_only_of_a_text_that_could_be_read_to_its_end() -> None:
    broken = contract_of(parse_document(b"schema: pv/contract-v1\nmetadata: [\n", "a.yaml"), "a")
    twice = contract_of(parse_document(b"schema: pv/contract-v1\nschema: pv/contract-v1\n", "a.yaml"), "a")
    assert [finding.code for finding in broken.findings] == ["PV101"]
    assert [finding.code for finding in twice.findings] == ["PV102", "PV111", "PV111"]


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("schema: pv/contract-v1\n", True),
        ("schema: pv/contract-v1\na: [\n", True),
        ("schema: pv/binding-v1\n", False),
        ("schema: 1\n", False),
        ("- schema: pv/contract-v1\n", False),
        ("", False),
    ],
)
def test_a_contract_is_recognised_by_its_schema_key_also_when_it_is_broken(text: str, looks: bool) -> None:
    assert looks_like_contract(parse_document(text.encode(), "a.yaml")) is looks


def test_bindings_are_read_with_their_defaults(tmp_path: Path) -> None:
    path = tmp_path / "binding.yaml"
    path.write_text(
        "schema: pv/binding-v1\nbindings:\n"
        '  - {contract: f-v1, equation: f, name: torch, target: "a.b:C.d"}\n'
        '  - {contract: f-v1, equation: f, name: loops, target: "a:d", role: reference, default: true}\n'
    )
    file = read_bindings(path, "contracts/binding.yaml")
    assert file.findings == ()
    assert [(item.name, item.role, item.default, item.target) for item in file.bindings] == [
        ("torch", "subject", False, "a.b:C.d"),
        ("loops", "reference", True, "a:d"),
    ]
    assert file.bindings[1].place == Place("contracts/binding.yaml", 4, 5)


def test_how_a_call_reaches_the_code_is_read_with_the_binding(tmp_path: Path) -> None:
    path = tmp_path / "binding.yaml"
    path.write_text(
        "schema: pv/binding-v1\nbindings:\n"
        "  - {contract: f-v1, equation: f, name: c, adapter: command, command: [build/f, --all of it], exchange: aprt}\n"
        '  - {contract: f-v1, equation: f, name: m, adapter: method, target: "a:C.d", factory: "a:make", requires: [c++],\n'
        "     not_applicable: {gradient: no autograd, x-note: none}}\n"
    )
    port, method = read_bindings(path, "binding.yaml").bindings
    assert (port.adapter, port.target, port.command, port.exchange) == (
        "command",
        "",
        ("build/f", "--all of it"),
        "aprt",
    )
    assert (port.code, method.code) == ("build/f '--all of it'", "a:C.d")
    assert (method.factory, method.requires, method.not_applicable) == (
        "a:make",
        ("c++",),
        (("gradient", "no autograd"),),
    )


@pytest.mark.parametrize(("more", "said"), [
    ("", "has no 'target'"),
    ('target: "a:f", adapter: numpi', "is 'numpi'; expected one of function, method, module, numpy, command"),
    ('target: "a:f", name: all', "is 'all'; expected text that matches"),
    ("adapter: command", "has no 'command'"),
    ("adapter: command, command: []", "is a list of 0; expected at least 1 of length"),
    ("adapter: command, command: ['']", "is ''; expected text that is not blank"),
    ('adapter: command, command: [f], target: "a:f"', "key 'target' has no meaning here"),
    ('target: "a:f", command: [f]', "key 'command' has no meaning here"),
    ('target: "a:f", exchange: aprt', "key 'exchange' has no meaning here"),
    ('target: "a:C.f", adapter: method', "has no 'factory'"),
    ('target: "a:f", factory: "a:g"', "key 'factory' has no meaning here"),
    ('target: "a:f", adapter: module, factory: g', "is 'g'; expected text that matches"),
    ('target: "a:f", requires: [g++, g++]', "is a list of 2; expected a list without repetition"),
    ('target: "a:f", requires: [a b]', "is 'a b'; expected text that matches"),
    ('target: "a:f", not_applicable: {gradient: " "}', "is ' '; expected text that is not blank"),
    ('target: "a:f", not_applicable: {gradients: no}', "'gradients' is no name"),
    ('target: "a:f", not_applicable: {}', "is a mapping of 0; expected at least 1 of length"),
])  # fmt: skip
def test_a_binding_that_says_too_little_too_much_or_something_else_is_a_finding(
    more: str, said: str, tmp_path: Path
) -> None:
    name = "" if "name:" in more else "name: f, "
    path = tmp_path / "binding.yaml"
    path.write_text(f"schema: pv/binding-v1\nbindings:\n  - {{contract: f-v1, equation: f, {name}{more}}}\n")
    file = read_bindings(path, "binding.yaml")
    assert file.bindings == ()
    assert [said in finding.message for finding in file.findings] == [True], [row.message for row in file.findings]


def test_bindings_with_a_finding_bind_nothing(tmp_path: Path) -> None:
    path = tmp_path / "binding.yaml"
    path.write_text('schema: pv/binding-v1\nbindings:\n  - {contract: f-v1, equation: f, name: t, target: "a"}\n')
    file = read_bindings(path, "binding.yaml")
    assert (file.bindings, [finding.code for finding in file.findings]) == ((), ["PV112"])


def test_a_missing_contract_is_an_operand_to_ask_for_differently(tmp_path: Path) -> None:
    with pytest.raises(PvError, match="there is no file"):
        read_contract(tmp_path / "a-v1.yaml", "a-v1.yaml")


HEAVY = ("torch", "hypothesis", "numpy", "jinja2", "rich")


def _imported(statements: str) -> list[str]:
    code = f"import sys\n{statements}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return list(eval(done.stdout))  # noqa: S307 # the list that the line above printed


def test_reading_and_judging_import_nothing_heavy() -> None:
    assert _imported("import pv.rules, pv.contract.schema; pv.contract.schema._validator('pv/contract-v1')") == []


def test_a_heavy_import_would_be_seen() -> None:
    assert _imported("import pv.rules, numpy, rich") == ["numpy", "rich"]


DATA_FILES = sorted((ROOT / "contracts/families").glob("*.yaml")) + sorted((ROOT / "contracts/stages").glob("*.yaml"))


def test_what_begins_as_data_is_read_as_data_however_it_is_broken() -> None:
    """The beginning decides only what reading all of it would have decided."""
    chance, told = random.Random(0), 0
    pieces = [
        b"\n",
        b" ",
        b"\t",
        b"#",
        b"schema: pv/contract-v1\n",
        b"---\n",
        b"&a ",
        b"*a",
        b"[",
        b"\x07",
        b"\xff",
        b"\r",
        b'"',
    ]
    for number in range(3_000):
        data = DATA_FILES[number % len(DATA_FILES)].read_bytes()
        for _ in range(chance.randrange(3)):
            at = chance.randrange(chance.choice((60, len(data))))
            data = data[:at] + chance.choice(pieces) + data[at + chance.randrange(3) :]
        if begins_as_data(data):
            told += 1
            assert data_schema(parse_document(data, "x.yaml")), data[:200]
    assert 1_000 < told < 3_000


@pytest.mark.parametrize(
    "data",
    [
        b"schema: pv/contract-v1\nschema: pv/family-v1\nfamily: x\n",
        b"schema: pv/family-v1\n  more\nfamily: x\n",
        b"# schema: pv/family-v1\nschema: pv/contract-v1\nfamily: x\n",
        b"schema: pv/family-v1\nfamily\n",
        b"schema: pv/family-v12\nfamily: x\n",
        b"schema: pv/family-v1\nfamily: \x07\n",
        b"schema: pv/family-v1\nfamily: \xff\n",
        b"schema: pv/family-v1\nfamily: x\n" + b"#" * (8 * 1024 * 1024),
        b"",
    ],
)
def test_what_does_not_surely_begin_as_data_is_left_to_the_reader(data: bytes) -> None:
    assert not begins_as_data(data)


def test_every_data_file_of_this_repository_is_known_by_its_beginning() -> None:
    assert [path.name for path in DATA_FILES if not begins_as_data(path.read_bytes())] == []
