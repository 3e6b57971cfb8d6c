"""A model in a folder: `model.safetensors` holds the weights, `config.json` the sizes and how they came about.

The weights are float32, named and shaped as `model.Config.shapes`. Sizes are read from them; a `config.json` that says
otherwise is refused. No file holds a time, a host or a path: an equal run gives equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from implementations.microgpt.config import BOS, N_LAYER, RMS_EPSILON
from implementations.microgpt.files import Unusable, write_whole
from implementations.microgpt.model import Config, MicroGPT, model_of

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
_MOST_BYTES = 2**20  # of a config.json


def load_model(path: Path | None, *, seed: int) -> MicroGPT:
    """The model in the folder at `path`; without one, a fresh model of `seed`.

    Raises Unusable, naming the file, where one is missing, damaged, at odds with the other, or holds NaN or infinity.
    """
    if path is None:
        return MicroGPT(seed=seed)
    described = read_config(path)
    weights = read_tensors(path / WEIGHTS)
    try:
        model = model_of(weights)
    except ValueError as error:
        raise Unusable(f"{path / WEIGHTS}: {error}") from error
    for key, value in _sizes(model.config).items():
        if described.get(key) != value or isinstance(described[key], bool):
            seen = repr(described[key]) if key in described else "missing"
            raise Unusable(f"{path / CONFIG}: {key} is {seen}; {value!r} is needed for the weights beside it")
    return model


def save_model(folder: Path, model: MicroGPT) -> None:
    """Write the weights into `folder`, in float32. Raises OSError."""
    write_tensors(folder / WEIGHTS, {name: weight.float() for name, weight in model.state_dict().items()})


def save_config(folder: Path, config: Config, training: Mapping[str, Any]) -> None:
    """Write what `folder` holds: the sizes, and how the weights were `training`. Raises OSError."""
    described = {**_sizes(config), "training": dict(training)}
    write_whole(folder / CONFIG, (json.dumps(described, indent=2) + "\n").encode("ascii"))


def read_config(folder: Path) -> dict[str, Any]:
    """What `config.json` says, as it is. Raises Unusable where it is missing or no object of JSON."""
    path = folder / CONFIG
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Unusable(f"{path}: it has {path.stat().st_size:,} bytes; at most {_MOST_BYTES:,} are read")
        described = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}; a folder that `train` made is needed") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, Unusable):
            raise
        raise Unusable(f"{path}: no JSON ({error}); the file that `train` wrote is needed") from None
    if not isinstance(described, dict):
        raise Unusable(f"{path}: a {type(described).__name__}; an object is needed")
    return described


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write one safetensors file, whole or not at all. Raises OSError."""
    own = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}  # views of one vector are refused
    # One key at most: safetensors keeps metadata in a hash map, and the bytes of two would change from run to run.
    write_whole(path, save(own, metadata={"format": "pt"}))


def read_tensors(path: Path, dtypes: Mapping[str, torch.dtype] | None = None) -> dict[str, Tensor]:
    """What a safetensors file holds: finite, and float32 where `dtypes` names no other.

    Raises Unusable for a file that is missing, truncated or no safetensors, another dtype, NaN and infinity.
    """
    if not path.is_file():
        raise Unusable(f"{path}: there is no such file; the one that `train` wrote is needed")
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except OSError as error:
        raise Unusable(f"{path}: {error}; a file that can be read is needed") from None
    except SafetensorError as error:
        raise Unusable(f"{path}: damaged or no safetensors ({error}); the file that `train` wrote is needed") from None
    for name, tensor in tensors.items():
        dtype = (dtypes or {}).get(name, torch.float32)
        if tensor.dtype != dtype:
            raise Unusable(f"{path}: {name} is {tensor.dtype}; {dtype} is needed")
        if not tensor.isfinite().all():
            raise Unusable(f"{path}: {name} holds NaN or infinity; finite numbers are needed")
    return tensors


def _sizes(config: Config) -> dict[str, Any]:
    """What `config.json` says of the architecture: the sizes, and what is the same in every microGPT."""
    return {
        "model_type": "microgpt",
        "vocab_size": config.vocab_size,
        "block_size": config.block_size,
        "n_embd": config.n_embd,
        "n_head": config.n_head,
        "n_layer": N_LAYER,
        "ff_dim": config.ff_dim,
        "rms_norm_eps": RMS_EPSILON,
        "bos": BOS,
    }
