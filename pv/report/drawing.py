"""A project's graph as a drawing, for Graphviz and for Mermaid: a frame for each contract and each equation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pv.graph import Graph, Node, State

_SHAPES = {
    "contract": "folder",
    "equation": "box",
    "invariant": "ellipse",
    "test": "hexagon",
    "falsifier": "component",
    "fault": "octagon",
    "binding": "cds",
}


@dataclass(frozen=True, slots=True)
class _Language:
    """How a node is written (given its short id), and what opens and closes a frame around one and its parts."""

    node: Callable[[Node, str], str]
    opening: str
    closing: str


def graph_dot(graph: Graph) -> str:
    """For Graphviz. What dangles is dashed and red."""
    ids = _ids(graph)
    lines = ["digraph pv {", "  rankdir=RL;", '  node [fontname="sans-serif"];']
    lines += [f"  // not read: {_one_line(path)}" for path in graph.unread]
    lines += _frames(_Language(_dot_node, "subgraph cluster_{id} {{", "}"), _parts(graph), None, ids, "  ")
    lines += [f'  {ids[edge.source]} -> {ids[edge.target]} [label="{edge.relation}"];' for edge in graph.edges]
    return "\n".join([*lines, "}"])


def graph_mermaid(graph: Graph) -> str:
    """For Mermaid, which GitHub and GitLab draw in Markdown. What dangles is dashed and red."""
    ids = _ids(graph)
    lines = ["flowchart RL"]
    lines += [f"  %% not read: {_one_line(path)}" for path in graph.unread]
    lines += _frames(_Language(_mermaid_node, 'subgraph frame_{id}[" "]', "end"), _parts(graph), None, ids, "  ")
    lines += [f"  {ids[edge.source]} -->|{edge.relation}| {ids[edge.target]}" for edge in graph.edges]
    absent = [ids[node.id] for node in graph.nodes if node.state is not State.THERE]
    if absent:
        lines += ["  classDef absent stroke:red,stroke-dasharray:4", f"  class {','.join(absent)} absent"]
    return "\n".join(lines)


def _frames(
    language: _Language, parts: _Parts, parent: str | None, ids: Mapping[str, str], indent: str
) -> Iterator[str]:
    """The nodes below `parent`, each that has parts of its own in a frame together with them."""
    for node in parts.get(parent, ()):
        line = language.node(node, ids[node.id])
        if node.id not in parts:
            yield indent + line
            continue
        yield indent + language.opening.format(id=ids[node.id])
        yield f"{indent}  {line}"
        yield from _frames(language, parts, node.id, ids, f"{indent}  ")
        yield indent + language.closing


_Parts = Mapping[str | None, Sequence[Node]]


def _parts(graph: Graph) -> _Parts:
    found: dict[str | None, list[Node]] = {}
    for node in graph.nodes:
        found.setdefault(node.parent, []).append(node)
    return found


def _ids(graph: Graph) -> dict[str, str]:
    """Names that both languages take as they are."""
    return {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}


def _dot_node(node: Node, id_: str) -> str:
    label = f"{node.kind}\\n{_dot_text(node.name)}"
    if node.state is State.THERE:
        return f'{id_} [label="{label}", shape={_SHAPES[node.kind]}];'
    return f'{id_} [label="{label}\\n{node.state.value}", shape={_SHAPES[node.kind]}, style=dashed, color=red];'


def _dot_text(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def _mermaid_node(node: Node, id_: str) -> str:
    note = "" if node.state is State.THERE else f"<br/>{node.state.value}"
    return f'{id_}["{node.kind}<br/>{_mermaid_text(node.name)}{note}"]'


def _mermaid_text(text: str) -> str:
    """Mermaid reads HTML in labels, and writes its entities with # in place of &."""
    entities = (
        _one_line(text).replace("&", "&amp;").replace("#", "&num;").replace('"', "&quot;").replace("`", "&grave;")
    )
    return entities.replace("<", "&lt;").replace(">", "&gt;").replace("&", "#")


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
