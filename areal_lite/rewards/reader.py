"""Tidied text -> what it can mean: structures (lists, tuples, sets, relations, unions, matrices, quantities) of Nodes.

A text has one to three readings, likeliest first; two texts agree when any of their readings do. Kinds made here:
list (bare commas, "and", "or"), tuple (word = its brackets), set, union, minus, relation (word = signs), matrix
(parts = rows), quantity (parts = value, word = the unit's text), text (word = normal form).
"""

import re
from dataclasses import replace
from itertools import product as cartesian
from math import prod

from areal_lite.rewards.expression import Expression
from areal_lite.rewards.lexer import GROUPED, GROUPED_BY_SPACE, PAIRS, Refused, Token, closing, depths, split, tokenize, wrapped
from areal_lite.rewards.node import Node, determinant, negative, num
from areal_lite.rewards.units import CURRENCY, WORDS, compound, split_unit
from areal_lite.rewards.vocabulary import FUNCTIONS, NAMES

RELATIONS = {**dict.fromkeys(("=", "==", ":=", "\\approx", "\\simeq", "\\cong"), "="), "<": "<", "\\lt": "<", ">": ">",
             "\\gt": ">", "<=": "<=", "\\le": "<=", ">=": ">=", "\\ge": ">=", "!=": "!=", "\\ne": "!=", "\\in": "in",
             "\\notin": "notin", "\\equiv": "\\equiv", "\\sim": "sim", "\\to": "to", "->": "to", "\\rightarrow": "to",
             "\\mapsto": "to", "\\Rightarrow": "implies", "\\subset": "sub", "\\subseteq": "sub"}  # fmt: skip
CONNECTORS = {"and", "or", ", and", ", or", ",and", ",or", "and/or", ",", ";", "\\lor", "\\land", "\\vee", "\\wedge", "\\&", "&"}
EXACT_STARTS = {"\\frac", "\\sqrt", "-", "(", "\\pi"}
PUNCTUATION = set("'\"-.,?")
LEADS = {"about", "approximately", "roughly", "exactly", "answer", "final answer", "so", "thus", "therefore", "hence", "only",
         "point", "vertex", "center", "interval", "coordinates", "if", "for", "when", "simply", "just", "precisely", "around"}
UNKNOWN = Node("symbol", word="?")
"""What an inequality without a left side is about."""
TRIGONOMETRIC = {"sin", "cos", "tan", "cot", "sec", "csc", "cis"}
MATRIX = ("matrix", "array", "smallmatrix", "cases", "aligned", "align", "gathered")


def readings(tidied: str) -> tuple[Node, ...]:
    """What `tidied` can mean, likeliest first. Raises Refused past the lexer's limits."""
    found: list[Node] = []
    groups = (True, False) if GROUPED.search(tidied) or GROUPED_BY_SPACE.search(tidied) else (False,)
    inside = tidied.lstrip("-+ ").startswith(("(", "[", "\\{")) and len(groups) == 2
    if re.search(r",0\d", tidied):
        groups = groups[:1]  # nobody lists 12 and 000
    for grouped in reversed(groups) if inside else groups:
        tokens = tokenize(tidied, WORDS, grouped)
        for apart in (False, True):
            node = _structure(tokens, apart)
            if node not in found:
                found.append(node)
    return tuple(found)


def _structure(tokens: list[Token], apart: bool = False) -> Node:
    """One answer, or the list of them that bare separators make. `apart`: a spaced single letter may be a unit."""
    while wrapped(tokens) == "{":
        tokens = tokens[1:-1]
    if tokens and tokens[0].text == "]" and wrapped(tokens):
        return _bracketed(tokens, "]", apart)
    items = [item for item in split(tokens, _is_separator) if item]
    if len(items) <= 1:
        return _single(items[0] if items else [], apart)
    modulus = next((n for n, t in enumerate(items[-1] if items else []) if t.text == "\\pmod"), 0)
    if modulus:  # 1, 3 mod 8
        items = [item if any(t.text == "\\pmod" for t in item) else item + items[-1][modulus:] for item in items]
    joined = {t.text.lower().strip(", ") for t, depth in depths(tokens) if depth == 0 and _is_separator(t)}
    if all(_is_words(item) for item in items):
        return _text_of(tokens)
    word = "or" if joined & {"or", "\\lor", "\\vee"} else "and" if joined & {"and", "\\land", "\\wedge"} else ""
    parts = _flat(_single(item, apart) for item in items)
    if parts[0].kind == "relation" and parts[0].word == "!=":  # x is not 1, 2
        parts = [p if p.kind == "relation" else Node("relation", (parts[0].parts[0], p), "!=") for p in parts]
        word = word.replace("or", "and") or "and"
    return Node("list", tuple(parts), word)


def _flat(nodes) -> list[Node]:
    """A list inside a list (from a plus-minus) gives its items."""
    return [item for node in nodes for item in (node.parts if node.kind == "list" else (node,))]


def _single(tokens: list[Token], apart: bool) -> Node:
    if not tokens:
        raise Refused("nothing to read")
    if len(tokens) > 1 and tokens[0].kind in ("text", "word") and _plain(tokens[0].text) in LEADS:
        return _single(tokens[1:], apart)
    signs = [t.text for t, depth in depths(tokens) if depth == 0 and t.text in RELATIONS]
    if any(t.text == "\\pmod" or (t.text == "\\bmod" and "\\equiv" in signs) for t in tokens):
        return _congruence(tokens, apart)
    for marks, kind in (({"\\setminus", "\\backslash"}, "minus"), ({"\\cup"}, "union"), ({"\\cap"}, "cap")):
        if any(t.text in marks for t, depth in depths(tokens) if depth == 0):
            sides = split(tokens, lambda t, marks=marks: t.text in marks)
            if not signs or all(any(t.text in RELATIONS for t in side) for side in sides):
                return Node(kind, tuple(_single(side, apart) for side in sides))
    if signs:
        return _relation(tokens, signs, apart)
    bracket = wrapped(tokens)
    if bracket:
        return _bracketed(tokens, bracket, apart)
    point = tokens[0].kind == "symbol" and tokens[0].text.isupper() and wrapped(tokens[1:]) == "("
    if point and len(split(tokens[2:-1], _is_separator)) > 1:
        return _bracketed(tokens[1:], "(", apart)  # the point P(1, 2)
    ratio = split(tokens, lambda t: t.text == ":")
    if len(ratio) > 2:
        return Node("tuple", tuple(_single(side, apart) for side in ratio), ":")
    if tokens[0].text == "\\begin" or (tokens[0].text == "\\{" and tokens[1:] and tokens[1].text == "\\begin"):
        try:
            return _matrix(tokens, apart)
        except Refused:
            return _text_of(tokens)
    if _is_words(tokens):
        return _text_of(tokens)
    return _quantity(tokens, apart)


def _relation(tokens: list[Token], signs: list[str], apart: bool) -> Node:
    sides = split(tokens, lambda t: t.text in RELATIONS)
    if not sides[0] and RELATIONS[signs[0]] in ("<", ">", "<=", ">=", "!=", "notin"):
        return Node("relation", (UNKNOWN, _structure(sides[1], apart)), RELATIONS[signs[0]])
    if not sides[0] and len(sides) > 1:
        sides, signs = sides[1:], signs[1:]  # "= 5"
        if not signs:
            return _structure(sides[0], apart)
    if "\\approx" in signs:  # the number after it is only a rounding of what stands before
        at = signs.index("\\approx")
        if sides[0] and (at or sides[0][0].kind == "number" or sides[0][0].text in EXACT_STARTS):
            sides, signs = sides[: at + 1], signs[:at]
            if not signs:
                return _structure(sides[0], apart)
    parts = [_structure(side, apart) for side in sides]
    if parts[-1].kind == "list" and len(parts) == 2 and signs[-1] in ("=", "\\in", "\\ne", "!="):
        word = RELATIONS[signs[-1]]
        return Node("list", tuple(Node("relation", (parts[0], item), word) for item in parts[-1].parts), "and" if word == "!=" else "or")
    return Node("relation", tuple(parts), " ".join(RELATIONS[s] for s in signs))


def _congruence(tokens: list[Token], apart: bool) -> Node:
    """x \\equiv 3 \\pmod{7}: parts = value, modulus and, where there is one, the name."""
    value, *modulus = split(tokens, lambda t: t.text in ("\\pmod", "\\bmod"))
    sides = [_structure(side, apart) for side in split(value, lambda t: t.text in ("\\equiv", "=")) if side]
    if len(modulus) != 1 or not sides:
        raise Refused("not one value and one modulus")
    return Node("congruence", (sides[-1], _structure(modulus[0], apart), *sides[:-1]))


def _bracketed(tokens: list[Token], bracket: str, apart: bool) -> Node:
    inner = tokens[1:-1]
    closer = tokens[-1].text
    if bracket == "\\{":
        for n, (token, depth) in enumerate(depths(inner)):
            if depth == 0 and token.text in ("|", "\\mid", ":") and n + 1 < len(inner):
                head, rest = _single(inner[:n], apart), _structure(inner[n + 1 :], apart)
                free = head.kind == "symbol" or (head.word == "in" and head.parts[1].word == "\\mathbbR") or head.kind == "tuple"
                return rest if free else Node("builder", (head, rest))
        return Node("set", tuple(_flat(_single(i, apart) for i in split(inner, _is_separator) if i)))
    items = [i for i in split(inner, _is_separator) if i]
    if len(items) == 1 and PAIRS.get(bracket) == closer and (bracket in "({" or items[0][0].text == "\\begin"):
        try:
            return _structure(inner, apart)
        except Refused:
            return _text_of(tokens)
    if bracket == "{":  # inside a union or a list; around everything it would only group
        return Node("set", tuple(_flat(_single(item, apart) for item in items)))
    word = {"\\langle": "(", "]": "("}.get(bracket, bracket) + {"\\rangle": ")", "[": ")"}.get(closer, closer)
    parts = [_structure(item, apart) for item in items]
    choices = [part.parts if part.kind == "list" and part.word == "or" else (part,) for part in parts]  # (\pm 1, 2)
    if 1 < prod(map(len, choices)) <= 16:
        return Node("list", tuple(Node("tuple", chosen, word) for chosen in cartesian(*choices)))
    return Node("tuple", tuple(parts), word)


def _matrix(tokens: list[Token], apart: bool) -> Node:
    """\\begin{pmatrix} ... \\end{pmatrix}, perhaps transposed; or values with their conditions, in no order."""
    braced = tokens[0].text == "\\{"
    tokens = tokens[braced:]
    ends = [n for n, t in enumerate(tokens) if t.text == "\\end"]
    if not ends or len(tokens) < ends[-1] + 4 or tokens[2].text.strip("bpvVB") not in (*MATRIX, "small"):
        raise Refused("unknown environment")
    tail = "".join(t.text for t in tokens[ends[-1] + 4 :])
    body = tokens[4 : ends[0]]
    if len(ends) > 1 or tail.strip("{}^'\\top") not in ("", "T", "mathsfT", "inercal"):
        raise Refused("more than a matrix")
    if wrapped(body[: closing(body) + 1]) and tokens[2].text == "array":
        body = body[closing(body) + 1 :]
    rows = []
    for row in split(body, lambda t: t.text == "\\\\"):
        if row and [t.text for t in row] != ["\\hline"]:
            rows.append(tuple(_structure(c, apart) for c in split(row, lambda t: t.text == "&") if c))
    if tail:
        rows = list(zip(*rows, strict=False))
    if tokens[2].text == "vmatrix" and all(len(row) == len(rows) <= 4 for row in rows):
        return determinant(rows)
    conditional = (braced or tokens[2].text == "cases") and all(len(row) == 2 for row in rows)
    return Node("cases" if conditional else "matrix", tuple(Node("tuple", cells, "()") for cells in rows))


def _quantity(tokens: list[Token], apart: bool) -> Node:
    """A value with its unit, a value, or, when it is neither, a text."""
    sign = tokens[0].text in ("-", "+") and len(tokens) > 1
    if len(tokens) > 1 + sign and (tokens[sign].text in CURRENCY or tokens[sign].text in ("Rs", "USD")):
        money = tokens[sign]
        rest = [t for n, t in enumerate(tokens) if n != sign]
        value = _quantity(rest, apart)
        name = CURRENCY.get(money.text, money.text.lower())
        return value if value.kind != "number" else Node("quantity", (value,), name)
    if len(tokens) > 1 and tokens[0].kind == "text" and tokens[0].text.endswith((":", " is", " are")):
        return _single(tokens[1:], apart)
    if both := compound(tokens):
        return Node("quantity", (num(both[0]),), both[1])
    start = split_unit(tokens)
    if not apart and start < len(tokens) and tokens[start].kind == "symbol":
        start = len(tokens)
    angle = any(t.text.removeprefix("\\") in TRIGONOMETRIC for t in tokens)
    if 0 < start < len(tokens) and not (angle and tokens[start].text == "\\degree"):
        try:
            value = _single(tokens[:start], apart)
        except Refused:
            value = None
        if value is not None and value.kind not in ("text", "opaque"):
            return Node("quantity", (value,), " ".join(t.text for t in tokens[start:]))
    try:
        return _expanded(fold(Expression(list(tokens)).read()))
    except Refused:
        return _text_of(tokens)


def _expanded(node: Node) -> Node:
    """A plus-minus becomes the list of its two values."""
    if not _has_choice(node):
        return node
    return Node("list", (_chosen(node, False), _chosen(node, True)), "or")


def _has_choice(node: Node) -> bool:
    return node.word in ("\\pm", "\\mp") or any(_has_choice(part) for part in node.parts)


def _chosen(node: Node, lower: bool) -> Node:
    if node.word in ("\\pm", "\\mp"):
        inner = _chosen(node.parts[0], lower)
        return negative(inner) if lower != (node.word == "\\mp") else inner
    return replace(node, parts=tuple(_chosen(part, lower) for part in node.parts)) if node.parts else node


def fold(node: Node) -> Node:
    """1.5 times 10^3 is the decimal 1500 with two significant digits."""
    if node.kind == "product" and len(node.parts) == 2 and node.parts[0].kind == "number":
        ten, mantissa = node.parts[1], node.parts[0]
        if ten.kind == "power" and ten.parts[0].kind == ten.parts[1].kind == "number" and ten.parts[0].value == 10:
            exponent = ten.parts[1].value
            if exponent.denominator == 1 and abs(exponent) <= 400:
                digits = mantissa.digits or len(str(abs(mantissa.value)).rstrip("0")) or 1
                return replace(mantissa, value=mantissa.value * ten.parts[0].value ** int(exponent), digits=digits)
    if node.kind == "product" and len(node.parts) == 2 and node.parts[0].value == -1:
        inner = fold(node.parts[1])
        return negative(inner) if inner.kind == "number" else node
    return node


def _is_separator(token: Token) -> bool:
    return (token.kind in ("text", "word") and token.text.lower().strip() in CONNECTORS) or token.text in CONNECTORS


def _is_words(tokens: list[Token]) -> bool:
    """Prose: texts and words only, at least one of them neither a function nor a named constant."""
    texts = [t.text for t in tokens if t.kind in ("text", "word")]
    words = [text for text in texts if text.lower() not in FUNCTIONS and text not in NAMES]
    rest = [t for t in tokens if t.kind not in ("text", "word", "symbol") and t.text not in PUNCTUATION]
    return bool(words) and not rest and tokens[0].text != "-"


def _text_of(tokens: list[Token]) -> Node:
    """Prose in its normal form; mathematics that was not understood stays opaque, equal only to itself."""
    if _is_words(tokens):
        return Node("text", word=_plain("".join((" " if t.spaced else "") + t.text for t in tokens)))
    parts = [f" {t.text.lower()} " if t.kind in ("text", "word") else t.text for t in tokens]
    return Node("opaque", word=" ".join("".join(parts).split()))


def _plain(text: str) -> str:
    """Normal form of prose: lower case, no punctuation, no articles."""
    parts = re.sub(r"[\"'`.,:!?{}\\_*()]|-", " ", text.lower()).split()
    return " ".join([word for word in parts if word not in ("the", "a", "an", "is", "are")] or parts)
