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
    return Node("number", value=Fraction(value))


def product(*parts: Node) -> Node:
    return Node("product", parts)


def power(base: Node, exponent: Node) -> Node:
    return Node("power", (base, exponent))


def negative(node: Node) -> Node:
    return replace(node, value=-node.value) if node.kind == "number" else product(num(-1), node)


def quotient(top: Node, bottom: Node) -> Node:
    return product(top, power(bottom, num(-1)))
