"""Which stage of a forward pass introduces the error of a port, and which only hand it on.

The package can be called: `pv.bisect(reference, candidate, tokens)` is `pv.bisect.doors.bisect`. Python gives `pv` the package
under the name of the function as soon as anything in it was imported, and a name cannot be two things.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """The one way to make a module callable is to give it a class (docs.python.org, "Customizing module attribute access")."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from pv.bisect.doors import bisect

        return bisect(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
