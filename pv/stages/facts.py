"""What a capture's manifest says of the model that ran and of how it ran."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pv.stages.map import StageMap
from pv.stages.places import attention_of
from pv.stages.watch import LETTERS
from pv.tensors.manifest import Manifest

OWN = "own"
"""The attention of a model that names no implementation of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What whoever asked says: what the model is called, what it read, in which words, and who captured in which version."""

    name: str
    tokens: tuple[int, ...]
    inputs: Mapping[str, str]
    position: str
    tool: Mapping[str, str]


def manifest_of(model: Any, stage_map: StageMap, reading: Reading) -> Manifest:
    """What there is to say of `model`, which read all tokens at once."""
    import torch

    weight = next((weight for weight in model.parameters() if weight.is_floating_point()), None)
    library = type(model).__module__.partition(".")[0]
    versions = {**reading.tool, "python": platform.python_version(), "torch": str(torch.__version__)}
    return Manifest(
        model=reading.name,
        family=stage_map.family,
        digest=weights_digest(model),
        tokens=reading.tokens,
        inputs=dict(reading.inputs),
        device="cpu" if weight is None else str(weight.device),
        dtype="float32" if weight is None else str(weight.dtype).removeprefix("torch."),
        attention=attention_of(model) or OWN,
        phase="prefill",
        position=reading.position,
        versions={**versions, **_version(library)},
        axes=dict(stage_map.axes) or {letter: f"axis {at}" for at, letter in enumerate(LETTERS)},
    )


def weights_digest(model: Any) -> str:
    """SHA-256 over name, dtype, shape and values of every weight and buffer that `model` would save, by name."""
    import torch

    found = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        if isinstance(value, torch.Tensor):
            held = value.detach().to("cpu").contiguous()
            found.update(f"{name}\0{held.dtype}\0{list(held.shape)}\0".encode())
            found.update(held.flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()


def _version(library: str) -> dict[str, str]:
    try:
        return {library: version(library)}
    except PackageNotFoundError:
        return {}
