"""Levels as an in-toto Statement v1 with the Test Result predicate v0.1.

https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pv.assess.levels import Assessment
from pv.assess.promises import Broken, is_excused
from pv.assess.ratchet import key_of
from pv.ledger.promotion import Promise
from pv.level import Level

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


class Tests(NamedTuple):
    """The names of tests by what came of them. `failed` are also those that are stale or were not measured."""

    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def result(self) -> str:
        """One word for all of them; nothing passed is no pass."""
        if self.failed or not (self.passed or self.warned):
            return "FAILED"
        return "WARNED" if self.warned else "PASSED"


def sorted_out(rows: Sequence[Assessment], broken: Iterable[Broken]) -> Tests:
    """`rows` by what came of each; `broken` are the promises above their support, also of tests that are gone.

    On a subject that has to be named a test counts where it was run or is promised.
    """
    passed: list[str] = []
    warned: list[str] = []
    failed: list[str] = []
    above = {key_of(one.promise): one for one in broken}
    for row in rows:
        one = above.pop(key_of(row), None)
        if one is not None and one.waived is not None:
            warned.append(name_of(row))
        elif one is not None:
            failed.append(name_of(row))
        elif is_excused(row) or (not row.default and row.receipt is None):
            continue
        else:
            (passed if row.level >= Level.PARTIAL_ALGORITHM_LEVEL else failed).append(name_of(row))
    failed += [name_of(one.promise) for one in above.values()]
    return Tests(tuple(passed), tuple(warned), tuple(failed))


def name_of(row: Assessment | Promise) -> str:
    """`softmax-v1 FALSIFY-SM-001 (torch)`."""
    return f"{row.contract} {row.test} ({row.subject or 'unbound'})"


def statement(subject: Mapping[str, str], configuration: Sequence[Mapping[str, Any]], tests: Tests) -> dict[str, Any]:
    """The JSON of the statement; `subject` are SHA-256 digests by path, `configuration` resource descriptors."""
    return {
        "_type": STATEMENT,
        "subject": [descriptor(path, digest) for path, digest in sorted(subject.items())],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": tests.result,
            "configuration": list(configuration),
            "passedTests": list(tests.passed),
            "warnedTests": list(tests.warned),
            "failedTests": list(tests.failed),
        },
    }


def descriptor(name: str, digest: str, **annotations: Any) -> dict[str, Any]:
    """A resource descriptor."""
    return {"name": name, "digest": {"sha256": digest}, **({"annotations": annotations} if annotations else {})}
