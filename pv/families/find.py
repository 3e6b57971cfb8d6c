"""Which family a word means: whole names only, the nearest ones where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pv.contract.quote import nearest
from pv.families.model import Family
from pv.families.roles import role_of
from pv.finding import PvError

_NEAR = 0.7  # names are short: at the usual 0.6 `dolphin` is near `phi`
_HEADS = ("ForCausalLM", "ForConditionalGeneration", "Model")


def find_family(families: Sequence[Family], word: str) -> Family:
    """The family called `word`: by name, alias, GGUF name or class of transformers. Raises PvError with the nearest names."""
    found = known_family(families, word)
    if found is not None:
        return found
    near = get_close_matches(word.lower()[:100], _names(families), n=1, cutoff=_NEAR)
    hint = nearest(near[0], near) if near else f"known: {', '.join(family.name for family in families)}"
    raise PvError(f"there is no family {word!r}", hint=hint)


def known_family(families: Iterable[Family], word: str) -> Family | None:
    """As `find_family`; None where there is none. No part of a word is guessed from: `dolphin` is not phi."""
    wanted = word.strip().lower()
    for family in families:
        classes = {name.lower() for name in family.architectures}
        bare = {_bare(name).lower() for name in family.architectures}
        if wanted in {family.name, *family.aliases, family.gguf, family.display_name.lower()} - {""} | classes | bare:
            return family
    return None


def family_of_tensors(families: Iterable[Family], names: Sequence[str]) -> Family | None:
    """The one family that knows every tensor of `names`; None where none does, or several."""
    knowing = [family for family in families if names and all(role_of(family, name) for name in names)]
    return knowing[0] if len(knowing) == 1 else None


def _bare(architecture: str) -> str:
    for head in _HEADS:
        if architecture.endswith(head) and architecture != head:
            return architecture.removesuffix(head)
    return architecture


def _names(families: Iterable[Family]) -> list[str]:
    return [name for family in families for name in (family.name, *family.aliases)]
