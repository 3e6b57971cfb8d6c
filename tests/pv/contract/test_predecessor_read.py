"""Reading the predecessor's formats: which of them a document is in, its aliases, its two forms of `equations`."""

from __future__ import annotations

import pytest

from pv.contract.document import parse_document
from pv.contract.predecessor.model import FORMAL, PREDICTION, PROPERTY, RULE
from pv.contract.predecessor.read import layout_of, predecessor_of

METADATA = "metadata: {version: 1.0.0, description: Rows}\n"


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        (METADATA, "contract"),
        ("metadata: {version: 1.0.0}\nequations: {}\n", "contract"),
        ("family: llama\nvendor: Meta\n", "family"),
        ("version: 1.0.0\ntarget_crate: kernels\nbindings: []\n", "binding"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n", None),
        ("family: Smith\n", None),
        ("schema: pv/contract-v1\nmetadata: {version: 1.0.0, description: Rows}\n", None),
        (METADATA + "equations: {f: {formula: y = x, returns: {y: {type: real}}}}\n", None),
        ("[metadata]\n", None),
        ("metadata\n", None),
    ],
)
def test_a_document_is_known_by_what_it_holds(text: str, layout: str | None) -> None:
    assert layout_of(parse_document(text.encode(), "a-v1.yaml")) == layout


def test_aliases_and_the_list_form_read_as_the_usual_names() -> None:
    text = METADATA + (
        "equations: [{id: softmax, formula: a}, {formula: b}]\n"
        "proof_obligations: [{statement: sums to one, verification: Σ = 1}]\n"
        "falsification_tests: [{id: FALSIFY-A-1, description: rule, expected: prediction}]\n"
    )
    file = predecessor_of(parse_document(text.encode(), "a-v1.yaml"), "a-v1")
    assert file is not None
    assert file.contract is not None
    contract = file.contract
    assert {name: item.at for name, item in contract.equations.items()} == {
        "softmax": ("equations", 0),
        "equation_2": ("equations", 1),
    }
    (obligation,), (test,) = contract.obligations, contract.tests
    assert (obligation.text(*PROPERTY), obligation.text(*FORMAL)) == ("sums to one", "Σ = 1")
    assert (test.text(*RULE), test.text(*PREDICTION)) == ("rule", "prediction")
    assert file.document.place(test.key(*PREDICTION)).line == 4


def test_a_registry_of_old_is_of_its_kind_and_no_equations_are_none() -> None:
    text = "metadata: {version: 1.0.0, description: Rows, registry: true, depends_on: [a-v1]}\nequations:\n"
    file = predecessor_of(parse_document(text.encode(), "b-v1.yaml"), "b-v1")
    assert file is not None
    assert file.contract is not None
    assert (file.contract.kind, file.contract.equations, file.contract.depends_on) == ("registry", {}, ("a-v1",))


def test_a_document_that_is_wrong_holds_no_contract() -> None:
    wrong = {
        "a key twice": METADATA + "metadata: {version: 2.0.0, description: Rows}\n",
        "a number for text": "metadata: {version: 1.0, description: Rows}\n",
        "an unknown type": METADATA + "proof_obligations: [{type: invariance}]\n",
        "no YAML after a point": METADATA + "equations: [\n",
    }
    codes = {}
    for name, text in wrong.items():
        file = predecessor_of(parse_document(text.encode(), "a-v1.yaml"), "a-v1")
        assert file is not None
        assert file.contract is None
        codes[name] = [finding.code for finding in file.findings]
    assert codes == {
        "a key twice": ["PV102"],
        "a number for text": ["PV112"],
        "an unknown type": ["PV112"],
        "no YAML after a point": ["PV101"],
    }
