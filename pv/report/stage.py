"""One stage of a forward pass with its values, as text and as JSON."""

from __future__ import annotations

import math
from typing import Any

from pv.introspect.attention import rows
from pv.introspect.forward import Forward, summary
from pv.report.attention import mask_lines, matrix_lines
from pv.report.grid import heading
from pv.report.trace import summary_value
from pv.stages.map import Stage

_COLUMNS = 32
MASK = "attn_mask"


def print_stage(name: str, stage: Stage, passed: Forward) -> None:
    """What it is, what it was over the tokens read, and its values where they fit a page; a mask is drawn."""
    value = passed.value(stage.name)
    heading(f"{stage.name}: {stage.about or 'stage'} of {name}")
    made = f" = {stage.formula}" if stage.formula else ""
    print(f"  {stage.name}[{', '.join(stage.axes)}]{made}")
    print(f"  {'contract':<8} {f'{stage.contract} § {stage.equation}' if stage.contract else 'no contract'}")
    print(f"  {'reads':<8} {', '.join(passed.label(token) for token in passed.asked.tokens)}")
    short = summary(value)
    print(
        f"  {'shape':<8} {'×'.join(map(str, short.shape))}; L2 {short.l2:.4f}, mean {short.mean:.6f}, std {short.std:.6f}"
    )
    print()
    if stage.name == MASK:
        print("\n".join(mask_lines(rows(value))))
    elif value.shape[-1] <= _COLUMNS:
        for index, part in enumerate(value if value.ndim == 3 else [value]):
            if value.ndim == 3:
                print(f"{'head' if stage.axes[0] == 'H' else stage.axes[0]} {index}")
            print("\n".join(matrix_lines(part.tolist())))
    else:
        print(
            f"its values are not shown: rows of {value.shape[-1]} numbers, and {_COLUMNS} fit here; --format json has them"
        )


def stage_value(name: str, stage: Stage, passed: Forward) -> dict[str, Any]:
    """The same as JSON, every value with it."""
    value = passed.value(stage.name)
    return {
        "model": name,
        "stage": stage.name,
        "axes": list(stage.axes),
        "formula": stage.formula or None,
        "contract": stage.contract or None,
        "equation": stage.equation or None,
        "tokens": list(passed.asked.tokens),
        **summary_value(summary(value)),
        "values": _finite(value.tolist()),
    }


def _finite(value: Any) -> Any:
    """Numbers as JSON has them; NaN and infinity, which it has not, as text."""
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value if math.isfinite(value) else str(value)
