"""Both models, captured: the two callables and the map, which is all that pv is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import candidate as port
import reference as plain
import torch
import yaml
from torch import Tensor, nn

from pv.bisect.side import Side, live_side
from pv.stages.capture import capture
from pv.stages.map import StageMap
from pv.stages.read import stage_map_of

MAP = stage_map_of(yaml.safe_load((Path(__file__).parent / "map.yaml").read_text()), "benchmarks/bisect/map.yaml")
HIDDEN = ("qkv_matmul", "attn_scores", "attn_softmax", "attn_out", "ffn_act")
SHOWN = tuple(stage.name for stage in MAP.stages if stage.name not in HIDDEN)


def _port_map() -> StageMap:
    """What the port shows: locals of the same names, in functions of its own."""
    homes = {
        "reference:Reference.forward": "candidate:Candidate.forward",
        "reference:Block.forward": "candidate:FusedBlock.forward",
    }
    shown = tuple(
        replace(stage, hook={**stage.hook, "local": homes[stage.hook["local"]]})
        for stage in MAP.stages
        if stage.name in SHOWN
    )
    return replace(MAP, stages=shown)


PORT_MAP = _port_map()


def captured(model: nn.Module, tokens: Tensor, stage_map: StageMap, stages: Any = SHOWN) -> Side:
    """One forward pass of `model`, its stages recorded."""
    with torch.no_grad(), capture(model, stage_map=stage_map, stages=stages) as found:
        model(tokens)
    return live_side(found, MAP)


__all__ = ["HIDDEN", "MAP", "PORT_MAP", "SHOWN", "captured", "plain", "port"]
