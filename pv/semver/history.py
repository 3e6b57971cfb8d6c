"""Contracts as a git reference had them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pv.contract.document import parse_document
from pv.contract.read import ContractFile, contract_of, holds_bindings, looks_like_contract
from pv.source.git import contents, files_at


def contracts_at(root: Path, paths: Sequence[str], reference: str) -> dict[str, ContractFile]:
    """The contracts under `paths` (files or folders, relative to `root`) at `reference`, by path, shown as `REF:path`.

    Raises PvError when git, the repository or the reference is not there.
    """
    listed = files_at(root, reference, paths)
    yaml = {path: name for path, name in listed.items() if _is_yaml(PurePosixPath(path))}
    found: dict[str, ContractFile] = {}
    for path, data in contents(root, yaml).items():
        document = parse_document(data, f"{reference}:{path}")
        if (document.findings or looks_like_contract(document)) and not holds_bindings(document):
            found[path] = contract_of(document, PurePosixPath(path).stem)
    return found


def _is_yaml(path: PurePosixPath) -> bool:
    """Whether a walk of the working tree would take it: in no hidden folder."""
    return path.suffix in (".yaml", ".yml") and not any(part.startswith(".") for part in path.parts)
