"""The graph of a project: what binds to, attacks, violates, stands for and depends on what; which of it leads nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from pv.contract.model import Binding, Contract
from pv.contract.read import ContractFile
from pv.finding import Place
from pv.source.falsifiers import FalsifierEntry, FalsifierIndex, FaultEntry

KINDS = ("contract", "equation", "invariant", "test", "falsifier", "fault", "binding")
RELATIONS = ("binds_to", "attacks", "violates", "stands_for", "depends_on")


class State(Enum):
    """Whether what a node stands for is there, is referred to and missing, or may be in a contract that cannot be read."""

    THERE = "there"
    DANGLING = "dangling"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Node:
    """`id` is unique in the graph, `name` is what people call it; `parent` is the id of what it is part of."""

    id: str
    kind: str
    name: str
    contract: str | None = None
    parent: str | None = None
    place: Place | None = None
    state: State = State.THERE


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` refers to `target` (both ids of nodes) in the sense of `relation`, one of `RELATIONS`."""

    source: str
    relation: str
    target: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order of contracts, then code; the nodes that only a reference names come last."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    unread: tuple[str, ...] = ()

    def dangling(self) -> tuple[tuple[Node, Edge, Node], ...]:
        """Every reference to something that is not there: who refers, how, to what."""
        known = {node.id: node for node in self.nodes}
        found = ((known[edge.source], edge, known[edge.target]) for edge in self.edges)
        return tuple(row for row in found if row[2].state is State.DANGLING)

    def counts(self) -> dict[str, int]:
        """What there is of each kind, the references, and how many of them dangle."""
        there = [node.kind for node in self.nodes if node.state is State.THERE]
        return {
            **{f"{kind}s": there.count(kind) for kind in KINDS},
            "references": len(self.edges),
            "dangling": len(self.dangling()),
        }


def build_graph(files: Sequence[ContractFile], bindings: Iterable[Binding], index: FalsifierIndex) -> Graph:
    """The graph of contract files with the code that speaks of them.

    A falsifier or fault whose module names no contract belongs to every contract that has its test or invariant.
    """
    read = [file for file in files if file.contract is not None]
    unread = tuple(file.document.path for file in files if file.contract is None)
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for item in _items(read, bindings, index):
        if isinstance(item, Node):
            nodes.setdefault(item.id, item)
        else:
            edges.append(item)
    missing = {_stem(path) for path in unread}
    for edge in edges:
        if edge.target not in nodes:
            nodes[edge.target] = _absent(edge, missing)
    return Graph(tuple(nodes.values()), tuple(dict.fromkeys(edges)), unread)


def restricted(graph: Graph, contracts: Collection[str]) -> Graph:
    """What belongs to `contracts`, and whatever that refers to or is referred to by."""
    own = {node.id for node in graph.nodes if node.contract in contracts}
    edges = tuple(edge for edge in graph.edges if edge.source in own or edge.target in own)
    kept = own | {end for edge in edges for end in (edge.source, edge.target)}
    nodes = [node for node in graph.nodes if node.id in kept]
    return Graph(
        tuple(node if node.parent in kept else replace(node, parent=None) for node in nodes), edges, graph.unread
    )


def _items(files: Sequence[ContractFile], bindings: Iterable[Binding], index: FalsifierIndex) -> Iterator[Node | Edge]:
    contracts = [file.contract for file in files if file.contract is not None]
    for file, contract in zip(files, contracts, strict=True):
        yield from _contract(contract)
        for other in _depends_on(file):
            yield Edge(contract.name, "depends_on", other)
    for entry in index.falsifiers:
        yield from _mark(entry, "falsifier", entry.id, [c.name for c in contracts if entry.id in _tests(c)])
    for fault in index.faults:
        owners = [c.name for c in contracts if c.invariant(fault.invariant) is not None]
        yield from _mark(fault, "fault", fault.invariant, owners)
    for row in bindings:
        id_ = f"binding {row.contract}:{row.equation}:{row.name}"
        yield Node(id_, "binding", f"{row.name} = {row.code}", row.contract, None, row.place)
        yield Edge(id_, "stands_for", f"{row.contract}:{row.equation}")


def _contract(contract: Contract) -> Iterator[Node | Edge]:
    name = contract.name
    yield Node(name, "contract", name, name, None, contract.place)
    for equation in contract.equations:
        home = f"{name}:{equation.name}"
        yield Node(home, "equation", equation.name, name, name, equation.place)
        for clause in equation.invariants:
            yield Node(f"{name}:{clause.name}", "invariant", clause.name, name, home, clause.place)
    for test in contract.tests:
        id_ = f"{name}:{test.id}"
        yield Node(id_, "test", test.id, name, name, test.place)
        yield from (Edge(id_, "binds_to", f"{name}:{clause}") for clause in test.binds_to)


def _mark(entry: FalsifierEntry | FaultEntry, kind: str, names: str, owners: Sequence[str]) -> Iterator[Node | Edge]:
    """A marked function, and what it attacks or violates in each contract that it may be meant for."""
    id_ = f"{entry.path}:{entry.function}"
    meant = [entry.contract] if entry.contract is not None else list(owners)
    yield Node(id_, kind, entry.function, meant[0] if len(meant) == 1 else None, None, entry.place)
    relation = "attacks" if kind == "falsifier" else "violates"
    yield from (Edge(id_, relation, f"{contract}:{names}") for contract in meant or ["?"])


_TARGETS = {
    "binds_to": "invariant",
    "attacks": "test",
    "violates": "invariant",
    "stands_for": "equation",
    "depends_on": "contract",
}


def _absent(edge: Edge, unread: Collection[str]) -> Node:
    """The node that a reference names and nothing defines."""
    contract, _, name = edge.target.partition(":")
    hidden = contract in unread or (contract == "?" and unread)
    state = State.UNREADABLE if hidden else State.DANGLING
    return Node(edge.target, _TARGETS[edge.relation], name or contract, None, None, None, state)


def _depends_on(file: ContractFile) -> tuple[str, ...]:
    """What its metadata name; a file of another dialect may have none."""
    metadata = file.document.value.get("metadata")
    return tuple(metadata.get("depends_on") or ()) if isinstance(metadata, dict) else ()


def _tests(contract: Contract) -> set[str]:
    return {test.id for test in contract.tests}


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
