"""What a git reference holds. Blobs are read as they are stored: no filter, hook or driver runs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pv.finding import Exit, PvError


def commit_of(root: Path, reference: str) -> str:
    """The commit that `reference` names; HEAD before the first commit is the tree without files.

    Raises PvError when git, the repository or the reference is not there.
    """
    if reference.startswith("-") or not reference:
        raise PvError(f"{reference!r} is no git reference", hint="name a branch, a tag or a commit, as in origin/main")
    found = git(root, ["rev-parse", "--quiet", "--verify", f"{reference}^{{commit}}"])
    if found is None:
        if git(root, ["rev-parse", "--git-dir"]) is None:
            raise PvError(f"{root} is in no git repository", hint="run it in a clone, or do without the reference")
        if reference == "HEAD":
            found = git(root, ["hash-object", "-t", "tree", "--stdin"])
        if found is None:
            raise PvError(f"git does not know {reference!r} here", hint="git fetch; in CI fetch the whole history")
    return found.decode().strip()


def files_at(root: Path, reference: str, paths: Sequence[str] = ()) -> dict[str, str]:
    """The object of each regular file below `root` (of those under `paths`, when some are given) at `reference`.

    Paths are relative to `root`. Raises PvError as `commit_of` does.
    """
    commit = commit_of(root, reference)
    literal = ["--", *(f":(literal){path}" for path in paths)] if paths else []
    listed = git(root, ["ls-tree", "-r", "-z", commit, *literal]) or b""
    rows = (row.partition("\t") for row in listed.decode(errors="surrogateescape").split("\0"))
    return {path: meta.split()[2] for meta, _, path in rows if meta.startswith("100")}


def commits_to(root: Path, reference: str, path: str) -> list[str]:
    """Every commit up to `reference` that touched `path`, the newest first, on whichever side of a merge."""
    listed = git(root, ["log", "--full-history", "--format=%H", commit_of(root, reference), "--", f":(literal){path}"])
    return [] if listed is None else listed.decode().split()


def added_by(root: Path, folder: str) -> dict[str, str]:
    """The newest commit, of any branch, that added each file below `folder`."""
    wanted = ["--all", "--diff-filter=A", "--no-renames", "--format=commit %h", "--name-only", "--relative"]
    listed = git(root, ["-c", "core.quotePath=off", "log", *wanted, "--", f":(literal){folder}"]) or b""
    found: dict[str, str] = {}
    commit = ""
    for line in listed.decode(errors="surrogateescape").splitlines():
        if line.startswith("commit "):
            commit = line.removeprefix("commit ")
        elif line:
            found.setdefault(line, commit)
    return found


def is_shallow(root: Path) -> bool:
    """Whether the clone lacks older commits."""
    return git(root, ["rev-parse", "--is-shallow-repository"]) == b"true\n"


def contents(root: Path, objects: Mapping[str, str]) -> dict[str, bytes]:
    """The bytes of every object, by its path, in one process."""
    if not objects:
        return {}
    asked = "".join(f"{name}\n" for name in objects.values()).encode()
    answer = git(root, ["cat-file", "--batch"], asked) or b""
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


def tracked(root: Path, path: str) -> frozenset[str]:
    """The files below `path` that are in git's index, relative to `root`; none outside of a repository."""
    listed = git(root, ["ls-files", "-z", "--", f":(literal){path}"]) or b""
    return frozenset(listed.decode(errors="surrogateescape").split("\0")) - {""}


def last_author(root: Path, reference: str, path: str) -> str:
    """Who made the last commit to `path` since `reference`; empty where git knows of none, or it was edited since."""
    unchanged = ["diff", "--no-ext-diff", "--no-textconv", "--quiet", "HEAD", "--", f":(literal){path}"]
    if git(root, unchanged) is None:
        return ""
    found = git(root, ["log", "-1", "--format=%an", f"{commit_of(root, reference)}..HEAD", "--", f":(literal){path}"])
    return "" if found is None else found.decode(errors="replace").strip()


def git(root: Path, arguments: Sequence[str], asked: bytes = b"") -> bytes | None:
    """What git answers in `root` to `arguments`, with `asked` as its input, or None when it refuses."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], input=asked, capture_output=True, check=False)
    except FileNotFoundError:
        message = "comparing with a reference needs git, which is not installed"
        raise PvError(message, exit=Exit.RUN, hint="install git, or do without the reference") from None
    return None if done.returncode else done.stdout
