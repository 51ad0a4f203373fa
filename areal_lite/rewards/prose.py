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
SYNONYMS = [
    {"emptyset", "varnothing", "no solution", "no solutions", "empty set", "none", "no real solution", "null set",
     "no real solutions", "no solution exists", "no solutions exist", "empty", "no such", "does not have solution", "phi"},
    {"infinity", "infinite", "infty", "inf"},
    {"undefined", "dne", "does not exist", "not defined", "limit does not exist", "doesn t exist"},
    {"infinitely many", "infinitely many solutions", "infinite solutions", "infinite number of solutions"},
    {"yes", "true"},
    {"no", "false"},
    {"mathbbz", "integers", "all integers", "set of all integers", "set of integers"},
    {"all real numbers", "mathbbr", "set of real numbers", "set of all real numbers", "all reals", "all real", "real numbers", "reals"},
]  # fmt: skip


def synonyms(a: str, b: str) -> bool:
    return any(a in group and b in group for group in SYNONYMS)


@lru_cache(maxsize=8192)
def words(text: str) -> tuple[str, ...] | None:
    """The sorted items of a list of words in normal form; None when `text` is not only words."""
    text = WRAPPER.sub(" ", text[:400]).replace("{", "").replace("}", "").strip(" .,:;\"'")
    symbol = text.removeprefix("\\").lower()
    if any(symbol in group for group in SYNONYMS):
        return (symbol,)
    if not WORDS.fullmatch(text) or not any(
        len(word) > 2 and word.lower() not in FUNCTIONS and word not in NAMES for word in re.findall("[A-Za-z]+", text)
    ):
        return None
    return tuple(sorted(normal(item) for item in SEPARATOR.split(text) if item))


def normal(text: str) -> str:
    text = re.sub(r"[^a-z ]", " ", text.lower())
    return " ".join(word for word in text.split() if word not in SKIPPED)


def same_words(answer: str, gold: str) -> bool | None:
    """None unless both are words."""
    a, b = words(answer), words(gold)
    if a is None or b is None or (ALGEBRA.fullmatch(answer) and ALGEBRA.fullmatch(gold)):
        return None
    return a == b or (len(a) == len(b) == 1 and synonyms(a[0], b[0]))


def number_word(text: str) -> Fraction | None:
    """5 for "five", 120 for "one hundred twenty", 3/4 for "three fourths"."""
    found = words(text)
    if not found or len(found) != 1:
        return None
    *spoken, last = found[0].split()
    part = PARTS.get(last, PARTS.get(last.removesuffix("s"))) if spoken else None
    total = 0
    for word in spoken if part else [*spoken, last]:
        if word in SMALL and (total % 100 == 0 or (total % 100 >= 20 and total % 10 == 0 and SMALL[word] < 10)):
            total += SMALL[word]
        elif word in LARGE and total:
            total *= LARGE[word]
        else:
            return None
    return Fraction(total, part or 1)
