"""`pv ledger export --in-toto`: a Statement that in-toto's own library reads, in which only what was shown has passed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Ran, edit
from google.protobuf.json_format import Parse
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult as Predicate
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message
from ledger_project import CONTRACT, KERNEL, falsified_project, make_stale, the_one

from pv.digest import sha256

Pv = Callable[..., Ran]
NAME = "double-v1 FALSIFY-D-001 (plain)"


@pytest.fixture
def promised(tmp_path: Path, pv: Pv) -> Path:
    root = falsified_project(tmp_path)
    assert pv("ledger", "promote", "double-v1", cwd=root).exit == 0
    return root


def conforming(text: str) -> dict[str, Any]:
    """The statement in `text`, which in-toto's messages must take without an unknown field."""
    statement = Parse(text, Message())
    Statement.copy_from_pb(statement).validate()
    loaded: dict[str, Any] = json.loads(text)
    Parse(json.dumps(loaded["predicate"]), Predicate())
    return loaded


def exported(root: Path, pv: Pv, *arguments: str) -> dict[str, Any]:
    ran = pv("ledger", "export", *arguments, "--in-toto", "-", cwd=root)
    assert ran.exit == 0, ran.err
    return conforming(ran.out)


def outcome(root: Path, pv: Pv) -> tuple[str, list[str], list[str], list[str]]:
    told = exported(root, pv)["predicate"]
    return told["result"], told["passedTests"], told["warnedTests"], told["failedTests"]


def test_the_statement_names_what_was_judged_and_by_what_with_their_digests(promised: Path, pv: Pv) -> None:
    told = exported(promised, pv)
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert told["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    subject = {row["name"]: row["digest"]["sha256"] for row in told["subject"]}
    assert {CONTRACT, KERNEL, "kernels/factor.py"} <= subject.keys()
    configuration = {row["name"]: row["digest"]["sha256"] for row in told["predicate"]["configuration"]}
    assert {CONTRACT, "contracts/binding.yaml", "falsifiers/double.py", "policy"} <= configuration.keys()
    files = {**subject, **{name: digest for name, digest in configuration.items() if name != "policy"}}
    assert files == {name: sha256((promised / name).read_bytes()) for name in files}
    edit(promised / "pyproject.toml", "[tool.pv]\n", "[tool.pv]\n[tool.pv.policy]\ncases = 100\n")
    policy = next(row for row in exported(promised, pv)["predicate"]["configuration"] if row["name"] == "policy")
    assert policy["annotations"]["policy"]["cases"] == 100
    assert policy["digest"]["sha256"] != configuration["policy"]


def test_only_what_holds_has_passed(promised: Path, pv: Pv) -> None:
    assert outcome(promised, pv) == ("PASSED", [NAME], [], [])
    make_stale(promised)
    assert outcome(promised, pv) == ("FAILED", [], [], [NAME])
    until = datetime.now(UTC).date().isoformat()
    name = the_one(promised, "promotions").stem
    assert pv("ledger", "waive", name, "--until", until, "--reason", "x", cwd=promised).exit == 0
    assert outcome(promised, pv) == ("WARNED", [], [NAME], [])
    edit(promised / KERNEL, "return x * FACTOR", "return x * FACTOR + (x > 17)")
    assert pv("falsify", cwd=promised).exit == 1
    assert outcome(promised, pv) == ("FAILED", [], [], [NAME])


def test_what_was_never_run_and_what_is_gone_has_failed(promised: Path, pv: Pv) -> None:
    edit(promised / CONTRACT, "id: FALSIFY-D-001", "id: FALSIFY-D-009")
    result, passed, _, failed = outcome(promised, pv)
    assert (result, passed, sorted(failed)) == ("FAILED", [], [NAME, "double-v1 FALSIFY-D-009 (plain)"])


def test_a_file_is_written_whole_and_nothing_at_all_about_no_test(promised: Path, tmp_path: Path, pv: Pv) -> None:
    ran = pv("ledger", "export", "double-v1", "--in-toto", "out.json", cwd=promised)
    assert (ran.exit, ran.out) == (0, "wrote out.json: PASSED, 1 passed, 0 warned, 0 failed\n")
    conforming((promised / "out.json").read_text(encoding="utf-8"))
    assert pv("ledger", "export", "--in-toto", "no/such/folder.json", cwd=promised).exit == 2
    os.mkfifo(promised / "device")
    ran = pv("ledger", "export", "--in-toto", "device", cwd=promised)
    assert (ran.exit, "no regular file" in ran.err, (promised / "device").is_fifo()) == (2, True, True)
    (promised / CONTRACT).unlink()
    assert pv("ledger", "export", "--in-toto", "none.json", cwd=promised).exit == 3
    assert not (promised / "none.json").exists()


def test_this_repository_conforms(pv: Pv) -> None:
    told = exported(ROOT, pv, "microgpt-v1")["predicate"]
    assert (told["result"], told["failedTests"]) == ("PASSED", [])


def test_a_statement_with_a_field_that_in_toto_does_not_know_is_refused_by_its_library(promised: Path, pv: Pv) -> None:
    told = exported(promised, pv)
    with pytest.raises(Exception, match="surprise"):
        conforming(json.dumps({**told, "surprise": 1}))
    with pytest.raises(Exception, match="surprise"):
        conforming(json.dumps({**told, "predicate": {**told["predicate"], "surprise": 1}}))
