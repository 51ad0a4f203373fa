"""Subsets of the real line: intervals, inequalities in one variable, unions and complements, as sorted pieces."""

from dataclasses import dataclass

from areal_lite.rewards.evaluate import MP, Value, close, real, samples, symbols_of
from areal_lite.rewards.lexer import Refused
from areal_lite.rewards.node import Node

INFINITY = MP.inf


@dataclass(frozen=True)
class Piece:
    low: Value
    low_closed: bool
    high: Value
    high_closed: bool


Region = tuple[Piece, ...]
EVERYTHING: Region = (Piece(-INFINITY, False, INFINITY, False),)
EXPRESSION = ("number", "symbol", "sum", "product", "power", "call")


def same_region(a: Region | None, b: Region | None) -> bool:
    """Both are regions, and the same one."""
    if a is None or b is None or len(a) != len(b):
        return False
    return all(
        close(x.low, y.low) and close(x.high, y.high) and (x.low_closed, x.high_closed) == (y.low_closed, y.high_closed)
        for x, y in zip(a, b, strict=True)
    )


def region(node: Node) -> Region | None:
    """The region that `node` denotes; None when it is none, or its ends are not numbers."""
    try:
        pieces = unsorted(node)
    except Refused:
        return None
    return None if pieces is None else merged(pieces)


def unsorted(node: Node) -> Region | None:
    if (node.kind == "symbol" and node.word == "\\mathbbR") or (node.kind == "text" and node.word in (
        "all real numbers", "all reals", "real numbers")):  # fmt: skip
        return EVERYTHING
    if node.kind == "tuple" and len(node.parts) == 2:
        return interval(node)
    if node.kind == "set":
        values = [constant(part) for part in node.parts]
        return None if None in values else tuple(Piece(v, True, v, True) for v in values)
    if node.kind == "relation":
        return bounds(node)
    if node.kind in ("union", "list", "minus", "cap"):
        parts = [region(part) for part in node.parts]
        if None in parts:
            return None
        if node.kind == "list" and any(part.kind != "relation" for part in node.parts):
            return None
        if node.kind == "list" and len({variable(part) for part in node.parts}) > 1:
            return None
        if node.kind == "minus":
            return within(parts[0], complement(merged(parts[1])))
        both = parts[0]
        for part in parts[1:]:
            both = within(both, part)
        if node.kind == "cap" or (node.kind == "list" and node.word != "or" and both):
            return both
        return tuple(piece for part in parts for piece in part)
    return None


def constant(node: Node) -> Value | None:
    """The real number that `node` is, or None."""
    if node.kind == "quantity":
        return constant(node.parts[0])
    if node.kind not in EXPRESSION or symbols_of(node):
        return None
    rows = samples([node])
    if not rows or isinstance(real(rows[0][0]), MP.mpc):
        return None
    return rows[0][0]


def interval(node: Node) -> Region | None:
    low, high = (constant(part) for part in node.parts)
    if low is None or high is None or not real(low) < real(high):
        return None
    opens, closes = node.word[0] == "[", node.word[1] == "]"
    return (Piece(low, opens, high, closes),)


def variable(node: Node) -> str:
    """The one symbol that a relation bounds, or ""."""
    names = {part.word for part in node.parts if part.kind == "symbol" and constant(part) is None}
    return names.pop() if len(names) == 1 else ""


def bounds(node: Node) -> Region | None:
    """x < 3, -1 <= x < 2, x in [1, 2], x != 0, x = 5, with numbers as bounds."""
    signs, name = node.word.split(), variable(node)
    where = [n for n, part in enumerate(node.parts) if part.kind == "symbol" and part.word == name]
    if not name or len(where) != 1:
        return None
    at = where[0]
    if signs == ["in"] and at == 0:
        return region(node.parts[1])
    values = [constant(part) for n, part in enumerate(node.parts) if n != at]
    if None in values or len(node.parts) > 3:
        return None
    if signs in (["!="], ["="]):
        point = (Piece(values[0], True, values[0], True),)
        return point if signs == ["="] else complement(point)
    if not all(sign in ("<", "<=", ">", ">=") for sign in signs):
        return None
    result = EVERYTHING
    for n, sign in enumerate(signs):
        if at not in (n, n + 1):
            return None
        value = constant(node.parts[n + 1 if at == n else n])
        below = sign.startswith("<") == (at == n)
        closed = sign.endswith("=")
        half = Piece(-INFINITY, False, value, closed) if below else Piece(value, closed, INFINITY, False)
        result = within(result, (half,))
    return result


def merged(pieces: Region) -> Region:
    """Sorted, with touching pieces joined and infinite ends open."""
    result: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: (real(p.low), not p.low_closed)):
        last = result[-1] if result else None
        touching = last and (real(piece.low) < real(last.high) or (
            close(piece.low, last.high) and (piece.low_closed or last.high_closed)))
        if touching:
            further = real(piece.high) > real(last.high)
            high = piece.high if further else last.high
            closed = piece.high_closed if further else last.high_closed or (
                close(piece.high, last.high) and piece.high_closed)
            result[-1] = Piece(last.low, last.low_closed, high, closed)
        else:
            result.append(piece)
    return tuple(
        Piece(p.low, p.low_closed and not MP.isinf(real(p.low)), p.high, p.high_closed and not MP.isinf(real(p.high)))
        for p in result)


def complement(pieces: Region) -> Region:
    """Of merged pieces."""
    result, low, closed = [], -INFINITY, False
    for piece in pieces:
        if real(low) < real(piece.low) or (closed and not piece.low_closed and close(low, piece.low)):
            result.append(Piece(low, closed, piece.low, not piece.low_closed))
        low, closed = piece.high, not piece.high_closed
    if not MP.isinf(real(low)) or low < 0:
        result.append(Piece(low, closed, INFINITY, False))
    return tuple(result)


def within(a: Region, b: Region) -> Region:
    """The intersection."""
    result = []
    for x in a:
        for y in b:
            low, low_closed = later(x.low, x.low_closed, y.low, y.low_closed, 1)
            high, high_closed = later(x.high, x.high_closed, y.high, y.high_closed, -1)
            if real(low) < real(high) or (close(low, high) and low_closed and high_closed):
                result.append(Piece(low, low_closed, high, high_closed))
    return tuple(result)


def later(a: Value, a_closed: bool, b: Value, b_closed: bool, way: int) -> tuple[Value, bool]:
    if close(a, b):
        return a, a_closed and b_closed
    return (a, a_closed) if (real(a) - real(b)) * way > 0 else (b, b_closed)
