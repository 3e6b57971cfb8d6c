"""`pv equations`: everything an equation says, as text and as LaTeX that closes what it opens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran
from latex import problems

Pv = Callable[..., Ran]
OWN = ROOT / "contracts/microgpt-v1.yaml"


def test_text_says_all_that_an_equation_says(tmp_path: Path, pv: Pv) -> None:
    pv("init", tmp_path)
    ran = pv("equations", "contracts/soft-cap-v1.yaml", cwd=tmp_path)
    assert (ran.exit, ran.out) == (0, TEXT)
    assert pv("equations", "soft-cap-v1", cwd=tmp_path).out == TEXT


TEXT = """\
soft_cap  contracts/soft-cap-v1.yaml:9:3
  formula     soft_cap(x) = 30 · tanh(x / 30)
  domain      x in ℝ^n, finite
  codomain    [−30, 30]^n
  dimensions  n  1 … 16
  arguments   x  tensor float32 or float64 [n]; strata ordinary, huge, zeros, size_one
  returns     capped  tensor like x [n], at least −30, at most 30
  invariants  capped  (exact) no entry is beyond ±30, however large x is
              formula  (bounded) every entry is the formula evaluated in float64; tolerance float32: 1e-37 +
              1e-6 · |expected|, float64: 1e-300 + 4e-15 · |expected|

1 equation, 2 invariants
"""


def test_latex_of_every_contract_at_hand_is_a_sound_body(pv: Pv) -> None:
    ran = pv("equations", OWN, "--format", "latex")
    assert (ran.exit, problems(ran.out)) == (0, [])
    assert ran.out.count(r"\begin{description}") == len(
        re.findall(r"^  \w+:\n    formula", OWN.read_text("utf-8"), re.M)
    )
    assert r"x[k] / \sqrt{\operatorname{mean}(x[k]^{2}) + \varepsilon}" in ran.out
    assert r"\mathbb{R}^{n \times E}" in ran.out


SPECIAL = r"f(x) = 50% & #1 $x$ \emph{no} ~ a_b x_{i} ^ é 漢 \\ { } ∈ ∞ ¶"


def test_what_is_special_to_latex_stays_what_it_is(tmp_path: Path, pv: Pv) -> None:
    text = OWN.read_text(encoding="utf-8").replace('codomain: "{0, 1}^(n × C)"', f"codomain: '{SPECIAL}'")
    path = tmp_path / "special_50%-v1.yaml"
    path.write_text(text, encoding="utf-8")
    ran = pv("equations", path, "--format", "latex", cwd=tmp_path)
    assert (ran.exit, problems(ran.out)) == (0, [])
    assert r"50\% \& \#1 \$x\$" in ran.out
    assert r"\text{é} \text{漢}" in ran.out
    assert r"\text{¶}" in ran.out
    assert r"\emph" not in ran.out
    assert r"special\_50\%-v1" in ran.out


@pytest.mark.parametrize("form", ["text", "latex"])
def test_what_cannot_be_read_is_said_and_not_printed(tmp_path: Path, pv: Pv, form: str) -> None:
    (tmp_path / "broken-v1.yaml").write_text("schema: pv/contract-v1\nequations: [\n", encoding="utf-8")
    for name, code, said in (
        ("broken-v1.yaml", 1, "pv validate broken-v1.yaml"),
        ("missing-v1.yaml", 2, "there is no file 'missing-v1.yaml'"),
        (".", 2, "there is no file '.'"),
    ):
        ran = pv("equations", name, "--format", form, cwd=tmp_path)
        assert (ran.exit, said in ran.err, ran.out) == (code, True, ""), name
    ran = pv("equations", "microgtp-v1")
    assert (ran.exit, "microgpt-v1" in ran.err) == (2, True)
