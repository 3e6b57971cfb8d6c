"""Captures on disk: what is written is read, and what was damaged, moved, added or invented is named."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import edit
from hypothesis import given, settings
from hypothesis import strategies as st

from pv.finding import Exit, PvError
from pv.tensors import CaptureWriter, Manifest, Place, StoredCapture, open_capture, write_aprt

EMBEDDING, ROPE, ROUTER, HEAD = (
    Place("embedding", 0), Place("q_post_rope", 1), Place("moe_router_indices", 1), Place("lm_head", None),
)  # fmt: skip
FACTS = Manifest(
    model="small", family="llama", digest="0" * 64, tokens=(3, 1, 2), inputs={"text": "emma"}, device="cpu", dtype="bfloat16",
    attention="eager", phase="prefill", position="all", versions={"pv": "0.1.0"}, axes={"n": "position", "E": "hidden_size"},
)  # fmt: skip
MUCH = np.ones(2**24, "float32")
"""More than a writer holds: it is written as it is added."""
ROTATED = np.arange(12, dtype="float16").reshape(3, 2, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A capture of four stages."""
    return written(tmp_path / "capture")


def written(folder: Path, facts: Manifest = FACTS) -> Path:
    """Write four stages into `folder`."""
    with CaptureWriter(folder) as writer:
        writer.add(EMBEDDING, np.ones((3, 4), "float32"), ("n", "E"), "bfloat16")
        writer.add(ROPE, ROTATED, ("n", "H", "D"), "float16")
        writer.add(ROUTER, np.array([[5], [7], [2**40]]), ("n", "k"), "int64")
        writer.add(HEAD, np.full((1, 5), np.nan, "float32"), ("n", "V"), "bfloat16")
        writer.finish(facts)
    return folder


def test_what_was_written_is_read(folder: Path) -> None:
    capture = open_capture(folder)
    assert capture.places == (EMBEDDING, ROPE, ROUTER, HEAD)
    assert (capture.manifest, capture.tokens, capture.stray) == (FACTS, (3, 1, 2), ())
    record = capture.record(ROPE)
    assert (record.file, record.shape, record.axes, record.dtype) == (
        "layer-1/q_post_rope.bin", (3, 2, 2), ("n", "H", "D"), "float16",
    )  # fmt: skip
    assert np.array_equal(capture.array(ROPE), ROTATED.astype("float32"))
    assert capture.array(ROUTER).tolist() == [[5], [7], [2**40]]
    assert np.isnan(capture.array(HEAD)).all()
    assert list(capture.problems()) == []
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} == {
        "capture.json", "layer-0/embedding.bin", "layer-1/q_post_rope.bin", "layer-1/moe_router_indices.safetensors",
        "lm_head.bin",
    }  # fmt: skip


def test_float64_and_truth_values_and_scalars_keep_every_bit(tmp_path: Path) -> None:
    third, flags, one = np.array(1 / 3), np.array([True, False]), np.array(2.5, "float32")
    with CaptureWriter(tmp_path / "c") as writer:
        writer.add(Place("a", None), third, (), "float64")
        writer.add(Place("b", None), flags, ("n",), "bool")
        writer.add(Place("c", None), one, (), "float32")
        writer.add(Place("d", None), np.empty((0, 3)), ("n", "E"), "float64")
        writer.finish(FACTS)
    capture = open_capture(tmp_path / "c")
    assert [capture.array(place).tolist() for place in capture.places] == [1 / 3, [True, False], 2.5, []]
    assert (capture.array(Place("a", None)).dtype, capture.array(Place("b", None)).dtype) == (third.dtype, flags.dtype)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one"), written(tmp_path / "other")
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(names) == 5
    assert [(one / name).read_bytes() for name in names] == [(other / name).read_bytes() for name in names]


def test_what_was_added_stays_as_it_was(tmp_path: Path) -> None:
    values = np.ones(4, "float32")
    with CaptureWriter(tmp_path / "c") as writer:
        writer.add(EMBEDDING, values, ("n",), "float32")
        values[:] = 2.0
        with pytest.raises(ValueError, match="layer 0 embedding is captured already"):
            writer.add(EMBEDDING, values, ("n",), "float32")
        writer.finish(FACTS)
    assert open_capture(tmp_path / "c").array(EMBEDDING).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(("array", "axes", "seen"), [
    (np.ones((2, 2), "float32"), ("n",), "has the shape"),
    (np.ones(2, "complex64"), ("n",), "complex64, which a capture does not hold"),
    (np.array(["a"]), ("n",), "which a capture does not hold"),
])  # fmt: skip
def test_what_no_capture_holds_is_refused(array: Any, axes: tuple[str, ...], seen: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=seen), CaptureWriter(tmp_path / "c") as writer:
        writer.add(EMBEDDING, array, axes, "float32")
    assert list((tmp_path / "c").iterdir()) == []


def test_a_capture_that_broke_off_leaves_nothing(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), CaptureWriter(tmp_path / "c") as writer:
        writer.add(EMBEDDING, MUCH, ("n",), "float32")
        writer.add(HEAD, MUCH[:4], ("n",), "float32")
        assert [path.name for path in (tmp_path / "c").rglob("*.*")] == ["embedding.bin"]  # the other one waits
        raise KeyboardInterrupt
    assert list((tmp_path / "c").iterdir()) == []


def test_layers_whose_tensors_were_not_written_any_more_leave_no_folders(tmp_path: Path) -> None:
    """A disk that is full refuses the first file, when the folders of the others are there."""
    blocked = tmp_path / "c/layer-0"

    def refused() -> None:
        with CaptureWriter(tmp_path / "c") as writer:
            blocked.mkdir()
            (blocked / "a.bin").write_bytes(b"theirs")
            for layer in range(20):
                writer.add(Place("a", layer), np.ones(100 - layer, "float32"), ("n",), "float32")
            writer.finish(FACTS)

    with pytest.raises(PvError, match=r"a\.bin cannot be written"):
        refused()
    assert [path.relative_to(tmp_path).as_posix() for path in (tmp_path / "c").rglob("*")] == [
        "c/layer-0", "c/layer-0/a.bin",
    ]  # fmt: skip
    assert (blocked / "a.bin").read_bytes() == b"theirs"


def test_a_folder_of_a_layer_that_somebody_else_uses_stays(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), CaptureWriter(tmp_path / "c") as writer:
        writer.add(EMBEDDING, MUCH, ("n",), "float32")
        (tmp_path / "c/layer-0/theirs").write_bytes(b"")
        raise KeyboardInterrupt
    assert [path.name for path in (tmp_path / "c").rglob("*")] == ["layer-0", "theirs"]


def test_a_disk_that_refuses_a_tensor_is_told_at_once_and_nothing_stays(tmp_path: Path) -> None:
    def refused() -> None:
        with CaptureWriter(tmp_path / "c") as writer:
            writer.add(ROPE, MUCH, ("n",), "float32")
            (tmp_path / "c/layer-0").write_bytes(b"")
            writer.add(EMBEDDING, MUCH, ("n",), "float32")
            pytest.fail("it went on")

    with pytest.raises(PvError, match="layer-0 cannot be written"):
        refused()
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["layer-0"]


def test_a_file_that_somebody_else_put_there_is_neither_written_over_nor_taken_away(tmp_path: Path) -> None:
    theirs = tmp_path / "c/layer-0/q_post_rope.bin"

    def refused() -> None:
        with CaptureWriter(tmp_path / "c") as writer:
            writer.add(HEAD, MUCH, ("n",), "float32")
            theirs.parent.mkdir()
            theirs.write_bytes(b"theirs")
            writer.add(Place("q_post_rope", 0), MUCH, ("n",), "float32")
            pytest.fail("it went on")

    with pytest.raises(PvError, match=r"q_post_rope\.bin cannot be written"):
        refused()
    assert [path.read_bytes() for path in (tmp_path / "c").rglob("*.bin")] == [b"theirs"]


def test_what_waits_does_not_change_with_the_tensor(tmp_path: Path) -> None:
    values = np.arange(4, dtype="float32")
    with CaptureWriter(tmp_path / "c") as writer:
        writer.add(EMBEDDING, values, ("n",), "float32")
        values[:] = 0
        writer.add(HEAD, MUCH, ("n",), "float32")
        writer.finish(FACTS)
    stored = open_capture(tmp_path / "c")
    assert list(stored.problems()) == []
    assert stored.array(EMBEDDING).tolist() == [0, 1, 2, 3]


@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["float16", "float32", "float64", "int64"])), max_size=30)
)
@settings(max_examples=40, deadline=None)
def test_no_tensor_is_written_where_another_waits(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, str]]
) -> None:
    """Small ones, large ones and those of other files, in a room that is used again many times."""
    chance, folder = np.random.default_rng(0), tmp_path_factory.mktemp("capture")
    arrays = [chance.standard_normal(count).astype(dtype) for count, dtype in wanted]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pv.tensors.writer._HELD", 1024)
        with CaptureWriter(folder) as writer:
            for layer, array in enumerate(arrays):
                writer.add(Place("a", layer), array, ("n",), array.dtype.name)
            writer.finish(FACTS)
    capture = open_capture(folder)
    assert list(capture.problems()) == []
    for place, array in zip(capture.places, arrays, strict=True):
        assert np.array_equal(capture.array(place), array)


def test_a_capture_of_which_something_was_refused_is_not_finished(tmp_path: Path) -> None:
    with CaptureWriter(tmp_path / "c") as writer:
        (tmp_path / "c/layer-0").write_text("", encoding="utf-8")  # where a folder belongs
        with suppress(PvError):
            writer.add(Place("a", 0), MUCH, ("n",), "float32")
        writer.add(Place("b", None), np.ones(3, "float32"), ("n",), "float32")
        with pytest.raises(ValueError, match="layer 0 a was not written"):
            writer.finish(FACTS)


def test_facts_that_are_no_manifest_are_refused_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"capture\.json is no manifest of a capture: phase is 'training'"):
        written(tmp_path / "c", Manifest(device="cpu", dtype="float32", attention="eager", phase="training"))
    assert list((tmp_path / "c").iterdir()) == []


@pytest.mark.parametrize("name", ["notes.txt", "capture.json", ".hidden", "layer-7"])
def test_a_folder_with_anything_in_it_is_refused_and_left_as_it_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "c" / name).mkdir(parents=True)
    with pytest.raises(PvError, match=f"c holds {name}"), CaptureWriter(tmp_path / "c"):
        pytest.fail("it was entered")
    assert [path.name for path in (tmp_path / "c").rglob("*")] == [name]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PvError, match="cannot be written to"), CaptureWriter(tmp_path / "file/c"):
        pytest.fail("it was entered")


def test_files_that_the_manifest_does_not_name_are_told(folder: Path) -> None:
    write_aprt(folder / "layer-1/ffn_out.bin", np.ones(3, "float32"), 1)
    (folder / "other").mkdir()
    assert open_capture(folder).stray == ("layer-1/ffn_out.bin", "other")


def flipped(path: Path) -> None:
    """Change one bit of the last value."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["layer-1/q_post_rope.bin", "layer-1/moe_router_indices.safetensors", "lm_head.bin"])
def test_a_tensor_that_changed_after_it_was_captured_is_named(name: str, folder: Path) -> None:
    flipped(folder / name)
    capture = open_capture(folder)
    [problem] = capture.problems()
    assert f"{name} changed after it was captured: its SHA-256 is " in problem
    place = next(record.place for record in capture.records if record.file == name)
    with pytest.raises(PvError, match="changed after it was captured") as caught:
        capture.array(place)
    assert caught.value.exit is Exit.RUN


def test_a_tensor_that_was_looked_at_is_not_hashed_again(folder: Path) -> None:
    capture = open_capture(folder)
    before = capture.array(ROPE).copy()
    assert np.array_equal(capture.array(ROPE), before)
    with pytest.raises(PvError, match=r"no layer 9 q_post_rope") as caught:
        capture.array(Place("q_post_rope", 9))
    assert (caught.value.exit, caught.value.hint) == (Exit.RUN, "did you mean 'layer 1 q_post_rope'?")


def _gone(folder: Path) -> None:
    (folder / "lm_head.bin").unlink()


def _folder(folder: Path) -> None:
    _gone(folder)
    (folder / "lm_head.bin").mkdir()


def _link(folder: Path) -> None:
    (folder / "lm_head.bin").rename(folder.parent / "elsewhere.bin")
    (folder / "lm_head.bin").symlink_to(folder.parent / "elsewhere.bin")


def _pipe(folder: Path) -> None:
    _gone(folder)
    os.mkfifo(folder / "lm_head.bin")


def _linked_layer(folder: Path) -> None:
    (folder / "layer-1").rename(folder.parent / "elsewhere")
    (folder / "layer-1").symlink_to(folder.parent / "elsewhere")


def _short(folder: Path) -> None:
    (folder / "lm_head.bin").write_bytes((folder / "lm_head.bin").read_bytes()[:-1])


def _claims(folder: Path) -> None:
    (folder / "lm_head.bin").write_bytes(b"APRT\xff\xff\xff\xff\xff\xff\xff\xff")


def _other_layer(folder: Path) -> None:
    write_aprt(folder / "lm_head.bin", np.ones(5, "float32"), 3)


def _cut(folder: Path) -> None:
    (folder / "lm_head.bin").write_bytes(b"APR")


@pytest.mark.parametrize(("damage", "seen"), [
    (_gone, r"lm_head\.bin is not there"), (_folder, r"lm_head\.bin is a folder"), (_link, r"lm_head\.bin is a link"),
    (_pipe, r"lm_head\.bin is a special file"), (_linked_layer, r"layer-1/q_post_rope\.bin is not there"),
    (_short, "it has 31 bytes; 5 values take 32"), (_claims, r"counts 4,294,967,295 values; \[1, 5\] has 5"),
    (_other_layer, "its header says layer 0x3; lm_head is 0xffffffff"), (_cut, "it has 3 bytes; the header of an APRT file"),
])  # fmt: skip
def test_a_capture_that_is_not_whole_is_invalid(damage: Any, seen: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(PvError, match=seen) as caught:
        open_capture(folder)
    assert caught.value.exit is Exit.RUN


def change(folder: Path, **changes: Any) -> None:
    """Change the row of q_post_rope in the manifest."""
    value = json.loads((folder / "capture.json").read_bytes())
    value["stages"][1] |= changes
    (folder / "capture.json").write_text(json.dumps(value), encoding="utf-8")


@pytest.mark.parametrize(("changes", "seen"), [
    ({"file": "../../elsewhere.bin"}, "stages/1/file is '../../elsewhere.bin'; expected text that matches"),
    ({"file": "/etc/passwd"}, "stages/1/file is '/etc/passwd'"),
    ({"file": "layer-0/embedding.bin"}, "layer 1 q_post_rope cannot lie in 'layer-0/embedding.bin'"),
    ({"layer": 0, "stage": "embedding"}, "layer 0 embedding twice"),
    ({"layer": -1}, "stages/1/layer is -1; expected at least 0"),
    ({"layer": 2**32 - 1}, "stages/1/layer is 4294967295"),
    ({"axes": ["n", "H"]}, "has 3 sides and 2 axes"),
    ({"shape": [0, 2**63, 2**63]}, "has no shape that can be"),
    ({"shape": [-1, 2, 2]}, "stages/1/shape/0 is -1"),
    ({"shape": [3, 2, 3]}, r"counts 12 values; [3, 2, 3] has 18"),
    ({"shape": [2**63, 2, 2]}, "has no shape that can be"),
    ({"sha256": "0"}, "stages/1/sha256 is '0'"),
    ({"shape": [3.5, 2, 2]}, "stages/1/shape/0 is 3.5"),
    ({"shape": [1e300, 2, 2]}, "has no shape that can be"),
    ({"dtype": "complex999"}, "layer 1 q_post_rope in layer-1/q_post_rope.bin cannot be 'complex999'; what can: float16, bf"),
    ({"dtype": "int32"}, "cannot be 'int32'"),
    ({"dtype": "float64"}, "cannot be 'float64'"),
    ({"colour": "red"}, "unknown key 'colour' in stages/1"),
])  # fmt: skip
def test_a_manifest_that_says_what_cannot_be_is_refused(changes: dict[str, Any], seen: str, folder: Path) -> None:
    change(folder)
    assert open_capture(folder).places, "written anew, it is read"
    change(folder, **changes)
    with pytest.raises(PvError) as caught:
        open_capture(folder)
    assert seen in caught.value.message


def test_whole_numbers_may_be_written_with_a_point(folder: Path) -> None:
    """To JSON Schema 5.0 is an integer, and no shape of numpy."""
    value = json.loads((folder / "capture.json").read_bytes())
    value["tokens"] = [3.0, 1.0, 2]
    value["stages"][1] |= {"shape": [3.0, 2, 2.0], "layer": 1.0}
    (folder / "capture.json").write_text(json.dumps(value), encoding="utf-8")
    capture = open_capture(folder)
    assert np.array_equal(capture.array(ROPE), ROTATED.astype("float32"))
    assert repr((capture.tokens, capture.record(ROPE).shape, ROPE)) == repr(((3, 1, 2), (3, 2, 2), capture.places[1]))


@pytest.mark.parametrize(("place", "dtype"), [(ROUTER, "nn"), (ROUTER, "float32"), (EMBEDDING, "int32")])
def test_a_dtype_that_its_file_cannot_hold_is_neither_written_nor_read(place: Place, dtype: str, folder: Path) -> None:
    value = json.loads((folder / "capture.json").read_bytes())
    row = next(row for row in value["stages"] if (row["stage"], row["layer"]) == (place.stage, place.layer))
    row["dtype"] = dtype
    (folder / "capture.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(PvError, match=f"{place} in .* cannot be '{dtype}'; what can: ") as caught:
        open_capture(folder)
    assert caught.value.exit is Exit.ASK
    array = np.ones(3, "int64" if place is ROUTER else "float32")
    with CaptureWriter(folder.parent / "other") as writer:
        writer.add(place, array, ("n",), dtype)
        with pytest.raises(ValueError, match=f"{place} in .* cannot be '{dtype}'"):
            writer.finish(FACTS)


@pytest.mark.parametrize(("text", "seen"), [
    ("", "is not JSON"), ("[" * 100_000, "brackets do not match"), ("[]", "is no JSON object"),
    ("{}", "the file has no 'schema'"), ("[" * 999 + "]" * 999, "nests deeper than 64"),
    ('{"tokens":[' + "1," * 400_000 + "1]}", "more than 300,000 values"),
    ('{"schema":"pv/capture-v1","schema":"pv/capture-v1"}', "has the key 'schema' twice"),
    (" " * (16 * 2**20) + "{}", "at most 16,777,216 are read"),
])  # fmt: skip
def test_a_manifest_that_is_none_is_refused(text: str, seen: str, folder: Path) -> None:
    (folder / "capture.json").write_text(text, encoding="utf-8")
    with pytest.raises(PvError) as caught:
        open_capture(folder)
    assert seen in caught.value.message


def test_a_shape_that_was_changed_with_the_count_unchanged_is_not_seen_by_the_digest(folder: Path) -> None:
    """What the manifest says of axes is believed: nothing in a file could contradict it."""
    change(folder, shape=[2, 3, 2], axes=["H", "n", "D"])
    assert open_capture(folder).array(ROPE).shape == (2, 3, 2)


def test_another_tensor_in_a_safetensors_file_is_refused(folder: Path) -> None:
    change(folder)
    value = json.loads((folder / "capture.json").read_bytes())
    value["stages"][2] |= {"shape": [3], "axes": ["n"]}
    (folder / "capture.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(PvError, match=r"holds 'moe_router_indices' I64 \[3, 1\]; 'moe_router_indices' \[3\] is needed"):
        open_capture(folder).array(ROUTER)


# --- folders without a manifest ------------------------------------------------------------------------------------

SHAPES = """\
schema: pv/shapes-v1
sizes: {n: 3, E: 4, H: 2, D: 2, V: 5}
stages:
  embedding: [n, E]
  q_post_rope: [n, H, D]
  lm_head: [V]
tokens: [3, 1, 2]
"""


@pytest.fixture
def bare(folder: Path) -> Iterator[Path]:
    """The same folder as another program would have written it."""
    (folder / "capture.json").unlink()
    (folder.parent / "shapes.yaml").write_text(SHAPES, encoding="utf-8")
    return folder


def opened(bare: Path) -> StoredCapture:
    """`bare` with the map beside it."""
    return open_capture(bare, bare.parent / "shapes.yaml")


def test_a_folder_without_a_manifest_is_read_with_a_map_and_its_layout_is_not_verified(bare: Path) -> None:
    capture = opened(bare)
    assert capture.places == (EMBEDDING, ROPE, HEAD)
    assert (capture.manifest.layout_verified, capture.tokens) == (False, (3, 1, 2))
    assert capture.stray == ("layer-1/moe_router_indices.safetensors",)
    assert (capture.record(ROPE).axes, capture.record(ROPE).dtype, capture.record(ROPE).sha256) == (
        ("n", "H", "D"),
        "",
        "",
    )
    assert np.array_equal(capture.array(ROPE), ROTATED.astype("float32"))


def test_sizes_and_tokens_of_a_map_may_be_written_with_a_point(bare: Path) -> None:
    edit(bare.parent / "shapes.yaml", "H: 2, D: 2", "H: 2.0, D: 2")
    edit(bare.parent / "shapes.yaml", "[3, 1, 2]", "[3.0, 1, 2]")
    capture = opened(bare)
    assert np.array_equal(capture.array(ROPE), ROTATED.astype("float32"))
    assert repr((capture.tokens, capture.record(ROPE).shape)) == "((3, 1, 2), (3, 2, 2))"


def test_without_a_map_it_says_what_is_missing(bare: Path) -> None:
    with pytest.raises(PvError, match=r"has no capture\.json, and APRT files have no shapes \(3 files\)") as caught:
        open_capture(bare)
    assert caught.value.exit is Exit.ASK


def test_a_map_beside_a_manifest_is_refused(folder: Path) -> None:
    (folder.parent / "shapes.yaml").write_text(SHAPES, encoding="utf-8")
    with pytest.raises(PvError, match=r"has a capture\.json, which says what the shapes are"):
        opened(folder)


@pytest.mark.parametrize(("find", "replace", "seen"), [
    ("H: 2", "H: 3", r"counts 12 values; [3, 3, 2] has 18"),
    ("H: 2, ", "", "q_post_rope has the axis 'H', whose size is not given"),
    ("H: 2", "H: 0", "sizes/H is 0; expected at least 1"),
    ("pv/shapes-v1", "pv/stages-v1", "schema is 'pv/stages-v1'; expected 'pv/shapes-v1'"),
    ("embedding: [n, E]", "embedding: [n, [E]]", "stages/embedding/1 is"),
])  # fmt: skip
def test_a_map_that_does_not_fit_is_refused(find: str, replace: str, seen: str, bare: Path) -> None:
    edit(bare.parent / "shapes.yaml", find, replace)
    with pytest.raises(PvError) as caught:
        opened(bare)
    assert (seen in caught.value.message, caught.value.exit) == (True, Exit.ASK)


def test_a_map_of_other_stages_is_refused(bare: Path) -> None:
    (bare.parent / "shapes.yaml").write_text(
        "schema: pv/shapes-v1\nsizes: {n: 3}\nstages: {lm_haed: [n]}\n", encoding="utf-8"
    )
    with pytest.raises(PvError, match="names none of the stages") as caught:
        opened(bare)
    assert caught.value.hint == "did you mean 'lm_head'?"


def test_the_order_is_that_of_the_map_layer_by_layer(tmp_path: Path) -> None:
    for place in (Place("b", 10), Place("a", 10), Place("a", 9), Place("first", None), Place("last", None)):
        (tmp_path / "c" / place.path).parent.mkdir(parents=True, exist_ok=True)
        write_aprt(tmp_path / "c" / place.path, np.ones(1, "float32"), place.layer)
    (tmp_path / "shapes.yaml").write_text(
        "schema: pv/shapes-v1\nsizes: {n: 1}\nstages: {first: [n], a: [n], b: [n], last: [n]}\n", encoding="utf-8"
    )
    capture = open_capture(tmp_path / "c", tmp_path / "shapes.yaml")
    assert list(map(str, capture.places)) == ["first", "layer 9 a", "layer 10 a", "layer 10 b", "last"]


@pytest.mark.parametrize(
    "name", ["layer-4294967295/a.bin", "layer-01/a.bin", "layer-/a.bin", "a b.bin", "layer--1/a.bin"]
)
def test_names_that_are_no_stages_are_not_read(name: str, bare: Path) -> None:
    (bare / name).parent.mkdir(exist_ok=True)
    (bare / name).write_bytes(b"junk")
    assert opened(bare).places == (EMBEDDING, ROPE, HEAD)
    assert name.split("/")[0] in {stray.split("/")[0] for stray in opened(bare).stray}


def test_what_holds_no_capture_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name, seen in (("file", "is no folder"), ("missing", "is no folder"), (".", "holds no capture")):
        with pytest.raises(PvError, match=seen) as caught:
            open_capture(tmp_path / name)
        assert caught.value.exit is Exit.ASK


def test_a_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "layer-0").symlink_to(tmp_path)
    (tmp_path / "a.bin").symlink_to(tmp_path / "a.bin")
    (tmp_path / "shapes.yaml").write_text("schema: pv/shapes-v1\nsizes: {n: 1}\nstages: {a: [n]}\n", encoding="utf-8")
    with pytest.raises(PvError, match=r"a\.bin is a link"):
        open_capture(tmp_path, tmp_path / "shapes.yaml")


def test_ctrl_c_while_a_file_is_opened_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def interrupted(path: Path, *how: Any) -> Any:
        opened(path, *how).close()
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt), CaptureWriter(tmp_path / "c") as writer:
        monkeypatch.setattr(Path, "open", interrupted)
        writer.add(HEAD, MUCH, ("n",), "float32")
    assert list((tmp_path / "c").iterdir()) == []


def test_an_error_after_the_manifest_is_there_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = Path.replace

    def interrupted(path: Path, target: Path) -> Any:
        replaced(path, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with suppress(KeyboardInterrupt):
        written(tmp_path / "c")
    assert list((tmp_path / "c").iterdir()) == []


def test_tensors_that_several_threads_add_do_not_lie_in_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pv.tensors.writer._HELD", 2**21)
    arrays = [np.full(2**16, number, "float32") for number in range(200)]
    with CaptureWriter(tmp_path / "c") as writer, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: writer.add(Place("a", at), arrays[at], ("n",), "float32"), range(len(arrays))))
        writer.finish(FACTS)
    stored = open_capture(tmp_path / "c")
    assert all(np.array_equal(stored.array(Place("a", at)), array) for at, array in enumerate(arrays))
