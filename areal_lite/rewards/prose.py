"""Answers in words: names, yes and no, "no solution", number words. Decides alone when both sides are words."""

import re
from fractions import Fraction
from functools import lru_cache

from areal_lite.rewards.vocabulary import FUNCTIONS, NAMES, TEXT_COMMANDS

WRAPPER = re.compile(rf"\\(?:{'|'.join(TEXT_COMMANDS)}|mathbf|boldsymbol)(?![A-Za-z])\s?")
WORDS = re.compile(r"[A-Za-z][A-Za-z ,.'\"!?;-]*")
ALGEBRA = re.compile(r"[abcnxyz]{3}")
SEPARATOR = re.compile(r"\s*(?:,|;| and | & )\s*")
SKIPPED = {"the", "a", "an", "is", "are", "there"}
SMALL = {name: n for n, name in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split())} | {name: 10 * n for n, name in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}  # fmt: skip
LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6}
PARTS = {"half": 2, "halves": 2, "third": 3, "fourth": 4, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
NUMERALS = {*SMALL, *LARGE, *PARTS, "and", "to", "by", "plus", "minus", "times", "point", "divided", "over", "out"}
SYNONYMS = [
    {"emptyset", "varnothing", "no solution", "no solutions", "empty set", "none", "no real solution", "null set",
     "no real solutions", "no solution exists", "no solutions exist", "no roots", "no real roots", "no such x",
     "no such number", "empty", "no such", "does not have solution", "phi"},
    {"undefined", "dne", "does not exist", "not defined", "limit does not exist", "doesn t exist"},
    {"infinity", "infinite", "infty", "inf", "infinitely many", "infinitely many solutions", "infinite solutions",
     "infinite number of solutions"},
    {"yes", "true"},
    {"no", "false"},
    {"mathbbz", "integers", "all integers", "set of all integers", "set of integers"},
    {"all real numbers", "mathbbr", "set of real numbers", "set of all real numbers", "all reals", "all real", "real numbers", "reals"},
]  # fmt: skip


REPLY = re.compile(r"(?:\\text ?\{)? ?(yes|no|true|false) ?\}?[,.;:]", re.IGNORECASE)
"""Before a comma it answers; what follows gives the reason."""


def synonyms(a: str, b: str) -> bool:
    """Both, in normal form, are known ways to say one thing."""
    return any(a in group and b in group for group in SYNONYMS)


@lru_cache(maxsize=8192)
def _words(text: str) -> tuple[str, ...] | None:
    """The sorted items of a list of words in normal form; None when `text` is not only words."""
    text = WRAPPER.sub(" ", text[:400]).replace("{", "").replace("}", "").strip(" .,:;\"'")
    symbol = text.removeprefix("\\").lower()
    if any(symbol in group for group in SYNONYMS):
        return (symbol,)
    if not WORDS.fullmatch(text) or not any(
        len(word) > 2 and word.lower() not in FUNCTIONS and word not in NAMES for word in re.findall("[A-Za-z]+", text)
    ):
        return None
    return tuple(sorted(_normal(item) for item in SEPARATOR.split(text) if item))


def _normal(text: str) -> str:
    text = re.sub(r"[^a-z ]", " ", text.lower())
    return " ".join(word for word in text.split() if word not in SKIPPED)


def same_words(answer: str, gold: str) -> bool | None:
    """None unless both are words."""
    reply = REPLY.match(answer)
    a, b = _words(reply[1] if reply and REPLY.fullmatch(gold + ",") else answer), _words(gold)
    if a is None or b is None or (ALGEBRA.fullmatch(answer) and ALGEBRA.fullmatch(gold)):
        return None
    return a == b or (len(a) == len(b) == 1 and synonyms(a[0], b[0]))


def in_digits(text: str) -> str:
    """5 for "five", 5 \\text{dollars} for "five dollars"; `text` itself when it does not begin with a number in words."""
    said = WRAPPER.sub(" ", text[:400]).replace("{", "").replace("}", "").strip(" .")
    if not WORDS.fullmatch(said):
        return text
    spoken = re.sub("[^a-z ]", " ", said.lower()).split()
    sign = "-" if spoken[:1] in (["minus"], ["negative"]) else ""
    spoken = spoken[bool(sign) :]
    for end in range(min(len(spoken), 12), 0, -1):
        value, unit = _number(tuple(spoken[:end])), spoken[end:]
        if value is not None and not NUMERALS & {*unit, *(word.removesuffix("s") for word in unit)}:
            digits = sign + (str(value) if value.denominator == 1 else f"\\frac{{{value.numerator}}}{{{value.denominator}}}")
            return digits + (f" \\text{{{' '.join(unit)}}}" if unit else "")
    return text


@lru_cache(maxsize=4096)
def _number(spoken: tuple[str, ...]) -> Fraction | None:
    """120 for one hundred (and) twenty, 3/4 for three fourths, 5/2 for two and a half; None for anything else."""
    if "and" in spoken[1:-1]:
        at = spoken.index("and")
        whole, rest = _number(spoken[:at]), _number(spoken[at + 1 :])
        whole_first = whole is not None and rest is not None and whole.denominator == 1
        return whole + rest if whole_first and (rest < 1 or (spoken[at - 1] in LARGE and rest < 100)) else None
    *counts, last = spoken or ("",)
    part = PARTS.get(last, PARTS.get(last.removesuffix("s"))) if counts else None
    total = 0
    for n, word in enumerate(counts if part else spoken):
        if word in ("a", "an") and n == 0 and (part or LARGE.keys() & set(spoken[1:2])):
            total = 1
        elif word in SMALL and (total % 100 == 0 or (total % 100 >= 20 and total % 10 == 0 and SMALL[word] < 10)):
            total += SMALL[word]
        elif word in LARGE and total:
            total *= LARGE[word]
        else:
            return None
    return Fraction(total, part or 1)
