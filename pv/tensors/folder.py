"""A capture on disk: a folder of tensors, read by its capture.json, or by a shapes map where it has none."""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.checkpoints.bounded import open_source
from pv.contract.quote import nearest
from pv.finding import Exit, PvError
from pv.tensors.aprt import HEADER, WHOLE_MODEL, decode, layer_number, map_bytes, read_header
from pv.tensors.exact import exact_values
from pv.tensors.manifest import APRT, MANIFEST, Manifest, StageRecord, read_manifest
from pv.tensors.place import Place
from pv.tensors.shapes import Shapes, read_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_FILES = 100_000
_LAYER = re.compile("layer-(0|[1-9][0-9]{0,9})")
_AGAIN = "capture again"


@dataclass(frozen=True, slots=True, eq=False)
class StoredCapture:
    """A capture in `folder`. `records` are in the order of computation; `stray` are the names there that are none of it."""

    folder: Path
    manifest: Manifest
    records: tuple[StageRecord, ...]
    stray: tuple[str, ...]
    _unchanged: set[Place] = field(default_factory=set, repr=False)

    @property
    def places(self) -> tuple[Place, ...]:
        """What there is, in the order of computation."""
        return tuple(record.place for record in self.records)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The token ids that the model read; empty where they are not known."""
        return self.manifest.tokens

    def record(self, place: Place) -> StageRecord:
        """What is known of the tensor at `place`. Raises PvError where there is none."""
        found = next((record for record in self.records if record.place == place), None)
        if found is None:
            raise PvError(
                f"{self.folder} has no {place}", exit=Exit.RUN, hint=nearest(str(place), map(str, self.places))
            )
        return found

    def array(self, place: Place) -> NDArray[Any]:
        """The tensor at `place` in its shape, mapped and not writable.

        Its SHA-256 is held against the manifest when it is first asked for. Raises PvError: `Exit.RUN` where it is not what
        was captured.
        """
        record = self.record(place)
        path = self.folder / record.file
        data = map_bytes(path)
        if record.sha256 and place not in self._unchanged:
            if (seen := hashlib.sha256(data.data).hexdigest()) != record.sha256:
                problem = f"{path} changed after it was captured: its SHA-256 is {seen}, {MANIFEST} has {record.sha256}"
                raise PvError(problem, exit=Exit.RUN, hint=_AGAIN)
            self._unchanged.add(place)
        if record.file.endswith(APRT):
            return decode(data)[1].reshape(record.shape)
        return exact_values(path, data, place.stage, record.shape)

    def problems(self) -> Iterator[str]:
        """What is wrong with the tensors, all of which are read for it: nothing where they are as they were captured."""
        for place in self.places:
            try:
                self.array(place)
            except PvError as error:
                yield error.message


def open_capture(folder: Path, shapes: Path | None = None) -> StoredCapture:
    """The capture in `folder`; where it has no capture.json, the APRT files there with the layout of the map at `shapes`.

    >>> import pv, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     asked = ["--tokens", "0,5", "--save-tensor", "lm_head", "--output", f"{folder}/out"]
    ...     pv.main(["trace", "microgpt", *asked])
    ...     pv.open_capture(Path(folder, "out")).tokens
    microgpt, seed 42: captured
    ...
    0
    (0, 5)

    Raises PvError: `Exit.ASK` where there is no capture, or no layout for it; `Exit.RUN` where a tensor is missing, is a link,
    or is not of the size or the layer that it must be. Values are not read.
    """
    if not folder.is_dir():
        raise PvError(f"{folder} is no folder", hint="name the folder that a capture was written to")
    files = files_in(folder)
    if MANIFEST not in files:
        return _without_manifest(folder, files, shapes)
    if shapes is not None:
        raise PvError(f"{folder} has a {MANIFEST}, which says what the shapes are", hint="leave --shapes out")
    manifest, records = read_manifest(folder / MANIFEST)
    for record in records:
        _require(folder, files, record)
    stray = sorted(set(files) - {record.file for record in records} - {MANIFEST})
    return StoredCapture(folder, manifest, records, tuple(stray))


def _without_manifest(folder: Path, files: dict[str, str], shapes: Path | None) -> StoredCapture:
    found = {name: place for name in files if (place := _place(name)) is not None}
    if not found:
        raise PvError(
            f"{folder} holds no capture: neither {MANIFEST} nor layer-N/STAGE.bin nor STAGE.bin",
            hint="pv trace MODEL --save-tensor all --output DIR makes one",
        )
    if shapes is None:
        hint = "give their axes and sizes with --shapes MAP (docs/aprt.md)"
        raise PvError(f"{folder} has no {MANIFEST}, and APRT files have no shapes ({len(found)} files)", hint=hint)
    known = read_shapes(shapes)
    records = [
        StageRecord(place, name, known.shapes[place.stage], known.axes[place.stage], "", "")
        for name, place in found.items()
        if place.stage in known.axes
    ]
    if not records:
        raise PvError(
            f"{shapes} names none of the stages in {folder}", hint=nearest(next(iter(known.axes)), _stages(found))
        )
    for record in records:
        _require(folder, files, record)
    stray = sorted(set(files) - {record.file for record in records})
    manifest = Manifest(tokens=known.tokens, layout_verified=False)
    return StoredCapture(folder, manifest, _in_order(records, known), tuple(stray))


def _stages(found: dict[str, Place]) -> list[str]:
    return sorted({place.stage for place in found.values()})


def _in_order(records: Sequence[StageRecord], known: Shapes) -> tuple[StageRecord, ...]:
    """Layer by layer in the order of the map; what is of the whole model comes first where the map has it before all layers."""
    rank = {stage: index for index, stage in enumerate(known.axes)}
    first = min((rank[record.place.stage] for record in records if record.place.layer is not None), default=0)

    def key(record: StageRecord) -> tuple[int, int, int]:
        place, own = record.place, rank[record.place.stage]
        return (0 if own < first else 2, 0, own) if place.layer is None else (1, place.layer, own)

    return tuple(sorted(records, key=key))


def files_in(folder: Path) -> dict[str, str]:
    """What lies in `folder` and in its layers' folders: what kind it is, by its name from there. Links are not followed.

    Raises PvError where that cannot be read, or is more than any capture has.
    """
    files = dict(islice(_files(folder), MOST_FILES + 1))
    if len(files) > MOST_FILES:
        raise PvError(f"{folder} holds more than {MOST_FILES:,} files", hint="name the folder of one capture")
    return files


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False) and _LAYER.fullmatch(entry.name):
            yield from ((f"{entry.name}/{inner.name}", _kind(inner)) for inner in _entries(Path(entry.path)))
        else:
            yield entry.name, _kind(entry)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise PvError(
            f"{folder} cannot be read: {error.strerror or error}", hint="see that it is there, and that you may read it"
        ) from error


def _kind(entry: os.DirEntry[str]) -> str:
    mode = entry.stat(follow_symlinks=False).st_mode
    kinds = ((stat.S_ISREG, "file"), (stat.S_ISLNK, "link"), (stat.S_ISDIR, "folder"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "special file")


def _place(name: str) -> Place | None:
    """The place whose APRT file is called `name`."""
    layer, _, file = name.rpartition("/")
    stage = file.removesuffix(APRT)
    if stage == file or not stage.isidentifier():
        return None
    number = int(layer.removeprefix("layer-")) if layer else None
    return Place(stage, number) if number is None or number < WHOLE_MODEL else None


def _require(folder: Path, files: dict[str, str], record: StageRecord) -> None:
    """The file of `record` is there, of its own, and of the size and the layer that it must be."""
    path = folder / record.file
    if files.get(record.file) != "file":
        seen = f"is a {files[record.file]}" if record.file in files else "is not there"
        raise _refused(f"{path} {seen}; the capture has a file of {record.place}", record)
    if record.file.endswith(APRT):
        with open_source(path) as source:
            _require_aprt(path, source.read(0, min(source.size, HEADER.size), "the header"), source.size, record)


def _require_aprt(path: Path, header: bytes, size: int, record: StageRecord) -> None:
    try:
        layer, count = read_header(header)
    except ValueError as error:
        raise _refused(f"{path} is no APRT file: {error}", record) from error
    expected = layer_number(record.place.layer)
    if layer != expected:
        problem = f"its header says layer {layer:#x}; {record.place} is {expected:#x}"
    elif count != math.prod(record.shape):
        problem = f"its header counts {count:,} values; {list(record.shape)} has {math.prod(record.shape):,}"
    elif size != HEADER.size + 4 * count:
        problem = f"it has {size:,} bytes; {count:,} values take {HEADER.size + 4 * count:,}"
    else:
        return
    raise _refused(f"{path}: {problem}", record)


def _refused(problem: str, record: StageRecord) -> PvError:
    """Where a manifest is right the files are to blame; a map that somebody wrote may be wrong itself."""
    if record.sha256:
        return PvError(problem, exit=Exit.RUN, hint=_AGAIN)
    return PvError(problem, hint=f"does the map of --shapes say what {record.place} is?")
