"""Whatever the way to the code, a call takes tensors and gives tensors; what is not as bound is said, and no answer."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT
from several_subjects import write_project

from pv.contract.model import Binding, Equation
from pv.falsify.adapters import ADAPTERS, adapted
from pv.finding import Exit, PvError
from pv.project import project_at

X = torch.tensor([1.5, -2.0])


@dataclass
class Direct:
    """Imports without looking where from; what `pv.falsify.load.Loader` adds has tests of its own."""

    root: Path
    closing: ExitStack = field(default_factory=ExitStack)
    remembered: list[str] = field(default_factory=list)

    def target(self, target: str) -> Callable[..., Any]:
        module, _, names = target.partition(":")
        found: Any = importlib.import_module(module)
        for name in names.split("."):
            found = getattr(found, name)
        return found  # type: ignore[no-any-return] # as asked for

    def remember(self, file: str | None) -> None:
        self.remembered.append(str(file))


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Direct]:
    """Of a project with a subject of every kind."""
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = dict(sys.modules)
    with ExitStack() as closing:
        yield Direct(tmp_path, closing)
    for name in set(sys.modules) - set(before):
        if name in ("kernels", "objects", "factories", "arrays", "more"):
            del sys.modules[name]


def bound(loader: Direct, name: str, **changes: Any) -> tuple[Binding, Equation]:
    project = project_at(loader.root)
    equation = project.contracts[0].equation("scale")
    assert equation is not None
    return next(row for row in project.bindings if row.name == name)._replace(**changes), equation


def subject(loader: Direct, name: str, **changes: Any) -> Callable[..., Any]:
    return adapted(*bound(loader, name, **changes), loader)


def write(loader: Direct, text: str) -> None:
    (loader.root / "more.py").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["torch", "method", "module", "numpy", "port", "flat"])
def test_every_way_gives_the_same_tensors_and_numbers_and_raises_the_same_error(name: str, loader: Direct) -> None:
    call = subject(loader, name)
    for x in (X, torch.zeros(0), torch.tensor([0.1])):
        y, count = call(x, 3)
        assert (y.tolist(), y.dtype, list(y.shape)) == ((3 * x).tolist(), torch.float32, list(x.shape))
        assert (type(count), count) == (int, len(x))
    with pytest.raises(ValueError, match="k is -4; at least 0 is needed"):
        call(X, -4)
    assert call(X, 2)[1] == 2  # an error ends nothing


def test_the_table_has_a_row_for_each_name_of_the_schema() -> None:
    schema = json.loads((ROOT / "schemas/binding-v1.json").read_bytes())
    assert schema["$defs"]["binding"]["properties"]["adapter"]["enum"] == list(ADAPTERS)


@pytest.mark.parametrize(("requires", "missing"), [
    (("sh",), ""), (("numpy",), ""), (("sh", "no-such-program"), "no-such-program"), (("no_such_package",), "no_such_package"),
    (("numpy.nothing",), "numpy.nothing"),
])  # fmt: skip
def test_what_is_required_and_absent_is_for_somebody_to_install(
    requires: tuple[str, ...], missing: str, loader: Direct
) -> None:
    binding, equation = bound(loader, "torch", requires=requires)
    if not missing:
        adapted(binding, equation, loader)
        return
    with pytest.raises(PvError) as caught:
        adapted(binding, equation, loader)
    assert caught.value.message == f"torch requires {missing}, which is not installed here"
    assert caught.value.exit is Exit.RUN


# --- objects


def test_a_factory_is_called_once_at_the_first_call_and_from_one_seed(loader: Direct) -> None:
    write(loader, "import torch\nfrom objects import Scaler\nmade = []\n"
          "def scaler():\n    made.append(torch.rand(1).item())\n    return Scaler(1)\n")  # fmt: skip
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        call = subject(loader, "method", factory="more:scaler")
        call(X, 1)
        call(X, 2)
        states.append(bool(torch.equal(before, torch.get_rng_state())))
    made = importlib.import_module("more").made
    assert (len(made), made[0] == made[1], states) == (2, True, [True, True])


@pytest.mark.parametrize(("name", "changes", "said"), [
    ("method", {"target": "kernels:scale"}, "kernels:scale is no method: a target `module:Class.method` is needed"),
    ("method", {"factory": "more:number"}, "more:number made an object of builtins.int, not objects.Scaler"),
    ("method", {"factory": "more:refuses"}, "more:refuses raised ValueError: k is -4"),
    ("module", {"factory": "more:number"}, "more:number made an object of builtins.int, not objects.Scale"),
    ("module", {"target": "more:number"}, "more:number made an object of builtins.int, not torch.nn.modules.module.Module"),
    ("module", {"target": "objects:Scaler", "factory": "factories:scaler"},
     "factories:scaler made an object of objects.Scaler, no torch module"),
])  # fmt: skip
def test_what_is_made_otherwise_than_bound_is_no_answer_of_the_subject(
    name: str, changes: dict[str, str], said: str, loader: Direct
) -> None:
    write(loader, "def number():\n    return 3\n\ndef refuses():\n    raise ValueError('k is -4')\n")
    with pytest.raises(PvError) as caught:
        subject(loader, name, **changes)(X, -4)
    assert (caught.value.message, caught.value.exit) == (said, Exit.MEND)


def test_a_module_may_name_its_parameters_as_it_likes_and_keeps_its_mode(loader: Direct) -> None:
    assert subject(loader, "module")(x=X, k=2)[0].tolist() == [3.0, -4.0]
    write(loader, "import torch\nclass Mode(torch.nn.Module):\n    def forward(self, a, b):\n        return self.training\n"
          "def quiet():\n    return Mode().eval()\n")  # fmt: skip
    modes = [subject(loader, "module", target="more:Mode", factory=factory)(X, 1) for factory in (None, "more:quiet")]
    assert modes == [True, False]


# --- numpy


@pytest.mark.parametrize(("returned", "dtype", "values"), [
    ("x[::-1]", "float32", [-2.0, 1.5]), ("np.broadcast_to(x[0], (2, 2))", "float32", [[1.5, 1.5], [1.5, 1.5]]),
    ("x.sum()", "float32", -0.5), ("np.array(3)", "int64", 3), ("x > 0", "bool", [True, False]),
    ("np.asfortranarray(np.ones((2, 1), 'f8'))", "float64", [[1.0], [1.0]]),
])  # fmt: skip
def test_arrays_come_back_as_tensors_of_the_same_dtype_and_shape(
    returned: str, dtype: str, values: Any, loader: Direct
) -> None:
    write(loader, f"import numpy as np\ndef f(x, k):\n    return {returned}, np.int64(1)\n")
    y, count = subject(loader, "numpy", target="more:f")(X, 1)
    assert (str(y.dtype), y.tolist(), y.is_contiguous(), type(count)) == (f"torch.{dtype}", values, True, int)


def test_numpy_sees_the_arguments_themselves_and_keeps_nothing_of_what_it_returned(loader: Direct) -> None:
    write(loader, "import numpy as np\nKEPT = np.zeros(2, 'f4')\n"
          "def f(x, k):\n    x += 1\n    KEPT[:] += 1\n    return KEPT, 0\n")  # fmt: skip
    x, call = X.clone(), subject(loader, "numpy", target="more:f")
    first, _ = call(x, 1)
    assert call(x, 1)[0].tolist() == [2.0, 2.0]
    assert first.tolist() == [1.0, 1.0]
    assert x.tolist() == [3.5, 0.0]  # so a kernel that changes its argument in place is found out


def test_what_numpy_cannot_hold_or_torch_cannot_take_is_an_error(loader: Direct) -> None:
    with pytest.raises(TypeError, match="BFloat16"):
        subject(loader, "numpy")(X.bfloat16(), 1)
    write(loader, "import numpy as np\ndef f(x, k):\n    return np.array([None]), 1\n")
    with pytest.raises(TypeError, match="object_"):
        subject(loader, "numpy", target="more:f")(X, 1)


def test_lists_and_mappings_of_numbers_pass_as_they_are(loader: Direct) -> None:
    write(loader, "def f(x, k):\n    return [type(item).__name__ for item in x], k\n")
    call = subject(loader, "numpy", target="more:f")
    assert call([X, 1, "a"], {"b": 2.5}) == (["ndarray", "int", "str"], {"b": 2.5})
    assert np.float32(1).item() == 1.0


# --- commands: see also test_port.py


def test_the_files_of_a_command_are_watched_while_it_is_judged(loader: Direct) -> None:
    subject(loader, "port")
    assert [Path(file).name for file in loader.remembered] == ["product.py", "scale.py"]
