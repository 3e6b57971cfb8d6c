"""The reference of the formats: a table for every object of every schema, from `schemas/*.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from markdown.extensions.toc import slugify

from pages.text import cell, code, notice, paragraph

PAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "contract": ("Contracts", "What a contract may say, key by key.", ("contract-v1",)),
    "binding": (
        "Bindings",
        "Which code an equation is about, and which mutants of it compute the same.",
        ("binding-v1", "equivalents-v1"),
    ),
    "ledger": (
        "Runs and the ledger",
        "What `pv` writes: receipts and cases, what is promised, released, taken back or excused. To be read, never edited.",
        (
            "receipt-v1",
            "promotion-v1",
            "retraction-v1",
            "waiver-v1",
            "release-v1",
            "record-v1",
            "case-v1",
            "falsify-events-v1",
        ),
    ),
    "models": (
        "Models and captures",
        "Families of models, stages of a forward pass, and the tensors that were captured at them.",
        ("family-v1", "stages-v1", "capture-v1", "shapes-v1"),
    ),
    "predecessor": (
        "The predecessor's dialect",
        "What `pv` reads of the tool before it. `pv import` rewrites such a contract as ours.",
        ("predecessor-contract-v1", "predecessor-binding-v1", "predecessor-family-v1"),
    ),
}
_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
_HEAD = "| Key | Needed | Value | Meaning |\n|---|---|---|---|"


class _Schema(NamedTuple):
    """A schema, and how the headings of its parts end where several share a page."""

    root: Mapping[str, Any]
    suffix: str

    def heading(self, name: str) -> str:
        return str(self.root["$defs"][name].get("title", name.capitalize())) + self.suffix

    def resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The node with what it refers to; what it says itself comes first."""
        return {**self.root["$defs"][_name(node)], **node} if "$ref" in node else node


def formats_page(root: Path, page: str) -> str:
    """The page about some schemas of the project at `root`."""
    title, lead, names = PAGES[page]
    parts = [notice("the schemas"), f"# {title}\n\n{lead}"]
    for name in names:
        value = json.loads((root / f"schemas/{name}.json").read_text(encoding="utf-8"))
        suffix = f" of {value['title'].lower()}" if len(names) > 1 else ""
        parts.extend(_sections(_Schema(value, suffix), name))
    return "\n\n".join(parts) + "\n"


def _sections(schema: _Schema, name: str) -> Iterator[str]:
    yield f"## {schema.root['title']}\n\n`schemas/{name}.json`. {paragraph(schema.root['description'])}"
    yield from _tables(schema, schema.root)
    for key, node in schema.root.get("$defs", {}).items():
        if _has_rows(node):
            yield f"### {schema.heading(key)}\n\n{paragraph(node.get('description', ''))}".rstrip()
            yield from _tables(schema, node)


def _tables(schema: _Schema, node: Mapping[str, Any]) -> Iterator[str]:
    if rows := list(_rows(schema, node, "")):
        yield "\n".join([_HEAD, *rows])
    for variant in node.get("oneOf", ()):
        if variant.get("properties"):
            yield f"**{variant['title']}**: {paragraph(variant['description'])}"
            yield "\n".join([_HEAD, *_rows(schema, variant, "")])


def _rows(schema: _Schema, node: Mapping[str, Any], above: str) -> Iterator[str]:
    """A row for each key, and for the keys of the objects that are written out within it."""
    for key, value in node.get("properties", {}).items():
        path = above + key
        needed = "yes" if key in node.get("required", ()) else ""
        yield f"| {code(path)} | {needed} | {_value(schema, value)} | {_meaning(schema, value)} |"
        yield from _rows(schema, value, f"{path}.")
        items = value.get("items")
        yield from _rows(schema, items if isinstance(items, dict) else {}, f"{path}[].")
        free = value.get("additionalProperties")
        yield from _rows(schema, free if isinstance(free, dict) else {}, f"{path}.NAME.")


def _meaning(schema: _Schema, node: Mapping[str, Any]) -> str:
    found = schema.resolved(node)
    said = cell(found.get("description") or found.get("title") or "")
    examples = [example for example in found.get("examples", ()) if not isinstance(example, dict | list)]
    return said + (f" As in {code(_shown(examples[0]))}." if examples and "const" not in found else "")


def _value(schema: _Schema, node: Mapping[str, Any]) -> str:
    """What kind of value a key has, in words; an object with rows of its own is linked."""
    if "$ref" in node:
        name = _name(node)
        own = schema.root["$defs"][name]
        return (
            f"[{schema.heading(name)}](#{slugify(schema.heading(name), '-')})"
            if _has_rows(own)
            else _value(schema, own)
        )
    if "const" in node:
        return code(_shown(node["const"]))
    if "enum" in node:
        return ", ".join(code(_shown(one)) for one in node["enum"])
    if options := node.get("oneOf") or node.get("anyOf"):
        words = dict.fromkeys(
            _value(schema, option) for option in options if {"type", "$ref", "enum", "const"} & option.keys()
        )
        if words:
            return " or ".join(words)
    kinds = node.get("type", ())
    return (
        " or ".join(_kind(schema, node, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)) or "anything"
    )


def _kind(schema: _Schema, node: Mapping[str, Any], kind: str) -> str:
    if kind == "array":
        items = node.get("items")
        return f"list of {_value(schema, items)}" if isinstance(items, dict) else "list"
    if kind == "object":
        named = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
        inner = [_value(schema, one) for one in named if isinstance(one, dict)]
        return "mapping" + (f" of names to {inner[0]}" if inner and not node.get("properties") else "")
    return _WORDS[kind] + (_bounds(node) if kind in ("integer", "number") else "")


def _bounds(node: Mapping[str, Any]) -> str:
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most"}
    said = [f"{word} {_shown(node[key])}" for key, word in words.items() if key in node]
    return f", {', '.join(said)}" if said else ""


def _has_rows(node: Mapping[str, Any]) -> bool:
    return bool(node.get("properties")) or any(option.get("properties") for option in node.get("oneOf", ()))


def _name(node: Mapping[str, Any]) -> str:
    return re.sub(r"^#/\$defs/", "", str(node["$ref"]))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
