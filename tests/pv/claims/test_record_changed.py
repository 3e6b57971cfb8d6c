"""A recording speaks of the code that ran: one whose code changed meanwhile is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.claims.record import run_and_value
from pv.finding import Exit, PvError
from pv.source.parts import Code

COMMAND = ("python", "count.py")


@pytest.mark.parametrize("changed", ["words.py", "count.py"])
def test_a_command_whose_code_changes_while_it_runs_is_not_recorded(tmp_path: Path, changed: str) -> None:
    (tmp_path / "words.py").write_text("WORDS = 27\n", encoding="utf-8")
    body = f"import words\nfrom pathlib import Path\nPath({changed!r}).open('a').write('more = 1\\n')\nprint(words.WORDS)\n"
    (tmp_path / "count.py").write_text(body, encoding="utf-8")
    with pytest.raises(PvError, match="its code changed while it ran") as caught:
        run_and_value("model-v1", COMMAND, tmp_path, Code(tmp_path, ["."]))
    assert caught.value.exit is Exit.RUN


def test_one_whose_code_stays_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text("WORDS = 27\n", encoding="utf-8")
    (tmp_path / "count.py").write_text("import words\nprint(words.WORDS)\n", encoding="utf-8")
    assert run_and_value("model-v1", COMMAND, tmp_path, Code(tmp_path, ["."]))["output"] == "27"
