"""Are two readings the same answer? Typed: what a thing is decides how it is compared, and brackets, order, direction and
units keep their meaning. Symmetric up to the options; bounded by the evaluator's limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from areal_lite.rewards.evaluate import (
    MP,
    close,
    exact,
    mentions,
    proportional,
    real,
    same_expression,
    samples,
    symbols_of,
)
from areal_lite.rewards.lexer import Refused
from areal_lite.rewards.node import Node, negative, num, quotient
from areal_lite.rewards.prose import synonyms
from areal_lite.rewards.reader import fold
from areal_lite.rewards.regions import region, same_region, variable
from areal_lite.rewards.units import parse_unit_text

MAX_ITEMS = 64
DECIMAL_TOLERANCE = Fraction(10001, 10**8)
"""Relative; a decimal must also be the rounding, or the truncation, of the exact value it stands for."""
EXPRESSION = {"number", "symbol", "sum", "product", "power", "call"}


@dataclass(frozen=True)
class Options:
    """Where published graders disagree and a reward depends on it. The defaults favour honest rewards."""

    percent_without_sign: bool = False
    """50 equals 0.5 although neither carries a percent sign."""
    unordered_tuples: bool = False
    """(1, 2) equals (2, 1)."""
    last_number: bool = False
    """A response without any marked answer is taken to answer with its last number."""


def equal(a: Node, b: Node, options: Options) -> bool:
    """Raises Refused when a bound was met before it was decided."""
    if a == b:
        return True
    kinds = {a.kind, b.kind}
    if "relation" in kinds:
        return equal_relations(a, b, options)
    if "quantity" in kinds:
        return equal_quantities(a, b, options)
    if kinds & {"union", "minus", "cap"} or (kinds & {"tuple", "symbol"} and len(kinds) > 1):
        if same_region(region(a), region(b)):
            return True
    if kinds & {"list", "set", "tuple", "matrix"}:
        return equal_collections(a, b, options)
    if kinds <= EXPRESSION:
        return equal_expressions(a, b, options)
    if kinds & {"text", "opaque"}:
        return equal_texts(a, b)
    return a.kind == b.kind and a.word == b.word and len(a.parts) == len(b.parts) and all(
        equal(x, y, options) for x, y in zip(a.parts, b.parts, strict=True)
    )


def equal_expressions(a: Node, b: Node, options: Options) -> bool:
    if a.kind == b.kind == "number" and a.value == b.value:
        return True
    if not symbols_of(a) and not symbols_of(b):
        return equal_constants(a, b) or (options.percent_without_sign and any(
            equal_constants(quotient(x, num(100)), y) for x, y in ((a, b), (b, a))))
    if same_expression(a, b):
        return True
    names = symbols_of(a) | symbols_of(b)
    if len({name.lower() for name in names}) == max(len(symbols_of(a)), len(symbols_of(b))) < len(names):
        return same_expression(lowered(a), lowered(b))
    return False


def lowered(node: Node) -> Node:
    word = node.word.lower() if node.kind == "symbol" else node.word
    return replace(node, word=word, parts=tuple(lowered(part) for part in node.parts))


def equal_constants(a: Node, b: Node) -> bool:
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
    if any(n.kind == "number" and not n.digits for n in (a, b)):
        return False
    node, other = decimals[0]
    return rounds(node, other) and not (a.kind == b.kind == "number" and a.digits == b.digits)


def rounds(decimal: Node, other) -> bool:
    """`decimal` is `other` rounded or cut to its digits, and within DECIMAL_TOLERANCE of it."""
    x, y = real(decimal.value), real(other)
    if isinstance(y, MP.mpc) or x == 0 or MP.isinf(y) or (x < 0) != (y < 0):
        return False
    place = MP.mpf(10) ** (MP.floor(MP.log10(abs(x))) - decimal.digits + 1)
    gap = abs(y) - abs(x)
    within = abs(gap) <= place * MP.mpf("0.500001") or 0 <= gap < place
    return bool(within and abs(gap) <= real(DECIMAL_TOLERANCE) * max(abs(x), abs(y)))


def equal_quantities(a: Node, b: Node, options: Options) -> bool:
    """Numbers under their units: both known and alike, converted; unlike, different; one missing or unknown, numbers."""
    (x, u), (y, v) = ((n.parts[0], parse_unit_text(n.word)) if n.kind == "quantity" else (n, None) for n in (a, b))
    x, y = (scaled(n, w.multiple) if w and w.multiple != 1 else n for n, w in ((x, u), (y, v)))
    if (u is None) != (v is None) and (u or v).dimensions == "D1":
        turned = [Node("product", (n, Node("symbol", word="pi"), num(Fraction(1, 180)))) if unit else n
                  for n, unit in ((x, u), (y, v)) if n.kind in EXPRESSION]
        return equal(x, y, options) or (len(turned) == 2 and equal(*turned, options))
    if "%" in (u.dimensions[:1] if u else "", v.dimensions[:1] if v else ""):
        return equal_percents(x, u, y, v, options)
    if u is None or v is None:
        return equal(x, y, options)
    if u.words or v.words:
        known, unknown = (u, v) if u.dimensions or not u.words else (v, u)
        foreign = known.dimensions and not known.words and not unknown.dimensions
        alike = bool(u.words & v.words) or not ((u.words and v.words) or foreign)
        return alike and equal(x, y, options)
    if not u.dimensions or not v.dimensions:
        return equal(x, y, options)
    if u.dimensions != v.dimensions:
        return False
    if u.scale == v.scale or not {x.kind, y.kind} <= EXPRESSION:
        return equal(x, y, options)
    return equal(scaled(x, u.scale), scaled(y, v.scale), options)


def equal_percents(x: Node, u, y: Node, v, options: Options) -> bool:
    if not {x.kind, y.kind} <= EXPRESSION:
        return equal(x, y, options)
    if equal(x, y, options):
        return True
    if u is not None and v is not None:
        return False
    return equal(scaled(x, Fraction(1, 100)), y, options) if u else equal(x, scaled(y, Fraction(1, 100)), options)


def scaled(node: Node, scale: Fraction) -> Node:
    if node.kind == "number":
        return replace(node, value=node.value * scale)
    return Node("product", (node, num(scale)))


def is_name(node: Node) -> bool:
    """The left side of a definition: x, x_1, f(x), \\overline{AB}, Area, (x, y)."""
    if node.kind in ("text", "opaque"):
        return True
    if node.kind == "symbol":
        return True
    if node.kind == "tuple":
        return all(part.kind == "symbol" for part in node.parts)
    if node.kind == "quantity":
        return is_name(node.parts[0])
    if node.kind == "power":  # an inverse function
        return node.parts[0].kind == "symbol" and node.parts[1] == num(-1)
    return node.kind in ("product", "call") and all(
        part.word not in ("e", "i", "pi", "infinity") if part.kind == "symbol" else is_name(part) for part in node.parts)


def named_value(node: Node) -> Node | None:
    """The value of `name = ... = value` or `value = name`, or of a true numeric equation; None for anything else."""
    if set(node.word.split()) == {"in"} and is_name(node.parts[0]):
        return node.parts[-1]
    if set(node.word.split()) != {"="}:
        return None
    first, last = node.parts[0], node.parts[-1]
    if is_name(first):
        return last
    if is_name(last) and len(node.parts) == 2:
        return first
    if not symbols_of(first) and first.kind in EXPRESSION and last.kind in EXPRESSION and equal(first, last, Options()):
        return last
    return None


def equal_relations(a: Node, b: Node, options: Options) -> bool:
    if a.kind == b.kind == "relation":
        return same_relation(a, b, options) or (variable(a) == variable(b) and same_region(region(a), region(b)))
    rel, other = (a, b) if a.kind == "relation" else (b, a)
    if region(rel) is not None and same_region(region(rel), region(other)):
        return True
    if other.kind == "list" and other.word == "or" and len(other.parts) > 1:
        return False
    value = named_value(rel)
    return value is not None and equal(value, other, options)


def same_relation(a: Node, b: Node, options: Options) -> bool:
    a, b = ascending(a), ascending(b)
    if a.word != b.word:
        return False
    x, y = named_value(a), named_value(b)
    if x is not None and y is not None and a.word.startswith("="):
        if equal(a.parts[0], b.parts[0], options) or (loose_name(a.parts[0]) and loose_name(b.parts[0]) and symbols_of(x)):
            return equal(x, y, options)
    if len(a.parts) == len(b.parts) and all(equal(p, q, options) for p, q in zip(a.parts, b.parts, strict=True)):
        return True
    if len(a.parts) == 2 == len(b.parts) and a.word in ("=", "<", "<=", "!=") and all(
        part.kind in EXPRESSION for part in (*a.parts, *b.parts)
    ):
        differences = [Node("sum", (n.parts[0], negative(n.parts[1]))) for n in (a, b)]
        return proportional(*differences, positive=a.word.startswith("<"))
    return False


def loose_name(node: Node) -> bool:
    """y, or a function applied to its variable."""
    return node.word == "y" or (node.kind == "product" and node.parts[0].word[:1] in ("f", "g", "h", "p", "P", "y"))


def ascending(node: Node) -> Node:
    """a > b as b < a."""
    signs = node.word.split()
    if signs and all(sign.startswith(">") for sign in signs):
        return Node("relation", node.parts[::-1], " ".join(sign.replace(">", "<") for sign in signs[::-1]))
    return node


def equal_collections(a: Node, b: Node, options: Options) -> bool:
    a, b = (tupled(node) for node in (a, b))
    if len(a.parts) > MAX_ITEMS or len(b.parts) > MAX_ITEMS:
        raise Refused("too many items")
    kinds = {a.kind, b.kind}
    if not kinds <= {"list", "set", "tuple"}:
        collection, other = (a, b) if a.kind in ("list", "set", "tuple") else (b, a)
        if collection.kind == "set" and not collection.parts:
            return synonyms(other.word.removeprefix("\\"), "emptyset")
        alone = len(collection.parts) == 1 or (collection.kind == "list" and collection.word == "or")
        return alone and all(equal(part, other, options) for part in collection.parts)
    if any(node.kind == "list" and any(part.kind == "relation" for part in node.parts) for node in (a, b)):
        return equal_relation_lists(a, b, options)
    if kinds == {"tuple"}:
        nested = {part.kind for part in a.parts} == {"tuple"}
        if a.word != b.word and not ({a.word, b.word} == {"()", "[]"} and (len(a.parts) > 2 or nested)):
            return False
        return in_order(a.parts, b.parts, options) or (options.unordered_tuples and matched(a.parts, b.parts, options))
    if "tuple" in kinds:
        pair = a if a.kind == "tuple" else b
        plain_order = kinds == {"tuple", "list"} and (pair.word == "()" or len(pair.parts) > 2)
        return (plain_order and in_order(a.parts, b.parts, options)) or (
            options.unordered_tuples and matched(a.parts, b.parts, options))
    if "set" in kinds:
        return matched(distinct(a.parts, options), distinct(b.parts, options), options)
    return matched(a.parts, b.parts, options)


def equal_relation_lists(a: Node, b: Node, options: Options) -> bool:
    """x = 1 or x = 2; x < 1 or x > 3; x = 1, y = 2. Different names keep their order against bare values."""
    all_relations = all(part.kind == "relation" for node in (a, b) for part in node.parts)
    if same_region(region(a), region(b)) or (all_relations and matched(a.parts, b.parts, options)):
        return True
    values = []
    for node in (a, b):
        names = {part.parts[0] for part in node.parts if part.kind == "relation"}
        inner = [named_value(part) if part.kind == "relation" else part for part in node.parts]
        if None in inner:
            return False
        values.append((inner, len(names) > 1, bool(names)))
    (x, x_ordered, x_named), (y, y_ordered, y_named) = values
    if x_named and y_named:
        return not (x_ordered or y_ordered) and len(a.parts) == len(b.parts) and equal(
            a.parts[0].parts[0], b.parts[0].parts[0], options) and matched(x, y, options)
    if x_ordered or y_ordered or "tuple" in (a.kind, b.kind):
        return {a.kind, b.kind} != {"list", "set"} and in_order(x, y, options)
    return matched(distinct(x, options), distinct(y, options), options)


def tupled(node: Node) -> Node:
    """A matrix of one row or column, or a nested bracket list, as what it can be compared with."""
    if node.kind == "matrix" and all(len(row.parts) == 1 for row in node.parts) and len(node.parts) > 1:
        return Node("tuple", tuple(row.parts[0] for row in node.parts), "()")
    if node.kind == "matrix":
        return Node("tuple", node.parts, "()")
    if node.kind == "tuple" and all(part.kind == "tuple" and part.word == "[]" for part in node.parts):
        rows = [Node("tuple", part.parts, "()") for part in node.parts]
        return tupled(Node("matrix", tuple(rows)))
    return node


def in_order(a: Sequence[Node], b: Sequence[Node], options: Options) -> bool:
    return len(a) == len(b) and all(equal(x, y, options) for x, y in zip(a, b, strict=True))


def matched(a: Sequence[Node], b: Sequence[Node], options: Options) -> bool:
    """Equal as multisets."""
    if len(a) != len(b):
        return False
    rest = list(b)
    for item in a:
        found = next((n for n, other in enumerate(rest) if item == other), None)
        if found is None:
            found = next((n for n, other in enumerate(rest) if equal(item, other, options)), None)
        if found is None:
            return False
        del rest[found]
    return True


def distinct(items: Sequence[Node], options: Options) -> list[Node]:
    kept: list[Node] = []
    for item in items:
        if not any(equal(item, other, options) for other in kept):
            kept.append(item)
    return kept


def equal_texts(a: Node, b: Node) -> bool:
    if not all(node.kind in ("text", "opaque", "symbol") and node.word for node in (a, b)):
        return False
    x, y = (node.word.lower().removeprefix("\\") for node in (a, b))
    return x == y or synonyms(x, y)
