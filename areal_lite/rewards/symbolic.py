"""The slow path: a maintained LaTeX parser and sympy, for what reader.py does not read (sums, integrals, limits).

Neither executes text. What could be large is refused by size before it is parsed, and the work stops after SECONDS by the
interpreter's own profiling hook, which works in any thread; only one long call into C escapes it, and the pool ends that.
"""

import math
import re
import sys
import time
from collections.abc import Callable

MAX_CHARACTERS = 200
SECONDS = 1.0
HEAVY = re.compile(r"\d{5,}|!|\*\*|\^\{?[^{}]*\^|\^\{[^{}]*\{|(?:[\^_][^\^_]*){12,}")
RAISED = re.compile(r"\^\s*\{?\s*-?\s*(\d+)")
MAX_RAISED = 1000
"""Product of all exponents, as if they were nested."""
SHORT_FRACTION = re.compile(r"\\frac ?(\d) ?(\d)")


class OutOfTime(BaseException):
    """Not an Exception, so that no handler inside sympy swallows it."""


def warm_up() -> None:
    """Import what a worker needs, once, before its memory is capped."""
    same("\\sum_{k=1}^{3} k", "6")


def same(a: str, b: str) -> bool:
    """Equal as sympy expressions; False for whatever cannot be parsed, is large, is slow, or makes sympy fail."""
    from latex2sympy2_extended import latex2sympy
    from math_verify.grader import sympy_expr_eq

    if heavy(a) or heavy(b):
        return False

    def compare() -> bool:
        gold, answer = (latex2sympy(SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)).doit() for text in (b, a))
        return sympy_expr_eq(gold, answer, 6, 15)

    try:
        return bool(within(SECONDS, compare))
    except (OutOfTime, Exception):  # the parser and sympy raise anything at all on malformed input; that is not equal
        return False


def heavy(text: str) -> bool:
    raised = math.prod(max(1, int(exponent)) for exponent in RAISED.findall(text[:MAX_CHARACTERS]))
    return len(text) > MAX_CHARACTERS or bool(HEAVY.search(text)) or raised > MAX_RAISED


def within(seconds: float, work: Callable):
    """work(), or OutOfTime at the first Python call after `seconds`."""
    deadline = time.monotonic() + seconds
    calls = 0

    def watch(frame, event, argument):
        nonlocal calls
        calls += 1
        if calls % 256 == 0 and time.monotonic() > deadline:
            raise OutOfTime

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return work()
    finally:
        sys.setprofile(before)
