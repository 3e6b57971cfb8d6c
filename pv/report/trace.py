"""A forward pass stage by stage, or the skeleton of one, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from pv.introspect.forward import Forward, StageRow, Summary
from pv.introspect.layers import Layer
from pv.report.grid import heading, print_grid
from pv.stages.map import Stage, StageMap

PARTS = {"embedding": "Embedding", "attention": "Attention", "mlp": "MLP", "logits": "Logits"}


def print_trace(name: str, passed: Forward, *, verbose: bool) -> None:
    """Each stage with its numbers, by part, and what the model predicts."""
    heading(f"{name}: forward pass")
    print(f"  reads  {', '.join(passed.label(token) for token in passed.asked.tokens)}")
    for number, (title, rows) in enumerate(_groups(passed), 1):
        print(f"\n{number}  {title}")
        columns = ("stage", "what", "shape", "L2", "range", "mean", *(_MORE if verbose else ()))
        print_grid(columns, [_cells(row, verbose=verbose) for row in rows])
    _print_predictions(passed)
    if passed.not_reached:
        print(f"not reached, and not measured: {', '.join(passed.not_reached)}")


_MORE = ("std", "zeros", "formula")


def _groups(passed: Forward) -> Iterable[tuple[str, list[StageRow]]]:
    """The rows by part of the forward pass; those of a model of several layers by layer."""
    found: dict[str, list[StageRow]] = {}
    layered = bool(passed.captured.stage_map.layers)
    for row in passed.rows:
        inside = layered and row.stage.scope == "layer"
        found.setdefault(f"Layer {row.place.layer}" if inside else PARTS.get(row.stage.part, "Modules"), []).append(row)
    return found.items()


def _cells(row: StageRow, *, verbose: bool) -> tuple[str, ...]:
    found, stage = row.summary, row.stage
    if found is None:
        return (stage.name, row.label, "not reached", *[""] * (6 if verbose else 3))
    numbers = (_short(found.l2), f"[{_short(found.min)}, {_short(found.max)}]", _short(found.mean, 6))
    count = math.prod(found.shape)
    more = (f"{found.std:.4f}", f"{found.zero / count:.0%}", stage.formula) if verbose else ()
    odd = "".join(f" {n} {what}" for n, what in ((found.nan, "NaN"), (found.inf, "infinite")) if n)
    return (stage.name, row.label + odd, "×".join(map(str, found.shape)), *numbers, *more)


def _short(value: float, places: int = 4) -> str:
    return f"{value:.{places}f}" if abs(value) < 1e5 else f"{value:g}"


def _print_predictions(passed: Forward) -> None:
    print("\nPredictions")
    rows = [
        (
            str(row.position),
            passed.label(row.token),
            passed.label(row.target),
            passed.label(row.predicted),
            "-" if row.probability is None else f"{row.probability:.4f}",
        )
        for row in passed.predictions
    ]
    print_grid(("position", "reads", "target", "predicted", "P(target)"), rows)


def trace_value(name: str, passed: Forward) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "model": name,
        "tokens": list(passed.asked.tokens),
        "stages": [
            {
                "stage": row.stage.name,
                "layer": row.place.layer,
                "part": row.stage.part,
                "what": row.label,
                "axes": list(row.stage.axes[1:] if row.stage.per_head and row.summary else row.stage.axes),
                "formula": row.stage.formula or None,
                "contract": row.stage.contract or None,
                "equation": row.stage.equation or None,
                **({"measured": False} if row.summary is None else {"measured": True, **summary_value(row.summary)}),
            }
            for row in passed.rows
        ],
        "predictions": [
            {
                "position": row.position,
                "token": row.token,
                "target": row.target,
                "predicted": row.predicted,
                "p_target": row.probability,
            }
            for row in passed.predictions
        ],
        "not_reached": list(passed.not_reached),
    }


def summary_value(found: Summary) -> dict[str, Any]:
    """A tensor in short, as JSON; a number that is none (of an empty tensor) is null."""
    numbers = {key: getattr(found, key) for key in ("l2", "min", "max", "mean", "std")}
    finite = {key: value if math.isfinite(value) else None for key, value in numbers.items()}
    return {"shape": list(found.shape), **finite, "zero": found.zero, "nan": found.nan, "inf": found.inf}


def print_skeleton(name: str, layers: Sequence[Layer], stage_map: StageMap | None, *, verbose: bool) -> None:
    """The layers a model consists of, and the stages that a text would show; nothing was run."""
    heading(f"{name}: layers")
    columns = ("#", "layer", "tensors", "parameters", *(("names",) if verbose else ()))
    print_grid(columns, [_layer_cells(at, layer, verbose=verbose) for at, layer in enumerate(layers)])
    if stage_map is not None:
        print("\nStages")
        rows = [
            (
                s.name,
                PARTS.get(s.part, "Modules"),
                "×".join(s.axes),
                s.formula,
                ", ".join(s.weights),
                _contract(s.contract, s.equation),
            )
            for s in stage_map.stages
        ]
        print_grid(("stage", "part", "axes", "formula", "weights", "contract"), rows)
        print(", ".join(f"{letter} {meaning}" for letter, meaning in stage_map.axes.items()))
    hint = "--text or --tokens shows its stages" if stage_map else "its stages cannot be shown: no stage map knows it"
    print(f"nothing was run; {hint}")


def _layer_cells(at: int, layer: Layer, *, verbose: bool) -> tuple[str, ...]:
    names = (", ".join(layer.tensors),) if verbose else ()
    return (str(at), layer.name, f"{len(layer.tensors):,}", f"{layer.parameters:,}", *names)


def _contract(contract: str, equation: str) -> str:
    return f"{contract} § {equation}" if contract else "-"


def skeleton_value(name: str, layers: Iterable[Layer], stage_map: StageMap | None) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "model": name,
        "layers": [
            {"name": layer.name, "tensors": list(layer.tensors), "parameters": layer.parameters} for layer in layers
        ],
        "stages": [
            {"stage": s.name, "part": s.part, "axes": list(s.axes), "formula": s.formula or None, "inputs": _inputs(s),
             "weights": list(s.weights), "contract": s.contract or None, "equation": s.equation or None}
            for s in (stage_map.stages if stage_map else ())
        ],
        "measured": False,
    }  # fmt: skip


def _inputs(stage: Stage) -> list[str | list[str]]:
    """As the map has them: names, and lists of which the first counts that the model has."""
    return [names[0] if len(names) == 1 else list(names) for names in stage.inputs]
