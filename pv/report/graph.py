"""A project's graph as a tree of text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from pv.graph import Edge, Graph, Node, State
from pv.report.drawing import graph_dot, graph_mermaid
from pv.report.plain import json_text, plural


def render_graph(graph: Graph, form: str) -> str:
    """`graph` as text, dot, mermaid or json."""
    return {"text": graph_text, "dot": graph_dot, "mermaid": graph_mermaid, "json": graph_json}[form](graph)


def graph_text(graph: Graph) -> str:
    """Every contract with its parts, what refers to each part below it, then what dangles and the counts."""
    tree = _Tree(graph)
    lines = [line for node in graph.nodes if node.kind == "contract" and node.place for line in tree.lines(node, 0)]
    lines += [
        f"dangling: {source.kind} {source.name} ({source.place}) {edge.relation} {target.name}, which is not there"
        for source, edge, target in graph.dangling()
    ]
    lines += [f"{path} could not be read and is not counted: pv validate {path}" for path in graph.unread]
    counts = graph.counts()
    dangling = counts.pop("dangling")
    parts = ", ".join(plural(count, noun[:-1]) for noun, count in counts.items())
    return "\n".join([*lines, f"{parts}, {dangling} dangling"])


class _Tree:
    """What is below a node, looked up once: its parts, what it refers to, what refers to it."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = {node.id: node for node in graph.nodes}
        self.parts: dict[str | None, list[Node]] = {}
        self.into: dict[str, list[Edge]] = {}
        self.out: dict[str, list[Edge]] = {}
        for node in graph.nodes:
            self.parts.setdefault(node.parent, []).append(node)
        for edge in graph.edges:
            self.into.setdefault(edge.target, []).append(edge)
            self.out.setdefault(edge.source, []).append(edge)

    def lines(self, node: Node, depth: int, how: str = "") -> Iterator[str]:
        """`node` and all below it. A test stands below the invariants it binds to, not below its contract."""
        yield f"{'  ' * depth}{how}{node.kind} {node.name}  {node.place or ''}".rstrip()
        for edge in self.out.get(node.id, ()) if node.kind == "contract" else ():
            yield f"{'  ' * (depth + 1)}depends_on {edge.target}{_suffix(self.nodes[edge.target])}"
        for edge in self.into.get(node.id, ()):
            if edge.relation != "depends_on":
                yield from self.lines(self.nodes[edge.source], depth + 1, f"{edge.relation} ← ")
        for part in self.parts.get(node.id, ()):
            if part.kind != "test" or not self.out.get(part.id):
                yield from self.lines(part, depth + 1)


def _suffix(node: Node) -> str:
    return "" if node.state is State.THERE else f" ({node.state.value})"


def graph_json(graph: Graph) -> str:
    """Nodes, edges and counts for programs."""
    nodes = [
        {
            "id": node.id,
            "kind": node.kind,
            "name": node.name,
            "parent": node.parent,
            "place": str(node.place) if node.place else None,
            "state": node.state.value,
        }
        for node in graph.nodes
    ]
    edges = [{"source": edge.source, "relation": edge.relation, "target": edge.target} for edge in graph.edges]
    return json_text({"nodes": nodes, "edges": edges, "counts": graph.counts(), "unreadable": list(graph.unread)})
