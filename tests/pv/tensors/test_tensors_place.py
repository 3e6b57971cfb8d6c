"""What a captured tensor is known by."""

from __future__ import annotations

from pathlib import PurePosixPath

from pv.tensors import Place


def test_a_place_says_which_stage_of_which_layer_and_where_its_file_lies() -> None:
    assert str(Place("q_post_rope", 6)) == "layer 6 q_post_rope"
    assert Place("q_post_rope", 6).path == PurePosixPath("layer-6/q_post_rope.bin")
    assert str(Place("lm_head", None)) == "lm_head"
    assert Place("lm_head", None).path == PurePosixPath("lm_head.bin")
    assert Place("attn_out", 3) < Place("ffn_out", 0) < Place("ffn_out", 1)
