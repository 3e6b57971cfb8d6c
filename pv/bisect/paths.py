"""Ways to run one model: what `--path` asks for, how a model is put there, and what a model says of where it is."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from typing import Any

from pv.contract.quote import shorten
from pv.finding import PvError

_ON = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Route:
    """What `--path` asks for; None leaves it as the model comes. `attn` is what transformers calls the implementation."""

    device: str | None = None
    dtype: str | None = None
    attn: str | None = None
    compile: bool | None = None
    threads: int | None = None
    cache: bool | None = None

    def __str__(self) -> str:
        given = ((row.name, getattr(self, row.name)) for row in fields(self))
        words = {True: "on", False: "off"}
        return ",".join(
            f"{key}={words.get(value, value) if isinstance(value, bool) else value}"
            for key, value in given
            if value is not None
        )


KEYS = tuple(row.name for row in fields(Route))


def read_route(text: str) -> Route:
    """`device=cpu,attn=eager`. Raises PvError, with the keys there are, for what is no such list."""
    found: dict[str, Any] = {}
    for part in text.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not value:
            raise PvError(f"--path {shorten(text)}: {shorten(part)} is no KEY=VALUE", hint=f"keys: {', '.join(KEYS)}")
        if key not in KEYS:
            raise PvError(f"--path {shorten(text)}: there is no key {shorten(key)}", hint=f"keys: {', '.join(KEYS)}")
        if key in found:
            raise PvError(f"--path {shorten(text)}: {key} is there twice", hint="say it once")
        found[key] = _value(key, value)
    return Route(**found)


def _value(key: str, value: str) -> Any:
    """`value` as its key takes it; names of devices, dtypes and attention are for who loads the model."""
    if key in ("compile", "cache"):
        if value not in _ON:
            raise PvError(f"--path: {key} is on or off, not {shorten(value)}", hint=f"--path {key}=on")
        return _ON[value]
    if key == "threads":
        if not re.fullmatch(r"[1-9]\d{0,3}", value):
            raise PvError(f"--path: threads is a number from 1 to 9999, not {shorten(value)}", hint="--path threads=1")
        return int(value)
    return value


@contextmanager
def on_route(route: Route, model: Any) -> Iterator[Any]:
    """`model`, loaded as `route` says, with its threads and compiled or not for the block; threads are put back after it."""
    import torch

    with ExitStack() as after:
        if route.threads is not None:
            after.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(route.threads)
        yield torch.compile(model) if route.compile else model


def attend_as_usual(model: Any) -> None:
    """Give `model` the attention that transformers gives it when nobody asks for one; nothing where it is not of it."""
    find, switch = (
        getattr(model, name, None) for name in ("get_correct_attn_implementation", "set_attn_implementation")
    )
    if find is not None and switch is not None:
        switch(find(None))


def options_of(route: Route, model: Any) -> dict[str, Any]:
    """How the model is to be called on `route`. Raises PvError where it has no cache to switch."""
    if route.cache is None:
        return {}
    if not hasattr(getattr(model, "config", None), "use_cache"):
        raise PvError(
            f"{type(model).__name__} has no cache to switch: it is no model of transformers", hint="leave cache out"
        )
    return {"use_cache": route.cache}


@dataclass(frozen=True, slots=True)
class Ran:
    """Where something ran, as it was found there; a field that nobody can tell is empty."""

    what: str
    device: str = ""
    dtype: str = ""
    attention: str = ""
    compiled: bool = False
    cache: str = ""
    mode: str = ""
    threads: int | None = None
    versions: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        parts = [
            self.device,
            self.dtype,
            self.attention and f"attention {self.attention}",
            "compiled" if self.compiled else "",
        ]
        parts += [self.cache and f"cache {self.cache}", self.mode, _threads(self.threads)]
        parts += [f"{name} {version}" for name, version in self.versions]
        return (
            f"{self.what}: {', '.join(part for part in parts if part)}"
            if any(parts)
            else f"{self.what}: nothing is known"
        )


def _threads(count: int | None) -> str:
    return "" if count is None else f"{count} thread{'s' if count > 1 else ''}"


def ran_of(model: Any, route: Route | None = None) -> Ran:
    """Where the torch module (or callable) `model` runs now."""
    import torch

    inner = getattr(model, "_orig_mod", model)
    config = getattr(inner, "config", None)
    weights = list(inner.parameters()) if isinstance(inner, torch.nn.Module) else []
    cache = route.cache if route and route.cache is not None else getattr(config, "use_cache", None)
    return Ran(
        what=type(inner).__name__ if isinstance(inner, torch.nn.Module) else getattr(inner, "__name__", "a callable"),
        device=" and ".join(dict.fromkeys(str(weight.device) for weight in weights)),
        dtype=" and ".join(dict.fromkeys(str(weight.dtype).removeprefix("torch.") for weight in weights)),
        attention=str(getattr(config, "_attn_implementation", None) or ""),
        compiled=inner is not model,
        cache={True: "on", False: "off"}.get(cache, "") if isinstance(cache, bool) else "",
        mode="train mode" if getattr(inner, "training", False) else "",
        threads=torch.get_num_threads(),
        versions=_versions(inner),
    )


def _versions(model: Any) -> tuple[tuple[str, str], ...]:
    import torch

    found = [("torch", str(torch.__version__))]
    for home in dict.fromkeys(base.__module__.partition(".")[0] for base in type(model).__mro__):
        version = getattr(sys.modules.get(home), "__version__", None)
        found += [(home, str(version))] if version and home != "torch" else []
    return (*found, ("python", platform.python_version()))


def differences(one: Ran, other: Ran) -> tuple[str, ...]:
    """What differs between the two, as `key: one against other`."""
    sides = _facts(one), _facts(other)
    keys = dict.fromkeys([*sides[0], *sides[1]])
    pairs = ((key, sides[0].get(key, ""), sides[1].get(key, "")) for key in keys)
    return tuple(
        f"{key}: {left or 'not known'} against {right or 'not known'}" for key, left, right in pairs if left != right
    )


def _facts(ran: Ran) -> dict[str, str]:
    said = {"model": ran.what, "compiled": "yes" if ran.compiled else "no", "threads": str(ran.threads or "")}
    plain = {key: getattr(ran, key) for key in ("device", "dtype", "attention", "cache", "mode")}
    return {**said, **plain, **dict(ran.versions)}
