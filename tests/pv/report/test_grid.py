"""Tables: numbers are never cut, however narrow it is, and only numbers stand to the right."""

from __future__ import annotations

import pytest

from pv.report.grid import print_grid

COLUMNS = ("stage", "what", "L2", "range")
ROWS = [("attn_scores", "scores, scaled, before the mask", "1.73205e+09", "[-1e+09, 0.0000]"), ("q", "", "-", "∞")]


@pytest.mark.parametrize("columns", [5, 12, 30, 45, 60, 80, 200])
def test_every_number_and_every_row_is_there_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_grid(COLUMNS, ROWS)
    shown = capsys.readouterr().out
    assert set(shown.split()) >= {"attn_scores", "q", "1.73205e+09", "[-1e+09,", "0.0000]", "before"}
    assert columns < 30 or max(map(len, shown.splitlines())) <= columns
    assert ("[-1e+09, 0.0000]" in shown) == (columns >= 30)


def test_a_table_becomes_rows_by_themselves_only_where_it_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("abc", "one two", "12")]
    lines = {}
    for columns in (15, 16, 19):
        monkeypatch.setenv("COLUMNS", str(columns))
        print_grid(("name", "what", "n"), rows)
        lines[columns] = capsys.readouterr().out.splitlines()
    assert [len(found) for found in lines.values()] == [3, 4, 3], lines  # stacked, folded, whole


def test_words_of_the_letters_of_numbers_stand_to_the_left(capsys: pytest.CaptureFixture[str]) -> None:
    print_grid(
        ("a", "word", "number"), [("x", "fine", "1"), ("y", "a", "nan"), ("z", "", "-1.5e+03"), ("w", "", "12%")]
    )
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()[2:]] == [
        " x  fine         1",
        " y  a          nan",
        " z        -1.5e+03",
        " w             12%",
    ]
