"""Contracts and bindings as values, from documents that satisfy their schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pv.contract.bounds import MAX_BYTES
from pv.contract.document import Document, capped, read_document
from pv.contract.model import (
    Binding,
    Block,
    Claim,
    Constant,
    Contract,
    Count,
    DataValue,
    Dimension,
    Documents,
    DrawnText,
    Equation,
    FalsificationTest,
    Holds,
    Invariant,
    Parameters,
    Phrase,
    Promised,
    PromisedTest,
    Range,
    Recorded,
    Released,
    Source,
    StaticBadge,
    TableCell,
    Tolerance,
    ValueSpec,
    Where,
)
from pv.contract.quote import shorten
from pv.contract.rows import is_printable
from pv.contract.schema import check_schema
from pv.finding import Finding, Severity
from pv.level import read_level

CONTRACT = "pv/contract-v1"
BINDING = "pv/binding-v1"
DATA = ("pv/family-v1", "pv/stages-v1")
# Comments, the schema, and a key below it, which ends the schema's name.
_SAYS_DATA = re.compile(rf"(?:(?:#.*)?\n)*schema: (?:{'|'.join(DATA)})\n[A-Za-z_]+:[ \n]")


class ContractFile(NamedTuple):
    """A file that ought to be a contract; `contract` is None when `findings` holds anything."""

    document: Document
    contract: Contract | None
    findings: tuple[Finding, ...]


class BindingFile(NamedTuple):
    """A file that ought to hold bindings; `bindings` is empty when `findings` holds anything."""

    document: Document
    bindings: tuple[Binding, ...]
    findings: tuple[Finding, ...]


class DataFile(NamedTuple):
    """A file of plain data in a format of ours (`DATA`): nothing is attacked on its behalf, its layout alone is judged."""

    document: Document
    findings: tuple[Finding, ...]


def data_of(document: Document) -> DataFile | None:
    """The file of plain data that `document` says it is; None where it says something else."""
    schema = data_schema(document)
    return DataFile(document, findings_of(document, schema)) if schema else None


def data_schema(document: Document) -> str:
    """Which format of plain data `document` says it has; empty where it says something else."""
    schema = document.value.get("schema") if isinstance(document.value, dict) else None
    return schema if schema in DATA else ""


def begins_as_data(data: bytes) -> bool:
    """Whether it shows at the beginning that `data_schema` of what `data` holds is not empty; False decides nothing.

    What is broken further down changes nothing: a document is what could be read of it.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(data) <= MAX_BYTES and bool(_SAYS_DATA.match(text)) and is_printable(text)


def read_contract(path: Path, shown: str) -> ContractFile:
    """The contract in the file at `path`, called `shown` in findings. Raises PvError when there is none.

    >>> import pv
    >>> from pathlib import Path
    >>> file = pv.read_contract(Path("contracts/microgpt-v1.yaml"), "microgpt-v1")
    >>> file.contract.name, file.findings
    ('microgpt-v1', ())
    """
    document = read_document(path, shown)
    return contract_of(document, path.stem)


def contract_of(document: Document, name: str) -> ContractFile:
    """The contract called `name` that `document` holds."""
    findings = findings_of(document, CONTRACT)
    return ContractFile(document, None if findings else _contract(document, name), findings)


def read_bindings(path: Path, shown: str) -> BindingFile:
    """The bindings in the file at `path`, called `shown` in findings. Raises PvError when there is none."""
    return bindings_of(read_document(path, shown))


def bindings_of(document: Document) -> BindingFile:
    """The bindings that `document` holds."""
    findings = findings_of(document, BINDING)
    return BindingFile(document, () if findings else tuple(_bindings(document)), findings)


def looks_like_contract(document: Document) -> bool:
    """Whether the document says it is a contract: what a walk through a folder judges, and does not skip."""
    schema = document.value.get("schema") if isinstance(document.value, dict) else None
    return isinstance(schema, str) and schema.startswith("pv/contract")


def holds_bindings(document: Document) -> bool:
    """Whether the document says that it holds bindings."""
    schema = document.value.get("schema") if isinstance(document.value, dict) else None
    return isinstance(schema, str) and schema.startswith("pv/binding")


def findings_of(document: Document, name: str) -> tuple[Finding, ...]:
    """What is wrong with the document as a `name`; the schema speaks only of a text that could be read to its end."""
    if any(finding.code != "PV102" for finding in document.findings):
        return document.findings
    return capped((*document.findings, *(_wrong_kind(document, name) or check_schema(document, name))))


def _wrong_kind(document: Document, name: str) -> list[Finding]:
    """The one finding on a file that does not say it is a `name`: what else it lacks is then beside the point."""
    value = document.value
    hint = f"begin the file with `schema: {name}`"
    if not isinstance(value, dict):
        seen = f"the file is {shorten(value)}; expected a mapping with `schema: {name}`"
        return [Finding("PV112", Severity.ERROR, document.place(()), seen, hint)]
    if "schema" not in value:
        seen = f"the file has no `schema:`; expected `schema: {name}`"
        return [Finding("PV111", Severity.ERROR, document.place(()), seen, hint)]
    if value["schema"] != name:
        seen = f"schema is {shorten(value['schema'])}; expected {name!r}"
        return [Finding("PV112", Severity.ERROR, document.place(("schema",)), seen, hint)]
    return []


def _contract(document: Document, name: str) -> Contract:
    value = document.value
    metadata = value["metadata"]
    return Contract(
        name=name,
        path=document.path,
        place=document.place(()),
        version=metadata["version"],
        description=metadata["description"],
        equations=tuple(_equation(document, key, body) for key, body in _named(value["equations"])),
        tests=tuple(_test(document, i, body) for i, body in enumerate(value.get("falsification_tests", ()))),
        claims=tuple(_claim(document, i, body) for i, body in enumerate(value.get("claims", ()))),
        documents=tuple(_documents(document, i, body) for i, body in enumerate(value.get("documents", ()))),
    )


def _named(mapping: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The entries that the contract language knows: `x-…` is the author's own."""
    return ((key, body) for key, body in mapping.items() if not key.startswith("x-"))


def _equation(document: Document, name: str, body: Any) -> Equation:
    at = ("equations", name)
    return Equation(
        name=name,
        place=document.place(at, key=True),
        formula=body["formula"],
        domain=body["domain"],
        codomain=body["codomain"],
        dimensions=tuple(_dimension(document, at, key, size) for key, size in _named(body.get("dimensions", {}))),
        arguments=tuple(_value(document, (*at, "arguments", k), v) for k, v in _named(body.get("arguments", {}))),
        returns=tuple(_value(document, (*at, "returns", k), v) for k, v in _named(body.get("returns", {}))),
        invariants=tuple(_invariant(document, name, i, v) for i, v in enumerate(body["invariants"])),
    )


def _dimension(document: Document, at: tuple[str, ...], name: str, size: Any) -> Dimension:
    least, greatest = (size["min"], size["max"]) if isinstance(size, dict) else (size, size)
    return Dimension(name, document.place((*at, "dimensions", name), key=True), int(least), int(greatest))


def _value(document: Document, at: tuple[str, ...], body: Any) -> ValueSpec:
    bounds = body.get("range", {})
    return ValueSpec(
        name=at[-1],
        place=document.place(at, key=True),
        type=body["type"],
        dtypes=tuple(body.get("dtype", ())),
        like=body.get("like"),
        shape=tuple(axis if isinstance(axis, str) else int(axis) for axis in body.get("shape", ())),
        range=Range(bounds.get("min"), bounds.get("max"), bounds.get("below")),
        constraint=body.get("constraint"),
        alphabet=body.get("alphabet"),
        normal=body.get("normal"),
        strata=tuple(body.get("strata", ())),
        nan=body.get("nan") == "admitted",
        infinity=body.get("infinity") == "admitted",
        gradient=body.get("gradient", False),
    )


def _invariant(document: Document, equation: str, index: int, body: Any) -> Invariant:
    return Invariant(
        equation=equation,
        id=body["id"],
        place=document.place(("equations", equation, "invariants", index)),
        statement=body["statement"],
        holds=Holds(body["holds"]),
        about=body.get("about", "value"),
        tolerances=tuple((dtype, _tolerance(bound)) for dtype, bound in _named(body.get("tolerance", {}))),
    )


def _tolerance(bound: Any) -> Tolerance:
    if isinstance(bound, dict):
        return Tolerance(*(float(bound.get(part, 0.0)) for part in Tolerance._fields))
    return Tolerance(float(bound))


def _test(document: Document, index: int, body: Any) -> FalsificationTest:
    kinds = ((kind, body[kind]["not_applicable"]) for kind in ("live", "oracle") if kind in body)
    return FalsificationTest(
        id=body["id"],
        place=document.place(("falsification_tests", index)),
        binds_to=tuple(body["binds_to"]),
        rule=body["rule"],
        prediction=body["prediction"],
        if_fails=body["if_fails"],
        status=read_level(body["status"]) if "status" in body else None,
        not_applicable=tuple(kinds),
    )


def _claim(document: Document, index: int, body: Any) -> Claim:
    sources = tuple((name, _source(source)) for name, source in body.get("sources", {}).items())
    tolerance = body.get("tolerance", {})
    return Claim(
        id=body["id"],
        place=document.place(("claims", index)),
        document=body["document"],
        where=_where(body),
        source=sources[0][1] if sources else _source(body["source"]),
        form=body.get("form", "{}"),
        sources=sources,
        holds=body.get("holds", "equal"),
        absolute=float(tolerance.get("absolute", 0.0)),
        relative=float(tolerance.get("relative", 0.0)),
    )


def _where(body: Any) -> Where:
    if "cell" in body:
        return TableCell(body["cell"]["section"], body["cell"]["row"], body["cell"]["column"])
    if "badge" in body:
        return StaticBadge(body["badge"]["label"])
    if "drawing" in body:
        before, _, after = body["drawing"]["text"].partition("{value}")
        return DrawnText(before, after)
    found = body["block"] if "block" in body else body["phrase"]
    before, _, after = found["text"].partition("{value}")
    return (Block if "block" in body else Phrase)(found["section"], before, after)


def _source(body: Any) -> Source:
    match body:
        case {"python": path, "name": name}:
            return Constant(path, name)
        case {"ledger": contract, "level": level, "subject": subject}:
            return Promised(contract, subject, level)
        case {"ledger": contract, "test": test, "subject": subject}:
            return PromisedTest(contract, subject, test, body.get("figure", ""))
        case {"ledger": contract}:
            return Released(contract)
        case {"tensors": path}:
            return Parameters(path)
        case {"command": command}:
            return Recorded(tuple(command), tuple(body.get("key", ())))
    for what in ("files", "contracts", "tests"):
        if what in body:
            return Count(what, body[what])
    kind = next(kind for kind in ("json", "toml", "yaml") if kind in body)
    return DataValue(kind, body[kind], tuple(body["key"]))


def _documents(document: Document, index: int, body: Any) -> Documents:
    return Documents(
        files=body["files"],
        place=document.place(("documents", index)),
        sections=tuple(body.get("sections", ())),
        bound="numbers" in body,
        ignore=tuple((row["text"], row["reason"]) for row in body.get("ignore", ())),
    )


def _bindings(document: Document) -> Iterator[Binding]:
    for index, body in enumerate(document.value["bindings"]):
        yield Binding(
            contract=body["contract"],
            equation=body["equation"],
            name=body["name"],
            place=document.place(("bindings", index)),
            role=body.get("role", "subject"),
            default=body.get("default", False),
            target=body.get("target", ""),
            adapter=body.get("adapter", "function"),
            factory=body.get("factory"),
            command=tuple(body.get("command", ())),
            exchange=body.get("exchange", "safetensors"),
            requires=tuple(body.get("requires", ())),
            not_applicable=tuple(_named(body.get("not_applicable", {}))),
            live=tuple(body.get("live", {}).get("command", ())),
            within=tuple(body.get("within", ())),
        )
