"""Writing a capture: a file for each tensor as it comes, and last of all the manifest."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePath
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy

from pv.finding import PvError
from pv.tensors import manifest as layout
from pv.tensors.aprt import HEADER, Copy, encode, encoded_in, encoded_size, layer_number
from pv.tensors.exact import exact_bytes
from pv.tensors.manifest import MANIFEST, Manifest, StageRecord
from pv.tensors.place import Place
from pv.write import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NARROW = "ef"  # float16 and float32, as numpy's characters: what float32 holds without loss
_THREADS = min(8, os.cpu_count() or 1)  # hashing and writing leave Python's lock
# Bytes that are encoded and not yet written: below 32 MiB, above which glibc asks the system for new memory each time.
_HELD = 2**25 - 2**16
_ALIGNED = 64  # bytes, a line of the processor's cache: values that begin within one are copied a quarter slower
_STEP = 2**18  # bytes that are written, then hashed: they are in the processor's cache by then


class CaptureWriter:
    """Writes a capture into a folder, which is made where it is not there, and has to be empty where it is.

    Where the block ends without `finish`, what it wrote is taken away again. It and the model take turns, on all processors
    each: beside one another torch's threads would wait for those that hash, and burn a processor's time while they do.
    """

    def __init__(self, folder: Path, copy: Copy = numpy.copyto) -> None:
        """`copy` is how values are copied: torch does it on all of its processors, numpy on one."""
        self._folder, self._copy = folder, copy
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="pv-capture")
        self._lock = Lock()  # a model may run its modules in several threads
        self._waiting: list[tuple[Place, str, memoryview]] = []
        self._held = 0
        # Used again and again: memory that is new takes several times as long to be filled as this. Values begin at a line.
        room = numpy.empty(_HELD + _ALIGNED, numpy.uint8)
        self._room: NDArray[numpy.uint8] = room[-(room.ctypes.data + HEADER.size) % _ALIGNED :]
        self._hashes: dict[Place, str] = {}
        self._rows: dict[Place, StageRecord] = {}
        self._made: list[str] = []  # files that are there by this writer
        self._layers: list[Path] = []  # folders, likewise
        self._finished = False

    def __enter__(self) -> Self:
        """Raises PvError where the folder cannot be written to, or holds anything: a manifest stands for one run."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            there = next(self._folder.iterdir(), None)
        except OSError as error:
            raise PvError(
                f"{self._folder} cannot be written to: {error.strerror or error}",
                hint="see that it is a folder you may write to, with room left",
            ) from error
        if there is not None:
            raise PvError(f"{self._folder} holds {there.name}", hint="name a folder that is empty, or not there yet")
        return self

    def add(self, place: Place, array: NDArray[Any], axes: Sequence[str], dtype: str) -> None:
        """Write `array` as the tensor at `place`; `axes` has a letter for each side, `dtype` is what it was in the model.

        float16 and float32 go into an APRT file as float32 (give bfloat16 as float32), all else into a safetensors file. It is
        copied here and written now or later. Raises ValueError for a place that was added before and for what no capture
        holds, PvError where the disk refused it or one before.
        """
        with self._lock:
            self._add(place, array, axes, dtype)

    def _add(self, place: Place, array: NDArray[Any], axes: Sequence[str], dtype: str) -> None:
        if place in self._rows:
            raise ValueError(f"{place} is captured already")
        if len(axes) != array.ndim:
            raise ValueError(f"{place} has the shape {list(array.shape)} and the axes {list(axes)}")
        narrow = array.dtype.char in _NARROW
        file = place.file(layout.APRT if narrow else layout.SAFETENSORS)
        data = self._aprt(place, array) if narrow else memoryview(exact_bytes(place.stage, array))
        self._rows[place] = StageRecord(place, file, array.shape, tuple(axes), dtype, "")
        self._waiting.append((place, file, data))
        self._held += -(-data.nbytes // _ALIGNED) * _ALIGNED
        if self._held >= _HELD:
            self._flush()

    def _aprt(self, place: Place, array: NDArray[Any]) -> memoryview:
        values = array.astype("<f4", copy=False).reshape(-1)
        if self._held + encoded_size(values.size) > _HELD:
            self._flush()
        with encoded_in(self._room[self._held :], self._copy):
            return encode(values, layer_number(place.layer)).data

    def finish(self, manifest: Manifest, order: Sequence[Place] = ()) -> tuple[StageRecord, ...]:
        """Write capture.json: what was added and what `manifest` says of it; the records are what it lists.

        `order` are the places in the order of computation, where a hook sees some later than that; else they are as added.
        Raises PvError where the disk refused any of it, ValueError where the manifest would not be valid.
        """
        self._flush()
        if lost := self._rows.keys() - self._hashes.keys():
            raise ValueError(f"{min(map(str, lost))} was not written, which was said when it was added")
        at = {place: index for index, place in enumerate(order)}
        rows = sorted(self._rows.values(), key=lambda row: at.get(row.place, len(at)))
        records = tuple(replace(row, sha256=self._hashes[row.place]) for row in rows)
        self._made.append(MANIFEST)
        with self._path(MANIFEST) as path:
            write_whole(path, layout.manifest_bytes(manifest, records))
        self._finished = True
        return records

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        if not self._finished:
            self._remove()

    def _flush(self) -> None:
        """Write what waits, this thread with the others: the largest first, so that all end at about the same time."""
        waiting = deque(sorted(self._waiting, key=lambda one: -one[2].nbytes))
        self._waiting, self._held = [], 0  # whatever comes of it: their room is used again
        for folder in {file.rpartition("/")[0] for _, file, _ in waiting}:
            with self._path(folder) as path:
                if not path.is_dir():
                    self._layers.append(path)
                    path.mkdir()
        helpers = [self._pool.submit(self._drain, waiting) for _ in range(min(_THREADS, len(waiting)) - 1)]
        try:
            self._drain(waiting)
        finally:
            waiting.clear()  # an error, or Ctrl-C: nobody goes on with the rest
            wait(helpers)
        for helper in helpers:
            helper.result()

    def _drain(self, waiting: deque[tuple[Place, str, memoryview]]) -> None:
        while True:
            try:
                place, file, data = waiting.popleft()
            except IndexError:
                return
            self._hashes[place] = self._store(file, data)

    def _store(self, file: str, data: memoryview) -> str:
        """Write the file; its SHA-256. Neither synced nor renamed into place: the manifest tells what is whole."""
        digest = hashlib.sha256()
        with self._path(file) as path, self._new(file, path) as stream:
            for at in range(0, data.nbytes, _STEP):
                stream.write(data[at : at + _STEP])
                digest.update(data[at : at + _STEP])
        return digest.hexdigest()

    def _new(self, file: str, path: Path) -> BinaryIO:
        """`path`, open and empty. Ctrl-C may come before this returns: the file counts as made from before it is there."""
        self._made.append(file)
        try:
            return path.open("xb")
        except FileExistsError:  # somebody else's
            self._made.remove(file)
            raise

    @contextmanager
    def _path(self, file: str | PurePath) -> Iterator[Path]:
        """Where `file` goes. Raises PvError for an OSError of the block."""
        path = self._folder / file
        try:
            yield path
        except OSError as error:
            raise PvError(
                f"{path} cannot be written: {error.strerror or error}",
                hint="see that it is a folder you may write to, with room left",
            ) from error

    def _remove(self) -> None:
        """Take away the files that were made, and the layers' folders that are empty then: some never had a file."""
        for file in self._made:
            with suppress(FileNotFoundError, NotADirectoryError):  # never written
                (self._folder / file).unlink()
        for folder in self._layers:
            with suppress(OSError):  # never made, or somebody else has put something there
                folder.rmdir()
