"""Are two readings the same answer? Typed: what a thing is decides how it is compared, and brackets, order, direction and units
keep their meaning. Symmetric up to the options; bounded by the evaluator's limits."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from areal_lite.rewards.evaluate import CONSTANTS, exact, proportional, same_expression, symbols_of
from areal_lite.rewards.lexer import Refused
from areal_lite.rewards.node import Node, negative, num, product
from areal_lite.rewards.prose import synonyms
from areal_lite.rewards.regions import constant, same_region
from areal_lite.rewards.scalars import EXPRESSION, Options, equal_expressions, scaled
from areal_lite.rewards.units import parse_unit_text

MAX_ITEMS = 64
MAX_COMPARED = 16
"""Items of a set among which repeated ones are looked for in another spelling."""


def equal(a: Node, b: Node, options: Options) -> bool:
    """Raises Refused when a bound was met before it was decided."""
    if a == b:
        return True
    kinds = {a.kind, b.kind}
    if "congruence" in kinds:
        return _equal_congruences(a, b)
    if "relation" in kinds:
        return _equal_relations(a, b, options)
    if "quantity" in kinds:
        return _equal_quantities(a, b, options)
    if "union" in kinds and "list" in kinds:
        a, b = (Node("union", n.parts) if {p.kind for p in n.parts} <= {"tuple", "set"} else n for n in (a, b))
    if kinds & {"union", "minus", "cap"} or (kinds & {"tuple", "symbol"} and len(kinds) > 1):
        if same_region(a, b):
            return True
    if kinds & {"list", "set", "tuple", "matrix"}:
        return _equal_collections(a, b, options)
    if kinds == {"cases"}:
        return _matched(a.parts, b.parts, options)
    if kinds <= EXPRESSION:
        return equal_expressions(a, b, options)
    if kinds & {"text", "opaque"}:
        return _equal_texts(a, b)
    return a.kind == b.kind and a.word == b.word and len(a.parts) == len(b.parts) and all(
        equal(x, y, options) for x, y in zip(a.parts, b.parts, strict=True)
    )


def _equal_quantities(a: Node, b: Node, options: Options) -> bool:
    """Numbers under their units: alike, converted; unlike, different; one missing or unknown, numbers only."""
    (x, u), (y, v) = ((n.parts[0], parse_unit_text(n.word)) if n.kind == "quantity" else (n, None) for n in (a, b))
    x, y = (scaled(n, w.multiple) if w and w.multiple != 1 else n for n, w in ((x, u), (y, v)))
    dimensions = [w and w.dimensions for w in (u, v)]
    if any(w and w.qualified for w in (u, v)):
        return dimensions[0] == dimensions[1] and equal(x, y, options)
    if dimensions.count("D1") == 1 and set(dimensions) <= {"D1", "r1", None}:
        turned = [Node("product", (n, Node("symbol", word="pi"), num(Fraction(1, 180)))) if of == "D1" else n
                  for n, of in zip((x, y), dimensions, strict=True) if n.kind in EXPRESSION]
        return ("r1" not in dimensions and equal(x, y, options)) or (len(turned) == 2 and equal(*turned, options))
    if "%" in (u.dimensions[:1] if u else "", v.dimensions[:1] if v else ""):
        return _equal_percents(x, u, y, v, options)
    if u is None or v is None:
        return equal(x, y, options)
    if u.words or v.words:
        known, unknown = (u, v) if u.dimensions or not u.words else (v, u)
        foreign = known.dimensions and not known.words and not unknown.dimensions
        alike = bool(u.words & v.words) or not ((u.words and v.words) or foreign)
        return alike and equal(x, y, options)
    if u.dimensions != v.dimensions:
        return not (u.dimensions and v.dimensions) and equal(x, y, options)
    same_scale = u.scale == v.scale or not {x.kind, y.kind} <= EXPRESSION
    return equal(x, y, options) if same_scale else equal(scaled(x, u.scale), scaled(y, v.scale), options)


def _equal_percents(x: Node, u, y: Node, v, options: Options) -> bool:
    if u is not None and v is not None:
        both = {u.dimensions, v.dimensions}
        alike = len(both) == 1 or ("%1" in both and all("%1" in d for d in both))
        alike = alike and (bool(u.words & v.words) or not (u.words and v.words))
        scales = (u.scale, v.scale) if len(both) == 1 else (1, 1)
        return alike and equal(scaled(x, scales[0]), scaled(y, scales[1]), options)
    sign_only = x.kind == y.kind == "number" and not (u and abs(y.value) < 1)  # 0.5% of the answerer is not the gold 0.5
    if sign_only and equal(x, y, options):
        return True
    return equal(scaled(x, Fraction(1, 100)), y, options) if u else equal(x, scaled(y, Fraction(1, 100)), options)


def _equal_relations(a: Node, b: Node, options: Options) -> bool:
    if a.kind == b.kind == "relation":
        return _same_relation(a, b, options) or same_region(a, b)
    rel, other = (a, b) if a.kind == "relation" else (b, a)
    if same_region(rel, other):
        return True
    value = _named_value(rel)
    return value is not None and equal(value, other, options)


def _same_relation(a: Node, b: Node, options: Options) -> bool:
    a, b = _ascending(a), _ascending(b)
    if a.word != b.word and {*a.word.split(), *b.word.split()} != {"="}:
        return False
    x, y = _named_value(a), _named_value(b)
    if x is not None and y is not None and a.word.startswith("="):
        loose = _loose_name(a.parts[0]) and _loose_name(b.parts[0]) and symbols_of(x)
        if loose or equal(a.parts[0], b.parts[0], options):
            return equal(x, y, options)
    if len(a.parts) == len(b.parts) and all(equal(p, q, options) for p, q in zip(a.parts, b.parts, strict=True)):
        return True
    if len(a.parts) == 2 == len(b.parts) and a.word in ("=", "<", "<=", "!=") and all(
        part.kind in EXPRESSION for part in (*a.parts, *b.parts)
    ):
        differences = [Node("sum", (n.parts[0], negative(n.parts[1]))) for n in (a, b)]
        return proportional(*differences, positive=a.word.startswith("<"))
    return False


def _equal_congruences(a: Node, b: Node) -> bool:
    """x = 3 mod 7 and x = 10 mod 7; also 3 mod 7 and 3, its least residue."""
    a, b = (a, b) if a.kind == "congruence" else (b, a)
    value, modulus, *name = a.parts
    other, *rest = b.parts if b.kind == "congruence" else (b,)
    if (rest and rest[0] != modulus) or (name and rest[1:] and name != rest[1:]):
        return False
    numbers = [constant(node) for node in (value, other, modulus)]
    if None in numbers or not all(exact(n) and n.denominator == 1 for n in numbers) or numbers[2] == 0:
        return bool(rest) and value == other
    x, y, m = numbers
    return (x - y) % m == 0 if rest else other.kind in EXPRESSION and x == y and 0 <= y < m


def _equal_collections(a: Node, b: Node, options: Options) -> bool:
    a, b = (_tupled(node, other.kind == "matrix") for node, other in ((a, b), (b, a)))
    if len(a.parts) > MAX_ITEMS or len(b.parts) > MAX_ITEMS:
        raise Refused("too many items")
    kinds = {a.kind, b.kind}
    if not kinds <= {"list", "set", "tuple"}:
        collection, other = (a, b) if a.kind in ("list", "set", "tuple") else (b, a)
        if collection.kind == "set" and not collection.parts:
            return synonyms(other.word.removeprefix("\\"), "emptyset")
        alternatives = collection.kind == "list" and collection.word == "or"
        alone = alternatives or (len(collection.parts) == 1 and collection.word not in ("[)", "(]")
                                 and not synonyms(other.word.removeprefix("\\"), "emptyset"))
        return alone and all(equal(part, other, options) for part in collection.parts)
    if any(node.kind == "list" and any(part.kind == "relation" for part in node.parts) for node in (a, b)):
        return _equal_relation_lists(a, b, options)
    if a.word == b.word == ":" and len(a.parts) == len(b.parts):
        first, second = a.parts[0], b.parts[0]
        sides = zip(a.parts[1:], b.parts[1:], strict=True)
        return constant(second) != 0 != constant(first) and all(equal(product(x, second), product(y, first), options) for x, y in sides)
    if kinds == {"tuple"}:
        nested = {part.kind for part in a.parts} == {"tuple"}
        if a.word != b.word and "" not in (a.word, b.word) and not ({a.word, b.word} == {"()", "[]"} and (len(a.parts) > 2 or nested)):
            return False
        return _in_order(a.parts, b.parts, options) or (options.unordered_tuples and _matched(a.parts, b.parts, options))
    if "tuple" in kinds:
        pair = a if a.kind == "tuple" else b
        plain_order = kinds == {"tuple", "list"} and (pair.word in ("", "()") or len(pair.parts) > 2)
        return (plain_order and _in_order(a.parts, b.parts, options)) or (options.unordered_tuples and _matched(a.parts, b.parts, options))
    if "set" in kinds:
        return _matched(_distinct(a.parts, options), _distinct(b.parts, options), options)
    if all(part.kind == "tuple" for node in (a, b) for part in node.parts):
        return _matched(_distinct(a.parts, options), _distinct(b.parts, options), options)
    return _matched(a.parts, b.parts, options)


def _equal_relation_lists(a: Node, b: Node, options: Options) -> bool:
    """x = 1 or x = 2; x < 1 or x > 3; x = 1, y = 2. Different names keep their order against bare values."""
    all_relations = all(part.kind == "relation" for node in (a, b) for part in node.parts)
    opposed = {a.word, b.word} == {"and", "or"} and any(set(part.word) & set("<>") for part in a.parts)
    if same_region(a, b) or (all_relations and not opposed and _matched(a.parts, b.parts, options)):
        return True
    points = [_grouped(node) for node in (a, b)]
    if points != [a, b]:
        return equal(*points, options)
    values = []
    for node in (a, b):
        names = {_unnumbered(part.parts[0]) for part in node.parts if part.kind == "relation"}
        inner = [_named_value(part) if part.kind == "relation" else part for part in node.parts]
        if None in inner:
            return False
        values.append((inner, names))
    (x, x_names), (y, y_names) = values
    if x_names and y_names:
        return len(x_names) == len(y_names) == 1 and equal(*x_names, *y_names, options) and _matched(x, y, options)
    if len(x_names) > 1 or len(y_names) > 1 or "tuple" in (a.kind, b.kind):
        return {a.kind, b.kind} != {"list", "set"} and _in_order(x, y, options)
    return _matched(_distinct(x, options), _distinct(y, options), options)


def _is_name(node: Node) -> bool:
    """The left side of a definition: x, x_1, f(x), \\overline{AB}, Area, (x, y)."""
    if node.kind in ("text", "opaque", "symbol"):
        return not node.word.startswith("not ") and node.word != "not"
    if node.kind == "power":  # an inverse function, or the lower part of a ratio of lengths
        return _is_name(node.parts[0]) and node.parts[1] == num(-1)
    if node.kind not in ("tuple", "product", "call"):
        return False
    return all(part.word not in CONSTANTS if part.kind == "symbol" else _is_name(part) for part in node.parts)


def _named_value(node: Node) -> Node | None:
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


def _loose_name(node: Node) -> bool:
    """y, or a function applied to its variable."""
    return node.word == "y" or (node.kind == "product" and node.parts[0].word[:1] in ("f", "g", "h", "p", "P", "y"))


def _ascending(node: Node) -> Node:
    """a > b as b < a."""
    signs = node.word.split()
    if signs and all(sign.startswith(">") for sign in signs):
        return Node("relation", node.parts[::-1], " ".join(sign.replace(">", "<") for sign in signs[::-1]))
    return node


def _unnumbered(name: Node) -> Node:
    """x_1 and x_2 are roots of one equation, in no order."""
    stem, mark, index = name.word.partition("_")
    return replace(name, word=stem) if name.kind == "symbol" and mark and index.isdigit() else name


def _grouped(node: Node) -> Node:
    """x = 1, y = 2, x = 3, y = 4 as the points (1, 2) and (3, 4)."""
    names = [part.parts[0] for part in node.parts if part.kind == "relation" and part.word == "="]
    period = names[1:].index(names[0]) + 1 if names and names[0] in names[1:] else 0
    if period < 2 or len(names) != len(node.parts) or names != names[:period] * (len(names) // period):
        return node
    values = [part.parts[-1] for part in node.parts]
    rows = [Node("tuple", tuple(values[n : n + period]), "()") for n in range(0, len(values), period)]
    return Node("list", tuple(rows))


def _tupled(node: Node, meets_matrix: bool = True) -> Node:
    """A matrix or a nested bracket list as what it can be compared with; a column has no brackets, and may meet any."""
    if node.kind == "matrix" and len(node.parts) == 1 and not meets_matrix:
        return node.parts[0]
    if node.kind == "matrix" and all(len(row.parts) == 1 for row in node.parts) and len(node.parts) > 1:
        return Node("tuple", tuple(row.parts[0] for row in node.parts))
    if node.kind == "matrix":
        return Node("tuple", node.parts, "()")
    if node.kind == "tuple" and all(part.kind == "tuple" and part.word == "[]" for part in node.parts):
        rows = [Node("tuple", part.parts, "()") for part in node.parts]
        return _tupled(Node("matrix", tuple(rows)))
    return node


def _in_order(a: Sequence[Node], b: Sequence[Node], options: Options) -> bool:
    return len(a) == len(b) and all(equal(x, y, options) for x, y in zip(a, b, strict=True))


def _matched(a: Sequence[Node], b: Sequence[Node], options: Options) -> bool:
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


def _distinct(items: Sequence[Node], options: Options) -> list[Node]:
    kept: list[Node] = []
    if len(items) > MAX_COMPARED:
        return list(dict.fromkeys(items))
    for item in items:
        if not any(equal(item, other, options) for other in kept):
            kept.append(item)
    return kept


def _equal_texts(a: Node, b: Node) -> bool:
    if not all(node.kind in ("text", "opaque", "symbol") and node.word for node in (a, b)):
        return False
    x, y = (node.word.lower().removeprefix("\\") for node in (a, b))
    return x == y or synonyms(x, y)
