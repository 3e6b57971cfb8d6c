"""Families from their files: those of the project, and those that come with pv."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pv.contract.document import read_document
from pv.contract.read import findings_of
from pv.families.model import Family, Kernel, TensorRow, Variant
from pv.finding import Exit, PvError
from pv.root import FAMILIES

FAMILY = "pv/family-v1"


def read_families(root: Path | None) -> tuple[Family, ...]:
    """Every family that the project at `root` knows, and, below the same names, those that come with pv.

    Raises PvError (`Exit.MEND`) for a family file that is not valid.
    """
    found: dict[str, Family] = {}
    for folder in _folders(root):
        for path in sorted(folder.glob("*.yaml")):
            family = _read(path, root)
            if family is not None:
                found.setdefault(family.name, family)
    return tuple(sorted(found.values(), key=lambda family: family.name))


def _folders(root: Path | None) -> Iterator[Path]:
    """The project's own first; then those of a wheel, or of the checkout that pv runs from."""
    if root is not None:
        yield root / FAMILIES
    package = Path(__file__).resolve().parents[1]
    shipped = package / FAMILIES
    yield shipped if shipped.is_dir() else package.parent / FAMILIES


def _read(path: Path, root: Path | None) -> Family | None:
    inside = root is not None and path.is_relative_to(root)
    shown = path.relative_to(root).as_posix() if inside and root is not None else path.as_posix()
    document = read_document(path, shown)
    value = document.value
    if isinstance(value, dict) and "schema" not in value and not document.findings:
        return None  # a family file of the predecessor, which has no `schema:`
    found = findings_of(document, FAMILY)
    if found:
        hint = f"pv validate {shown}"
        raise PvError(f"{found[0].place}: {found[0].message}", exit=Exit.MEND, hint=hint)
    return family_of(value, shown)


def family_of(value: Any, shown: str) -> Family:
    """The family that a valid document called `shown` holds."""
    constraints = {key: item for key, item in value["constraints"].items() if not key.startswith("x-")}
    source = constraints.pop("source")
    constraints.setdefault("qk_norm", False)
    tensors = tuple(_tensor(row) for row in value["tensors"])
    return Family(
        name=value["family"],
        display_name=value["display_name"],
        path=shown,
        aliases=tuple(value.get("aliases", ())),
        architectures=tuple(value.get("architectures", ())),
        sources=value["sources"],
        config=value.get("config", {}),
        gguf=value.get("gguf", ""),
        heads_share_hidden=value.get("heads_share_hidden", False),
        constraints=constraints,
        constraints_source=source,
        variants=tuple(_variant(row) for row in value.get("sizes", ())),
        kernels=tuple(_kernel(row) for row in value["kernels"]),
        tensors=tensors,
        by_name={name: row for row in tensors for name in row.names},
    )


def _variant(row: Any) -> Variant:
    numbers = {key: item for key, item in row.items() if key not in ("name", "source") and not key.startswith("x-")}
    return Variant(row["name"], row["source"], numbers)


def _kernel(row: Any) -> Kernel:
    return Kernel(row["op"], row["kernel"], row.get("contract", ""), row.get("equation", ""))


def _tensor(row: Any) -> TensorRow:
    return TensorRow(row["role"], tuple(row["names"]), tuple(row.get("shape", ())), row.get("purpose", ""))
