"""A checkpoint's files as values: what others read of it, and what is read of theirs.

Nothing is computed here: each is a door to what the commands call. Flat vectors are as in `forward_pass`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from implementations.microgpt.checkpoint import CONFIG, WEIGHTS, load_model, save_config, save_model
from implementations.microgpt.files import Unusable
from implementations.microgpt.model import model_of, split_parameters


def checkpoint_files(parameters: Tensor) -> tuple[Tensor, str]:
    """What the model of `parameters` is written as: the bytes of the weights' file ([n] uint8), and the text beside it."""
    model = model_of(split_parameters(parameters))
    with tempfile.TemporaryDirectory(prefix="microgpt-") as folder:
        save_model(Path(folder), model)
        save_config(Path(folder), model.config, {})
        weights = bytearray((Path(folder) / WEIGHTS).read_bytes())
        return torch.frombuffer(weights, dtype=torch.uint8).clone(), (Path(folder) / CONFIG).read_text(encoding="utf-8")


def read_checkpoint(weights: Tensor, described: str) -> Tensor:
    """The parameters of the model in a folder that holds these two files, as `checkpoint_files` gives them.

    Raises Unusable as `load_model` does; the text says which file, and not where the folder was.
    """
    with tempfile.TemporaryDirectory(prefix="microgpt-") as folder:
        (Path(folder) / WEIGHTS).write_bytes(bytes(weights.tolist()))
        (Path(folder) / CONFIG).write_text(described, encoding="utf-8")
        try:
            model = load_model(Path(folder), seed=0)
        except Unusable as error:
            raise Unusable(str(error).replace(f"{folder}{os.sep}", "")) from None
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach()
