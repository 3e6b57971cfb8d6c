"""A project of one kernel bound in every way there is: function, method, module, numpy, and two other processes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

BINDING = "contracts/binding.yaml"
ROW = "  - {contract: scale-v1, equation: scale, name: NAME, MORE}\n"
WHY = "not_applicable: {gradient: NAME has no automatic differentiation}"
WAYS = {
    "torch": 'default: true, target: "kernels:scale"',
    "method": 'adapter: method, target: "objects:Scaler.scale", factory: "factories:scaler"',
    "module": 'adapter: module, target: "objects:Scale"',
    "numpy": f'adapter: numpy, requires: [numpy], target: "arrays:scale", {WHY}',
    "port": f"adapter: command, command: [python, ports/scale.py], {WHY}",
    "flat": f"adapter: command, exchange: aprt, command: [python, ports/flat.py], {WHY}",
}

FILES = {
    "pyproject.toml": "[tool.pv]\n",
    "contracts/scale-v1.yaml": """\
schema: pv/contract-v1
metadata: {version: 1.0.0, description: a kernel}
equations:
  scale:
    formula: scale(x, k) = (k x, n)
    domain: x in ℝ^n within ±100, k in 0 … 9
    codomain: ℝ^n × ℕ
    dimensions: {n: {min: 1, max: 4}}
    arguments:
      x: {type: tensor, dtype: [float32], shape: [n], range: {min: -100, max: 100}, strata: [ordinary]}
      k: {type: integer, range: {min: 0, max: 9}}
    returns:
      y: {type: tensor, like: x, shape: [n]}
      count: {type: integer}
    invariants:
      - {id: product, statement: the result is k times x and how many values x has, holds: exact}
      - {id: rejects, statement: a negative k raises ValueError naming it, holds: exact, about: error}
      - {id: gradient, statement: the gradient of the sum of k x is k everywhere, holds: exact, about: gradient}
falsification_tests:
  - id: FALSIFY-S-001
    binds_to: [scale/product]
    rule: every value is multiplied
    prediction: scale(x, k) is what torch makes of k x, and the length of x
    if_fails: look at the kernel
  - id: FALSIFY-S-002
    binds_to: [scale/rejects]
    rule: a negative factor is refused
    prediction: k from −12 to −1 raises ValueError with k in its text
    if_fails: look at the check of k
  - id: FALSIFY-S-003
    binds_to: [scale/gradient]
    rule: it can be trained through
    prediction: autograd of the sum gives k for every entry of x
    if_fails: look for detach
""",
    "falsifiers/scale.py": """\
import torch
from hypothesis import strategies as st
from pv import Case, falsifier, fault


@falsifier("FALSIFY-S-001")
def is_the_product(subject, case, check):
    y, count = subject(*case)
    check.equal(y, case.k * case.x)
    check.equal(count, len(case.x))


@fault("scale/product")
def one_more(output, case):
    return output[0] + 1, output[1]


NEGATIVE = st.integers(-12, -1).map(lambda k: Case(x=torch.ones(2), k=k))


@falsifier("FALSIFY-S-002", cases=NEGATIVE, because="a negative k is outside the domain")
def is_refused(subject, case, check):
    check.raises(ValueError, subject, *case, naming=[case.k])


@fault("scale/rejects")
def taken_as_it_comes(subject, case):
    try:
        return subject(*case)
    except ValueError:
        return subject(case.x, 0)


@falsifier("FALSIFY-S-003")
def the_gradient_is_the_factor(subject, case, check):
    leaf = case.x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(subject(leaf, case.k)[0].sum(), leaf)
    check.equal(gradient, float(case.k))


@fault("scale/gradient")
def half_of_it(output, case):
    return 0.5 * output[0] + 0.5 * output[0].detach(), output[1]
""",
    "kernels.py": """\
def scale(x, k):
    if k < 0:
        raise ValueError(f"k is {k}; at least 0 is needed")
    return k * x, len(x)
""",
    "objects.py": """\
import torch

from kernels import scale


class Scaler:
    def __init__(self, one):
        self.one = one

    def scale(self, x, k):
        return scale(x, self.one * k)


class Scale(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = torch.nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, values, times):
        scaled, count = scale(values, times)
        return self.one * scaled, count
""",
    "factories.py": """\
from pathlib import Path

from objects import Scaler


def scaler():
    return Scaler(int(Path("one.txt").read_text()))
""",
    "one.txt": "1",
    "arrays.py": """\
import numpy as np


def scale(x, k):
    if k < 0:
        raise ValueError(f"k is {k}; at least 0 is needed")
    return k * x, np.int64(x.size)
""",
    "ports/scale.py": """\
import json
import sys

from product import scaled
from safetensors.numpy import load_file, save_file

for line in sys.stdin:
    call = json.loads(line)
    k = call["arguments"]["k"]
    if k < 0:
        print(json.dumps({"error": "ValueError", "message": f"k is {k}; at least 0 is needed"}), flush=True)
        continue
    x = load_file(call["in"])["x"]
    save_file({"y": scaled(x, k)}, call["out"])
    print(json.dumps({"ok": True, "count": x.size}), flush=True)
""",
    "ports/product.py": "def scaled(x, k):\n    return k * x\n",
    "ports/flat.py": """\
import json
import struct
import sys
from pathlib import Path

for line in sys.stdin:
    call = json.loads(line)
    k = call["arguments"]["k"]
    if k < 0:
        print(json.dumps({"error": "ValueError", "message": f"k is {k}; at least 0 is needed"}), flush=True)
        continue
    data = Path(call["in"], "x.aprt").read_bytes()
    magic, layer, n = struct.unpack_from("<4sII", data)
    numbers = struct.pack(f"<{n}f", *(k * x for x in struct.unpack_from(f"<{n}f", data, 12)))
    Path(call["out"], "y.aprt").write_bytes(struct.pack("<4sII", magic, layer, n) + numbers)
    print(json.dumps({"ok": True, "count": n, "shapes": {"y": call["shapes"]["x"]}}), flush=True)
""",
}


def bindings(*names: str, **changed: str) -> str:
    """The text of a binding file with the subjects `names` (all, where none is named), and others or changed ones."""
    ways = {name: way for name, way in WAYS.items() if not names or name in names} | changed
    rows = (ROW.replace("MORE", way).replace("NAME", name) for name, way in ways.items())
    return "schema: pv/binding-v1\nbindings:\n" + "".join(rows)


def write_project(root: Path, changes: Mapping[str, str] | None = None, *names: str, **changed: str) -> Path:
    """The files of `FILES`, with `changes` in their place, and `bindings(*names, **changed)`, below `root`."""
    for name, text in {**FILES, BINDING: bindings(*names, **changed), **(changes or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
