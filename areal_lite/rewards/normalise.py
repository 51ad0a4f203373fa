"""One spelling for many: Unicode, spacing macros, math delimiters and stray punctuation, before anything is read.

Pure text to text and linear in the length. It never removes a brace, a bracket or a sign: those carry meaning.
"""

import re
import unicodedata

from areal_lite.rewards.extract import matching
from areal_lite.rewards.units import WORDS as UNIT_WORDS
from areal_lite.rewards.vocabulary import COMMANDS, FUNCTIONS, UNIT_LETTERS

SYMBOLS = {"−": "-", "–": "-", "—": "-", "‐": "-", "×": "\\times ", "·": "\\cdot ", "⋅": "\\cdot ", "∙": "\\cdot ",
           "÷": "\\div ", "∕": "/", "√": "\\sqrt ", "∛": "\\sqrt[3]", "∜": "\\sqrt[4]", "∑": "\\sum ", "∏": "\\prod ",
           "∫": "\\int ", "∖": "\\setminus ", "∣": "|", "≡": "\\equiv ", "≅": "\\cong ", "π": "\\pi ", "∞": "\\infty ",
           "≤": "\\le ", "⩽": "\\le ", "≥": "\\ge ", "⩾": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "±": "\\pm ", "∓": "\\mp ",
           "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "∉": "\\notin ", "∅": "\\emptyset ", "ø": "\\emptyset ",
           "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}", "ℂ": "\\mathbb{C}",
           "°": "\\degree ", "º": "\\degree ", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"', "∠": "\\angle ",
           "△": "\\triangle ", "⌊": "\\lfloor ", "⌋": "\\rfloor ", "⌈": "\\lceil ", "⌉": "\\rceil ", "⟨": "\\langle ",
           "⟩": "\\rangle ", "…": "...", "∶": ":", "、": ",", "。": ".", "→": "\\to ", "⇒": "\\Rightarrow ", "⁄": "/",
           "µ": "\\mu ", "‰": "\\text{permille}", "`": "", "¢": "\\text{cents}", "∨": "\\lor ", "∧": "\\land ",
           **{c: f"\\{name} " for c, name in zip("αβγδεθλμρστφω",
           ( "alpha beta gamma delta epsilon theta lambda mu rho sigma tau phi omega").split(), strict=True)},
           "Ω": "\\Omega ", "Δ": "\\Delta "}  # fmt: skip
FRACTIONS = {c: "\\frac{{{}}}{{{}}}".format(*unicodedata.normalize("NFKC", c).split("⁄"))
             for c in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}  # fmt: skip
STYLED = {code: SYMBOLS.get(unicodedata.normalize("NFKC", chr(code)), unicodedata.normalize("NFKC", chr(code)))
          for part in ((0x1D400, 0x1D800), (0xFF01, 0xFF5F), (0xFE50, 0xFE6C)) for code in range(*part)}  # fmt: skip
"""Mathematical alphanumerics, full-width and small forms."""
SPACES = {chr(code): " " for code in (0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)}
INVISIBLE = {chr(code): "" for code in (*range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF)}
TABLE = STYLED | str.maketrans({**SPACES, **INVISIBLE, **FRACTIONS, **SYMBOLS})
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿˣⁱᵃᵇᵏᵐᵗ"
LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙₓᵢₐₖₘₜ"
RAISED_TABLE = str.maketrans(RAISED, "0123456789+-()nxiabkmt")
LOWERED_TABLE = str.maketrans(LOWERED, "0123456789+-()nxiakmt")

TWINS = {**dict.fromkeys(("dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"), "\\frac"), **dict.fromkeys(("dbinom", "tbinom"),
         "\\binom"), **dict.fromkeys(("leq", "leqslant", "leqq"), "\\le "), **dict.fromkeys(("geq", "geqslant", "geqq"),
         "\\ge "), "neq": "\\ne ", **dict.fromkeys(("ldots", "cdots", "dots", "dotsc", "dotsb"), "..."),
         **dict.fromkeys(("varnothing", "O"), "\\emptyset "), **dict.fromkeys(("textdollar", "mathdollar"), "\\dollar "),
         "triangle": "\\Delta ", "lbrace": "\\{", "rbrace": "\\}", "lbrack": "[", "rbrack": "]", "colon": ":"}  # fmt: skip
MOD = r"(?:\\b?mod(?![a-z])|\\(?:text|mathrm|operatorname) ?\{ ?mod ?\}|(?<![A-Za-z\\{])mod(?![A-Za-z}]))"
REWRITES = [
    (re.compile(rf"([{RAISED}]{{1,9}})/([{LOWERED}]{{1,9}})"),
     lambda m: f"\\frac{{{m[1].translate(RAISED_TABLE)}}}{{{m[2].translate(LOWERED_TABLE)}}}"),
    (re.compile(rf"[{RAISED}]+"), lambda m: "^{" + m[0].translate(RAISED_TABLE) + "}"),
    (re.compile(rf"[{LOWERED}]+"), lambda m: "_{" + m[0].translate(LOWERED_TABLE) + "}"),
    (re.compile(r",\\! ?"), ","),
    (re.compile(r"\{, ?\}"), ","),
    (re.compile(rf"(?<!\\)\\\\(?=(?:{'|'.join(COMMANDS)})(?![A-Za-z]))"), r"\\"),
    (re.compile(rf"\\({'|'.join(TWINS)})(?![A-Za-z])"), lambda m: TWINS[m[1]]),
    (re.compile(r"\\not ?="), r"\\ne "),
    (re.compile(r"\\begin\{(align|aligned|split|gathered)\*?\}([^&]*(?:&[^&]*){0,20})\\end\{\1\*?\}"),
     lambda m: m[2].replace("&", "").replace("\\\\", ", ")),
    (re.compile(r"\\(?:text)?color ?\{[a-zA-Z]+\}"), ""),
    (re.compile(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\.?"), ""),
    (re.compile(r"\\(?:displaystyle|textstyle|[lL]arge|small|normalsize|limits|nolimits|rm|bf|mathstrut|centering)(?![A-Za-z])"), ""),
    (re.compile(r"\\(?:h|v|)phantom\{[^{}]*\}|\\(?:hspace|vspace|kern|label|tag)\*?\{[^{}]*\}"), ""),
    (re.compile(r"\\!|\\(?:checkmark|blacksquare|square|Box|qed)(?![A-Za-z])|(?<![\\^_A-Za-z{}\]])\{ ?\}(?!\{)"), ""),
    (re.compile(r"\\\\ ?\[ ?-?[\d.]+ ?(?:ex|pt|em|mm|cm) ?\]"), r"\\\\ "),
    (re.compile(r"(?<=\d) ?[xX] ?(?=10 ?\^)"), r"\\times "),
    (re.compile(r"\bRs\.? ?(?=\d)"), "₹ "),
    (re.compile(r"(?<![\d.,'])\d{1,3}(?:['_]\d{3})+(?![\d'])|(?<![\d.])\d{1,3}(?:\.\d{3}){2,}(?![\d.])"),
     lambda m: re.sub(r"[.'_]", "", m[0])),
    (re.compile(r"(?<=\d)\\(?:mathrm|text) ?\{[eE]\}(?=[+-]?\d)"), "e"),
    (re.compile(r"\+ ?/ ?-"), r"\\pm "),
    (re.compile(r"\\#(?= ?\d)|(?<=\d)\^? ?\{?(?:th|st|nd|rd)(?![A-Za-z])\}?"), ""),
    (re.compile(r"(?<=\\mathbb\{R\}) ?- ?(?=\\\{)"), r"\\setminus "),
    (re.compile(r"\\mathbb ?\{?R\}? ?(?:\^ ?\{? ?\+ ?\}?|_ ?\{ ?> ?0 ?\}|_ ?\+)"), r"(0,\\infty)"),
    (re.compile(r"((?<!\\),[^()\[\],]{1,40}[)\]]) ?[Uu] ?(?=[(\[][^()\[\]]{1,40},)"), r"\1\\cup "),
    (re.compile(r"=<"), r"\\le "), (re.compile(r"(?<=[A-Za-z]) ?=> ?(?=-?\d)"), r"\\ge "),
    (re.compile(r"^([a-z]) in (?=[\[({\\])"), r"\1 \\in "),
    (re.compile(rf"\( ?(?:{MOD}|\\pmod(?![a-z])) ?([^()]{{1,20}})\)|\\pmod ?(\w)"), lambda m: f"\\pmod{{{m[1] or m[2]}}}"),
    (re.compile(MOD), r"\\bmod "),
    (re.compile(r"(?<=[\dA-F]) ?\(? ?(?:\\text ?\{)? ?(?:in )?base[ -]?\}? ?(\w+) ?\}? ?\)?$"), r"_{\1}"),
    (re.compile(r"\\mathbb ([A-Z])|\\mathbf ?\{([RZQ])\}"), lambda m: f"\\mathbb{{{m[1] or m[2]}}}"),
    (re.compile(r"\\dot ?\{?(\d)\}?(\d*)\\dot ?\{?(\d)\}?"), r"\\overline{\1\2\3}"),
    (re.compile(r"(?<=[\d)\]}])(?:and|or)(?=[A-Z(\\\d])"), lambda m: f" {m[0]} "),
    (re.compile(rf"\\(?:operatorname\*? ?\{{ ?({'|'.join(sorted(FUNCTIONS))})|(?:text|mathrm) ?\{{ ?(cis|lcm|gcd|ln|log)) ?\}}"),
     lambda m: f"\\{m[1] or m[2]} "),
    (re.compile(r"(?<=[\w})\]]) ?\\q?quad ?(?=[A-Za-z](?:_\{?\w+\}?)? ?(?:=|\\in|[<>]))"), ", "),
    (re.compile(r"(?<!\\)\\(?:[,;:> ]|q?quad(?![A-Za-z])|thinspace(?![A-Za-z])|space(?![A-Za-z]))|~|[\n\t\r]"), " "),
    (re.compile(r"\^ ?\{ ?\\circ ?\}|\^ ?\\circ(?![A-Za-z])|\\degrees?(?![A-Za-z])|\\textdegree"), r"\\degree "),
    (re.compile(r"\^ ?\{? ?\\(?:text|mathrm) ?\{ ?o ?\} ?\}?"), r"\\degree "),
    (re.compile(r"\^ ?\{? ?\\(?:text|mathrm) ?\{ ?(?:th|st|nd|rd) ?\} ?\}?|\\text\{[ .,;]*\}"), ""),
    (re.compile(r"\b(sq|cu)\. ?(?=[a-z])"), r"\1 "),
    (re.compile(r"\^ ?\{ ?\\prime ?\}|\^ ?\\prime(?![A-Za-z])"), "'"),
    (re.compile(r"(?<!\\)\\[()\[\]]"), " "),
    (re.compile(r"[ ]{2,}"), " "),
]  # fmt: skip


def _is_parameter(letter: str, before: str) -> bool:
    """k of 2k + 1, whose domain adds nothing; not the x of x > 3."""
    return letter in before and not re.search(rf"\b{letter} ?(?:[<>=]|\\[lgn]e)|[<>] ?{letter}", before)


WORD = r"\{ ?(?:\\(?:text|mathrm) ?\{)? ?([A-Za-z]+) ?\}? ?((?:\^ ?\{?\d\}?)?) ?\}?"
MONEY = r"(?:\\dollar |€|£)?"
UNIT = r"(?: ?\\?%| ?(?:\\(?:text|mathrm) ?\{)[^{}]*\}| [a-z]+)?"
BOUNDS = {"least": "\\ge ", "most": "\\le ", "more": "> ", "greater": "> ", "less": "< ", "fewer": "< "}
VARIANTS = [
    (re.compile(rf"^({MONEY}-?(?:\d+|(?:\d{{1,3}}\.)+\d{{3}})),(?=(?:\d{{1,2}}|\d{{4,}}){UNIT}$)|^({MONEY}-?0),(?=\d+{UNIT}$)"),
     lambda m: (m[1] or m[2]).replace(".", "") + "."),
    (re.compile(r"(?<=\d) ?(?:and|\\text ?\{ ?and ?\}) ?(?=\d+/\d|\\frac)"), " "),
    (re.compile(r"(?<=\d) ?(?:to|\\text ?\{ ?to ?\}) ?(?=\d)"), ":"),
    (re.compile(r"(?<=[a-z]) (?:and|,) (?=\d+ )"), " "),
    (re.compile(r"(?<=\d) ?(?:(?:in|out of|over)|\\text ?\{ ?(?:in|out of|over) ?\}) ?(?=\d)"), "/"),
    (re.compile(r"[ ,]*(?:\\text ?\{[ ,]*)?(?:for (?:all|any|every|each)(?![a-z])[^=<>\d]{1,60}"
                r"|where (?!.*(?:odd|even|prime|itive|ative|non|tinct))[^=<>\d]{1,40}(?:integer|constant|real|number)s?[ .})]*)$"), ""),
    (re.compile(r"(?:[,;( ]|\\text ?\{[ ,]*(?:where|for|with)[ ,]*\}|where|for(?: all)?)+ ?([A-Za-z]) ?\\in ?\\mathbb\{([ZNRQ])\}\)?$"),
     lambda m: "" if m[2] == "R" or _is_parameter(m[1], m.string[: m.start()]) else m[0]),
    (re.compile(r"(?:(?<![A-Za-z\\])(?:C|choose|binom)|\\mathrm ?\{C\}) ?\((\w+), ?(\w+)\)|(?:\{\})?[_^] ?\{?(\w+)\}? ?C_ ?\{?(\w+)\}?"
                r"|(?<![A-Za-z\\])C_ ?\{?(\w+)\}? ?\^ ?\{?(\w+)\}?|\b(\d+)C(\d+)\b"),
     lambda m: "\\binom{{{}}}{{{}}}".format(*filter(None, m.groups()))),
    (re.compile(r"\b(\d+)P(\d+)\b|(?<![A-Za-z\\])P ?\((\d+), ?(\d+)\)|(?:\{\})?[_^] ?\{?(\d+)\}? ?P_ ?\{?(\d+)\}?"),
     lambda m: "\\binom{{{0}}}{{{1}}}{1}!".format(*filter(None, m.groups()))),
    (re.compile(r"(?<=[\w}]) ?\\\\ ?(?=[a-zA-Z](?:_\w)? ?=)"), ", "),
    (re.compile(r"^(?:\\text ?\{ ?)?(at (?:least|most)|(?:more|greater|less|fewer) than) ?\}? ?(?=[-\d\\])"),
     lambda m: BOUNDS[m[1].removeprefix("at ").split()[0]]),
    (re.compile(r"(?<=\d) ?(mm|cm|km|m|in|ft|yd|mi)([23])$"), r" \1^\2"),
    (re.compile(r"^(?:\\text(?:bf)? ?\{ ?)?\([A-E]\) ?\}? ?(?=[-\d\\$(])"), ""),
    (re.compile(r"^(?:\\text ?\{ ?)?(?:the set of )?all real(?:s| numbers) (?:except|excluding|other than)(?: for)? ?\}? ?([^a-z]+)$"),
     r"\\mathbb{R}\\setminus \\{\1\\}"),
    (re.compile(r"(?<=[\d}]) ?\((?:\\text ?\{)? ?([a-z]{2,}) ?\}?\)$"),
     lambda m: f" \\text{{{m[1]}}}" if m[1] in UNIT_WORDS or len(m[1]) > 4 else m[0]),
    (re.compile(rf"(?<=[\d}}]) ?\\frac ?{WORD} ?{WORD}"),
     lambda m: f" \\text{{{m[1]}{m[2]}/{m[3]}{m[4]}}}" if all(
         w.lower() in UNIT_WORDS or w in UNIT_LETTERS for w in (m[1], m[3])) else m[0]),
]  # fmt: skip
MAX_VARIED = 400
"""Characters of a text that is looked at for other spellings."""
WORDED = re.compile(r"\\(?:text|textbf|textit|mathrm|mbox) ?\{ ?([^{}\\]*?) ?\}")
LOOSE_SPACE = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")


def tidy(text: str) -> str:
    """`text` in the one spelling that lexer.py reads. The dollar sign survives only where it is money."""
    text = text.translate(TABLE)
    for pattern, new in REWRITES:
        text = pattern.sub(new, text)
    return _trim(_dollars(text))


def _dollars(text: str) -> str:
    """Drop math delimiters; an escaped dollar, or one without a partner, is currency."""
    plain = text.replace("\\$", "\\dollar ")
    if plain.count("$") == 1 and plain.strip().startswith("$") and plain.strip()[1:2].isdigit():
        plain = plain.replace("$", "\\dollar ")
    return plain.replace("$", " ")


def _trim(text: str) -> str:
    """Without markdown emphasis around it and punctuation after it. Factorials and ellipses stay."""
    before = None
    while before != text:
        before = text
        text = text.strip().lstrip(":").strip()
        if len(text) > 4 and text.startswith("**") and text.endswith("**"):
            text = text[2:-2]
        if text.endswith(("\\\\", "\\ ")):
            text = text[:-2]
        if text[:1] == "{" and len(text) <= MAX_VARIED and text[-1] == "}" and "," not in text and matching(text).get(0) == len(text) - 1:
            text = text[1:-1]
        if text and text[-1] in ".,;:\\" and not text.endswith("..."):
            text = text[:-1]
    return text


def variants(tidied: str) -> list[str]:
    """`tidied` and what else it may spell: a decimal comma, "2 and 1/3", "3 to 4", C(5, 2), 10 \\frac{m}{s}."""
    found = [tidied]
    for pattern, new in VARIANTS if len(tidied) <= MAX_VARIED else ():
        other = pattern.sub(new, tidied)
        if other != tidied:
            found.append(other)
    return found


def key(tidied: str) -> str:
    """What two tidied answers must share to be the same text: everything but spaces that part nothing."""
    return LOOSE_SPACE.sub("", WORDED.sub(r"\1", tidied))
