"""The tutorial works as printed, from an empty folder to the gate."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from conftest import ROOT
from tutorial import PAGE, blocks, commands, follow, masked

TEXT = PAGE.read_text(encoding="utf-8")
SMALL = """\
`greeting.txt`:

```text
hello
```

`greeting.txt`, changed:

```diff
-hello
+hallo
```

```console
$ cat greeting.txt
hallo
$ test -f nowhere
$ echo $?
1
```
"""


def attention(tmp_path: Path) -> Path:
    folder = tmp_path / "attention"
    folder.mkdir()
    return folder


def test_every_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    assert masked(follow(TEXT, attention(tmp_path))) == masked(TEXT)


def test_results_may_come_in_another_order_and_no_other_line_may() -> None:
    one, two = (f"FALSIFY-CS-00{at}  held   causal  204 cases, 245 checks\n" for at in (1, 2))
    assert masked(one + two) == masked(two + one)
    assert masked(f"{one}done\n{two}") != masked(f"{two}done\n{one}")
    assert masked("1  PARTIAL\n2  PARTIAL\n") != masked("2  PARTIAL\n1  PARTIAL\n")


def test_a_page_that_shows_something_else_is_seen(tmp_path: Path) -> None:
    for at, page in enumerate((SMALL, SMALL.replace("+hallo", "+holla"), SMALL.replace("1\n", "0\n"))):
        folder = tmp_path / str(at)
        folder.mkdir()
        assert (masked(follow(page, attention(folder))) == masked(page)) == (page == SMALL), page


def test_a_line_that_is_not_there_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="stands 0 times"):
        follow(SMALL.replace("-hello", "-goodbye"), attention(tmp_path))


def test_a_file_without_a_name_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not told where this goes"):
        follow(SMALL.replace("`greeting.txt`:", "Some file:"), attention(tmp_path))


def test_only_digests_times_and_slack_may_differ() -> None:
    assert masked("- duration: 0.2s") == masked("- duration: 1.31s")
    assert masked("1 fault caught, slack 68.6") == masked("1 fault caught, slack 3.2e+04")
    assert masked("204 cases, 245 checks") != masked("204 cases, 246 checks")


def test_installing_is_all_that_is_not_run_and_names_what_there_is() -> None:
    [skipped] = [block for block in blocks(TEXT) if block.skipped]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"pip install '{project['name']}[torch]' pre-commit" in skipped.text
    assert "torch" in project["optional-dependencies"]


def test_the_page_leads_through_the_whole_of_it() -> None:
    typed = [
        command.split()[:2] for block in blocks(TEXT) if block.language == "console" for command in commands(block)
    ]
    wanted = ("init", "validate", "falsify", "status", "replay", "ledger", "gate", "claims")
    assert {command for _, command in filter(lambda words: words[0] == "pv", typed)} >= set(wanted)
    assert ["pre-commit", "install"] in typed
