"""The operand of `pv explain` and `pv trace`: a model by name, or a file or folder of tensors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pv.contract.quote import nearest, shorten
from pv.families.find import find_family
from pv.finding import Exit, PvError
from pv.models import NamedModel, find_model
from pv.root import find_root

if TYPE_CHECKING:
    from pv.checkpoints import Checkpoint
    from pv.families.model import Family
    from pv.introspect.describe import Described
    from pv.introspect.load import Running, Setting
    from pv.introspect.tokens import Asked
    from pv.project import Project
    from pv.stages.map import StageMap

SEED = 42
CONFIG = "config.json"


@dataclass(frozen=True, slots=True)
class Opened:
    """A model: what its header says, its tensors, the loader that fits it, the stages known, and itself where it runs."""

    described: Described
    checkpoint: Checkpoint
    named: NamedModel | None
    stage_map: StageMap | None
    running: Running | None
    refused: PvError | None = None
    """What the loader said of a folder that it does not take."""


def project_here() -> Project | None:
    """The project around the working directory; None where there is none, for a file can be explained anywhere."""
    from pv.project import project_at

    root = find_root(Path.cwd())
    return None if root is None else project_at(root)


def families_of(project: Project | None) -> tuple[Family, ...]:
    """The families that are known here."""
    from pv.families.read import read_families

    return read_families(None) if project is None else project.families


@contextmanager
def opened(
    project: Project | None,
    families: Sequence[Family],
    word: str,
    seed: int | None,
    *,
    run: bool,
    setting: Setting | None = None,
) -> Iterator[Opened]:
    """The model that `word` means; it runs within the block if `run` and something here can load it.

    A folder that no loader of [tool.pv.models] is for is loaded by transformers, where a `setting` is given. Raises PvError,
    with the nearest names, where nothing is called so and nothing lies there.
    """
    from pv.introspect.describe import describe_checkpoint

    if seed is not None and not 0 <= seed < 2**63:
        raise PvError(f"the seed {seed} is outside 0 … 2⁶³ - 1", hint="--seed 0")
    models = project.models if project else ()
    named = next((model for model in models if model.name == word), None)
    if named is not None and project is not None:
        with _fresh(project, families, named, SEED if seed is None else seed, setting) as found:
            yield found
        return
    if seed is not None:
        raise PvError(f"--seed makes a fresh model; {word} is a checkpoint", hint="leave --seed out")
    checkpoint = _read(word, [model.name for model in models])
    described = describe_checkpoint(word, checkpoint, families)
    named = find_model(models, described.family.name) if described.family else None
    stage_map = _stage_map(project, named)
    if run and named is None and setting is not None and (Path(word) / CONFIG).is_file():
        yield _by_transformers(project, described, checkpoint, setting)
        return
    if not run or named is None or project is None or stage_map is None or not Path(word).is_dir():
        yield Opened(described, checkpoint, named, stage_map, None)
        return
    from pv.introspect.load import running

    with ExitStack() as stack:
        try:
            model = stack.enter_context(running(project.root, project.sources, named, Path(word), SEED))
        except PvError as error:
            if error.exit is not Exit.ASK:
                raise
            found = Opened(described, checkpoint, named, stage_map, None, error)
        else:
            found = Opened(described, checkpoint, named, stage_map, _set(model, setting))
        yield found


def _by_transformers(project: Project | None, described: Described, checkpoint: Checkpoint, setting: Setting) -> Opened:
    """The model in a folder of transformers, and the map that fits it: said to fit none before anything is loaded."""
    from pv.introspect.huggingface import load_folder
    from pv.stages.known import find_map, map_of, require_version
    from pv.stages.read import read_stage_maps

    root = project.root if project else None
    said = (checkpoint.config or {}).get("architectures")
    stage_map = find_map(read_stage_maps(root), said if isinstance(said, list) else [])
    if stage_map is not None:
        require_version(stage_map)
    running = load_folder(Path(described.name), setting)
    return Opened(described, checkpoint, None, stage_map or map_of(running.model, root), running)


def _set(running: Running, setting: Setting | None) -> Running:
    """`running` where and in what `setting` says. Raises PvError for another attention: that is the loader's own."""
    from pv.introspect.huggingface import device_of, dtype_of

    if setting is None:
        return running
    if setting.attention:
        raise PvError("this model has one attention, that of its own code", hint="leave --attn out")
    if setting.dtype:
        running.model.to(dtype_of(setting.dtype))
    if setting.device:
        running.model.to(device_of(setting.device))
    return running


@contextmanager
def _fresh(
    project: Project, families: Sequence[Family], named: NamedModel, seed: int, setting: Setting | None
) -> Iterator[Opened]:
    from pv.introspect.describe import Named, describe_weights
    from pv.introspect.fresh import fresh_checkpoint
    from pv.introspect.load import running

    family = find_family(families, named.family)
    with running(project.root, project.sources, named, None, seed) as model:
        name = f"{named.name}, seed {seed}"
        checkpoint = fresh_checkpoint(name, model.model)
        weights = [Named(entry.name, entry.shape, entry.dtype) for entry in checkpoint.tensors]
        described = describe_weights(name, family, weights)
        yield Opened(described, checkpoint, named, _stage_map(project, named), _set(model, setting))


def _read(word: str, names: Sequence[str]) -> Checkpoint:
    from pv.checkpoints import read_checkpoint

    if not os.path.exists(word):  # noqa: PTH110  # a Path raises for a name too long, and takes "" for this folder
        seen = f"there is no model {shorten(word)}, and no file or folder of that name"
        raise PvError(seen, hint=nearest(word, names))
    return read_checkpoint(Path(word))


def _stage_map(project: Project | None, named: NamedModel | None) -> StageMap | None:
    from pv.stages.read import read_stage_map

    return None if project is None or named is None else read_stage_map(project.root, named.family)


def asked_of(model: Opened, text: str | None = None, tokens: str | None = None, prompt: str | None = None) -> Asked:
    """What the model is to read. Raises PvError where it is no text or no tokens of that model."""
    from pv.introspect.tokens import read_ids, read_prompt, read_text

    if sum(given is not None for given in (text, tokens, prompt)) > 1:
        raise PvError(
            "--text, --tokens and --prompt say in three ways what is read: give one", hint="leave the others out"
        )
    if tokens is not None:
        return read_ids(tokens, model.described.sizes)
    tokenizer = model.running.tokenizer if model.running else None
    if prompt is not None:
        return read_prompt(prompt, tokenizer, model.described.sizes)
    return read_text(text or "", tokenizer, model.described.sizes)


def why_not(model: Opened) -> PvError:
    """Why this model cannot run here, and what to do about it."""
    if model.refused is not None:
        return model.refused
    described = model.described
    family = described.family.display_name if described.family else "its family"
    if model.named is None:
        hint = "name a loader: [tool.pv.models.NAME] family, load, tokenizer in pyproject.toml"
        return PvError(f"{described.name} cannot run: no model of {family} is known here", hint=hint)
    if model.stage_map is None:
        hint = f"write contracts/stages/{model.named.family}.yaml"
        return PvError(f"{described.name} cannot be traced: there is no stage map of {family}", hint=hint)
    return PvError(f"{described.name} cannot run: it is a file by itself", hint="name the folder it lies in")
