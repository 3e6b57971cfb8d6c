"""Contracts as a git reference had them. Blobs are read as they are stored: no filter, hook or driver runs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from pv.contract.document import parse_document
from pv.contract.read import ContractFile, contract_of, holds_bindings, looks_like_contract
from pv.finding import Exit, PvError


def contracts_at(root: Path, paths: Sequence[str], reference: str) -> dict[str, ContractFile]:
    """The contracts under `paths` (files or folders, relative to `root`) at `reference`, by path, shown as `REF:path`.

    Raises PvError when git, the repository or the reference is not there.
    """
    listed = _list(root, paths, reference)
    found: dict[str, ContractFile] = {}
    for path, data in _read(root, listed).items():
        document = parse_document(data, f"{reference}:{path}")
        if (document.findings or looks_like_contract(document)) and not holds_bindings(document):
            found[path] = contract_of(document, PurePosixPath(path).stem)
    return found


def _list(root: Path, paths: Sequence[str], reference: str) -> dict[str, str]:
    """The object of each YAML file that is no link and in no hidden folder."""
    if reference.startswith("-") or not reference:
        raise PvError(f"{reference!r} is no git reference", hint="name a branch, a tag or a commit, as in origin/main")
    listed = _git(root, ["rev-parse", "--quiet", "--verify", f"{reference}^{{commit}}"], b"")
    if listed is None:
        _require_repository(root)
        raise PvError(f"git does not know {reference!r} here", hint="git fetch; in CI fetch the whole history")
    commit = listed.decode().strip()
    tree = _git(root, ["ls-tree", "-r", "-z", commit, "--", *(f":(literal){path}" for path in paths)], b"") or b""
    found = {}
    for row in tree.decode(errors="replace").split("\0"):
        meta, _, path = row.partition("\t")
        parts = PurePosixPath(path)
        hidden = any(part.startswith(".") for part in parts.parts)
        if meta.startswith("100") and parts.suffix in (".yaml", ".yml") and not hidden:
            found[path] = meta.split()[2]
    return found


def _read(root: Path, objects: Mapping[str, str]) -> dict[str, bytes]:
    """The bytes of every object, by its path, in one process."""
    if not objects:
        return {}
    asked = "".join(f"{name}\n" for name in objects.values()).encode()
    answer = _git(root, ["cat-file", "--batch"], asked) or b""
    found, at = {}, 0
    for path in objects:
        end = answer.find(b"\n", at)
        head = answer[at:end].split()
        if end < 0 or len(head) != 3:
            raise PvError(f"git cannot read {path!r}", hint="git fsck says what is missing in the repository")
        size = int(head[2])
        found[path] = answer[end + 1 : end + 1 + size]
        at = end + size + 2  # git ends each object with a line feed of its own
    return found


def _require_repository(root: Path) -> None:
    if _git(root, ["rev-parse", "--git-dir"], b"") is None:
        raise PvError(f"{root} is in no git repository", hint="compare two files: pv diff OLD NEW")


def _git(root: Path, arguments: Sequence[str], asked: bytes) -> bytes | None:
    """What git answers, or None when it refuses."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], input=asked, capture_output=True, check=False)
    except FileNotFoundError:
        hint = "install git, or compare two files: pv diff OLD NEW"
        raise PvError(
            "comparing with a reference needs git, which is not installed", exit=Exit.RUN, hint=hint
        ) from None
    return None if done.returncode else done.stdout
