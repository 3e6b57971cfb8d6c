"""A model, a family or a tensor explained, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pv.assess.levels import Assessment
from pv.assess.policy import ANYWHERE, Scope
from pv.families.model import Family, Kernel
from pv.families.readings import attention_name
from pv.families.roles import Role
from pv.families.sizes import LABELS, Size
from pv.families.words import kernel_class
from pv.introspect.describe import Described, Named
from pv.report.family import class_text
from pv.report.grid import heading, print_grid
from pv.report.plain import plural
from pv.report.status import assessment_value, freshness, totals_value, vectors
from pv.report.text import one_line

Evidence = Mapping[tuple[str, str], Sequence[Assessment]]
"""What is known of each (contract, equation) that a pipeline cites; one that the project does not have is not there."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The kernels of a family, with what holds them to account."""

    family: Family
    sizes: Mapping[str, Any]
    evidence: Evidence
    scope: Scope = ANYWHERE


def print_architecture(described: Described, *, verbose: bool) -> None:
    """What the model is: family, class, sizes, number of parameters."""
    heading(f"{described.name}: {described.format}")
    for label, text in _architecture(described, verbose=verbose):
        print(f"  {label:<16} {one_line(text)}")
    for note in described.notes:
        print(f"  note: {one_line(note)}")


def _architecture(described: Described, *, verbose: bool) -> Iterator[tuple[str, str]]:
    family = described.family
    yield "Family", f"{family.display_name if family else 'not known'} ({described.because})"
    if family:
        yield "Kernel class", class_text(family)
    for name, size in described.sizes.items():
        shown = f"{size.value:,}" if isinstance(size.value, int) else f"{size.value:g}"
        yield LABELS[name], f"{shown}  ({size.source})" if verbose else shown
    yield from described.readings
    yield "Parameters", f"{described.parameters:,}"
    yield "Tensors", f"{len(described.tensors):,}"


def print_roles(rows: Iterable[tuple[Named, Role | None]], *, every: bool = False) -> None:
    """What every tensor is for; of many layers the first stands for all, unless `every` one is wanted."""
    found = list(rows)
    shown = [(tensor, role) for tensor, role in found if every or role is None or not role.layer]
    more = f", {len(found) - len(shown):,} of later layers alike" if len(shown) < len(found) else ""
    print(f"\n{plural(len(shown), 'tensor')}{more}")
    print_grid(
        ("name", "shape", "dtype", "role"),
        [(t.name, "×".join(map(str, t.shape)), t.dtype, role.row.text if role else "not known") for t, role in shown],
    )


def print_pipeline(pipeline: Pipeline, *, proof: bool) -> None:
    """The kernels, in order, each with its contract and that contract's level; with `proof` every test behind them."""
    kernels = pipeline.family.kernels
    print(f"\nKernel pipeline ({plural(len(kernels), 'operation')})")
    print_grid(
        ("op", "kernel", "contract", "level"),
        [(k.op, kernel_text(k, pipeline.sizes), contract_text(k), level_text(k, pipeline.evidence)) for k in kernels],
    )
    under = [kernel for kernel in kernels if (kernel.contract, kernel.equation) in pipeline.evidence]
    print(f"{len(under)} of {len(kernels)} operations are under contract; a level speaks of this project's own subject")
    if proof:
        _print_proof(pipeline)


def kernel_text(kernel: Kernel, sizes: Mapping[str, Any]) -> str:
    """What computes it, with the sizes in it."""
    text = kernel.kernel.replace("{attention}", attention_name(sizes))
    for name in LABELS:
        text = text.replace(f"{{{name}}}", str(sizes.get(name, "?")))
    return text


def contract_text(kernel: Kernel) -> str:
    """`microgpt-v1 § softmax`, or that there is none."""
    return f"{kernel.contract} § {kernel.equation}" if kernel.contract else "no contract"


def level_text(kernel: Kernel, evidence: Evidence) -> str:
    """The level of the tests of its equation, as `pv status` has them."""
    if not kernel.contract:
        return "-"
    rows = evidence.get((kernel.contract, kernel.equation))
    if rows is None:
        return "not in this project"
    return vectors(rows).get(kernel.contract, "no test")


def _print_proof(pipeline: Pipeline) -> None:
    rows = list(_rows(pipeline))
    print("\nWhat stands behind the levels")
    print_grid(
        ("test", "equation", "subject", "level", "freshness"),
        [
            (row.test, row.equation, row.subject or "none", row.level.short, freshness(row, pipeline.scope))
            for row in rows
        ],
    )
    counts = totals_value(rows)["counts"]
    print(", ".join(f"{counts[name]:,} {name}" for name in ("selected", "measured", "held", "stale", "toothless")))


def _rows(pipeline: Pipeline) -> Iterator[Assessment]:
    """Every test behind the pipeline, once."""
    return (row for found in pipeline.evidence.values() for row in found)


def described_value(described: Described, rows: Iterable[tuple[Named, Role | None]]) -> dict[str, Any]:
    """A model as JSON."""
    return {
        "model": described.name,
        "format": described.format,
        "family": described.family.name if described.family else None,
        "family_because": described.because,
        "kernel_class": (kernel_class(described.family) or None) if described.family else None,
        "parameters": described.parameters,
        "sizes": {name: size_value(size) for name, size in described.sizes.items()},
        "readings": dict(described.readings),
        "tensors": [tensor_value(tensor, role) for tensor, role in rows],
        "notes": list(described.notes),
    }


def size_value(size: Size) -> dict[str, Any]:
    """A number and where it was read."""
    return {"value": size.value, "source": size.source}


def tensor_value(tensor: Named, role: Role | None) -> dict[str, Any]:
    """A tensor and what it is for."""
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "role": role.row.role if role else None,
        "purpose": (role.row.purpose or None) if role else None,
        "layer": role.layer if role else None,
    }


def pipeline_value(pipeline: Pipeline, *, proof: bool) -> dict[str, Any]:
    """The kernels as JSON; with `proof` every test behind them."""
    kernels = [
        {
            "op": kernel.op,
            "kernel": kernel_text(kernel, pipeline.sizes),
            "contract": kernel.contract or None,
            "equation": kernel.equation or None,
            "level": level_text(kernel, pipeline.evidence) if kernel.contract else None,
        }
        for kernel in pipeline.family.kernels
    ]
    rows = list(_rows(pipeline))
    more = {"proof": [assessment_value(row, pipeline.scope) for row in rows], "counts": totals_value(rows)["counts"]}
    return {"kernels": kernels, **(more if proof else {})}
