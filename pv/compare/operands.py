"""What a path is as one side of a comparison: an APRT file, a capture, or the weights of a model; and the tensors it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pv.checkpoints import Checkpoint, TensorEntry, read_checkpoint
from pv.checkpoints.bounded import open_source
from pv.finding import PvError
from pv.tensors.aprt import MAGIC, read_aprt
from pv.tensors.folder import StoredCapture, open_capture
from pv.tensors.manifest import APRT, MANIFEST, StageRecord
from pv.tensors.place import Place
from pv.tensors.shapes import read_shapes

if TYPE_CHECKING:
    from pv.compare.source import Values

# A file by itself says its layer and not its stage; one that is called so is taken at its name.
_NAMES = """
embedding attn_norm qkv_matmul qkv_bias q_post_rope k_post_rope attn_scores attn_softmax attention attn_out
post_attn_residual ffn_norm ffn_gate ffn_up ffn_silu ffn_swigl ffn_out post_ffn_residual final_norm lm_head
moe_router moe_ffn_out moe_router_indices
"""
_STAGES = frozenset(_NAMES.split())
_SAME = {"layer_output": "post_ffn_residual"}  # one tensor, two names of it
_INDICES = frozenset({"moe_router_indices"})
_FACTS = ("device", "dtype", "attention", "phase", "position")
FILE, CAPTURE, WEIGHTS = "APRT file", "capture", "weights"


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One tensor of one side. `read` maps it and may raise PvError; `axes` are empty where nobody said what they are.

    `stored` is its dtype as its file has it: Q4_K where the values that come out are float32. `recorded` says that `place`
    is that of a manifest, and not the name of a file.
    """

    name: str
    shape: tuple[int, ...]
    stored: str
    read: Callable[[], Values]
    axes: tuple[str, ...] = ()
    place: Place | None = None
    indices: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """One side: its tensors by name, the tokens that the model had read (empty where not known), and what else is known.

    Without a manifest `layout_verified` is False: shapes and axes are what somebody said, or none.
    """

    path: str
    kind: str
    tensors: Mapping[str, Side]
    tokens: tuple[int, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    tied: bool = False
    problems: tuple[str, ...] = ()
    layout_verified: bool = True


def open_operand(path: Path, shapes: Path | None) -> Operand:
    """What `path` is; no value is read. Raises PvError (`Exit.ASK`) where it is not there or nothing that can be compared."""
    if path.is_dir():
        if shapes is None and not (path / MANIFEST).exists() and not _has_stages(path):
            return _weights(path, read_checkpoint(path))
        return _of_capture(path, open_capture(path, None if (path / MANIFEST).exists() else shapes))
    return _file(path, shapes) if _is_aprt(path) else _weights(path, read_checkpoint(path))


def _has_stages(folder: Path) -> bool:
    """Whether an APRT file lies there as a capture has them; pytorch_model.bin is none."""
    found = (path for pattern in (f"layer-*/*{APRT}", f"*{APRT}") for path in folder.glob(pattern))
    return any(path.is_file() and _is_aprt(path) for path in found)


def _is_aprt(path: Path) -> bool:
    with open_source(path) as source:
        return source.read(0, min(len(MAGIC), source.size), "the magic") == MAGIC


def _weights(path: Path, found: Checkpoint) -> Operand:
    tensors = {entry.name: _entry(entry) for entry in found.tensors}
    # GGUF has no key for it: llama.cpp takes the embedding where there is no output.
    tied = found.config.get("tie_word_embeddings") is True or found.format.startswith("GGUF")
    return Operand(path.as_posix(), WEIGHTS, tensors, (), {"format": found.format}, tied, found.problems)


def _entry(entry: TensorEntry) -> Side:
    def read() -> Values:
        from pv.compare.source import of_entry

        return of_entry(entry)

    return Side(entry.name, entry.shape, entry.dtype, read)


def _of_capture(path: Path, found: StoredCapture) -> Operand:
    tensors = {str(record.place): _record(found, record) for record in found.records}
    verified = found.manifest.layout_verified
    return Operand(path.as_posix(), CAPTURE, tensors, found.tokens, _facts(found), layout_verified=verified)


def _facts(found: StoredCapture) -> Mapping[str, str]:
    manifest = found.manifest
    facts = {"model": manifest.digest or manifest.model, **{name: getattr(manifest, name) for name in _FACTS}}
    facts |= dict(manifest.versions)
    if found.stray:
        facts["files that are none of it"] = f"{len(found.stray)}, {found.stray[0]} first"
    return {name: value for name, value in facts.items() if value}


def _record(found: StoredCapture, record: StageRecord) -> Side:
    def read() -> Values:
        return _of_array(found.array(record.place), record.dtype)

    place = record.place
    return Side(
        str(place), record.shape, record.dtype or "float32", read, record.axes, place, place.stage in _INDICES,
        recorded=found.manifest.layout_verified,
    )  # fmt: skip


def _file(path: Path, shapes: Path | None) -> Operand:
    """A file of a capture is what its manifest says; any other has the shape that --shapes has for its name, or none."""
    for folder, inside in _folders(path):
        whole = open_capture(folder)
        record = next((record for record in whole.records if PurePosixPath(record.file) == inside), None)
        if record is not None:
            side = _record(whole, record)
            return Operand(path.as_posix(), FILE, {side.name: side}, whole.tokens, _facts(whole))
    found = read_aprt(path)
    axes, shape = _told(path.stem, shapes, found.values.size)
    place = Place(path.stem, found.layer)

    def read() -> Values:
        return _of_array(found.values.reshape(shape), "")

    side = Side(path.name, shape, "float32", read, axes, place, path.stem in _INDICES)
    return Operand(path.as_posix(), FILE, {side.name: side}, layout_verified=False)


def _folders(path: Path) -> Iterator[tuple[Path, PurePosixPath]]:
    """The folders with a manifest that may name the file at `path`, and what it is called from there."""
    parent = path.parent
    if parent.name in ("", ".."):  # which do not say what the folder is called
        parent = parent.resolve()
    layered = [(parent.parent, PurePosixPath(parent.name, path.name))] if parent.name.startswith("layer-") else []
    for folder, inside in (*layered, (parent, PurePosixPath(path.name))):
        if (folder / MANIFEST).exists():
            yield folder, inside


def _told(stage: str, shapes: Path | None, count: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Axes and shape that the map at `shapes` has for `stage`. Raises PvError where they do not fit the file."""
    if shapes is None:
        return (), (count,)
    known = read_shapes(shapes)
    if stage not in known.axes:
        return (), (count,)
    if math.prod(known.shapes[stage]) != count:
        raise PvError(
            f"{shapes} gives {stage} the shape {list(known.shapes[stage])}; the file has {count:,} values",
            hint="mend the shapes, or name the shapes that belong to this file",
        )
    return known.axes[stage], known.shapes[stage]


def _of_array(array: Any, dtype: str) -> Values:
    from pv.compare.source import of_array

    return of_array(array, dtype)


def why_other(a: Side, b: Side) -> str:
    """Why these are two things and not the same one twice: another layer, another stage. Empty where nothing says so."""
    one, other = a.place, b.place
    if one is None or other is None:
        return ""
    if one.layer != other.layer:
        whole = "the whole model"
        first, second = (whole if place.layer is None else f"layer {place.layer}" for place in (one, other))
        return f"{first} against {second}"
    first, second = (_SAME.get(place.stage, place.stage) for place in (one, other))
    known = (a.recorded and b.recorded) or {one.stage, other.stage} <= _STAGES
    if known and first != second:
        return f"stage {one.stage} against {other.stage}"
    return ""
