"""A test that needs a system package is skipped on a user's machine and fails in CI, whose job is to have it."""

from __future__ import annotations

import pytest
from conftest import require_program


def test_a_missing_program_skips_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no-such-program, of Debian's package nowhere: make system"):
        require_program("no-such-program", "nowhere")


def test_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="make system"):
        require_program("no-such-program", "nowhere")


def test_a_program_that_is_there_does_neither() -> None:
    assert require_program("git", "git").endswith("git")
