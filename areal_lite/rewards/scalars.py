"""Numbers and expressions: exact, equal at sample points, or a decimal that is the rounding of an exact value."""

from collections.abc import Container
from dataclasses import dataclass, replace
from fractions import Fraction

from areal_lite.rewards.evaluate import MP, close, exact, mentions, real, same_expression, samples, symbols_of
from areal_lite.rewards.node import Node, is_whole, num, quotient
from areal_lite.rewards.reader import fold

EXPRESSION = {"number", "symbol", "sum", "product", "power", "call"}
DECIMAL_TOLERANCE = Fraction(10001, 10**8)
"""Relative; a decimal must also be the rounding, or the truncation, of the exact value it stands for."""


@dataclass(frozen=True)
class Options:
    """Where published graders disagree and a reward depends on it. The defaults favour honest rewards."""

    percent_without_sign: bool = False
    """50 equals 0.5 although neither carries a percent sign."""
    unordered_tuples: bool = False
    """(1, 2) equals (2, 1)."""
    last_number: bool = False
    """A response without any marked answer is taken to answer with its last number."""


def equal_expressions(a: Node, b: Node, options: Options) -> bool:
    """Equal wherever both are defined; capital letters may stand for small ones, I for i. Raises Refused past a bound."""
    if a.kind == b.kind == "number" and a.value == b.value:
        return True
    if not symbols_of(a) and not symbols_of(b):
        return _equal_constants(a, b) or (options.percent_without_sign and any(
            _equal_constants(quotient(x, num(100)), y) for x, y in ((a, b), (b, a))))
    if same_expression(a, b):
        return True
    names = symbols_of(a) | symbols_of(b)
    if ("I" in symbols_of(a)) != ("I" in symbols_of(b)):
        return same_expression(_lowered(a, "I"), _lowered(b, "I"))
    if len({name.lower() for name in names}) == max(len(symbols_of(a)), len(symbols_of(b))) < len(names):
        return same_expression(_lowered(a, names), _lowered(b, names))
    return False


def _lowered(node: Node, names: Container[str]) -> Node:
    """With these symbols in lower case; I becomes the imaginary unit."""
    word = node.word.lower() if node.kind == "symbol" and node.word in names else node.word
    return replace(node, word=word, parts=tuple(_lowered(part, names) for part in node.parts))


def _equal_constants(a: Node, b: Node) -> bool:
    """Exact, except that a decimal may stand for the number it is the rounding of."""
    rows = samples([a, b]) or (samples([a, b], log_base_10=True) if mentions(a, "log") or mentions(b, "log") else [])
    if not rows:
        return False
    x, y = rows[0]
    if close(x, y) or ((mentions(a, "log") or mentions(b, "log")) and same_expression(a, b)):
        return True
    a, b = fold(a), fold(b)
    decimals = [(node, other) for node, other, twin in ((a, y, b), (b, x, a)) if node.kind == "number" and node.digits
                and not (twin.kind == "number" and twin.digits > node.digits)]
    if not decimals or any(exact(v) and v.denominator == 1 and abs(v) < 10**6 for v in (x, y)):
        return False
    if any(is_whole(n) for n in (a, b)):
        return False
    node, other = decimals[0]
    return _rounds(node, other) and not (a.kind == b.kind == "number" and a.digits == b.digits)


def _rounds(decimal: Node, other) -> bool:
    """`decimal` is `other` rounded or cut to its digits, and within DECIMAL_TOLERANCE of it."""
    x, y = real(decimal.value), real(other)
    if isinstance(y, MP.mpc) or x == 0 or MP.isinf(y) or (x < 0) != (y < 0):
        return False
    place = MP.mpf(10) ** (MP.floor(MP.log10(abs(x))) - decimal.digits + 1)
    gap = abs(y) - abs(x)
    within = abs(gap) <= place * MP.mpf("0.500001") or 0 <= gap < place * MP.mpf("0.999999")
    return bool(within and abs(gap) <= real(DECIMAL_TOLERANCE) * max(abs(x), abs(y)))


def scaled(node: Node, scale: Fraction) -> Node:
    """`node` times `scale`; a decimal keeps its significant digits."""
    if node.kind == "number":
        return replace(node, value=node.value * scale)
    return Node("product", (node, num(scale)))
