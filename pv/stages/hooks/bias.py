"""Stages that several linear modules make together, side by side on the last axis: before their bias, or after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pv.finding import Exit, PvError
from pv.stages.hooks import Recorder, Sight
from pv.stages.hooks.module import inputs_of, module_at


@contextmanager
def watching(model: Any, sights: Sequence[Sight], recorder: Recorder) -> Iterator[None]:
    """Record the products of the modules of every sight. Where one has a bias the product before it is computed again from
    what the module takes, in the model's dtype; only where bits do not matter it is output minus bias, rounded twice.

    Raises PvError (`Exit.MEND`) where a module is not there, or is no linear one.
    """
    handles: list[Any] = []
    try:
        for sight in sights:
            row = sight.stage.hook
            before = "before_bias" in row
            modules = [module_at(model, path, sight.place) for path in row["before_bias" if before else "after_bias"]]
            together = _Together(sight, recorder, len(modules), before=before)
            for at, module in enumerate(modules):
                if before:
                    _require_linear(sight, module)
                handles.append(module.register_forward_hook(together.hook(at), with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Together:
    """The parts of one stage, kept until the last has come; those of a pass that broke off are none of the next one's."""

    def __init__(self, sight: Sight, recorder: Recorder, count: int, *, before: bool) -> None:
        self._place, self._recorder, self._count, self._before = sight.place, recorder, count, before
        self._parts: dict[int, Any] = {}
        self._begun = 0

    def hook(self, at: int) -> Any:
        """The hook of the module that makes part `at`."""

        def given(module: Any, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
            import torch

            # Another pass, or modules called by themselves.
            if self._begun != self._recorder.begun or at in self._parts:
                self._parts, self._begun = {}, self._recorder.begun
            if not self._recorder.wants(self._place):
                return
            biased = self._before and module.bias is not None
            part = self._product(module, inputs_of(module, arguments, named)[0], output) if biased else output.detach()
            last = len(self._parts) + 1 == self._count
            self._parts[at] = part if biased or last else part.clone()  # it waits, and the model may change its output
            if last:
                parts = [self._parts[at] for at in range(self._count)]
                self._recorder.record(self._place, torch.cat(parts, dim=-1) if self._count > 1 else parts[0])
                self._parts.clear()

        return given

    def _product(self, module: Any, taken: Any, output: Any) -> Any:
        import torch

        with torch.no_grad():
            return torch.nn.functional.linear(taken, _weight(module)) if self._recorder.exact else output - module.bias


def _weight(module: Any) -> Any:
    """Its weight as torch.nn.Linear has it, outputs first; that of transformers' Conv1D lies the other way round."""
    return module.weight.t() if _is_conv(module) else module.weight


def _is_conv(module: Any) -> bool:
    return type(module).__name__ == "Conv1D" and hasattr(module, "nf")


def _require_linear(sight: Sight, module: Any) -> None:
    from torch import nn

    plain = isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward
    if not plain and not _is_conv(module):
        seen = f"{sight.place} is what a linear module makes before its bias, and a {type(module).__name__} is none"
        raise PvError(seen, exit=Exit.MEND, hint="before_bias names torch.nn.Linear, or transformers' Conv1D")
