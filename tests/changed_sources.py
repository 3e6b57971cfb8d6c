"""For every kind of source that a claim may have: what the project's files hold when that source changes, and little else."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from conftest import ROOT
from small_project import IDENTITY

from pv.contract.model import Constant, Count, DataValue, Promised, PromisedTest, Released, Source
from pv.digest import canonical, digest
from pv.ledger.store import add, name_of
from pv.project import project_at

TEST = """\
  - id: FALSIFY-MORE-001
    binds_to: [%s]
    rule: one test more
    prediction: it is counted
    if_fails: look at the counting
"""

Changes = dict[Path, bytes | None]
"""What files hold afterwards; None for one that is gone."""
Touched = Callable[[Source], bool]


def changes(root: Path, source: Source) -> tuple[Changes, Touched]:
    """What the files of `root` hold after a change of `source`, and which sources that changes."""
    match source:
        case Constant(path, name):
            return _constant(root / path, name), lambda other: isinstance(other, Constant) and _made_of(other, source)
        case DataValue(kind, path, key):
            change = _toml(root / path, key) if kind == "toml" else _marked(root / path, key)
            return {root / path: change}, lambda other: other == source
        case Count("files", pattern):
            file = next(root.glob(pattern))
            return {file.with_stem("one-more"): file.read_bytes()}, lambda other: other == source
        case Count("contracts", _):
            return {root / "contracts/more-v1.yaml": IDENTITY.encode()}, lambda other: other == source
        case Count("tests", which):
            return _one_test_more(root, which), lambda other: other in (source, Count("tests", "all"))
        case Promised():
            return _one_promise_more(root, source), lambda other: other == source
        case PromisedTest(contract, subject, _, figure):
            if figure:
                return _larger_residual(root, source), lambda other: other == source
            levels = ("DISCHARGED", "FUNCTIONAL")
            lower = {Promised(contract, subject, level) for level in levels}
            return _lower_promise(root, source, *levels), lambda other: other == source or other in lower
        case Released(contract):
            return _one_release_more(root, contract), lambda other: other == source
    raise NotImplementedError(f"how {source} changes: write it here")


def _constant(file: Path, name: str) -> Changes:
    """Another number (so far off that a quotient of it is another one too), a text with an X, where the file assigns it."""
    text = file.read_text(encoding="utf-8")
    node = _assigned(ast.parse(text), name)
    old = ast.get_source_segment(text, node)
    assert old is not None
    new = f'({old} + "X")' if isinstance(node, ast.Constant) and isinstance(node.value, str) else f"(({old}) * 2 + 1)"
    data = text.encode()
    start = sum(len(line) + 1 for line in data.split(b"\n")[: node.lineno - 1]) + node.col_offset
    end = start + len(old.encode())
    return {file: data[:start] + new.encode() + data[end:]}


def _assigned(tree: ast.Module, name: str) -> ast.expr:
    """The expression that gives `N`, `Class.default` or `TUPLE[0]` its value."""
    stem, _, index = name.removesuffix("]").partition("[")
    owner, _, attribute = stem.rpartition(".")
    body: list[ast.stmt] = tree.body
    if owner:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == owner)
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        names = targets[0].elts if isinstance(targets[0], ast.Tuple) else targets
        at = [isinstance(one, ast.Name) and one.id == attribute for one in names]
        if any(at) and isinstance(value, ast.expr):
            value = value.elts[at.index(True)] if isinstance(value, ast.Tuple) and len(at) > 1 else value
            return value.elts[int(index)] if index and isinstance(value, ast.Tuple) else value
    raise AssertionError(f"nothing assigns {name}")


def _made_of(other: Constant, source: Constant) -> bool:
    """Whether `other` is `source`, or computed from it in the same file."""
    if other.path != source.path:
        return False
    return source.name == other.name or source.name in _ingredients(ROOT / other.path, other.name)


@cache
def _ingredients(file: Path, name: str) -> frozenset[str]:
    node = _assigned(ast.parse(file.read_text(encoding="utf-8")), name)
    used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return frozenset(used.union(*(_ingredients(file, one) for one in used)))


def _marked(file: Path, key: tuple[str | int, ...]) -> bytes:
    """A number ten times as large, a text with an X, in a YAML or JSON file."""
    text = file.read_text(encoding="utf-8")
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in key:
        pairs = node.value if isinstance(step, int) else {name.value: value for name, value in node.value}
        node = pairs[step]
    old = text[node.start_mark.index : node.end_mark.index]
    new = old.replace(node.value, f"{node.value}X" if node.tag.endswith(":str") else str(float(node.value) * 10))
    return (text[: node.start_mark.index] + new + text[node.end_mark.index :]).encode()


def _toml(file: Path, key: tuple[str | int, ...]) -> bytes:
    """The text at `key` with an X behind it; nothing else differs."""
    text = file.read_text(encoding="utf-8")
    *tables, name = [step for step in key if isinstance(step, str)]
    begin = text.index(f"\n{name} = ", text.index(f"[{'.'.join(tables)}]"))
    end = text.index("\n", begin + 1)
    was = _below(tomllib.loads(text), key)
    line = text[begin:end].replace(f'"{was}"', f'"{was}X"', 1)
    after = text[:begin] + line + text[end:]
    assert _below(tomllib.loads(after), key) == f"{was}X"
    return after.encode()


def _below(value: Any, key: tuple[str | int, ...]) -> Any:
    for step in key:
        value = value[step]
    return value


def _one_test_more(root: Path, which: str) -> Changes:
    """A test in the contract `which`; of all, in one whose tests no claim counts."""
    contracts = project_at(ROOT).contracts
    sources = [
        source for row in contracts for claim in row.claims for source in (claim.source, *dict(claim.sources).values())
    ]
    counted = {source.which for source in sources if isinstance(source, Count) and source.what == "tests"}
    named = [contract for contract in contracts if contract.tests]
    contract = next(row for row in named if (row.name == which if which != "all" else row.name not in counted))
    file = root / f"contracts/{contract.name}.yaml"
    clause = TEST % contract.tests[0].binds_to[0]
    head, tests, tail = file.read_text(encoding="utf-8").partition("\nfalsification_tests:\n")
    return {file: f"{head}{tests}{clause}{tail}".encode()}


def _shelf(root: Path, kind: str, contract: str) -> dict[Path, Any]:
    folder = root / "ledger" / kind / contract
    return {path: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def _written(folder: Path, value: Any, scratch: Path) -> tuple[Path, bytes]:
    """Where the ledger keeps `value`, and as which bytes."""
    return folder / f"{name_of(value)}.json", add(scratch, value).read_bytes()


def _one_promise_more(root: Path, source: Promised) -> Changes:
    path, value = next(
        (path, value)
        for path, value in _shelf(root, "promotions", source.contract).items()
        if value["level"] == source.level and value["tests"][0]["subject"] == source.subject
    )
    more = {**value, "tests": [{**value["tests"][0], "id": "FALSIFY-MORE-001"}]}
    return dict([_written(path.parent, more, root.parent / "scratch")])


def _replaced(root: Path, source: PromisedTest, renew: Callable[[dict[str, Any], str], dict[str, Any]]) -> Changes:
    """Each promotion of the test, with that test in one of its own that `renew` makes of the row and the level."""
    done: Changes = {}
    for path, value in _shelf(root, "promotions", source.contract).items():
        rows = [row for row in value["tests"] if (row["id"], row["subject"]) == (source.test, source.subject)]
        if not rows:
            continue
        others = [row for row in value["tests"] if row not in rows]
        done[path] = None
        made = [{**value, "tests": others}] if others else []
        changed = renew(rows[0], value["level"])
        level = changed.pop("level", value["level"])
        made.append({**value, "level": level, "tests": [changed]})
        done.update(_written(path.parent, one, root.parent / "scratch") for one in made)
    assert done
    return done


def _lower_promise(root: Path, source: PromisedTest, old: str, new: str) -> Changes:
    return _replaced(root, source, lambda row, level: {**row, "level": new if level == old else level})


def _larger_residual(root: Path, source: PromisedTest) -> Changes:
    """Every receipt of the test that saw a residual saw a thousand, and the promotions cite those."""
    folder = root / "ledger/receipts" / source.contract
    names: dict[str, str] = {}
    done: Changes = {}
    for path, value in _shelf(root, "receipts", source.contract).items():
        if value["test"]["id"] == source.test and value["subject"]["name"] == source.subject and value["residuals"]:
            seen = [{**row, "residual": (1000.0).hex()} for row in value["residuals"]]
            file, data = _written(folder, {**value, "residuals": seen}, root.parent / "scratch")
            names[path.stem], done[file] = file.stem, data
    cited = _replaced(
        root, source, lambda row, _: {**row, "receipts": sorted(names.get(name, name) for name in row["receipts"])}
    )
    return done | cited


def _one_release_more(root: Path, contract: str) -> Changes:
    path, value = list(_shelf(root, "releases", contract).items())[-1]
    document = value["document"].replace(f'"version":"{value["version"]}"', '"version":"9.9.9"')
    value = {key: item for key, item in value.items() if key != "digest"} | {"version": "9.9.9", "document": document}
    whole = {**value, "digest": digest(value)}
    return {path.with_name("9.9.9.json"): canonical(whole) + b"\n"}
