"""The report of a bisection from one that is made by hand: table, sentence, JSON, and the plot."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import ROOT, Ran

from pv.bisect.outcome import Outcome
from pv.bisect.paths import Ran as Where
from pv.bisect.pins import Pin
from pv.bisect.relation import Related, Relation
from pv.bisect.result import Bisection, Label, Ratios, StageJudgement, Verdict
from pv.bisect.symptom import Symptom
from pv.finding import Exit, PvError
from pv.report.bisect import print_bisection, stage_rows, verdict_sentence
from pv.report.bisect_plot import png_bytes, require_plot, svg_text, write_plot
from pv.report.bisect_value import bisection_value
from pv.report.plain import json_text
from pv.tensors.place import Place

Pv = Callable[..., Ran]
STAGES = (
    "attn_norm",
    "q_post_rope",
    "k_post_rope",
    "attention",
    "attn_out",
    "ffn_norm",
    "ffn_out",
    "post_ffn_residual",
)
SOURCE = Place("q_post_rope", 2), Place("k_post_rope", 2)
NAMES = ("right", "<script>alert(1)</script> $x$ \x1b[31m")


def judged(stage: str, layer: int) -> StageJudgement:
    place = Place(stage, layer)
    late = (layer, STAGES.index(stage)) >= (2, 1)
    if place in SOURCE:
        return StageJudgement(
            place, Label.SOURCE, 0.12, 1e-3, Ratios(812.0, math.inf, 400.0), Ratios(100.0, 200.0, 300.0),
            (("token", 5), ("head", 3)), None, "nearly all of it in head 3: the map of heads, or a weight of it",
        )  # fmt: skip
    label = Label.CARRIER if late else Label.CLEAN
    return StageJudgement(place, label, 0.1 if late else 1e-3, 1e-3, Ratios(1.0, 1.5, 0.5), Ratios(1.0, 1.0, 1.0))


def outcome(**changes: Any) -> Outcome:
    stages = (
        *(judged(stage, layer) for layer in range(6) for stage in STAGES),
        StageJudgement(Place("lm_head", None), Label.NOT_VISIBLE),
    )
    found = Bisection(
        Verdict.DIVERGED, SOURCE, stages=stages, symptom=("end to end: something",), weights="weights: the same",
        paths=("reference it: cpu",), notes=tuple(f"note {at}" for at in range(12)),
    )  # fmt: skip
    pins = (
        Pin(SOURCE[0], said="the stage map names no contract of it"),
        Pin(SOURCE[1], "FALSIFY-X-001", "falsifiers/pins/a.json", True),
    )
    related, ran = Related(Relation.SAME, 9), (Where("it", "cpu"), Where("other"))
    return Outcome(
        NAMES, (0, 5), replace(found, **changes), Symptom(None), related, ran, pins, ("pv falsify --id FALSIFY-X-001",)
    )


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_longer_than_the_screen(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_bisection(replace(outcome(), names=("a", "b")), verbose=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > columns] == []
    text = " ".join(" ".join(lines).split())
    for expected in (
        "diverged at layer 2 q_post_rope and layer 2 k_post_rope: what they add is no noise, most at token 5, head 3; 17",
        "hint: nearly all of it in head 3", "pinned falsifiers/pins/a.json: what layer 2 k_post_rope was given",
        "not pinned: layer 2 q_post_rope: the stage map names no contract of it", "next: pv falsify --id FALSIFY-X-001",
        "and 5 notes more: --verbose", "all 8",
    ):  # fmt: skip
        assert expected in text


def test_layers_in_which_nothing_begins_are_one_row() -> None:
    stages = outcome().bisection.stages
    rows = stage_rows(stages, verbose=False)
    assert [(row.stage, row.layer) for row in rows][:3] == [("all 8", "0"), ("all 8", "1"), ("attn_norm", "2")]
    assert (len(rows), rows[-2].label) == (5 + 8 + 1, "8 carrier")
    assert len(stage_rows(stages, verbose=True)) == len(stages)


def test_nothing_steers_the_terminal(capsys: Any) -> None:
    print_bisection(outcome(), verbose=True)
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.IDENTICAL, "identical: 48 stages, the same bit for bit"),
        (Verdict.WITHIN_FLOOR, "within floor: no stage of 48 adds more than noise"),
        (Verdict.INCONCLUSIVE, "inconclusive: note 0"),
        (Verdict.INVALID_CAPTURE, "invalid capture: note 0"),
    ],
)
def test_every_verdict_has_its_sentence(verdict: Verdict, said: str) -> None:
    assert verdict_sentence(outcome(verdict=verdict).bisection).startswith(said)


def test_a_stage_that_hides_others_names_them() -> None:
    hidden = tuple(Place("attn_scores", layer) for layer in range(9))
    said = verdict_sentence(outcome(at=(Place("attention", 2),), enclosing=hidden).bisection)
    assert said.startswith("diverged within layer 2 attention")
    assert "layer 4 attn_scores and 4 more, of which each may be the one" in said


def test_json_is_json_with_what_is_no_number_as_text() -> None:
    value = json.loads(json_text(bisection_value(outcome())), parse_constant=lambda name: pytest.fail(name))
    assert (value["verdict"], value["exit"]) == ("diverged", 1)
    assert value["at"] == [{"stage": "q_post_rope", "layer": 2}, {"stage": "k_post_rope", "layer": 2}]
    [row] = [row for row in value["stages"] if (row["stage"], row["layer"]) == ("q_post_rope", 2)]
    assert row["local"] == {"mean": 812.0, "row": "inf", "column": 400.0}
    assert row["worst"] == [{"axis": "token", "index": 5}, {"axis": "head", "index": 3}]
    assert (value["stages"][-1]["local"], value["pins"][0]["why_not"]) == (
        None,
        "the stage map names no contract of it",
    )


def test_the_plot_is_whole_xml_without_a_script() -> None:
    tree = ElementTree.fromstring(svg_text(outcome()))
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert names <= {"svg", "title", "desc", "style", "text", "rect", "line", "polyline", "circle"}
    sources = [element for element in tree.iter() if element.get("class") == "source"]
    assert len(sources) == 2
    captions = [element.text for element in tree.iter() if (element.text or "").startswith("layer 2 q_post_rope and")]
    assert captions == ["layer 2 q_post_rope and layer 2 k_post_rope"]
    for element in tree.iter():
        for key in ("x", "y", "cx", "cy", "x1", "x2", "y1", "y2"):
            assert -1 <= float((element.get(key) or "0").rstrip("%")) <= 1000


def test_the_plot_as_png() -> None:
    pytest.importorskip("matplotlib")
    assert png_bytes(outcome()).startswith(b"\x89PNG")


def test_a_png_without_matplotlib_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(PvError, match="matplotlib, which is not installed") as caught:
        require_plot(tmp_path / "error.png")
    assert (caught.value.exit, "pv-contracts[plot]" in caught.value.hint) == (Exit.RUN, True)
    require_plot(tmp_path / "error.svg")


def test_a_plot_of_the_command(pv: Pv, tmp_path: Path) -> None:
    target = tmp_path / "error.svg"
    assert pv("bisect", "microgpt", "microgpt", "--text", "emma", "--plot", target, cwd=ROOT).exit == 0
    assert "microgpt against microgpt" in target.read_text(encoding="utf-8")


def test_a_plot_where_nothing_was_judged(tmp_path: Path) -> None:
    empty = outcome(verdict=Verdict.INCONCLUSIVE, at=(), stages=())
    write_plot(tmp_path / "empty.svg", empty)
    plot = ElementTree.parse(tmp_path / "empty.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    assert "inconclusive" in (plot.findtext(f"{svg}desc") or "")
    assert {line.get("points") for line in plot.iter(f"{svg}polyline")} == {""}
    assert [mark.tag for mark in plot.iter() if mark.get("class") in ("added", "source", "unseen")] == []
    assert sum(line.get("class") == "floor" for line in plot.iter(f"{svg}line")) == 1
