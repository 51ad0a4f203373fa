"""One spelling for many: Unicode, spacing macros, math delimiters and stray punctuation, before anything is read.

Pure text to text and linear in the length. It never removes a brace, a bracket or a sign: those carry meaning.
"""

import re

SYMBOLS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "×": "\\times ", "·": "\\cdot ", "⋅": "\\cdot ", "∙": "\\cdot ",
    "÷": "\\div ", "∕": "/", "√": "\\sqrt ", "∛": "\\sqrt[3]", "π": "\\pi ", "∞": "\\infty ", "≤": "\\le ",
    "⩽": "\\le ", "≥": "\\ge ", "⩾": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "±": "\\pm ", "∓": "\\mp ",
    "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "∉": "\\notin ", "∅": "\\emptyset ", "ø": "\\emptyset ",
    "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}", "ℂ": "\\mathbb{C}",
    "°": "\\degree ", "º": "\\degree ", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"', "∠": "\\angle ",
    "△": "\\triangle ", "⌊": "\\lfloor ", "⌋": "\\rfloor ", "⌈": "\\lceil ", "⌉": "\\rceil ", "⟨": "\\langle ",
    "⟩": "\\rangle ", "…": "...", "∶": ":", "、": ",", "。": ".", "→": "\\to ", "⇒": "\\Rightarrow ", "⁄": "/",
    "α": "\\alpha ", "β": "\\beta ", "γ": "\\gamma ", "δ": "\\delta ", "ε": "\\epsilon ", "θ": "\\theta ",
    "λ": "\\lambda ", "μ": "\\mu ", "µ": "\\mu ", "ρ": "\\rho ", "σ": "\\sigma ", "τ": "\\tau ", "φ": "\\phi ",
    "ω": "\\omega ", "Ω": "\\Omega ", "Δ": "\\Delta ", "¢": "\\text{cents}", "∨": "\\lor ", "∧": "\\land ",
}  # fmt: skip
FRACTIONS = dict(zip("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞", "12 13 23 14 34 15 25 35 45 16 56 18 38 58 78".split(), strict=True))
FULLWIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
TABLE = str.maketrans(
    {**SYMBOLS, **{c: f"\\frac{{{d[0]}}}{{{d[1]}}}" for c, d in FRACTIONS.items()}, "　": " ", "\u00a0": " ",
     "\u2009": " ", "\u202f": " ", "\u200b": "", "\u2061": "", "\ufeff": ""}
) | FULLWIDTH  # fmt: skip
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣ"
LOWERED = "₀₁₂₃₄₅₆₇₈₉"
RAISED_TABLE = str.maketrans(RAISED, "0123456789+-nx")
LOWERED_TABLE = str.maketrans(LOWERED, "0123456789")

REWRITES = [
    (re.compile(rf"[{RAISED}]+"), lambda m: "^{" + m[0].translate(RAISED_TABLE) + "}"),
    (re.compile(rf"[{LOWERED}]+"), lambda m: "_{" + m[0].translate(LOWERED_TABLE) + "}"),
    (re.compile(r",\\! ?"), ","),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\(?:[dtc]frac|cfrac|nicefrac|sfrac)(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\[dt]binom(?![A-Za-z])"), r"\\binom"),
    (re.compile(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\.?"), ""),
    (re.compile(r"\\(?:displaystyle|textstyle|limits|nolimits|rm|bf|mathstrut|centering)(?![A-Za-z])"), ""),
    (re.compile(r"\\(?:h|v|)phantom\{[^{}]*\}|\\(?:hspace|vspace|kern|label|tag)\*?\{[^{}]*\}"), ""),
    (re.compile(r"\\!"), ""),
    (re.compile(r"\\\\ ?\[ ?-?[\d.]+ ?(?:ex|pt|em|mm|cm) ?\]"), r"\\\\ "),
    (re.compile(r"(?<=\d) ?[xX] ?(?=10 ?\^)"), r"\\times "),
    (re.compile(r"\bRs\.? ?(?=\d)|\\textdollar(?![A-Za-z])"), r"\\dollar "),
    (re.compile(r"\\triangle(?![A-Za-z])"), r"\\Delta "),
    (re.compile(r"(?<!\\)\\(?:[,;:> ]|q?quad(?![A-Za-z])|thinspace(?![A-Za-z])|space(?![A-Za-z]))|~|[\n\t\r]"), " "),
    (re.compile(r"\^ ?\{ ?\\circ ?\}|\^ ?\\circ(?![A-Za-z])|\\degrees?(?![A-Za-z])|\\textdegree"), r"\\degree "),
    (re.compile(r"\^ ?\{? ?\\(?:text|mathrm) ?\{ ?o ?\} ?\}?"), r"\\degree "),
    (re.compile(r"\^ ?\{? ?\\(?:text|mathrm) ?\{ ?(?:th|st|nd|rd) ?\} ?\}?|\\text\{[ .,;]*\}"), ""),
    (re.compile(r"\b(sq|cu)\. ?(?=[a-z])"), r"\1 "),
    (re.compile(r"\^ ?\{ ?\\prime ?\}|\^ ?\\prime(?![A-Za-z])"), "'"),
    (re.compile(r"\\(?:leq|leqslant|leqq)(?![A-Za-z])"), r"\\le "),
    (re.compile(r"\\(?:geq|geqslant|geqq)(?![A-Za-z])"), r"\\ge "),
    (re.compile(r"\\neq(?![A-Za-z])|\\not ?="), r"\\ne "),
    (re.compile(r"\\(?:lbrace|lbrack|rbrace|rbrack)(?![A-Za-z])"), lambda m: {"ce": "\\{", "ck": "["}[m[0][-2:]]
     if m[0][1] == "l" else {"ce": "\\}", "ck": "]"}[m[0][-2:]]),
    (re.compile(r"\\(?:varnothing|O)(?![A-Za-z])"), r"\\emptyset "),
    (re.compile(r"(?<!\\)\\[()\[\]]"), " "),
    (re.compile(r"[ ]{2,}"), " "),
]  # fmt: skip
LOOSE_SPACE = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")


def tidy(text: str) -> str:
    """`text` in the one spelling that lexer.py reads. The dollar sign survives only where it is money."""
    text = text.translate(TABLE)
    for pattern, new in REWRITES:
        text = pattern.sub(new, text)
    return trim(dollars(text))


def dollars(text: str) -> str:
    """Drop math delimiters; an escaped dollar, or one without a partner, is currency."""
    plain = text.replace("\\$", "\\dollar ")
    if plain.count("$") == 1 and plain.strip().startswith("$") and plain.strip()[1:2].isdigit():
        plain = plain.replace("$", "\\dollar ")
    return plain.replace("$", " ")


def trim(text: str) -> str:
    """Without markdown emphasis around it and punctuation after it. Factorials and ellipses stay."""
    before = None
    while before != text:
        before = text
        text = text.strip().lstrip(":").strip()
        if len(text) > 4 and text.startswith("**") and text.endswith("**"):
            text = text[2:-2]
        if text.endswith(("\\\\", "\\ ")):
            text = text[:-2]
        if text and text[-1] in ".,;:" and not text.endswith("..."):
            text = text[:-1]
    return text


def key(tidied: str) -> str:
    """What two tidied answers must share to be the same text: everything but spaces that part nothing."""
    return LOOSE_SPACE.sub("", tidied)
