"""Which of the predecessor's formats a document is in, by its own content, and the contract it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pv.contract.document import Document, capped
from pv.contract.predecessor.model import Item, Pointer, PredecessorContract, PredecessorFile
from pv.contract.schema import check_schema

# A manifest of another tool may have `metadata` too: a contract has one of these beside it, or a version and a description.
_SECTIONS = frozenset(
    (
        "equations",
        "proof_obligations",
        "falsification_tests",
        "kani_harnesses",
        "qa_gate",
        "enforcement",
        "beat",
        "stories",
    )
)
_OURS = frozenset(("arguments", "returns", "dimensions"))
_FAMILY = frozenset(("display_name", "architectures", "size_variants", "tensor_template", "constraints", "vendor"))


def layout_of(document: Document) -> str | None:
    """`contract`, `family` or `binding`; None for what is in no format of the predecessor."""
    value = document.value
    if not isinstance(value, dict) or isinstance(value.get("schema"), str) or _is_ours(value):
        return None
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and (
        not _SECTIONS.isdisjoint(value) or {"version", "description"} <= metadata.keys()
    ):
        return "contract"
    if isinstance(value.get("family"), str) and not _FAMILY.isdisjoint(value):
        return "family"
    return "binding" if "target_crate" in value and "bindings" in value else None


def _is_ours(value: Mapping[str, Any]) -> bool:
    """Whether equations have the structure that only our own format knows: the file has lost its `schema:`."""
    equations = value.get("equations")
    bodies = equations.values() if isinstance(equations, dict) else ()
    return any(isinstance(body, dict) and not _OURS.isdisjoint(body) for body in bodies)


def predecessor_of(document: Document, name: str) -> PredecessorFile | None:
    """The file called `name` that `document` holds; None when it is in no format of the predecessor."""
    layout = layout_of(document)
    if layout is None:
        return None
    findings = document.findings
    if all(finding.code == "PV102" for finding in findings):
        findings = capped((*findings, *check_schema(document, f"pv/predecessor-{layout}-v1")))
    contract = _contract(document.value, name) if layout == "contract" and not findings else None
    return PredecessorFile(document, layout, contract, findings)


def _contract(value: Mapping[str, Any], name: str) -> PredecessorContract:
    metadata = value["metadata"]
    kind = "registry" if metadata.get("registry") else metadata.get("kind", "kernel")
    gate = value.get("qa_gate", {})
    enforcement = tuple(Item(("enforcement", key), body) for key, body in value.get("enforcement", {}).items())
    checks = [(("qa_gate", "checks", i), check) for i, check in enumerate(gate.get("checks", ()))]
    return PredecessorContract(
        name=name,
        version=metadata["version"],
        kind=kind,
        equations=dict(_equations(value.get("equations") or {})),
        obligations=_items(value, "proof_obligations"),
        tests=_items(value, "falsification_tests"),
        harnesses=_items(value, "kani_harnesses"),
        enforcement=enforcement,
        phases=_items(value.get("kernel_structure", {}), "phases", ("kernel_structure",)),
        gate=Item(("qa_gate",), gate),
        depends_on=tuple(metadata.get("depends_on", ())),
        checks=(*checks, *(((*item.at, "check"), check) for item in enforcement if (check := item.text("check")))),
    )


def _items(holder: Mapping[str, Any], key: str, at: Pointer = ()) -> tuple[Item, ...]:
    return tuple([Item((*at, key, i), body) for i, body in enumerate(holder.get(key, ()))])


def _equations(value: Mapping[str, Any] | list[Any]) -> Iterator[tuple[str, Item]]:
    if isinstance(value, dict):
        yield from ((name, Item(("equations", name), body)) for name, body in value.items())
    else:  # as the predecessor names those without an id
        yield from ((body.get("id", f"equation_{i + 1}"), Item(("equations", i), body)) for i, body in enumerate(value))
