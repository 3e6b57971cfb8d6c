"""`pv diff --values`: files of stages, captures and weights, what is checked before values, verdicts and exit codes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Ran
from model_files import apr_bytes, floats, gguf_bytes, gguf_tensor
from safetensors.numpy import save_file

from pv.tensors import CaptureWriter, Manifest, Place, write_aprt

Pv = Callable[..., Ran]
Stages = Mapping[Place, tuple[Any, tuple[str, ...], str]]

KEYS = ["a", "b", "kind", "verdict", "refused", "compared", "layout_verified", "facts", "problems", "tensors"]
ROW = [
    "name", "layer", "stage", "shape", "axes", "dtype_a", "dtype_b", "verdict", "reason", "note", "rounded", "elements",
    "finite", "rtol", "atol", "exceeding", "max_abs_diff", "max_abs_diff_index", "max_abs_diff_at", "rms_diff",
    "relative_l2", "cosine_sim", "ulp", "worst", "concentration", "nonfinite", "top_diffs",
]  # fmt: skip
ATTENTION, OUT = Place("q_post_rope", 1), Place("attn_out", 0)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of tests have long names: where lines break is asked where a width is chosen."""
    monkeypatch.setenv("COLUMNS", "250")


def stages() -> dict[Place, tuple[Any, tuple[str, ...], str]]:
    """Three captured tensors: of two layers and of the whole model."""
    draw = np.random.default_rng(7)
    return {
        OUT: (draw.standard_normal((6, 16)).astype("<f4"), ("n", "E"), "float32"),
        ATTENTION: (draw.standard_normal((6, 4, 8)).astype("<f4"), ("n", "H", "D"), "float32"),
        Place("lm_head", None): (draw.standard_normal((6, 27)).astype("<f4"), ("n", "V"), "float32"),
    }


def capture(folder: Path, found: Stages, **facts: Any) -> Path:
    """A capture of `found`, written as `pv trace` writes one."""
    known = {"model": "m", "family": "f", "digest": "0" * 64, "tokens": (0, 1, 2, 3, 4, 5), "device": "cpu",
             "dtype": "float32", "attention": "eager", "phase": "prefill", "position": "all"} | facts  # fmt: skip
    with CaptureWriter(folder) as writer:
        for place, (values, axes, dtype) in found.items():
            writer.add(place, values, axes, dtype)
        writer.finish(Manifest(**known))
    return folder


def changed(place: Place, edit: Callable[[Any], Any]) -> dict[Place, tuple[Any, tuple[str, ...], str]]:
    """The same stages, one of them edited."""
    found = stages()
    values, axes, dtype = found[place]
    found[place] = (edit(values.copy()), axes, dtype)
    return found


def value(pv: Pv, *arguments: object, cwd: Path = ROOT) -> tuple[int, Any]:
    """The exit code, and the same as JSON."""
    ran = pv("diff", "--values", *arguments, "--format", "json", cwd=cwd)
    assert ran.err == "", ran.err
    return ran.exit, json.loads(ran.out)


def row(found: Any, name: str) -> Any:
    """The one tensor called `name`."""
    (one,) = [one for one in found["tensors"] if one["name"] == name]
    return one


def plus(at: tuple[int, ...], amount: float) -> Callable[[Any], Any]:
    """Adds to one element."""

    def edit(values: Any) -> Any:
        values[at] += amount
        return values

    return edit


def test_a_capture_and_itself_are_identical_and_every_key_is_there(tmp_path: Path, pv: Pv) -> None:
    a = capture(tmp_path / "a", stages())
    b = capture(tmp_path / "b", stages())
    code, found = value(pv, a, b)
    assert (code, list(found), found["verdict"], found["kind"]) == (0, KEYS, "identical", "capture")
    assert found["compared"] == {"tensors": 3, "elements": 6 * 16 + 6 * 32 + 6 * 27}
    assert [list(one) for one in found["tensors"]] == [ROW] * 3
    assert [one["verdict"] for one in found["tensors"]] == ["identical"] * 3
    assert {one["cosine_sim"] for one in found["tensors"]} == {1.0}
    assert found["layout_verified"] is True
    ran = pv("diff", "--values", a, b)
    assert (ran.exit, ran.out.splitlines()[-1]) == (0, "identical: 3 of 3 tensors compared, 450 elements; identical 3")


def test_one_planted_error_is_found_with_its_place_in_text_and_json(tmp_path: Path, pv: Pv) -> None:
    a = capture(tmp_path / "a", stages())
    b = capture(tmp_path / "b", changed(ATTENTION, plus((5, 3, 7), 0.5)), attention="sdpa")
    code, found = value(pv, a, b, "--top", 2)
    seen = row(found, "layer 1 q_post_rope")
    assert (code, found["verdict"], seen["verdict"], seen["exceeding"]) == (1, "differs", "differs", 1)
    assert seen["max_abs_diff_at"] == {"token": 5, "head": 3, "dim": 7}
    assert seen["max_abs_diff"] == pytest.approx(0.5)
    assert [one["at"] for one in seen["worst"]] == [{"token": 5}, {"head": 3}, {"dim": 7}, {"head": 3, "dim": 7}]
    assert [one["index"] for one in seen["top_diffs"]] == [5 * 32 + 3 * 8 + 7]
    assert found["facts"] == [{"name": "attention", "a": "eager", "b": "sdpa"}]
    ran = pv("diff", "--values", a, b)
    assert ran.exit == 1
    for said in ("attention: eager against sdpa", "at token 5, head 3, dim 7", "100.0% of the squared error"):
        assert said in ran.out
    assert "differs 1, identical 2" in ran.out.splitlines()[-2]
    assert ran.out.splitlines()[-1].strip().startswith("next: pv bisect")


def test_a_file_of_a_capture_is_what_its_manifest_says_of_it(tmp_path: Path, pv: Pv) -> None:
    a = capture(tmp_path / "a", stages())
    b = capture(tmp_path / "b", changed(ATTENTION, plus((2, 1, 0), 0.5)))
    file = ATTENTION.path
    code, found = value(pv, a / file, b / file)
    assert (code, found["kind"], row(found, str(ATTENTION))["max_abs_diff_at"]) == (
        1, "APRT file", {"token": 2, "head": 1, "dim": 0},
    )  # fmt: skip
    assert value(pv, a / OUT.path, b / OUT.path)[0] == 0


@pytest.mark.parametrize(("cwd", "name"), [
    ("b/layer-1", "q_post_rope.bin"), ("b/layer-1", "./q_post_rope.bin"), ("b", "layer-1/q_post_rope.bin"),
    ("b/layer-0", "../layer-1/q_post_rope.bin"), ("b/layer-1/deep", "../q_post_rope.bin"),
    (".", "b/layer-1/q_post_rope.bin"), (".", "b/layer-0/../layer-1/q_post_rope.bin"),
])  # fmt: skip
def test_a_file_that_changed_is_seen_from_wherever_it_is_named(cwd: str, name: str, tmp_path: Path, pv: Pv) -> None:
    a, b = (capture(tmp_path / letter, stages()) for letter in "ab")
    (b / "layer-1/deep").mkdir()
    code, found = value(pv, a / ATTENTION.path, name, cwd=tmp_path / cwd)
    assert (code, found["verdict"], found["b"]) == (0, "identical", Path(name).as_posix())
    data = bytearray((b / ATTENTION.path).read_bytes())
    data[-1] ^= 1
    (b / ATTENTION.path).write_bytes(data)
    code, found = value(pv, name, f"./{name}", cwd=tmp_path / cwd)
    assert (code, "changed after it was captured" in found["tensors"][0]["reason"]) == (3, True)


def test_a_file_is_what_its_manifest_says_whatever_its_folder_is_called_and_a_map_says(tmp_path: Path, pv: Pv) -> None:
    head = Place("lm_head", None)
    file = capture(tmp_path / "layer-7", {head: stages()[head]}) / "lm_head.bin"
    shapes = tmp_path / "map.yaml"
    shapes.write_text("schema: pv/shapes-v1\nsizes: {n: 27, V: 6}\nstages: {lm_head: [n, V]}\n")
    for words in ([], ["--shapes", shapes]):
        code, found = value(pv, file, file, *words)
        assert (code, found["layout_verified"], found["tensors"][0]["shape"]) == (0, True, [6, 27])


def test_files_without_a_manifest_are_compared_as_they_lie_or_as_a_map_says(tmp_path: Path, pv: Pv) -> None:
    a, b = tmp_path / "one/layer-1/q_post_rope.bin", tmp_path / "other/layer-1/q_post_rope.bin"
    values = stages()[ATTENTION][0]
    for path, written in ((a, values), (b, plus((5, 3, 7), 0.5)(values.copy()))):
        path.parent.mkdir(parents=True)
        write_aprt(path, written, 1)
    code, found = value(pv, a, b)
    assert (code, found["tensors"][0]["shape"], found["tensors"][0]["max_abs_diff_at"]) == (1, [192], {"element": 191})
    shapes = tmp_path / "map.yaml"
    shapes.write_text("schema: pv/shapes-v1\nsizes: {n: 6, H: 4, D: 8}\nstages: {q_post_rope: [n, H, D]}\n")
    for one, other in ((a, b), (tmp_path / "one", tmp_path / "other")):
        code, found = value(pv, one, other, "--shapes", shapes)
        seen = found["tensors"][0]
        assert (seen["verdict"], seen["max_abs_diff_at"]) == ("differs", {"token": 5, "head": 3, "dim": 7})
        assert (code, found["verdict"], found["layout_verified"]) == (3, "inconclusive: layout unverified", False)
        assert "layout unverified)" in pv("diff", "--values", one, other, "--shapes", shapes).out.splitlines()[0]
        code, found = value(pv, one, one, "--shapes", shapes)  # the same bytes have the same values, and what axes?
        assert (code, found["verdict"], found["tensors"][0]["verdict"]) == (
            3, "inconclusive: layout unverified", "identical",
        )  # fmt: skip
    ran = pv("diff", "--values", tmp_path / "one", tmp_path / "other")
    assert (ran.exit, "--shapes MAP" in ran.err) == (2, True)
    shapes.write_text("schema: pv/shapes-v1\nsizes: {n: 6, H: 4, D: 9}\nstages: {q_post_rope: [n, H, D]}\n")
    assert pv("diff", "--values", a, b, "--shapes", shapes).exit == 2
    whole = capture(tmp_path / "whole", stages())  # one side alone says what the axes are
    code, found = value(pv, whole / ATTENTION.path, b)
    assert (code, found["tensors"][0]["max_abs_diff_at"]) == (3, {"token": 5, "head": 3, "dim": 7})
    assert pv("diff", "--values", whole / ATTENTION.path, b).out.splitlines()[-1] == (
        "inconclusive: layout unverified: 1 of 1 tensor compared, 192 elements"
    )


def test_axes_in_another_order_are_permuted_where_that_is_clear_and_refused_where_not(tmp_path: Path, pv: Pv) -> None:
    values = stages()[ATTENTION][0]
    turned = {ATTENTION: (np.ascontiguousarray(values.transpose(1, 0, 2)), ("H", "n", "D"), "float32")}
    a = capture(tmp_path / "a", {ATTENTION: stages()[ATTENTION]})
    b = capture(tmp_path / "b", turned)
    code, found = value(pv, a, b)
    assert (code, found["verdict"], found["tensors"][0]["note"]) == (
        0, "identical", "axes of B, H n D, put in the order n H D",
    )  # fmt: skip
    cycled = {ATTENTION: (np.ascontiguousarray(values.transpose(2, 0, 1)), ("D", "n", "H"), "float32")}
    assert value(pv, a, capture(tmp_path / "d", cycled))[0] == 0  # not its own inverse, as exchanging two is
    turned[ATTENTION][0][3, 5, 7] += 1
    code, found = value(pv, a, capture(tmp_path / "c", turned))
    assert (code, found["tensors"][0]["max_abs_diff_at"]) == (1, {"token": 5, "head": 3, "dim": 7})
    scores = Place("attn_scores", 0)
    square = np.zeros((3, 3, 3), "<f4")
    one = capture(tmp_path / "one", {scores: (square, ("H", "n", "n"), "float32")})
    other = capture(tmp_path / "other", {scores: (square, ("n", "H", "n"), "float32")})
    code, found = value(pv, one, other)
    assert (code, found["compared"]["tensors"]) == (1, 0)
    assert "axes H n n against n H n" in found["tensors"][0]["reason"]


def test_what_does_not_agree_is_told_before_any_value(tmp_path: Path, pv: Pv) -> None:
    values, axes, dtype = stages()[OUT]
    a = capture(tmp_path / "a", {OUT: (values, axes, dtype)})
    b = capture(tmp_path / "b", {OUT: (values[:5], axes, dtype)})
    code, found = value(pv, a, b)
    assert (code, found["tensors"][0]["reason"]) == (1, "shape 6×16 against 5×16")
    c = capture(tmp_path / "c", {OUT: (values, axes, dtype)}, tokens=(0, 1, 2, 3, 4, 9))
    code, found = value(pv, a, c)
    assert (code, found["tensors"], "token 5 is 5 and 9" in found["refused"]) == (1, [], True)
    for folder, name, layer in (
        ("x", "attn_norm", 0),
        ("y", "attn_norm", 1),
        ("x", "attn_out", 0),
        ("x", "mine", None),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        write_aprt(tmp_path / folder / f"{name}.bin", values, layer)
    for one, other, reason in (
        ("x/attn_norm.bin", "y/attn_norm.bin", "layer 0 against layer 1"),
        ("x/attn_norm.bin", "x/attn_out.bin", "stage attn_norm against attn_out"),
        ("x/mine.bin", "x/attn_out.bin", "the whole model against layer 0"),
    ):
        code, found = value(pv, tmp_path / one, tmp_path / other)
        assert (code, found["verdict"], found["tensors"][0]["reason"]) == (1, "differs", reason)


def test_two_stages_are_not_one_whatever_they_are_called(tmp_path: Path, pv: Pv) -> None:
    values = (np.ones((6, 16), "<f4"), ("n", "E"), "float32")
    names = ("q", "k", "ffn_act", "ffn_up", "layer_output", "post_ffn_residual")
    folder = capture(tmp_path / "a", {Place(name, 0): values for name in names}) / "layer-0"
    for one, other in (("q", "k"), ("ffn_up", "ffn_act"), ("layer_output", "q")):
        code, found = value(pv, folder / f"{one}.bin", folder / f"{other}.bin")
        assert (code, found["tensors"][0]["reason"]) == (1, f"stage {one} against {other}")
    for one, other in (("layer_output", "post_ffn_residual"), ("post_ffn_residual", "layer_output")):
        assert value(pv, folder / f"{one}.bin", folder / f"{other}.bin")[0] == 0
    write_aprt(tmp_path / "mine.bin", values[0], 0)  # a name that nobody vouches for
    code, found = value(pv, tmp_path / "mine.bin", folder / "q.bin")
    assert (code, found["tensors"][0]["reason"]) == (3, None)


def test_a_stage_on_one_side_only_is_not_measured(tmp_path: Path, pv: Pv) -> None:
    found = stages()
    a = capture(tmp_path / "a", found)
    del found[OUT]
    b = capture(tmp_path / "b", found)
    for one, other, side in ((a, b, "A"), (b, a, "B")):
        code, seen = value(pv, one, other)
        assert (code, seen["verdict"], row(seen, str(OUT))["reason"]) == (3, "unmeasured", f"only in {side}")
    ran = pv("diff", "--values", a, b)
    assert f"only in A: {OUT}" in ran.out
    differing = capture(tmp_path / "c", {ATTENTION: changed(ATTENTION, plus((0, 0, 0), 1.0))[ATTENTION]})
    assert value(pv, a, differing)[0] == 1  # something to mend goes before something to run


def test_a_tensor_that_changed_after_it_was_captured_is_not_measured(tmp_path: Path, pv: Pv) -> None:
    a, b = capture(tmp_path / "a", stages()), capture(tmp_path / "b", stages())
    file = b / OUT.path
    data = bytearray(file.read_bytes())
    data[20] ^= 1
    file.write_bytes(data)
    code, found = value(pv, a, b)
    assert (code, "changed after it was captured" in row(found, str(OUT))["reason"]) == (3, True)


def test_the_tolerance_is_that_of_the_looser_dtype_or_what_was_asked(tmp_path: Path, pv: Pv) -> None:
    ones = np.ones((4, 16), "<f4")
    axes = ("n", "E")
    a = capture(tmp_path / "a", {OUT: (ones, axes, "float32")})
    b = capture(tmp_path / "b", {OUT: (ones * np.float32(1.01), axes, "bfloat16")})
    c = capture(tmp_path / "c", {OUT: (ones * np.float32(1.01), axes, "float32")})
    assert value(pv, a, b)[0] == 0
    assert value(pv, a, c)[0] == 1
    assert value(pv, a, c, "--rtol", "0.011", "--atol", "0")[0] == 0
    assert value(pv, a, b, "--rtol", "0.009", "--atol", "0")[0] == 1
    code, found = value(pv, a, b, "--rtol", "0", "--atol", "0.5")
    assert (code, found["tensors"][0]["rtol"], found["tensors"][0]["atol"]) == (0, 0.0, 0.5)
    for words, said in ((["--rtol", "1"], "--rtol without --atol"), (["--atol", "1"], "--atol without --rtol"),
                        (["--rtol", "nan", "--atol", "0"], "no tolerance"),
                        (["--rtol", "0", "--atol", "-1"], "no tolerance")):  # fmt: skip
        ran = pv("diff", "--values", a, b, *words)
        assert (ran.exit, ran.out, said in ran.err) == (2, "", True)


def test_nan_and_infinity_have_to_be_at_the_same_places(tmp_path: Path, pv: Pv) -> None:
    def put(*values: tuple[tuple[int, int], float]) -> Callable[[Any], Any]:
        def edit(array: Any) -> Any:
            for at, number in values:
                array[at] = number
            return array

        return edit

    a = capture(tmp_path / "a", changed(OUT, put(((3, 7), math.nan), ((0, 0), -math.inf))))
    same = capture(tmp_path / "same", changed(OUT, put(((3, 7), math.nan), ((0, 0), -math.inf))))
    assert value(pv, a, same)[0] == 0
    others = {
        "moved": (((3, 8), math.nan), ((0, 0), -math.inf)), "sign": (((3, 7), math.nan), ((0, 0), math.inf)),
        "kind": (((3, 7), math.inf), ((0, 0), -math.inf)), "gone": (((3, 7), math.nan),),
    }  # fmt: skip
    for name, edits in others.items():
        code, found = value(pv, a, capture(tmp_path / name, changed(OUT, put(*edits))), "--rtol", "9", "--atol", "9")
        seen = row(found, str(OUT))["nonfinite"]
        assert (code, seen["mismatched"]) == (1, 2 if name == "moved" else 1), name
        assert seen["first"]["at"] == (
            {"token": 0, "channel": 0} if name in ("sign", "gone") else {"token": 3, "channel": 7}
        )
    ran = pv("diff", "--values", a / OUT.path, tmp_path / "sign" / OUT.path)
    assert "1 of them do not match, the first -inf and inf at token 0, channel 0" in ran.out


def test_indices_are_compared_exactly_and_have_no_cosine(tmp_path: Path, pv: Pv) -> None:
    place = Place("moe_router_indices", 0)
    indices = np.arange(8).reshape(4, 2)
    for name, dtype in (("int64", np.int64), ("float32", np.float32)):  # as float32 writers keep them
        a = capture(tmp_path / f"{name}-a", {place: (indices.astype(dtype), ("n", "K"), name)})
        b = capture(tmp_path / f"{name}-b", {place: (plus((2, 1), 1)(indices.astype(dtype)), ("n", "K"), name)})
        assert value(pv, a, a)[0] == 0
        code, found = value(pv, a, b, "--rtol", "9", "--atol", "9")
        seen = found["tensors"][0]
        assert (code, seen["exceeding"], seen["cosine_sim"], seen["rms_diff"], seen["ulp"]) == (1, 1, None, None, None)
        assert seen["max_abs_diff_at"] == {"token": 2, "K": 1}


def test_whole_numbers_above_2_to_the_53_are_told_with_every_digit(tmp_path: Path, pv: Pv) -> None:
    for name, first in (("a", 2**60), ("b", 2**60 + 1)):
        save_file({"w": np.array([first, 5])}, tmp_path / f"{name}.safetensors")
    code, found = value(pv, tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    top = {"index": 0, "at": {"element": 0}, "a": 2**60, "b": 2**60 + 1, "abs_diff": 1}
    assert (code, found["tensors"][0]["max_abs_diff"], found["tensors"][0]["top_diffs"]) == (1, 1, [top])
    ran = pv("diff", "--values", tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert f"max |Δ| 1 at element 0: {2**60}, {2**60 + 1}" in ran.out


def test_float64_is_kept_and_compared_as_float64(tmp_path: Path, pv: Pv) -> None:
    values = np.random.default_rng(0).standard_normal((4, 16))
    a = capture(tmp_path / "a", {OUT: (values, ("n", "E"), "float64")})
    b = capture(tmp_path / "b", {OUT: (np.nextafter(values, 9), ("n", "E"), "float64")})
    code, found = value(pv, a, b)
    assert (code, found["tensors"][0]["ulp"]) == (0, {"dtype": "float64", "max": 1, "differing": 64, "over_one": 0})
    c = capture(tmp_path / "c", {OUT: (values + 1e-6, ("n", "E"), "float64")})
    assert value(pv, a, c)[0] == 1


def test_weights_are_compared_by_name_and_roundings_are_named(tmp_path: Path, pv: Pv) -> None:
    draw = np.random.default_rng(0)
    weights = {name: draw.standard_normal((27, 16)).astype("<f4") for name in ("wte", "w_lm", "wpe")}
    save_file(weights, tmp_path / "a.safetensors")
    save_file({name: weight.astype("<f2") for name, weight in weights.items()}, tmp_path / "b.safetensors")
    code, found = value(pv, tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert (code, found["verdict"], {one["rounded"] for one in found["tensors"]}) == (
        0, "within tolerance", {"B is A rounded to float16"},
    )  # fmt: skip
    assert (found["tensors"][0]["dtype_a"], found["tensors"][0]["dtype_b"]) == ("F32", "F16")
    ran = pv("diff", "--values", tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert "B is A rounded to float16: w_lm, wpe, wte" in ran.out
    assert "F32 against F16: w_lm, wpe, wte" in ran.out
    weights["wte"][26, 15] += 1
    save_file({"wte": weights["wte"], "other": weights["wpe"]}, tmp_path / "c.safetensors")
    code, found = value(pv, tmp_path / "a.safetensors", tmp_path / "c.safetensors")
    assert (code, row(found, "wte")["max_abs_diff_at"]) == (1, {"row": 26, "column": 15})
    assert [row(found, name)["reason"] for name in ("w_lm", "wpe", "other")] == ["only in A", "only in A", "only in B"]


def test_a_folder_of_a_model_is_no_capture_whatever_else_lies_in_it(tmp_path: Path, pv: Pv) -> None:
    save_file({"w": np.ones(3, "<f4")}, tmp_path / "model.safetensors")
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK\x03\x04" + bytes(100))
    code, found = value(pv, tmp_path, tmp_path)
    assert (code, found["kind"], found["verdict"]) == (0, "weights", "identical")


def test_a_head_that_one_side_ties_to_its_embedding_is_held_against_that(tmp_path: Path, pv: Pv) -> None:
    weight = np.random.default_rng(0).standard_normal((9, 4)).astype("<f4")
    for name in ("tied", "whole"):
        (tmp_path / name).mkdir()
    save_file({"model.embed_tokens.weight": weight}, tmp_path / "tied/model.safetensors")
    (tmp_path / "tied/config.json").write_text('{"tie_word_embeddings": true}')
    whole = {"model.embed_tokens.weight": weight, "lm_head.weight": weight.copy()}
    save_file(whole, tmp_path / "whole/model.safetensors")
    code, found = value(pv, tmp_path / "tied", tmp_path / "whole")
    assert (code, row(found, "lm_head.weight")["note"]) == (0, "tied to model.embed_tokens.weight in A")
    whole["lm_head.weight"][3, 2] += 1
    save_file(whole, tmp_path / "whole/model.safetensors")
    assert value(pv, tmp_path / "whole", tmp_path / "tied")[0] == 1
    (tmp_path / "tied/config.json").write_text('{"tie_word_embeddings": false}')
    assert value(pv, tmp_path / "tied", tmp_path / "whole")[0] == 3


def test_quantised_weights_are_decoded_and_what_cannot_be_is_not_measured(tmp_path: Path, pv: Pv) -> None:
    from gguf import GGMLQuantizationType, dequantize, quantize

    values = np.random.default_rng(0).standard_normal((4, 64)).astype("<f4")
    packed = quantize(values, GGMLQuantizationType.Q8_0)
    (tmp_path / "q.gguf").write_bytes(gguf_bytes([], [gguf_tensor("w", [64, 4], 8, 0)], packed.tobytes()))
    save_file({"w": values}, tmp_path / "w.safetensors")
    save_file({"w": dequantize(packed, GGMLQuantizationType.Q8_0)}, tmp_path / "d.safetensors")
    code, found = value(pv, tmp_path / "w.safetensors", tmp_path / "q.gguf")
    assert (code, found["tensors"][0]["dtype_b"], found["tensors"][0]["exceeding"] > 0) == (1, "Q8_0", True)
    assert value(pv, tmp_path / "w.safetensors", tmp_path / "q.gguf", "--rtol", "0", "--atol", "0.02")[0] == 0
    code, found = value(pv, tmp_path / "d.safetensors", tmp_path / "q.gguf")
    assert (code, found["tensors"][0]["max_abs_diff"]) == (0, 0.0)
    (tmp_path / "n.gguf").write_bytes(gguf_bytes([], [gguf_tensor("w", [64, 4], 99, 0)], bytes(2048)))
    code, found = value(pv, tmp_path / "w.safetensors", tmp_path / "n.gguf")
    assert (code, found["tensors"][0]["reason"]) == (
        3,
        "values of type 99 are not decoded here (convert it to safetensors first)",
    )


def test_a_file_that_must_not_be_believed_is_something_to_mend(tmp_path: Path, pv: Pv) -> None:
    for name, wrong in (("a", {}), ("b", {"checksum": 7})):
        (tmp_path / f"{name}.apr").write_bytes(apr_bytes([("w", 0, [2], floats(1, 2))], **wrong))
    assert pv("diff", "--values", tmp_path / "a.apr", tmp_path / "a.apr").exit == 0
    ran = pv("diff", "--values", tmp_path / "a.apr", tmp_path / "b.apr")
    assert (ran.exit, "problem: " in ran.out) == (1, True)


def test_nothing_to_compare_is_no_pass(tmp_path: Path, pv: Pv) -> None:
    save_file({}, tmp_path / "none.safetensors")
    save_file({"w": np.zeros((0, 3), "<f4")}, tmp_path / "empty.safetensors")
    for name in ("none", "empty"):
        file = tmp_path / f"{name}.safetensors"
        code, found = value(pv, file, file)
        assert (code, found["verdict"], found["compared"]["elements"]) == (3, "unmeasured", 0)


def test_operands_that_are_not_there_or_of_two_kinds_are_the_askers_business(tmp_path: Path, pv: Pv) -> None:
    a = capture(tmp_path / "a", stages())
    save_file({"w": np.ones(3, "<f4")}, tmp_path / "w.safetensors")
    write_aprt(tmp_path / "x.bin", np.ones(3, "<f4"), None)
    whole = (tmp_path / "x.bin").read_bytes()
    damaged = {"short": whole[:-1], "long": whole + b"\0", "head": whole[:11], "empty": b""}
    for name, data in damaged.items():
        (tmp_path / f"{name}.bin").write_bytes(data)
    (tmp_path / "nothing").mkdir()
    for words, said in [
        ([a, tmp_path / "missing"], "cannot be read"), ([a, tmp_path / "w.safetensors"], "is a capture"),
        ([tmp_path / "x.bin", tmp_path / "w.safetensors"], "is an APRT file"), ([a], "compares two paths, not 1"),
        ([tmp_path / "nothing", a], "nothing"), ([a, a, "--against", "HEAD"], "--against"),
        *(([tmp_path / "x.bin", tmp_path / f"{name}.bin"], "") for name in damaged),
    ]:  # fmt: skip
        ran = pv("diff", "--values", *words)
        assert (ran.exit, ran.out, said in ran.err) == (2, "", True), (words, ran.said)
    for words in (["--rtol", "1"], ["--atol", "1"], ["--top", "3"], ["--shapes", "x"]):
        assert "is about values" in pv("diff", *words).err


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_it_fits_the_terminal(tmp_path: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(columns))
    capture(tmp_path / "a", stages())
    capture(tmp_path / "b", changed(ATTENTION, plus((5, 3, 7), 0.5)))
    ran = pv("diff", "--values", "a", "b", cwd=tmp_path)
    assert max(map(len, ran.out.splitlines())) <= columns
    assert "token 5, head 3, dim 7" in " ".join(ran.out.split())


def test_what_a_file_says_does_not_steer_the_terminal(tmp_path: Path, pv: Pv) -> None:
    save_file({"a\x1b[2Jb\nc": np.ones(3, "<f4")}, tmp_path / "a.safetensors")
    save_file({"a\x1b[2Jb\nc": np.zeros(3, "<f4"), "d\x1b[31m": np.ones(1, "<f4")}, tmp_path / "b.safetensors")
    ran = pv("diff", "--values", tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert (ran.exit, "\x1b" in ran.out, "a\ufffd[2Jb\ufffdc" in ran.out) == (1, False, True)


PROBE = """
import sys
from pv.cli import main
code = main(sys.argv[1:])
print([name for name in ("torch", "hypothesis", "numpy") if name in sys.modules], code)
"""


def test_it_imports_no_torch(tmp_path: Path) -> None:
    a = capture(tmp_path / "a", stages())
    words = [sys.executable, "-c", PROBE, "diff", "--values", a, a]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['numpy'] 0"
