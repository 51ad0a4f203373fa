"""Relations that only name a value: x = 5, f(x) = x + 1, AB = 3, Area = 12; and the direction of inequalities."""

from areal_lite.rewards.evaluate import CONSTANTS, same_expression, symbols_of
from areal_lite.rewards.node import Node, num
from areal_lite.rewards.scalars import EXPRESSION


def _is_name(node: Node) -> bool:
    """The left side of a definition: x, x_1, f(x), \\overline{AB}, Area, (x, y)."""
    if node.kind in ("text", "opaque", "symbol"):
        return not node.word.startswith("not ") and node.word != "not"
    if node.kind == "power":  # an inverse function, or the lower part of a ratio of lengths
        return _is_name(node.parts[0]) and node.parts[1] == num(-1)
    if node.kind not in ("tuple", "product", "call"):
        return False
    return all(part.word not in CONSTANTS if part.kind == "symbol" else _is_name(part) for part in node.parts)


def named_value(node: Node) -> Node | None:
    """The value of `name = ... = value` or `value = name`, or of a true numeric equation; None for anything else."""
    if set(node.word.split()) == {"in"} and _is_name(node.parts[0]):
        return node.parts[-1]
    if set(node.word.split()) != {"="}:
        return None
    first, last = node.parts[0], node.parts[-1]
    if _is_name(first):
        return last
    if _is_name(last) and last.kind != "opaque" and len(node.parts) == 2:
        return first
    if not symbols_of(first) and first.kind in EXPRESSION and last.kind in EXPRESSION and same_expression(first, last):
        return last
    return None


def loose_name(node: Node) -> bool:
    """y, or a function applied to its variable."""
    return node.word == "y" or (node.kind == "product" and node.parts[0].word[:1] in ("f", "g", "h", "p", "P", "y"))


def ascending(node: Node) -> Node:
    """a > b as b < a."""
    signs = node.word.split()
    if signs and all(sign.startswith(">") for sign in signs):
        return Node("relation", node.parts[::-1], " ".join(sign.replace(">", "<") for sign in signs[::-1]))
    return node
