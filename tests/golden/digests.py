"""Golden vectors of the digests: small sources, and the digest that each has on every Python, for ever.

    python tests/golden/digests.py          # says what is missing or differs; 1 when anything does
    python tests/golden/digests.py --add    # writes down the digests of vectors that have none

A digest that is written down is never changed by this script. Where a change of meaning is intended, the algorithm's tag
(`pv.source.code.TAG`, `pv.contract.clause.TAG`) changes with it: evidence under the old tag is then stale, and the vectors
begin anew (write the new tag, take all digests out, `--add`). A new vector is an entry without a digest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("digests.json")
if __name__ == "__main__":
    sys.path.insert(0, str(FILE.parents[2]))

Golden = dict[str, dict[str, Any]]


def load() -> Golden:
    """The vectors as they are written down."""
    found: Golden = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def tags() -> dict[str, str]:
    """The tag of the algorithm that each section of the file is about, as the code has it."""
    from pv.contract import clause
    from pv.source import code

    return {"code": code.TAG, "clauses": clause.TAG}


def digest_of(section: str, source: str) -> object:
    """Of a vector: a module's whole digest, or the digests of a contract's clauses by name."""
    from pv.source.code import module_parts

    if section == "code":
        return module_parts(source).whole_digest()
    from pv.contract.clause import clause_parts
    from pv.contract.document import parse_document
    from pv.contract.read import contract_of

    contract = contract_of(parse_document(source.encode(), "golden-v1.yaml"), "golden-v1").contract
    assert contract is not None, "a vector is a contract without a finding"
    return {name: value for test in contract.tests for name, value in clause_parts(contract, test)}


def runs_here(vector: Mapping[str, Any]) -> bool:
    """Whether this Python parses it: `since` names the first that does."""
    since = tuple(map(int, vector.get("since", "3.11").split(".")))
    return sys.version_info[:2] >= since


def differences(golden: Golden) -> Iterator[str]:
    """What no longer has the digest written down, or has none, or another tag."""
    for section, known in tags().items():
        if golden[section]["tag"] != known:
            yield f"{section}: the tag is {known}, written down is {golden[section]['tag']}"
        for name, vector in golden[section]["vectors"].items():
            if runs_here(vector) and vector.get("digest") != digest_of(section, vector["source"]):
                yield f"{section}: {name}: {'has another digest' if 'digest' in vector else 'has no digest yet'}"


def completed(golden: Golden) -> Golden:
    """The same with a digest for every vector that had none; those that have one keep it, right or wrong."""
    for section, rows in golden.items():
        for vector in rows["vectors"].values():
            if "digest" not in vector and runs_here(vector):
                vector["digest"] = digest_of(section, vector["source"])
    return golden


def main(arguments: list[str]) -> int:
    """See the module."""
    if "--add" in arguments:
        text = json.dumps(completed(load()), indent=1, ensure_ascii=True)
        FILE.write_text(text + "\n", encoding="utf-8")
    found = list(differences(load()))
    print("\n".join(found) or "every vector has the digest written down")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
