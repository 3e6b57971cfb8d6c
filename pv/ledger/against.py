"""Whether the ledger still holds what it held at a git reference: nothing changed, nothing gone but what was never released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import new
from json import loads
from pathlib import Path
from typing import Any

from pv.finding import Finding, Place, Severity
from pv.source.git import commits_to, contents, files_at, is_shallow


@dataclass(frozen=True, slots=True, eq=False)
class _Then:
    """What the reference held: the objects of its files, and those that were needed, read."""

    objects: Mapping[str, str]
    ledger: str
    values: dict[str, Any]

    def shelf(self, name: str) -> list[str]:
        """The paths of one shelf."""
        return [path for path in self.objects if path.startswith(f"{self.ledger}/{name}/")]


def missing_since(root: Path, ledger: str, reference: str) -> Iterator[Finding]:
    """PV604: files that the ledger had at the git reference `reference` and that are changed or gone; PV600 when it had none.

    Where it had none, that of the last commit before it which had one counts: deleting a ledger is no way round.
    A promotion that no release at the reference cites may be taken back by a commit, and what only speaks of it with it.
    Raises PvError when git or the reference is not there.
    """
    objects = _json(files_at(root, reference, [ledger]))
    if not objects:
        last = _last_with_one(root, ledger, reference)
        yield _none_at(root, ledger, reference, last)
        objects = _json(files_at(root, last, [ledger])) if last else {}
        reference = last or reference
    gone = [path for path in objects if not (root / path).exists()]
    then = _then(root, ledger, objects) if gone else _Then(objects, ledger, {})
    excused = _taken_back(then, gone, _json(files_at(root, "HEAD", [ledger]))) if gone else {}
    for path in gone:
        if path in excused:
            message = f"was in the ledger at {reference} and was taken back: {excused[path]}"
            yield Finding(
                "PV604", Severity.NOTE, Place(path), message, f"git checkout {reference} -- {path} if it still holds"
            )
        else:
            message = f"was in the ledger at {reference} and is gone"
            yield Finding("PV604", Severity.ERROR, Place(path), message, f"git checkout {reference} -- {path}")
    for path in then.shelf("releases"):  # the names of all others say what they hold
        if path not in gone and _object(root / path, objects[path]) != objects[path]:
            message = f"is not what it was at {reference}: a release is never written again"
            yield Finding("PV604", Severity.ERROR, Place(path), message, f"git checkout {reference} -- {path}")


def _last_with_one(root: Path, ledger: str, reference: str) -> str:
    """The last commit up to `reference` in which there was a ledger; empty when there is none."""
    commits = (commit[:12] for commit in commits_to(root, reference, ledger))
    return next((commit for commit in commits if _json(files_at(root, commit, [ledger]))), "")


def _none_at(root: Path, ledger: str, reference: str, last: str) -> Finding:
    """PV600: no pass only where git does not have the history that would tell whether there ever was a ledger."""
    if last:
        message = f"is not there at {reference}: compared with {last}, the last commit before it that has one"
        return Finding("PV600", Severity.NOTE, Place(ledger), message, f"git log {last}..{reference} -- {ledger}")
    if is_shallow(root):
        message = f"is not there at {reference}, and git has not the whole history: nothing compared"
        return Finding("PV600", Severity.UNMEASURED, Place(ledger), message, "git fetch --unshallow")
    message = f"is not there at {reference}, nor in any commit before it: there is nothing that could be gone"
    return Finding("PV600", Severity.NOTE, Place(ledger), message)


def _json(objects: Mapping[str, str]) -> dict[str, str]:
    return {path: name for path, name in objects.items() if path.endswith(".json")}


def _then(root: Path, ledger: str, objects: Mapping[str, str]) -> _Then:
    """What the reference had on every shelf but that of the receipts, which cite nothing."""
    needed = {path: name for path, name in objects.items() if not path.startswith(f"{ledger}/receipts/")}
    values = {}
    for path, data in contents(root, needed).items():
        try:
            values[path] = loads(data)
        except ValueError:
            values[path] = None  # it was damaged then, and says nothing
    return _Then(objects, ledger, values)


def _taken_back(then: _Then, gone: Iterable[str], head: Mapping[str, str]) -> dict[str, str]:
    """Why each of `gone` may be gone: promotions never released that HEAD has no more either, and what only they need."""
    lost = [path for path in gone if path not in head]  # what HEAD still has was not taken back by a commit
    released = {name for path in then.shelf("releases") for name in _listed(then.values[path], "promotions")}
    promotions = {
        path: "no release cites it" for path in lost if path in then.shelf("promotions") and _name(path) not in released
    }
    names = {_name(path) for path in promotions}
    about = {
        path: "it is about a promotion that was taken back"
        for shelf in ("retractions", "waivers")
        for path in then.shelf(shelf)
        if path in lost and isinstance(then.values[path], dict) and then.values[path].get("target") in names
    }
    kept = {name for path, value in then.values.items() if path not in promotions for name in _receipts(value)}
    receipts = {
        path: "nothing else cites it" for path in lost if path in then.shelf("receipts") and _name(path) not in kept
    }
    return {**promotions, **about, **receipts}


def _receipts(value: Any) -> Iterator[str]:
    """The receipts that a promotion or a release cites."""
    for row in _listed(value, "tests"):
        yield from _listed(row, "receipts")


def _listed(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def _object(path: Path, like: str) -> str:
    """What git would call the content of `path`, by the kind of hash that `like` is; line ends as a checkout may have them."""
    data = path.read_bytes().replace(b"\r\n", b"\n")
    return new("sha256" if len(like) == 64 else "sha1", b"blob %d\0" % len(data) + data).hexdigest()
