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
    from pv.introspect.load import Running
    from pv.introspect.tokens import Asked
    from pv.project import Project
    from pv.stages.map import StageMap

SEED = 42


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
    project: Project | None, families: Sequence[Family], word: str, seed: int | None, *, run: bool
) -> Iterator[Opened]:
    """The model that `word` means; it runs within the block if `run` and something here can load it.

    Raises PvError, with the nearest names, where nothing is called so and nothing lies there.
    """
    from pv.introspect.describe import describe_checkpoint

    if seed is not None and not 0 <= seed < 2**63:
        raise PvError(f"the seed {seed} is outside 0 … 2⁶³ - 1")
    models = project.models if project else ()
    named = next((model for model in models if model.name == word), None)
    if named is not None and project is not None:
        with _fresh(project, families, named, SEED if seed is None else seed) as found:
            yield found
        return
    if seed is not None:
        raise PvError(f"--seed makes a fresh model; {word} is a checkpoint", hint="leave --seed out")
    checkpoint = _read(word, [model.name for model in models])
    described = describe_checkpoint(word, checkpoint, families)
    named = find_model(models, described.family.name) if described.family else None
    stage_map = _stage_map(project, named)
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
            found = Opened(described, checkpoint, named, stage_map, model)
        yield found


@contextmanager
def _fresh(project: Project, families: Sequence[Family], named: NamedModel, seed: int) -> Iterator[Opened]:
    from pv.introspect.describe import Named, describe_weights
    from pv.introspect.fresh import fresh_checkpoint
    from pv.introspect.load import running

    family = find_family(families, named.family)
    with running(project.root, project.sources, named, None, seed) as model:
        name = f"{named.name}, seed {seed}"
        checkpoint = fresh_checkpoint(name, model.model)
        weights = [Named(entry.name, entry.shape, entry.dtype) for entry in checkpoint.tensors]
        described = describe_weights(name, family, weights)
        yield Opened(described, checkpoint, named, _stage_map(project, named), model)


def _read(word: str, names: Sequence[str]) -> Checkpoint:
    from pv.checkpoints import read_checkpoint

    if not os.path.exists(word):  # noqa: PTH110  # a Path raises for a name too long, and takes "" for this folder
        seen = f"there is no model {shorten(word)}, and no file or folder of that name"
        raise PvError(seen, hint=nearest(word, names))
    return read_checkpoint(Path(word))


def _stage_map(project: Project | None, named: NamedModel | None) -> StageMap | None:
    from pv.stages.map import read_stage_map

    return None if project is None or named is None else read_stage_map(project.root, named.family)


def asked_of(model: Opened, text: str | None, tokens: str | None = None) -> Asked:
    """What the model is to read. Raises PvError where it is no text or no tokens of that model."""
    from pv.introspect.tokens import read_ids, read_text

    if text is not None and tokens is not None:
        raise PvError("--text and --tokens are two ways to say the same: give one")
    if tokens is not None:
        return read_ids(tokens, model.described.sizes)
    tokenizer = model.running.tokenizer if model.running else None
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
