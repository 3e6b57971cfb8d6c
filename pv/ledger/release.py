"""Releases: a contract at one version, with the level and the receipts of everything promised of it. Never written again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pv.contract.document import Document
from pv.contract.read import CONTRACT, ContractFile, contract_of, findings_of
from pv.digest import canonical, digest
from pv.finding import Exit, PvError
from pv.ledger.formats import problem_of
from pv.ledger.promotion import Promise
from pv.ledger.store import MAX_BYTES, Stored
from pv.level import Level
from pv.version import precedence, read_version

FORMAT = "pv/release-v1"


class Release(NamedTuple):
    """What was released: `promises` are the levels supported then, `document` the contract as JSON."""

    path: Path
    contract: str
    version: str
    previous: str
    clauses: tuple[tuple[str, str], ...]
    promises: tuple[Promise, ...]
    promotions: tuple[str, ...]
    retractions: tuple[str, ...]
    document: str

    @property
    def what(self) -> str:
        """`softmax-v1 1.4.0`."""
        return f"{self.contract} {self.version}"


def release_value(
    contract: str,
    version: str,
    previous: str,
    document: str,
    clauses: Mapping[str, str],
    promises: Iterable[Promise],
    promotions: Iterable[str],
    retractions: Iterable[str],
) -> dict[str, Any]:
    """The JSON of a release."""
    value = {
        "format": FORMAT,
        "contract": contract,
        "version": version,
        "previous": previous,
        "clauses": dict(clauses),
        "tests": [
            {
                "id": promise.test,
                "equation": promise.equation,
                "subject": promise.subject,
                "level": promise.level.name,
                "receipts": sorted(promise.receipts),
            }
            for promise in sorted(promises)
        ],
        "promotions": sorted(promotions),
        "retractions": sorted(retractions),
        "document": document,
    }
    return {**value, "digest": digest(value)}


def document_text(document: Document) -> str:
    """A contract's document as one line of JSON; keys stay in their order, which arguments are met by."""
    return json.dumps(document.value, ensure_ascii=False, separators=(",", ":"))


def contract_at(release: Release, shown: str) -> ContractFile:
    """The contract as it was released; places in it are `shown`, the release's path."""
    return contract_of(Document(shown, json.loads(release.document), ()), release.contract)


def publish(folder: Path, value: Mapping[str, Any]) -> Path:
    """Write the release `value` into `folder`. Raises PvError when that version exists, or the folder cannot be written."""
    from pv.write import write_new

    path = folder / f"{value['version']}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_new(path, canonical(value) + b"\n")
    except FileExistsError:
        raise PvError(
            f"{path} exists: a release is never written again",
            exit=Exit.MEND,
            hint="pv bump, then release that version",
        ) from None
    except OSError as error:
        raise PvError(
            f"cannot write {path}: {error.strerror or error}",
            exit=Exit.ASK,
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error
    return path


def read_releases(folder: Path) -> Iterator[Release | Stored]:
    """The releases below `folder`; what cannot be believed comes as its `Stored`, with the problem."""
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        if path.parent.parent != folder:
            yield Stored(path, path.name, None, "does not belong here: a shelf has one folder for each contract")
        elif path.name.startswith(".tmp-"):
            yield Stored(path, path.name, None, "is left over from an interrupted write; it can be deleted")
        elif path.suffix != ".json" or read_version(path.stem) is None:
            yield Stored(path, path.name, None, "does not belong here: its name is no version")
        else:
            yield _read(path)


def newest_release(folder: Path, contract: str) -> Release | None:
    """Of the releases below `folder`, the highest of `contract` that can be believed; no lower one is read."""
    versions = {path: read_version(path.stem) for path in (folder / contract).glob("*.json")}
    ordered = sorted(((precedence(version), path) for path, version in versions.items() if version), reverse=True)
    return next(
        (row for _, path in ordered if isinstance(row := _read(path), Release) and row.contract == contract), None
    )


def parse_release(path: Path, data: bytes) -> Release | Stored:
    """The release that `data`, the content of the file at `path`, holds; or what is wrong with it."""
    data = data.replace(b"\r\n", b"\n")  # as a checkout may have turned them
    try:
        value = json.loads(data)
        same = canonical(value) + b"\n" == data
    except (ValueError, TypeError, RecursionError):
        return Stored(path, path.stem, None, "is not JSON")
    if not same:
        return Stored(path, path.stem, None, "is not canonical JSON: it was not written by pv, or was changed")
    problem = problem_of(FORMAT, value) or _problem(path, value)
    return Stored(path, path.stem, None, problem) if problem else _build(path, value)


def _read(path: Path) -> Release | Stored:
    try:
        if path.stat().st_size > MAX_BYTES:
            return Stored(path, path.stem, None, f"larger than {MAX_BYTES:,} bytes")
        return parse_release(path, path.read_bytes())
    except OSError as error:
        return Stored(path, path.stem, None, f"cannot be read: {error.strerror or error}")


def _problem(path: Path, value: Mapping[str, Any]) -> str:
    """What its layout cannot say: damage, another name, a document that is no contract."""
    if value["digest"] != digest({key: item for key, item in value.items() if key != "digest"}):
        return "does not hold what its digest says: it was changed"
    if path.stem != value["version"]:
        return f"is the release {value['version']} and is called {path.stem}"
    try:
        document = Document(path.name, json.loads(value["document"]), ())
    except (ValueError, RecursionError):
        return "holds a document that is not JSON"
    if findings_of(document, CONTRACT) or document.value["metadata"]["version"] != value["version"]:
        return f"holds a document that is no contract of version {value['version']}"
    return ""


def _build(path: Path, value: Mapping[str, Any]) -> Release:
    promises = tuple(
        Promise(
            value["contract"], row["id"], row["equation"], row["subject"], Level[row["level"]], tuple(row["receipts"])
        )
        for row in value["tests"]
    )
    return Release(
        path=path,
        contract=value["contract"],
        version=value["version"],
        previous=value["previous"],
        clauses=tuple(sorted(value["clauses"].items())),
        promises=promises,
        promotions=tuple(value["promotions"]),
        retractions=tuple(value["retractions"]),
        document=value["document"],
    )
