"""The code under test as a falsifier sees it: a callable over the equation's arguments, traced, and altered on demand."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, NoReturn

from pv.falsify.cases import Case
from pv.falsify.declare import Fault
from pv.falsify.encode import fingerprint
from pv.falsify.remember import Remembered, behind, is_done
from pv.falsify.trace import Tracer

Call = Callable[..., Any]
Around = Callable[[], AbstractContextManager[Any]]
Wrong = Callable[[Call, Call, Case], Any]


class Subject:
    """Call it as the equation is written: `subject(indices, num_classes)`.

    It shows nothing of what it calls: a falsifier that could tell the real code from a faulted one could pass the one and
    fail the other without looking at a value.

    >>> import pv
    >>> subject = pv.Subject(divmod, ["a", "b"])
    >>> subject(7, 2), subject(*pv.Case(a=9, b=3))
    ((3, 1), (3, 0))
    """

    __slots__ = ("_arguments", "_around", "_beat", "_calls", "_function", "_gross", "_heard", "_left", "_tracer")

    def __init__(self, function: Call, arguments: Sequence[str], tracer: Tracer | None = None) -> None:
        self._function = function
        self._arguments = tuple(arguments)
        self._tracer = tracer
        self._heard: Any = None
        self._gross: list[str] = []
        self._around: Around = nullcontext
        self._beat: Callable[[], None] | None = None
        self._calls: list[Case] | None = None
        self._left = False  # whether code of a call may run after it: its backward, what is left of a generator

    def __call__(self, *values: Any, **named: Any) -> Any:
        if self._beat is not None:
            self._beat()
        if self._calls is not None:
            self._calls.append(Case(dict(zip(self._arguments, values, strict=False)), **named))
        output = self._traced(*values, **named)
        if self._heard is not None:
            self._heard.update(_digest_of(output))
        return output

    @contextmanager
    def noting(self) -> Iterator[list[Case]]:
        """Inside of it, the arguments of every call; they are not copied."""
        self._calls = []
        try:
            yield self._calls
        finally:
            self._calls = None
            if self._left and self._tracer is not None:
                self._tracer.stop()
            self._left = False

    def listen(self) -> None:
        """Begin a digest of everything that is returned from now on."""
        self._heard = hashlib.sha256()

    def heard(self) -> str:
        """The digest of what was returned since `listen`, which ends here."""
        digest, self._heard = self._heard.hexdigest(), None
        return str(digest)

    @property
    def gross(self) -> str:
        """Why an altered subject proves nothing; kept here too, because a falsifier may catch what is raised."""
        return self._gross[0] if self._gross else ""

    def announce(self, beat: Callable[[], None]) -> None:
        """Call `beat` before every call from now on."""
        self._beat = beat

    def remember(self) -> None:
        """From now on a call is made once: whoever makes it again, an output altered or not, is given what it returned."""
        self._function = Remembered(behind(self._function))

    def afresh(self, *values: Any, **named: Any) -> Any:
        """The call, whatever is remembered of it."""
        return behind(self._function)(*values, **named)

    def in_force(self) -> AbstractContextManager[Any]:
        """Inside of it the code is what this subject says it is: an edited one also serves what runs after a call."""
        return self._around()

    def edited(self, around: Around) -> Subject:
        """This subject with other code in its functions, which `around()` puts there and takes away; it remembers by itself."""
        plain = Subject(behind(self._function), self._arguments)
        subject = plain.altered(lambda plain, again, case: again(), smoke=False)
        subject._around = around
        if isinstance(self._function, Remembered):
            subject.remember()
        return subject

    def altered(self, wrong: Wrong, *, smoke: bool = True, about: str = "value", repeat: bool = True) -> Subject:
        """This subject with what `wrong(plain, again, case)` returns in the place of its output; `again()` makes the call.

        With `smoke`, an alteration that would not get past the smoke check is `gross`, and a call raises GrossFault: it raises,
        has another type, shape or dtype, is not finite, or, with `repeat`, differs when made again. For one `about` the
        gradient, that has to be finite where it was.
        """
        plain = self._function
        gross: list[str] = []

        def call(*values: Any, **named: Any) -> Any:
            case = Case(dict(zip(self._arguments, values, strict=False)), **named)
            again = partial(plain, *values, **named)
            if not smoke:
                return wrong(plain, again, case)
            wanted = _smoke(again(), case, about)
            try:
                output = wrong(plain, again, case)
                seen = _smoke(output, case, about)
                other = repeat and _digest_of(output) != _digest_of(wrong(plain, again, case))
            except Exception as error:
                _refuse(gross, f"it raises {type(error).__name__}: {error}")
            if seen != wanted:
                _refuse(gross, f"it returns {seen} where the subject returns {wanted}")
            if other:
                _refuse(gross, "it returns something else when it is called again")
            return output

        subject = Subject(call, self._arguments)
        subject._gross = gross
        return subject

    def _traced(self, *values: Any, **named: Any) -> Any:
        if self._tracer is None:
            return self._function(*values, **named)
        self._tracer.start()
        try:
            output = self._function(*values, **named)
            self._left = self._left or (self._calls is not None and not is_done(output))
            return output
        finally:
            if self._left:
                self._tracer.linger()
            else:
                self._tracer.stop()


class GrossFault(BaseException):
    """A fault that a check of shape, dtype or finiteness alone would catch: it proves nothing about values.

    No Exception: a falsifier that turns every exception of its subject into a failed check must not catch it.
    """


def of_fault(fault: Fault) -> Wrong:
    """What `Subject.altered` needs to put `fault` in the place of the output."""

    def wrong(plain: Call, again: Call, case: Case) -> Any:
        return fault.function(plain if fault.wraps else again(), case)

    return wrong


def smoke_of(subject: Subject, given: Callable[[], Case], *, twice: bool) -> str:
    """What the smoke check sees of a call, in words: type, shape, dtype, finiteness, its error, and whether it repeats."""
    try:
        with subject.in_force():
            output = subject(*given())
            seen = _kind_of(output)
            again = not twice or _digest_of(output) == _digest_of(subject.afresh(*given()))
    except Exception as error:
        return f"it raises {type(error).__name__}: {error}"[:200]
    return seen if again else f"{seen}, something else each time"


def _refuse(gross: list[str], reason: str) -> NoReturn:
    gross.append(reason)
    raise GrossFault(reason)


def _digest_of(output: Any) -> bytes:
    try:
        return fingerprint({"output": output})
    except TypeError:  # an output that no case could hold either: its checks alone can tell it from another
        return type(output).__name__.encode()


def _smoke(output: Any, case: Case, about: str) -> str:
    """Type, shape, dtype and finiteness of an output, in words; about the gradient, whether that is finite too."""
    return _kind_of(output) + (_gradients_of(output, case) if about == "gradient" else "")


def _gradients_of(output: Any, case: Case) -> str:
    import torch

    outputs = [value for value in (output if isinstance(output, (tuple, list)) else [output]) if _has_graph(value)]
    inputs = [value for value in case if getattr(value, "requires_grad", False)]
    if not outputs or not inputs:
        return ""
    total = sum(value.sum() for value in outputs)
    found = torch.autograd.grad(total, inputs, retain_graph=True, allow_unused=True)
    finite = all(gradient is None or bool(torch.isfinite(gradient).all()) for gradient in found)
    return f", its gradient {'finite' if finite else 'not finite'}"


def _has_graph(value: Any) -> bool:
    return getattr(value, "grad_fn", None) is not None


def _kind_of(output: Any) -> str:
    if isinstance(output, (tuple, list)):
        return f"{type(output).__name__} of {len(output)} ({', '.join(_kind_of(item) for item in output)})"
    if isinstance(output, Mapping):
        return f"mapping ({', '.join(f'{key!r}: {_kind_of(item)}' for key, item in output.items())})"
    if hasattr(output, "shape") and hasattr(output, "dtype"):
        import torch

        finite = "finite" if bool(torch.isfinite(output.detach()).all()) else "not finite"
        return f"a {finite} {output.dtype} of shape {list(output.shape)}"
    if isinstance(output, float):
        return f"a {'finite' if math.isfinite(output) else 'not finite'} {type(output).__name__}"
    return type(output).__name__
