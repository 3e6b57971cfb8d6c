"""LaTeX of what contracts say: sound whatever is written, and the mathematics that was meant."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from latex import problems

from pv.report.signs import ESCAPES, MATH, SUBSCRIPT, SUPERSCRIPT, TEXT
from pv.report.tex import escape, tex

SIGNS = "".join({**MATH, **TEXT, **SUPERSCRIPT, **SUBSCRIPT, **ESCAPES})


@pytest.mark.parametrize(("written", "expected"), [
    ("√(x² + ε)", r"$\sqrt{x^{2} + \varepsilon}$"),
    ("√4 · √E", r"$\sqrt{4} \cdot \sqrt{E}$"),
    ("x ∈ ℝ^(n × E), finite", r"$x \in \mathbb{R}^{n \times E}$, finite"),
    ("Σ_d exp(x[k, d])", r"$\sum_{d} \exp (x[k, d])$"),
    ("q_h k_hᵀ", r"$q_{h} k_{h}^{T}$"),
    ("(1 − β₁ᵗ)", r"$(1 - \beta_{1}^{t})$"),
    ("one_hot(i, C) = 1 if c = i", r"$\operatorname{one\_hot}(i, C) = 1$ if $c = i$"),
    ("1e-5, −1e9, 2.4e-7, 4,192", r"$10^{-5}$, $-10^{9}$, $2.4 \times 10^{-7}$, $4{,}192$"),
    ("x^-1, x^(if y), x^*", r"$x^{-1}$, $x^{\text{if}\ y}$, $x^{*}$"),
    ("m_{t−1}, x_max", r"$m_{t-1}$, $x_{\mathrm{max}}$"),
    ("all (but one) of a row", "all (but one) of a row"),
    ("bit-for-bit, a–z, C−1", r"bit-for-bit, $a$--$z$, $C-1$"),
    ("50% & #1 {a}", r"$50\% \& \#1 \{a\}$"),
    ("naïve 漢", r"na\text{ï}ve \text{漢}"),
    ("x²^3", r"$x^{2}{}^{3}$"),
    ("^ and _ alone", r"\textasciicircum{} and \_ alone"),
])  # fmt: skip
def test_what_is_meant_is_what_is_set(written: str, expected: str) -> None:
    assert tex(written) == expected
    assert problems(expected) == []


@given(st.text(st.sampled_from(SIGNS + "abx12 ()é漢") | st.characters(), max_size=60))
@example("√(" * 40 + "x" + ")" * 40)
@example("^" * 50)
@example("x" + "^(y" * 40)
@example("^_^__²₁²")
@example("$$$")
def test_whatever_is_written_gives_sound_latex(text: str) -> None:
    assert problems(tex(text)) == [], tex(text)
    assert problems(escape(text)) == [], escape(text)


def test_every_sign_of_the_tables_is_ascii_alone_and_in_company() -> None:
    for sign in SIGNS:
        assert tex(sign).isascii(), sign
        assert problems(tex(f"x{sign}y")) == [], sign


def test_a_long_formula_is_set_as_well() -> None:
    for text in ("√(" * 50_000, "^" * 50_000, "(word " * 50_000, "√(" * 20_000 + ")" * 20_000):
        assert problems(tex(text)) == []


@pytest.mark.parametrize(("broken", "problem"), [
    ("{", "a brace is left open"),
    ("}", "a brace is closed that was not opened"),
    ("$x", "a dollar is left open"),
    ("$$x$", "display mathematics"),
    ("a_b", "a raw _"),
    ("$x^2$", "^ without a group"),
    ("$x^{2}_{1}^{3}$", "a second ^ on one atom"),
    ("$x^{2} ^{3}$", "a second ^ on one atom"),
    ("50 % and #", "a raw %"),
    ("$é$", "a raw é"),
    ("é", "a raw é"),
    (r"\leq", r"\leq outside of mathematics"),
    (r"$\text{\leq}$", r"\leq outside of mathematics"),
    (r"\begin{a}\begin{b}\end{a}\end{b}", "a is ended where it was not begun"),
    (r"\begin{a}", "a is not ended"),
])  # fmt: skip
def test_the_reader_sees_what_is_broken(broken: str, problem: str) -> None:
    assert problem in problems(broken)
