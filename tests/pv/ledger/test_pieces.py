"""A receipt read in pieces is the one that is read whole, and what is not believed whole is not believed in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from receipts import NONE, depends, receipt_value, tooth

from pv.digest import canonical, sha256
from pv.ledger.pieces import cut, validators
from pv.ledger.receipt import Receipt, read_receipt, read_receipts
from pv.ledger.store import Stored, read

BROKEN = {
    "invariant": "i", "stratum": "s", "arguments": {"a": 1, "depends": {"binding": []}, "digests": ""}, "digest": NONE,
    "observed": ',"depends":', "expected": "", "message": "", "at": "",
}  # fmt: skip
TEXTS = [
    canonical(receipt_value(**changes)).decode() + "\n"
    for changes in (
        {"depends": depends(subject=[("k.py", "f", NONE), ("k.py", "é },{", NONE)])},
        {"counterexample": BROKEN, "verdict": "falsified", "reason": "broken"},
        {"live": {"calls": 3, "outside": 0, "why": ""}, "kind": "live"},
    )
]
SNIPPETS = (
    ',"depends":', ',"digests":', '"x":1,', ',"x":1', " ", "1.5", "-0", "1e2", "NaN", "null", "[]", "{}", '"', "\\u0041", "é",
    "\n", "\r\n", "}", "{", ",", '{"binding":', ',"clause":[]', '"checks":220,',
)  # fmt: skip


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A receipt's text after a few edits: something put in, taken out, or moved."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 2, 40, 400))))
        text = text[:start] + draw(st.sampled_from(("", text[:40], *SNIPPETS))) + text[end:]
    return text


def put(folder: Path, text: str) -> Path:
    """A file with `text` under its own name: whoever forges a receipt can do as much."""
    data = text.encode()
    name = sha256(data.replace(b"\r\n", b"\n"))
    path = folder / "receipts" / "double-v1" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def both(folder: Path, text: str) -> tuple[Receipt | Stored, Receipt | Stored]:
    """What `text` is read as in a shelf, and as a whole."""
    path = put(folder, text)
    whole = read(path)
    found = read_receipts(folder / "receipts")
    return next(row for row in found if row.path == path), whole if whole.problem else read_receipt(whole)


@given(edited())
@example(TEXTS[0].replace('"checks":220,', '"checks":220.0,'))
@example(TEXTS[0].replace('{"cases"', '{"a":1,"cases"'))
@example(TEXTS[0].replace(',"depends"', ',"kind":"live","depends"'))
@example(TEXTS[0].replace('"tool":', '"counterexample":null,"tool":'))
@example(TEXTS[0].replace('"live":[]', '"live":[],"more":[]'))
@example(TEXTS[0].replace('"live":[],', ""))
@example('{,"depends"' + TEXTS[0].partition(',"depends"')[2])
def test_in_pieces_as_in_whole(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    pieces, whole = both(tmp_path_factory.mktemp("shelf"), text)
    assert pieces == whole


@pytest.mark.parametrize("text", TEXTS)
def test_what_pv_writes_is_believed(tmp_path: Path, text: str) -> None:
    pieces, whole = both(tmp_path, text)
    assert isinstance(pieces, Receipt)
    assert pieces == whole


def test_what_receipts_repeat_is_read_once(tmp_path: Path) -> None:
    """Else the test above would compare the whole with itself."""
    same = {"depends": depends(subject=[("k.py", "f", NONE)])}
    for checks in (1, 2):
        put(tmp_path, canonical(receipt_value(**same, checks=checks)).decode() + "\n")
    put(tmp_path, canonical(receipt_value(**same, teeth=[tooth("double/other")])).decode() + "\n")
    one, two, three = (row for row in read_receipts(tmp_path / "receipts") if isinstance(row, Receipt))
    assert one.depends is two.depends is three.depends
    assert len({id(row.scope) for row in (one, two, three)}) == 2


def test_a_schema_with_rules_across_keys_is_refused() -> None:
    assert len(validators("pv/receipt-v1", "depends")) == 3
    with pytest.raises(ValueError, match="rules across its keys"):
        validators("pv/promotion-v1", "tests")


def test_a_cut_that_is_not_there_cuts_nothing() -> None:
    assert cut('{"a":1,"b":2,"c":3}', ("b", "c")) == ['{"a":1', "2", "3}"]
    assert cut('{"a":1,"b":2}', ("b", "c")) == []
