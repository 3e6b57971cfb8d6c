"""A checkpoint from its path: a file, or a folder with one file or with shards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pv.checkpoints.bounded import MAX_JSON_VALUES, open_source
from pv.checkpoints.formats import reader_of
from pv.checkpoints.model import Checkpoint
from pv.checkpoints.text import mapping, read_json_file
from pv.contract.quote import shorten
from pv.finding import PvError

CONFIG = "config.json"
INDEXES = ("model.safetensors.index.json", "diffusion_pytorch_model.safetensors.index.json")
SUFFIXES = (".safetensors", ".gguf", ".apr")
_MAX_FILES = 10_000
_MAX_SHARDS = 2_000


def read_checkpoint(path: Path) -> Checkpoint:
    """The tensors of the file, or the folder, at `path`, by their headers alone; no value is read.

    >>> import pv, tempfile, torch
    >>> from pathlib import Path
    >>> from safetensors.torch import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"weight": torch.zeros(2, 3)}, f"{folder}/model.safetensors")
    ...     [(tensor.name, tensor.shape) for tensor in pv.read_checkpoint(Path(folder)).tensors]
    [('weight', (2, 3))]

    Raises PvError (`Exit.ASK`) for what is not there, is of no format that is known, or whose header cannot be true.
    """
    try:
        folder = path.is_dir()
    except (OSError, ValueError) as error:
        raise PvError(
            f"{path} cannot be read: {error}", hint="it may be cut off: fetch it again, or name another file"
        ) from error
    return _read_folder(path) if folder else _read_file(path, beside=True)


def _read_file(path: Path, *, beside: bool) -> Checkpoint:
    with open_source(path) as source:
        found = reader_of(source)(source)
    return replace(found, config=_config(path.parent)) if beside and found.format == "safetensors" else found


def _read_folder(folder: Path) -> Checkpoint:
    names = _names(folder)
    index = next((name for name in INDEXES if name in names), None)
    config = _config(folder)
    if index is not None:
        return replace(_read_shards(folder, index), config=config)
    files = [name for name in names if name.endswith(SUFFIXES)]
    chosen = "model.safetensors" if "model.safetensors" in files else files[0] if len(files) == 1 else ""
    if not chosen:
        seen = f"{len(files)} of them, and no index: {', '.join(files[:5])}" if files else "none"
        wanted = "one file of safetensors, GGUF or APR, or an index of several"
        raise PvError(
            f"{folder}: {wanted} is needed; it has {seen}",
            hint="name the file" if files else "name a folder that holds one",
        )
    return replace(_read_file(folder / chosen, beside=False), path=folder, config=config)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in islice(entries, _MAX_FILES + 1))
    except OSError as error:
        raise PvError(
            f"{folder} cannot be read: {error.strerror}", hint="see that it is there, and that you may read it"
        ) from error
    if len(names) > _MAX_FILES:
        raise PvError(f"{folder} has more than {_MAX_FILES:,} entries", hint="name the file")
    return names


def _config(folder: Path) -> Mapping[str, Any]:
    """The config.json in `folder`; empty where there is none, or a folder of that name."""
    path = folder / CONFIG
    if not path.exists() or path.is_dir():
        return {}
    with open_source(path) as source:
        return read_json_file(source, "it")


def _read_shards(folder: Path, index: str) -> Checkpoint:
    """Every shard that the index names; all of them must agree with it."""
    with open_source(folder / index) as source:
        value = read_json_file(source, "it")
        homes = mapping(source, value.get("weight_map"), "its weight_map")
        metadata = mapping(source, value.get("metadata", {}), "its metadata")
        shards = sorted({_file_name(home) for home in homes.values()})
        if not 0 < len(shards) <= _MAX_SHARDS or "" in shards:
            wanted = f"names of 1 to {_MAX_SHARDS:,} files beside it are needed"
            raise source.refuse(f"its weight_map names no files, too many, or files elsewhere: {wanted}")
    parts, total = [], 0
    for name in shards:
        parts.append(_read_file(folder / name, beside=False))
        total += len(parts[-1].tensors)
        if total > MAX_JSON_VALUES:
            raise PvError(f"{folder}: its shards have more than {MAX_JSON_VALUES:,} tensors", hint="name one shard")
    found = dict(zip(shards, parts, strict=True))
    tensors = tuple(entry for part in parts for entry in part.tensors)
    if len({entry.name for entry in tensors}) < len(tensors):
        raise PvError(f"{folder}: {_twice(found)} is in more than one shard", hint="name the shard that is meant")
    return Checkpoint(
        folder, f"safetensors, {len(shards)} shards" if len(shards) > 1 else "safetensors, 1 shard",
        sum(part.size for part in parts), metadata, tensors, problems=tuple(islice(_astray(homes, found), 20)),
    )  # fmt: skip


def _file_name(home: object) -> str:
    """The name of a file in the same folder; empty for anything else."""
    plain = isinstance(home, str) and home not in (".", "..") and not set(home) & set("/\\:\0")
    return str(home) if plain else ""


def _twice(parts: Mapping[str, Checkpoint]) -> str:
    seen: set[str] = set()
    for part in parts.values():
        for entry in part.tensors:
            if entry.name in seen:
                return shorten(entry.name)
            seen.add(entry.name)
    return ""


def _astray(homes: Mapping[str, Any], parts: Mapping[str, Checkpoint]) -> Iterator[str]:
    """Tensors that are not where the index says, and such as it does not name."""
    where = {entry.name: shard for shard, part in parts.items() for entry in part.tensors}
    for name, home in homes.items():
        if where.get(name) != home:
            seen = f"it is in {where[name]}" if name in where else "no shard has it"
            yield f"the index says that {shorten(name)} is in {shorten(home)}; {seen}"
    for name, shard in where.items():
        if name not in homes:
            yield f"{shorten(name)} is in {shard}, and the index does not name it"
