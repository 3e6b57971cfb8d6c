"""capture.json: what the tensors in a folder are. Written last, so that a capture that broke off has none."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pv.checkpoints.bounded import open_source
from pv.checkpoints.text import read_json_file
from pv.contract.document import Document
from pv.contract.quote import shorten
from pv.contract.schema import check_schema
from pv.finding import PvError
from pv.tensors.place import Place

CAPTURE = "pv/capture-v1"
MANIFEST = "capture.json"
APRT, SAFETENSORS = ".bin", ".safetensors"
_MOST_ELEMENTS = 2**48
_DTYPES = {
    APRT: ("float16", "bfloat16", "float32", "float8_e4m3", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
           "float8_e5m2fnuz", "float8_e8m0fnu"),
    SAFETENSORS: ("float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"),
}  # fmt: skip
"""What the tensor in a file may have been in the model: APRT is for what float32 holds."""


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One captured tensor: `file` relative to the folder, a letter of `axes` for each side of `shape`.

    `dtype` is what it was in the model, whatever it lies in the file as; `sha256` is of the file's bytes. Both are empty
    where there is no manifest.
    """

    place: Place
    file: str
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    dtype: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """How a capture came about. What is not known is empty; `axes` says what the letters of axes stand for.

    `layout_verified` is False where shapes and axes are what somebody said of a folder without a manifest.
    """

    model: str = ""
    family: str = ""
    digest: str = ""
    tokens: tuple[int, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    dtype: str = ""
    attention: str = ""
    phase: str = ""
    position: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    axes: Mapping[str, str] = field(default_factory=dict)
    layout_verified: bool = True


def manifest_bytes(manifest: Manifest, records: Sequence[StageRecord]) -> bytes:
    """The text of the capture.json, the same for the same capture. Raises ValueError where it would not satisfy its schema."""
    value = {
        "schema": CAPTURE,
        "model": {"name": manifest.model, "family": manifest.family, "digest": manifest.digest},
        "tokens": list(manifest.tokens),
        "inputs": dict(manifest.inputs),
        "device": manifest.device,
        "dtype": manifest.dtype,
        "attention": manifest.attention,
        "phase": manifest.phase,
        "position": manifest.position,
        "versions": dict(manifest.versions),
        "axes": dict(manifest.axes),
        "stages": [_row(record) for record in records],
    }
    if problem := _problem(value, MANIFEST):
        raise ValueError(problem)
    if odd := next(filter(None, map(_odd_dtype, records)), ""):
        raise ValueError(odd)
    rows = ",\n".join(f"    {_line(row)}" for row in value["stages"])
    parts = [f"  {_line(key)}: {_line(part)}" for key, part in value.items() if key != "stages"]
    return ("{\n" + ",\n".join(parts) + f',\n  "stages": [\n{rows}\n  ]\n}}\n').encode()


def read_manifest(path: Path) -> tuple[Manifest, tuple[StageRecord, ...]]:
    """The capture.json at `path`. Raises PvError for one that cannot be read, or puts a stage into the file of another."""
    with open_source(path) as source:
        value = read_json_file(source, "the manifest of the capture")
    if problem := _problem(value, str(path)):
        raise PvError(problem, hint="capture again")
    records = tuple(_record(row) for row in value["stages"])
    _require_sound(path, records)
    model = value["model"]
    facts = {
        key: value[key] for key in ("inputs", "device", "dtype", "attention", "phase", "position", "versions", "axes")
    }
    manifest = Manifest(
        model=model["name"],
        family=model["family"],
        digest=model["digest"],
        tokens=tuple(map(int, value["tokens"])),
        **facts,
    )
    return manifest, records


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _row(record: StageRecord) -> dict[str, Any]:
    return {
        "stage": record.place.stage,
        "layer": record.place.layer,
        "file": record.file,
        "shape": list(record.shape),
        "axes": list(record.axes),
        "dtype": record.dtype,
        "sha256": record.sha256,
    }


def _record(row: Mapping[str, Any]) -> StageRecord:
    # A schema's whole number may be written 5.0.
    place = Place(row["stage"], None if row["layer"] is None else int(row["layer"]))
    return StageRecord(
        place, row["file"], tuple(map(int, row["shape"])), tuple(row["axes"]), row["dtype"], row["sha256"]
    )


def _problem(value: dict[str, Any], shown: str) -> str:
    """The first thing in which `value` departs from the schema; empty when there is none."""
    finding = next(check_schema(Document(shown, value, ()), CAPTURE), None)
    return "" if finding is None else f"{shown} is no manifest of a capture: {finding.message}"


def _require_sound(path: Path, records: Sequence[StageRecord]) -> None:
    """What a schema cannot say: each stage once, in the file of its name and dtype, with as many axes as sides."""
    seen: set[Place] = set()
    for record in records:
        place = record.place
        if place in seen:
            raise PvError(f"{path} has {place} twice", hint="capture again")
        if record.file not in (place.file(APRT), place.file(SAFETENSORS)):
            raise PvError(
                f"{path}: {place} cannot lie in {shorten(record.file)}; {place.file(APRT)} is its file",
                hint="capture again",
            )
        if odd := _odd_dtype(record):
            raise PvError(f"{path}: {odd}", hint="capture again")
        if len(record.axes) != len(record.shape):
            raise PvError(
                f"{path}: {place} has {len(record.shape)} sides and {len(record.axes)} axes", hint="capture again"
            )
        if math.prod(side or 1 for side in record.shape) > _MOST_ELEMENTS:
            raise PvError(f"{path}: {place} has no shape that can be: {list(record.shape)}", hint="capture again")
        seen.add(place)


def _odd_dtype(record: StageRecord) -> str:
    """Why nothing in such a file was of the record's dtype; empty where it may have been."""
    known = next(names for suffix, names in _DTYPES.items() if record.file.endswith(suffix))
    if record.dtype in known:
        return ""
    return f"{record.place} in {record.file} cannot be {shorten(record.dtype)}; what can: {', '.join(known)}"
