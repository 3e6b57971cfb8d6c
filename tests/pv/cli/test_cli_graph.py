"""`pv graph`: every reference is an edge, one that leads nowhere is dangling, and each format holds the same graph."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit

Pv = Callable[..., Ran]


@pytest.fixture
def demo(tmp_path: Path, pv: Pv) -> Path:
    """The example project."""
    pv("init", tmp_path)
    return tmp_path


def values(pv: Pv, root: Path, *contracts: str) -> dict[str, list[dict[str, str]]]:
    """The graph as JSON."""
    ran = pv("graph", *contracts, "--format", "json", cwd=root)
    assert ran.exit == 0, ran.said
    return dict(json.loads(ran.out))


def test_the_example_is_these_nodes_and_edges(demo: Path, pv: Pv) -> None:
    graph = values(pv, demo)
    of = "soft-cap-v1:soft_cap"
    assert [(edge["source"].rpartition(":")[2], edge["relation"], edge["target"]) for edge in graph["edges"]] == [
        ("FALSIFY-CAP-001", "binds_to", f"{of}/capped"),
        ("FALSIFY-CAP-002", "binds_to", f"{of}/formula"),
        ("nothing_leaves_the_cap", "attacks", "soft-cap-v1:FALSIFY-CAP-001"),
        ("the_curve_is_that_of_tanh", "attacks", "soft-cap-v1:FALSIFY-CAP-002"),
        ("no_cap_at_all", "violates", f"{of}/capped"),
        ("another_cap", "violates", f"{of}/formula"),
        ("torch", "stands_for", of),
    ]
    parents = {node["id"]: node["parent"] for node in graph["nodes"] if node["parent"]}
    assert parents[f"{of}/capped"] == of
    assert parents[of] == "soft-cap-v1"
    assert graph["counts"]["dangling"] == 0  # type: ignore[call-overload] # counts is a mapping
    assert all(node["place"] for node in graph["nodes"])


def test_the_projects_own_graph_has_no_reference_that_dangles(pv: Pv) -> None:
    ran = pv("graph")
    assert (ran.exit, ran.out.splitlines()[-1].endswith(", 0 dangling")) == (0, True)


@pytest.mark.parametrize(("path", "find", "replace", "said"), [
    ("contracts/soft-cap-v1.yaml", "binds_to: [soft_cap/capped]", "binds_to: [soft_cap/caped]",
     r"test FALSIFY-CAP-001 \(contracts/soft-cap-v1\.yaml:\d+:5\) binds_to soft_cap/caped,"),
    ("falsifiers/soft_cap.py", '@fault("soft_cap/formula")', '@fault("soft_cap/formla")',
     r"fault another_cap \(falsifiers/soft_cap\.py:\d+:8\) violates soft_cap/formla,"),
    ("falsifiers/soft_cap.py", '@falsifier("FALSIFY-CAP-002")', '@falsifier("FALSIFY-CAP-02")',
     r"falsifier the_curve_is_that_of_tanh \(falsifiers/soft_cap\.py:\d+:12\) attacks FALSIFY-CAP-02,"),
    ("contracts/binding.yaml", "equation: soft_cap,", "equation: softcap,",
     r"binding torch = kernels:soft_cap \(contracts/binding\.yaml:4:5\) stands_for softcap,"),
    ("contracts/soft-cap-v1.yaml", "  version: 0.1.0\n", "  version: 0.1.0\n  depends_on: [tanh-v1]\n",
     r"contract soft-cap-v1 \(contracts/soft-cap-v1\.yaml:1:1\) depends_on tanh-v1,"),
])  # fmt: skip
def test_a_reference_that_leads_nowhere_is_dangling_in_every_format(
    demo: Path, pv: Pv, path: str, find: str, replace: str, said: str
) -> None:
    edit(demo / path, find, replace)
    text = pv("graph", cwd=demo)
    assert (text.exit, text.out.splitlines()[-1].endswith(", 1 dangling")) == (0, True)
    assert re.search(rf"^dangling: {said} which is not there$", text.out, re.MULTILINE), text.out
    (node,) = [node for node in values(pv, demo)["nodes"] if node["state"] == "dangling"]
    assert node["place"] is None
    assert "style=dashed, color=red" in pv("graph", "--format", "dot", cwd=demo).out
    assert re.search(r"^  class n\d+ absent$", pv("graph", "--format", "mermaid", cwd=demo).out, re.MULTILINE)


def test_without_a_defect_no_drawing_has_a_red_node(demo: Path, pv: Pv) -> None:
    assert "red" not in pv("graph", "--format", "dot", cwd=demo).out
    assert "absent" not in pv("graph", "--format", "mermaid", cwd=demo).out


def test_drawings_have_every_node_and_edge_and_close_what_they_open(pv: Pv) -> None:
    graph = values(pv, Path.cwd())
    dot, mermaid = (pv("graph", "--format", form).out for form in ("dot", "mermaid"))
    assert Counter(re.findall(r'label="(\w+)"\];', dot)) == Counter(edge["relation"] for edge in graph["edges"])
    assert Counter(re.findall(r"-->\|(\w+)\|", mermaid)) == Counter(edge["relation"] for edge in graph["edges"])
    ids = {f"n{number}" for number in range(len(graph["nodes"]))}
    assert set(re.findall(r"^\s*(n\d+) \[label=", dot, re.MULTILINE)) == ids
    assert set(re.findall(r'^\s*(n\d+)\["', mermaid, re.MULTILINE)) == ids
    assert len(re.findall(r"\{$", dot, re.MULTILINE)) == len(re.findall(r"^\s*\}$", dot, re.MULTILINE))
    assert mermaid.count("subgraph ") == len(re.findall(r"^\s*end$", mermaid, re.MULTILINE))


def test_names_cannot_break_out_of_a_label(demo: Path, pv: Pv) -> None:
    (demo / "contracts/soft-cap-v1.yaml").rename(demo / 'contracts/s"]; x -> y <b> #1 `c`\\-v1.yaml')
    dot = pv("graph", "--format", "dot", cwd=demo).out
    assert r'n0 [label="contract\ns\"]; x -> y <b> #1 `c`\\-v1", shape=folder];' in dot
    mermaid = pv("graph", "--format", "mermaid", cwd=demo).out
    assert 'n0["contract<br/>s#quot;]; x -#gt; y #lt;b#gt; #num;1 #grave;c#grave;\\-v1"]' in mermaid


def test_contracts_named_leave_out_what_has_nothing_to_do_with_them(demo: Path, pv: Pv) -> None:
    text = (demo / "contracts/soft-cap-v1.yaml").read_text(encoding="utf-8").replace("FALSIFY-CAP", "FALSIFY-HARD")
    text = text.replace("  version: 0.1.0\n", "  version: 0.1.0\n  depends_on: [soft-cap-v1]\n")
    (demo / "contracts/hard-cap-v1.yaml").write_text(text, encoding="utf-8")
    ids = [node["id"] for node in values(pv, demo, "hard-cap-v1")["nodes"]]
    assert "hard-cap-v1:FALSIFY-HARD-001" in ids
    assert "soft-cap-v1" in ids, "what it depends on"
    assert "soft-cap-v1:FALSIFY-CAP-001" not in ids
    assert "soft-cap-v1:FALSIFY-CAP-001" in [node["id"] for node in values(pv, demo)["nodes"]]


def test_a_contract_that_does_not_parse_is_named_and_what_refers_to_it_does_not_dangle(demo: Path, pv: Pv) -> None:
    contract = demo / "contracts/soft-cap-v1.yaml"
    contract.write_text(contract.read_text(encoding="utf-8") + "  [\n", encoding="utf-8")
    ran = pv("graph", cwd=demo)
    assert "contracts/soft-cap-v1.yaml could not be read and is not counted: pv validate" in ran.out
    assert (ran.exit, ran.out.splitlines()[-1].startswith("0 contracts"), ", 0 dangling" in ran.out) == (0, True, True)
    assert {node["state"] for node in values(pv, demo)["nodes"]} == {"there", "unreadable"}


def test_an_empty_project_has_an_empty_graph_and_misuse_names_the_nearest(tmp_path: Path, pv: Pv) -> None:
    pv("init", tmp_path, "--empty")
    for form in ("text", "json", "dot", "mermaid"):
        assert pv("graph", "--format", form, cwd=tmp_path).exit == 0, form
    assert pv("graph", cwd=tmp_path).out.startswith("0 contracts, ")
    ran = pv("graph", "microgpt-v2")
    assert (ran.exit, "microgpt-v1" in ran.err) == (2, True)
