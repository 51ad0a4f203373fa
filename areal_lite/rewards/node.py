"""What was read: a tree of Nodes, and the few ways to build one. Frozen and comparable; equal trees mean equal things."""

from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Node:
    """One thing that was read. Expressions: number symbol sum product power call. Structures: see reader.py."""

    kind: str
    parts: tuple["Node", ...] = ()
    word: str = ""
    """Name of a symbol or function, brackets of a tuple, sign of a relation, unit of a quantity, content of a text."""
    value: Fraction | None = None
    digits: int = 0
    """Significant digits of a number written as a decimal; 0 for an integer."""


def num(value: int | Fraction) -> Node:
    """An exact number: no significant digits, so never the rounding of another."""
    return Node("number", value=Fraction(value))


def product(*parts: Node) -> Node:
    """Unevaluated, in the written order."""
    return Node("product", parts)


def power(base: Node, exponent: Node) -> Node:
    """Unevaluated: its size is bounded where it is evaluated."""
    return Node("power", (base, exponent))


def negative(node: Node) -> Node:
    """Of a number a number, with its digits; of anything else a product with -1."""
    return replace(node, value=-node.value) if node.kind == "number" else product(num(-1), node)


def quotient(top: Node, bottom: Node) -> Node:
    """As a product with the inverse; a zero below is found only on evaluation."""
    return product(top, power(bottom, num(-1)))


def signed(sign: str, node: Node) -> Node:
    """`node` after +, -, \\pm or \\mp; the last two stay open as a call."""
    if sign in ("\\pm", "\\mp"):
        return Node("call", (node,), sign)
    return negative(node) if sign == "-" else node


def plain_ratio(node: Node) -> Fraction | None:
    """The value of a quotient of two plain integers."""
    if node.kind != "product" or len(node.parts) != 2 or node.parts[1].kind != "power":
        return None
    top, bottom = node.parts[0], node.parts[1].parts[0]
    if top.kind != "number" or bottom.kind != "number" or top.digits or bottom.digits or bottom.value == 0:
        return None
    return top.value / bottom.value


def is_whole(node: Node) -> bool:
    """An integer written without a point."""
    return node.kind == "number" and node.digits == 0 and node.value.denominator == 1


def determinant(rows: list[tuple[Node, ...]]) -> Node:
    """By expansion along the first row."""
    if len(rows) == 1:
        return rows[0][0]
    minors = [[row[:n] + row[n + 1 :] for row in rows[1:]] for n in range(len(rows))]
    terms = [product(rows[0][n], determinant(minor)) for n, minor in enumerate(minors)]
    return Node("sum", tuple(negative(term) if n % 2 else term for n, term in enumerate(terms)))
