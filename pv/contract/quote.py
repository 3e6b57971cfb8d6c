"""How messages quote what they have seen: short, and with the nearest thing that was meant."""

from __future__ import annotations

from collections.abc import Iterable


def shorten(value: object, limit: int = 60) -> str:
    """`repr(value)`, cut to about `limit` characters: what a message may quote of a file."""
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    if isinstance(value, str) and len(value) > limit:
        return repr(value[: limit - 1] + "…")
    text = repr(value)
    return text if len(text) <= limit + 2 else text[:limit] + "…"


def mentions(text: str, words: Iterable[str]) -> bool:
    """Whether one of `words` stands in `text`. A loop: `any` over a generator takes twice as long, and rules ask often."""
    for word in words:  # noqa: SIM110  # as the docstring says
        if word in text:
            return True
    return False


def nearest(name: str, known: Iterable[str]) -> str:
    """What `name` may have been meant to be: `did you mean 'x'?`, or what there is when nothing is near."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    if near := get_close_matches(name[:100], names, n=1):
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}" if names else "there is none yet"
