"""How LaTeX writes the signs that contracts are written with: one table a mode, and what attaches to what precedes it."""

from __future__ import annotations

# Commands end with a space, so that a letter may follow. Σ and Π are sum and product: contracts write no other.
MATH = {
    **{sign: sign for sign in "+-*/=<>|!()[]"},
    "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$", "~": r"\sim ", "\\": r"\backslash ",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\varepsilon ", "ϵ": r"\epsilon ",
    "ζ": r"\zeta ", "η": r"\eta ", "θ": r"\theta ", "ϑ": r"\vartheta ", "ι": r"\iota ", "κ": r"\kappa ",
    "λ": r"\lambda ", "μ": r"\mu ", "µ": r"\mu ", "ν": r"\nu ", "ξ": r"\xi ", "ο": "o", "π": r"\pi ",
    "ρ": r"\rho ", "σ": r"\sigma ", "ς": r"\varsigma ", "τ": r"\tau ", "υ": r"\upsilon ", "φ": r"\varphi ",
    "ϕ": r"\phi ", "χ": r"\chi ", "ψ": r"\psi ", "ω": r"\omega ",
    "Γ": r"\Gamma ", "Δ": r"\Delta ", "∆": r"\Delta ", "Θ": r"\Theta ", "Λ": r"\Lambda ", "Ξ": r"\Xi ",
    "Φ": r"\Phi ", "Ψ": r"\Psi ", "Ω": r"\Omega ",
    "Σ": r"\sum ", "∑": r"\sum ", "Π": r"\prod ", "∏": r"\prod ", "∫": r"\int ", "∂": r"\partial ", "∇": r"\nabla ",
    "ℝ": r"\mathbb{R}", "ℕ": r"\mathbb{N}", "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "𝔼": r"\mathbb{E}", "𝔽": r"\mathbb{F}", "ℙ": r"\mathbb{P}", "𝟙": r"\mathbf{1}", "ℓ": r"\ell ",
    "ℒ": r"\mathcal{L}", "𝒩": r"\mathcal{N}", "ℋ": r"\mathcal{H}",
    "∈": r"\in ", "∉": r"\notin ", "∋": r"\ni ", "⊂": r"\subset ", "⊆": r"\subseteq ", "⊃": r"\supset ",
    "⊇": r"\supseteq ", "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "∀": r"\forall ",
    "∃": r"\exists ", "¬": r"\neg ", "∧": r"\wedge ", "∨": r"\vee ", "⊤": r"\top ", "⊥": r"\bot ",
    "≤": r"\leq ", "≥": r"\geq ", "≠": r"\neq ", "≈": r"\approx ", "≡": r"\equiv ", "∼": r"\sim ", "≃": r"\simeq ",
    "∝": r"\propto ", "≪": r"\ll ", "≫": r"\gg ", "≺": r"\prec ", "≻": r"\succ ", "≔": r"\mathrel{:=}",
    "−": "-", "±": r"\pm ", "∓": r"\mp ", "×": r"\times ", "÷": r"\div ", "·": r"\cdot ", "⋅": r"\cdot ",
    "∙": r"\bullet ", "•": r"\bullet ", "∗": r"\ast ", "∘": r"\circ ", "⊙": r"\odot ", "⊗": r"\otimes ",
    "⊕": r"\oplus ", "⊖": r"\ominus ", "⋆": r"\star ", "†": r"\dagger ",
    "→": r"\to ", "←": r"\leftarrow ", "↔": r"\leftrightarrow ", "⇒": r"\Rightarrow ", "⇐": r"\Leftarrow ",
    "⇔": r"\Leftrightarrow ", "↦": r"\mapsto ", "↑": r"\uparrow ", "↓": r"\downarrow ", "⟶": r"\longrightarrow ",
    "∞": r"\infty ", "…": r"\ldots ", "⋯": r"\cdots ", "⋮": r"\vdots ", "⋱": r"\ddots ",
    "‖": r"\|", "∥": r"\parallel ", "∣": r"\mid ", "⟨": r"\langle ", "⟩": r"\rangle ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
    "½": r"\tfrac{1}{2}", "¼": r"\tfrac{1}{4}", "¾": r"\tfrac{3}{4}", "⅓": r"\tfrac{1}{3}", "√": r"\surd ",
}  # fmt: skip

TEXT = {
    **{sign: sign for sign in ".,;:?'\"`@"},
    "–": "--", "—": "---", "‐": "-", "’": "'", "‘": "`", "“": "``", "”": "''", "§": r"\S{}", "°": r"$^{\circ}$",
    "^": r"\textasciicircum{}", "_": r"\_",
}  # fmt: skip

ESCAPES = {
    **{sign: rf"\{sign}" for sign in "{}&%#$_"},
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip

SUPERSCRIPT = dict(
    zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵃᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ", "0123456789+-=()niabcdefghjklmoprstuvwxyzT", strict=True)
) | {"′": r"\prime ", "″": r"\prime \prime ", "ᵝ": r"\beta ", "ᵞ": r"\gamma "}

SUBSCRIPT = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-=()aehijklmnoprstuvx", strict=True)) | {
    "ᵦ": r"\beta "
}

_FUNCTIONS = """
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd inf ker lg lim ln log max min sec sin sinh sup tan tanh
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Those that TeX knows."""
