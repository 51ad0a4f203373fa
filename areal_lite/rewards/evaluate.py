"""Node -> number, exactly while it stays rational, else with 30 digits; and equality of expressions at sample points.

Every operation is bounded before it is carried out: rationals to MAX_BITS, floating exponents to MAX_LOG2, the whole comparison
to MAX_STEPS node visits. Past a bound: Refused. Identity testing at rational points is Schwartz (1980), JACM 27.
"""

import math
import operator
import random
from fractions import Fraction
from functools import lru_cache

import mpmath

from areal_lite.rewards.lexer import Refused
from areal_lite.rewards.node import Node

MAX_BITS = 20_000
MAX_LOG2 = 100_000
MAX_STEPS = 20_000
MAX_ANGLE = 10**12
MP = mpmath.mp.clone()
MP.dps = 30
CLOSE = MP.mpf(10) ** -18
ZERO = MP.mpf(10) ** -24
CONSTANTS = {"pi": MP.pi, "e": MP.e, "i": MP.mpc(0, 1), "infinity": MP.inf}
ELEMENTARY = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "exp"}
INVERSE = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc",
           "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "ln": "log", "log": "log",
           "log10": "log10"}  # fmt: skip
EXACT = {"max": max, "min": min, "gcd": math.gcd, "lcm": math.lcm, "mod": operator.mod}
Value = Fraction | mpmath.mpf | mpmath.mpc


class Evaluator:
    """Evaluates under one assignment of symbols; `steps` counts node visits over its whole life."""

    def __init__(self, symbols: dict[str, Fraction], log_base_10: bool = False):
        self.symbols = symbols
        self.log_base_10 = log_base_10
        self.steps = 0
        self.left_reals = False
        """A root or logarithm of a negative number was taken."""

    def value(self, node: Node) -> Value:
        """Raises Refused past a bound, ZeroDivisionError or ValueError where it is undefined."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Refused("too many steps")
        if node.kind == "number":
            return node.value
        if node.kind == "symbol":
            if node.word in CONSTANTS:
                return +CONSTANTS[node.word]
            return self.symbols[node.word]
        if node.kind not in ("sum", "product", "power", "call"):
            raise Refused(f"a {node.kind} has no value")
        parts = [self.value(part) for part in node.parts]
        if node.kind == "sum":
            return _total(parts)
        if node.kind == "product":
            return _multiplied(parts)
        word = "log10" if node.word == "log" and self.log_base_10 else node.word
        result = _raised(*parts) if node.kind == "power" else _called(word, parts)
        if isinstance(real(result), MP.mpc) and not any(isinstance(real(part), MP.mpc) for part in parts):
            self.left_reals = True
        return result


def exact(*values: Value) -> bool:
    """All are still rationals, so comparison needs no tolerance."""
    return all(isinstance(value, Fraction) for value in values)


def real(value: Value) -> Value:
    """As a floating number; complex only when its imaginary part matters."""
    if isinstance(value, Fraction):
        return MP.mpf(value.numerator) / value.denominator
    if isinstance(value, MP.mpc) and abs(value.imag) <= CLOSE * abs(value.real):
        return value.real
    return value


def _bounded(value: Value) -> Value:
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        return real(value)
    if not isinstance(value, Fraction) and MP.isnan(value):
        raise ValueError("undefined")
    return value


def _total(parts: list[Value]) -> Value:
    result = Fraction(0)
    for part in parts:
        result = _bounded(result + part if exact(result, part) else real(result) + real(part))
    return result


def _multiplied(parts: list[Value]) -> Value:
    result = Fraction(1)
    for part in parts:
        result = _bounded(result * part if exact(result, part) else real(result) * real(part))
    return result


def _raised(base: Value, exponent: Value) -> Value:
    if exact(base, exponent) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * abs(exponent.numerator) <= MAX_BITS:
            return base ** int(exponent)
    floating, power = real(base), real(exponent)
    if floating == 0:
        if MP.re(power) <= 0:
            raise ZeroDivisionError
        return Fraction(0)
    if not MP.isinf(floating) and not MP.isinf(power) and abs(MP.log(abs(floating), 2)) * abs(power) > MAX_LOG2:
        raise Refused("power too large")
    if isinstance(exponent, Fraction) and isinstance(floating, MP.mpf) and floating < 0 and exponent.denominator % 2:
        return (-1) ** (exponent.numerator % 2) * MP.power(-floating, power)  # the real odd root, as in schools
    return _bounded(MP.power(floating, power))


def _called(name: str, parts: list[Value]) -> Value:
    first = parts[0]
    if name in EXACT and len(parts) == 1:
        raise Refused(f"{name} of one")
    if name in EXACT and exact(*parts) and (name in ("max", "min") or all(p.denominator == 1 for p in parts)):
        return Fraction(EXACT[name](parts) if name in ("max", "min") else EXACT[name](*map(int, parts)))
    if name in ("factorial", "binom") and all(exact(p) and p.denominator == 1 and 0 <= p <= 1000 for p in parts):
        whole = [int(p) for p in parts]
        return Fraction(math.factorial(whole[0]) if name == "factorial" else math.comb(whole[0], whole[1]))
    if name == "factorial2" and exact(first) and first.denominator == 1 and 0 <= first <= 1000:
        return Fraction(math.prod(range(int(first), 0, -2)))
    if name in ("floor", "ceil", "abs") and exact(first):
        return abs(first) if name == "abs" else Fraction(first.__floor__() if name == "floor" else first.__ceil__())
    if name == "binom" and all(abs(real(p)) < 10**6 for p in parts):
        return _bounded(MP.binomial(*map(real, parts)))
    if len(parts) > 1 or MP.isnan(real(first)):
        raise Refused(f"{name} of {len(parts)}")
    argument = real(first)
    if name in ("floor", "ceil", "abs"):
        return abs(argument) if name == "abs" else getattr(MP, name)(argument)
    if not MP.isinf(argument) and abs(argument) > (MAX_LOG2 / 2 if "h" in name or name == "exp" else MAX_ANGLE):
        if name in ELEMENTARY or name == "factorial":
            raise Refused(f"{name} of a large number")
    if name == "factorial":
        return MP.gamma(argument + 1)
    if name in ELEMENTARY:
        return _bounded(getattr(MP, name)(argument))
    if name in INVERSE:
        if argument == 0 and name.startswith(("l", "arcsec", "arccsc")):
            raise ZeroDivisionError
        return _bounded(getattr(MP, INVERSE[name])(argument))
    raise Refused(f"no value for {name}")


def symbols_of(node: Node) -> set[str]:
    """Names of the free symbols, constants excluded."""
    if node.kind == "symbol":
        return set() if node.word in CONSTANTS else {node.word}
    return set().union(*(symbols_of(part) for part in node.parts)) if node.parts else set()


def mentions(node: Node, word: str) -> bool:
    """`word` names the node or anything inside it."""
    return node.word == word or any(mentions(part, word) for part in node.parts)


@lru_cache(maxsize=64)
def _points(names: tuple[str, ...]) -> tuple[dict[str, Fraction], ...]:
    """Six fixed rational points: two inside (0, 1), two inside (1, 4), two with negative coordinates."""
    source = random.Random(20250224)
    ranges = [(5, 92), (7, 90), (101, 380), (103, 390), (-250, -20), (-190, 170)]
    return tuple({name: Fraction(source.randint(*r) * 2 + 1, 194) for name in names} for r in ranges)


def close(a: Value, b: Value) -> bool:
    """The same number: exactly for rationals, to 18 digits otherwise."""
    if exact(a, b):
        return a == b
    x, y = real(a), real(b)
    if MP.isinf(x) or MP.isinf(y):
        return x == y
    if a == 0 or b == 0:
        return max(abs(x), abs(y)) < ZERO
    return abs(x - y) <= CLOSE * max(abs(x), abs(y))


def samples(nodes: list[Node], log_base_10: bool = False) -> list[list[Value]]:
    """Values of all `nodes` at each sample point where all are defined; only those that stay real when two do."""
    names = tuple(sorted(set().union(*(symbols_of(node) for node in nodes))))
    rows: list[list[Value]] = []
    real_rows: list[list[Value]] = []
    steps = 0
    for point in _points(names) if names else ({},):
        evaluator = Evaluator(point, log_base_10)
        evaluator.steps = steps
        try:
            rows.append([evaluator.value(node) for node in nodes])
            if not evaluator.left_reals:
                real_rows.append(rows[-1])
        except (ZeroDivisionError, ValueError, OverflowError, mpmath.libmp.ComplexResult):
            pass
        steps = evaluator.steps
    return real_rows if len(real_rows) >= 2 else rows


def same_expression(a: Node, b: Node) -> bool:
    """Equal wherever both are defined. `log` may be natural or decimal, whichever makes them equal."""
    for log_base_10 in (False, True) if mentions(a, "log") or mentions(b, "log") else (False,):
        rows = samples([a, b], log_base_10)
        if rows and all(close(x, y) for x, y in rows):
            return True
    return False


def proportional(a: Node, b: Node, positive: bool) -> bool:
    """a = c * b with one constant c != 0 (c > 0 when `positive`) wherever both are defined."""
    rows = samples([a, b])
    ratios = []
    for x, y in rows:
        if close(x, Fraction(0)) or close(y, Fraction(0)):
            if close(x, Fraction(0)) != close(y, Fraction(0)):
                return False
            continue
        ratios.append(x / y if exact(x, y) else real(x) / real(y))
    if not ratios or all(close(x, rows[0][0]) for x, _ in rows):  # constant: it says nothing about any unknown
        return False
    first = real(ratios[0])
    return all(close(ratio, ratios[0]) for ratio in ratios) and not (positive and (isinstance(first, MP.mpc) or first <= 0))
