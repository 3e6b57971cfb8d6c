"""Writing a capture: a file for each tensor as it comes, and last of all the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Semaphore
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pv.finding import PvError
from pv.tensors import manifest as layout
from pv.tensors.aprt import encode, layer_number
from pv.tensors.exact import exact_bytes
from pv.tensors.manifest import MANIFEST, Manifest, StageRecord
from pv.tensors.place import Place
from pv.write import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NARROW = ("float16", "float32")  # what float32 holds without loss
_THREADS = 2  # hashing and writing leave Python's lock
_WAITING = 8  # tensors that are encoded and not yet written: what is held in memory twice


class CaptureWriter:
    """Writes a capture into a folder, which is made where it is not there, and has to be empty where it is.

    Where the block ends without `finish`, what it wrote is taken away again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="pv-capture")
        self._room = Semaphore(_WAITING)
        self._written: dict[Place, Future[str]] = {}
        self._rows: list[StageRecord] = []
        self._finished = False

    def __enter__(self) -> Self:
        """Raises PvError where the folder cannot be written to, or holds anything: a manifest stands for one run."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            there = next(self._folder.iterdir(), None)
        except OSError as error:
            raise PvError(f"{self._folder} cannot be written to: {error.strerror or error}") from error
        if there is not None:
            raise PvError(f"{self._folder} holds {there.name}", hint="name a folder that is empty, or not there yet")
        return self

    def add(self, place: Place, array: NDArray[Any], axes: Sequence[str], dtype: str) -> None:
        """Write `array` as the tensor at `place`; `axes` has a letter for each side, `dtype` is what it was in the model.

        float16 and float32 go into an APRT file as float32 (give bfloat16 as float32), all else into a safetensors file. It is
        copied here and written in the background. Raises ValueError for a place that was added before and for what no
        capture holds.
        """
        if place in self._written:
            raise ValueError(f"{place} is captured already")
        if len(axes) != array.ndim:
            raise ValueError(f"{place} has the shape {list(array.shape)} and the axes {list(axes)}")
        narrow = array.dtype.name in _NARROW
        file = layout.file_of(place, layout.APRT if narrow else layout.SAFETENSORS)
        data = _aprt(place, array) if narrow else memoryview(exact_bytes(place.stage, array))
        self._room.acquire()
        self._written[place] = self._pool.submit(self._store, file, data)
        self._rows.append(StageRecord(place, file, array.shape, tuple(axes), dtype, ""))

    def finish(self, manifest: Manifest, order: Sequence[Place] = ()) -> tuple[StageRecord, ...]:
        """Write capture.json: what was added and what `manifest` says of it; the records are what it lists.

        `order` are the places in the order of computation, where a hook sees some later than that; else they are as added.
        Raises PvError where the disk refused any of it, ValueError where the manifest would not be valid.
        """
        at = {place: index for index, place in enumerate(order)}
        rows = sorted(self._rows, key=lambda row: at.get(row.place, len(at)))
        records = tuple(replace(row, sha256=self._written[row.place].result()) for row in rows)
        self._write(MANIFEST, layout.manifest_bytes(manifest, records))
        self._finished = True
        return records

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        if not self._finished:
            self._remove([row.file for row in self._rows])

    def _store(self, file: str, data: memoryview) -> str:
        """Write the file; its SHA-256."""
        try:
            self._write(file, data)
            return hashlib.sha256(data).hexdigest()
        finally:
            self._room.release()

    def _write(self, file: str, data: bytes | memoryview) -> None:
        path = self._folder / file
        try:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            raise PvError(f"{path} cannot be written: {error.strerror or error}") from error

    def _remove(self, files: Sequence[str]) -> None:
        """Take `files` away, and the layers' folders that are empty then."""
        for file in files:
            (self._folder / file).unlink(missing_ok=True)
        for folder in {(self._folder / file).parent for file in files} - {self._folder}:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _aprt(place: Place, array: NDArray[Any]) -> memoryview:
    return encode(array.astype("<f4", copy=False).reshape(-1), layer_number(place.layer)).data
