"""Subsets of the real line: intervals, inequalities in one unknown, unions and complements, each a test of membership.

Two are the same when they agree at every end that either names, between and beyond the ends. That decides exactly what
is solved for its unknown; an unsolved inequality (|x| < 2) is tried beside the ends and at many other points as well.
"""

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import mpmath

from areal_lite.rewards.evaluate import MP, Evaluator, Value, close, real, samples, symbols_of
from areal_lite.rewards.lexer import Refused
from areal_lite.rewards.node import Node
from areal_lite.rewards.scalars import EXPRESSION
from areal_lite.rewards.units import parse_unit_text

ORDERS = {"<", "<=", ">", ">="}
EVERYTHING = ("all real numbers", "all reals", "real numbers")
MAX_WORK = 2000
"""Nodes times ends of two regions that are compared."""
BESIDE = [sign * MP.mpf(10) ** -n for n in (9, 6, 4, 2) for sign in (-1, 1)]
PROBES = [sign * Fraction(n * n * 7 + 3, 97) for n in range(40) for sign in (-1, 1)] + [
    sign * Fraction(10) ** n for n in range(-6, 5) for sign in (-1, 1)]


def same_region(a: Node, b: Node) -> bool:
    """Both are regions, of the same unknown if they name one, and the same one."""
    try:
        found = [_ends(node) for node in (a, b)]
        names = {_variable(node) for node in (a, b)} - {"", "?"}
        if None in found or len(names) > 1:
            return False
        edges = sorted({real(v) for node_ends in found for v in node_ends if not MP.isinf(real(v))})
        probing = [_unsolved(node) for node in (a, b)]
        if all(probing) or (any(probing) and not edges):
            return False
        if sum(map(_size, (a, b))) * len(edges) > MAX_WORK:
            raise Refused("too much to try")
        points = [v for node_ends in found for v in node_ends if not MP.isinf(real(v))] or [Fraction(0)]
        points += [(x + y) / 2 for x, y in pairwise(edges)] + [x + d for x in (edges[:1] + edges[-1:]) for d in (-1, 1)]
        if any(probing):
            points += PROBES + [x + d * (1 + abs(x)) for x in edges for d in BESIDE]
        members = [[_inside(node, x) for x in points] for node in (_pointed(a, points), _pointed(b, points))]
    except Refused:
        return False
    return members[0] == members[1] and any(members[0])


def _size(node: Node) -> int:
    return 1 + sum(map(_size, node.parts))


def _pointed(node: Node, points: list[Value]) -> Node:
    """x > 1, x < 2 means both, but x < 1, x > 2 one of them; with "and" always both."""
    both = node.word == "and" or (node.word == "" and any(all(_inside(part, x) for part in node.parts) for x in points))
    return Node("cap", node.parts) if node.kind == "list" and both else node


def _ends(node: Node) -> list[Value] | None:
    """The numbers at which membership may change, as far as the region names them; None when it is no region."""
    if (node.kind == "symbol" and node.word == "\\mathbbR") or (node.kind == "text" and node.word in EVERYTHING):
        return []
    if node.kind in ("tuple", "set"):
        values = [constant(part) for part in node.parts]
        if any(v is not None and MP.isinf(real(v)) and bracket in "[]" for v, bracket in zip(values, node.word, strict=False)):
            return None
        ordered = node.kind == "set" or (len(values) == 2 and None not in values and real(values[0]) < real(values[1]))
        return values if ordered and None not in values else None
    if node.kind == "relation":
        signs, name = set(node.word.split()), _variable(node)
        if signs == {"in"} and name and _name_of(node.parts[0]):
            return [] if node.parts[1].word == "R" else _ends(node.parts[1])
        if not (signs <= ORDERS or (name and len(node.parts) == 2 and signs <= {"=", "!="})):
            return None
        if not (_solved_for(node, name) or ("=" not in signs and len(symbols_of(node)) == 1)):
            return None
        return [value for value in map(constant, node.parts) if value is not None]
    if node.kind not in ("union", "list", "minus", "cap"):
        return None
    if node.kind == "list" and (any(p.kind != "relation" for p in node.parts) or len({_variable(p) for p in node.parts}) > 1):
        return None
    found = [_ends(part) for part in node.parts]
    return None if None in found else [value for part in found for value in part]


def _solved_for(node: Node, name: str) -> bool:
    """A relation of at most three sides, one of them the unknown and the others numbers."""
    rest = [part for part in node.parts if _name_of(part) != name]
    return bool(name) and len(rest) == len(node.parts) - 1 <= 2 and all(constant(part) is not None for part in rest)


def _unsolved(node: Node) -> bool:
    if node.kind == "relation":
        return node.word != "in" and not _solved_for(node, _variable(node))
    return node.kind in ("list", "union", "minus", "cap") and any(map(_unsolved, node.parts))


def _variable(node: Node) -> str:
    """The one unknown that a relation, or each of a list of them, is about; "" when there is none."""
    if node.kind == "list":
        return _variable(node.parts[0])
    if node.kind != "relation":
        return ""
    names = {_name_of(part) for part in node.parts} - {""} or symbols_of(node)
    return names.pop() if len(names) == 1 else ""


def _name_of(node: Node) -> str:
    """x, or f(x)."""
    letters = node.parts if node.kind == "product" else (node,)
    if any(part.kind != "symbol" or part.word.startswith("\\mathbb") for part in letters) or not symbols_of(node):
        return ""
    return " ".join(part.word for part in letters)


@lru_cache(maxsize=4096)
def constant(node: Node) -> Value | None:
    """The real number that `node` is, or None."""
    if node.kind == "quantity":
        return None if parse_unit_text(node.word).qualified else constant(node.parts[0])
    if node.kind not in EXPRESSION or symbols_of(node):
        return None
    rows = samples([node])
    if not rows or isinstance(real(rows[0][0]), MP.mpc):
        return None
    return rows[0][0]


def _inside(node: Node, x: Value) -> bool:
    """Whether x belongs to the region; undefined or not real is no."""
    if node.kind == "tuple":
        low, high = map(constant, node.parts)
        at_end = (close(x, low), node.word[0] == "["), (close(x, high), node.word[1] == "]")
        return all(closed for at, closed in at_end if at) and (any(at for at, _ in at_end) or real(low) < real(x) < real(high))
    if node.kind == "set":
        return any(close(x, constant(part)) for part in node.parts)
    if node.kind == "relation":
        return _inside(node.parts[1], x) if node.word == "in" else _holds(node, x)
    if node.kind == "minus":
        return _inside(node.parts[0], x) and not any(_inside(part, x) for part in node.parts[1:])
    return node.kind in ("symbol", "text") or (all if node.kind == "cap" else any)(_inside(part, x) for part in node.parts)


def _holds(relation: Node, x: Value) -> bool:
    name = _variable(relation)
    try:
        sides = [x if _name_of(part) == name else constant(part) for part in relation.parts]
        sides = [Evaluator({name: x}).value(part) if side is None else side for side, part in zip(sides, relation.parts, strict=True)]
    except (ZeroDivisionError, ValueError, OverflowError, mpmath.libmp.ComplexResult):
        return False
    return not any(isinstance(real(side), MP.mpc) for side in sides) and all(
        sign in ("<=", ">=", "=") if close(a, b) else sign == "!=" or (sign in ORDERS and (real(a) < real(b)) == (sign[0] == "<"))
        for (a, b), sign in zip(pairwise(sides), relation.word.split(), strict=True))
