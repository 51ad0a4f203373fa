"""Tidied text -> tokens, under limits that hold before any parser runs.

Refuses (Refused) what is too long or too deep; every later stage may recurse over what passed.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from areal_lite.rewards import vocabulary as known

PAIRS = {"(": ")", "[": "]", "\\{": "\\}", "{": "}", "\\langle": "\\rangle"}
WHOLE = known.FUNCTIONS | known.CONNECTORS
MAX_CHARACTERS = 4000
MAX_TOKENS = 1200
MAX_DEPTH = 30
MAX_DIGITS = 2000
MAX_EXPONENT = 10_000
"""Of a number in e-notation; a larger one stays text."""


class Refused(Exception):
    """Not read: too long, too deep, too large, or not mathematics that this reader knows."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or mark of a tidied text."""

    kind: str
    """number, symbol (one letter), word (several letters), text (\\text{...}), command, or mark (punctuation)"""
    text: str
    spaced: bool = False
    """There was a space before it."""
    value: Fraction | None = None
    digits: int = 0
    """Significant digits of a number that was written as a decimal; 0 for an integer."""


LEX = re.compile(
    r"(?P<space> +)"
    rf"|\\(?:{'|'.join(known.TEXT_COMMANDS)})\*? ?\{{(?P<text>[^{{}}]*(?:\{{[^{{}}]*\}}[^{{}}]*)*)\}}"
    r"|(?P<repeat>\d*\.\d*(?:\\overline|\\bar|\\dot) ?\{?(?P<period>\d+)\}?|0?\.\d*\((?P<period2>\d+)\)"
    r"|\d{0,15}\.\d{0,30}?(?P<period3>\d{1,6}?)(?P=period3){1,30}(?: ?\.\.\.| ?\\[lc]?dots(?![A-Za-z])))"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+(?![\d.]))?)"
    r"|(?P<command>\\[A-Za-z]+|\\.)"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<mark>\.\.\.|\*\*|<=|>=|!=|==|:=|->|&|.)"
)
FUSED = re.compile(r"(sin|cos|tan|cot|sec|csc|ln|log)([xy])")
GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d]|,\d)")
GROUPED_BY_SPACE = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?: \d{3})+(?![\d/])(?! \d)")


def tokenize(tidied: str, units: frozenset[str], grouped: bool) -> list[Token]:
    """The tokens of `tidied`. `units` are words not to be split into letters.

    grouped: read 1,234 as one number; else its comma separates. Raises Refused past a limit.
    """
    if len(tidied) > MAX_CHARACTERS:
        raise Refused("too long")
    if grouped:
        tidied = GROUPED.sub(lambda m: m[0].replace(",", ""), tidied)
        tidied = GROUPED_BY_SPACE.sub(lambda m: m[0].replace(" ", ""), tidied)
    tokens: list[Token] = []
    depth, spaced = 0, False
    for match in LEX.finditer(tidied):
        kind = match.lastgroup
        if kind == "space":
            spaced = True
            continue
        for token in _make(match, spaced, units):
            depth += (token.text in known.OPENERS) - (token.text in known.CLOSERS)
            if depth > MAX_DEPTH or len(tokens) > MAX_TOKENS:
                raise Refused("too deep or too many tokens")
            tokens.append(token)
        spaced = False
    return tokens


def _make(match: re.Match, spaced: bool, units: frozenset[str]) -> list[Token]:
    """The tokens of one match: usually one; an unknown short word becomes its letters."""
    if match["text"] is not None:
        inner = match["text"].strip()
        if any(c.isdigit() for c in inner):  # mathematics set as text
            found = [m for m in LEX.finditer(" " + inner) if m.lastgroup]
            pairs = pairwise(found)
            return [t for last, m in pairs if m.lastgroup != "space" for t in _make(m, last.lastgroup == "space", units)]
        is_letter = len(inner) == 1 and inner.isalpha() and inner not in known.UNIT_LETTERS
        return [Token("symbol" if is_letter else "text", inner, spaced)]
    if match["repeat"]:
        period = match["period"] or match["period2"] or match["period3"]
        return [Token("number", match[0], spaced, _repeating(match[0], period))]
    text = match[0]
    if match["number"]:
        return [number(text, spaced)]
    if match["command"]:
        if text in known.STYLE_COMMANDS:
            return []
        return [Token("command", known.GREEK_TWINS.get(text, text), spaced)]
    if match["word"]:
        if fused := FUSED.fullmatch(text):
            return [Token("word", fused[1], spaced), Token("symbol", fused[2])]
        if len(text) > 3 or (len(text) > 1 and (text.lower() in WHOLE or text.lower() in units or text in known.NAMES)):
            return [Token("word", text, spaced)]
        return [Token("symbol", c, spaced and n == 0) for n, c in enumerate(text)]
    return [Token("mark", text, spaced)]


def number(text: str, spaced: bool = False) -> Token:
    """An exact number; as a decimal it knows its significant digits."""
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or len(exponent) > 6 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise Refused("number too large")
    whole, _, rest = mantissa.partition(".")
    value = Fraction(int((whole + rest) or "0")) * Fraction(10) ** (int(exponent or 0) - len(rest))
    digits = len((whole + rest).lstrip("0")) if "." in mantissa.rstrip(".") or exponent else 0
    return Token("number", text, spaced, value, digits)


def _repeating(text: str, period: str) -> Fraction:
    """0.3\\overline{6} as the exact 11/30."""
    whole, _, rest = text.partition(".")
    head = re.match(r"\d*", rest)[0]
    scale = 10 ** len(head)
    base = Fraction(int((whole + head) or "0"), scale)  # with an ellipsis the head already ends in whole periods
    return base + Fraction(int(period), scale * (10 ** len(period) - 1))


def letters(token: Token) -> list[Token]:
    """A short word that is only a unit elsewhere is a product of letters here."""
    if token.kind != "word" or len(token.text) > 3 or token.text.lower() in known.FUNCTIONS or token.text in known.NAMES | {"not"}:
        return [token]
    return [Token("symbol", c, token.spaced and n == 0) for n, c in enumerate(token.text)]


def depths(tokens: list[Token]):
    """Each token with the bracket depth around it; a bracket itself belongs to the outside."""
    depth = 0
    for token in tokens:
        if token.text in known.CLOSERS or (token.text == "\\end"):
            depth = max(0, depth - 1)
        yield token, depth
        if token.text in known.OPENERS or token.text == "\\begin":
            depth += 1


def split(tokens: list[Token], at) -> list[list[Token]]:
    """Pieces between the tokens of depth 0 for which `at` holds."""
    pieces: list[list[Token]] = [[]]
    for token, depth in depths(tokens):
        if depth == 0 and at(token):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def closing(tokens: list[Token]) -> int:
    """Index of the bracket that closes the first token; len(tokens) when none does."""
    depth = 0
    for n, token in enumerate(tokens):
        depth += (token.text in known.OPENERS) - (token.text in known.CLOSERS)
        if depth == 0:
            return n
    return len(tokens)


def wrapped(tokens: list[Token]) -> str:
    """The bracket that opens at the first token and closes at the last, half-open intervals included; else ""."""
    if len(tokens) < 2:
        return ""
    first, last = tokens[0].text, tokens[-1].text
    if first == "]" and last in ("[", "]"):
        return first
    if first == "[" and last == "[":
        return first
    if first not in PAIRS or last not in known.CLOSERS or closing(tokens) != len(tokens) - 1:
        return ""
    return first if PAIRS[first] == last or (first in "([" and last in ")]") else ""
