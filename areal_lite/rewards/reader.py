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
from areal_lite.rewards.lexer import GROUPED, GROUPED_BY_SPACE, Refused, Token, tokenize
from areal_lite.rewards.node import Node, determinant, negative, num
from areal_lite.rewards.units import CURRENCY, WORDS, compound, split_unit
from areal_lite.rewards.vocabulary import CLOSERS, FUNCTIONS, NAMES, OPENERS

RELATIONS = {
    **dict.fromkeys(("=", "==", ":=", "\\approx", "\\simeq", "\\cong"), "="),
    "<": "<", "\\lt": "<", ">": ">", "\\gt": ">", "<=": "<=", "\\le": "<=", ">=": ">=", "\\ge": ">=",
    "!=": "!=", "\\ne": "!=", "\\in": "in", "\\notin": "notin", "\\equiv": "\\equiv", "\\sim": "sim",
    "\\to": "to", "->": "to", "\\rightarrow": "to", "\\mapsto": "to", "\\Rightarrow": "implies",
    "\\subset": "sub", "\\subseteq": "sub",
}
CONNECTORS = {"and", "or", ", and", ", or", ",and", ",or", "and/or", ",", ";", "\\lor", "\\land", "\\vee", "\\wedge"}
PAIRS = {"(": ")", "[": "]", "\\{": "\\}", "{": "}", "\\langle": "\\rangle"}
EXACT_STARTS = {"\\frac", "\\sqrt", "-", "(", "\\pi"}
PUNCTUATION = set("'\"-.,?")
LEADS = {"about", "approximately", "roughly", "exactly", "answer", "final answer", "so", "thus", "therefore", "hence"}
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
            node = structure(tokens, apart)
            if node not in found:
                found.append(node)
    return tuple(found)


def structure(tokens: list[Token], apart: bool = False) -> Node:
    """One answer, or the list of them that bare separators make. `apart`: a spaced single letter may be a unit."""
    while wrapped(tokens) == "{":
        tokens = tokens[1:-1]
    if tokens and tokens[0].text == "]" and wrapped(tokens):
        return bracketed(tokens, "]", apart)
    items = [item for item in split(tokens, is_separator) if item]
    if len(items) <= 1:
        return single(items[0] if items else [], apart)
    joined = {t.text.lower().strip(", ") for t, depth in depths(tokens) if depth == 0 and is_separator(t)}
    if all(is_words(item) for item in items):
        return text_of(tokens)
    word = "or" if joined & {"or", "\\lor", "\\vee"} else "and" if joined & {"and", "\\land", "\\wedge"} else ""
    return Node("list", tuple(flat(single(item, apart) for item in items)), word)


def flat(nodes) -> list[Node]:
    """A list inside a list (from a plus-minus) gives its items."""
    return [item for node in nodes for item in (node.parts if node.kind == "list" else (node,))]


def single(tokens: list[Token], apart: bool) -> Node:
    if not tokens:
        raise Refused("nothing to read")
    signs = [t.text for t, depth in depths(tokens) if depth == 0 and t.text in RELATIONS]
    if signs:
        return relation(tokens, signs, apart)
    for marks, kind in (({"\\setminus", "\\backslash"}, "minus"), ({"\\cup"}, "union"), ({"\\cap"}, "cap")):
        if any(t.text in marks for t, depth in depths(tokens) if depth == 0):
            sides = split(tokens, lambda t, marks=marks: t.text in marks)
            return Node(kind, tuple(single(side, apart) for side in sides))
    bracket = wrapped(tokens)
    if bracket:
        return bracketed(tokens, bracket, apart)
    point = tokens[0].kind == "symbol" and tokens[0].text.isupper() and wrapped(tokens[1:]) == "("
    if point and len(split(tokens[2:-1], is_separator)) > 1:
        return bracketed(tokens[1:], "(", apart)  # the point P(1, 2)
    ratio = split(tokens, lambda t: t.text == ":")
    if len(ratio) > 2:
        return Node("tuple", tuple(single(side, apart) for side in ratio), ":")
    if tokens[0].text == "\\begin":
        try:
            return matrix(tokens, apart)
        except Refused:
            return text_of(tokens)
    if is_words(tokens):
        return text_of(tokens)
    return quantity(tokens, apart)


def relation(tokens: list[Token], signs: list[str], apart: bool) -> Node:
    sides = split(tokens, lambda t: t.text in RELATIONS)
    if not sides[0] and len(sides) > 1:
        sides, signs = sides[1:], signs[1:]  # "= 5"
        if not signs:
            return structure(sides[0], apart)
    if "\\approx" in signs:  # the number after it is only a rounding of what stands before
        at = signs.index("\\approx")
        if sides[0] and (at or sides[0][0].kind == "number" or sides[0][0].text in EXACT_STARTS):
            sides, signs = sides[: at + 1], signs[:at]
            if not signs:
                return structure(sides[0], apart)
    parts = [structure(side, apart) for side in sides]
    if parts[-1].kind == "list" and len(parts) == 2 and signs[-1] in ("=", "\\in", "\\ne", "!="):
        word = RELATIONS[signs[-1]]
        return Node("list", tuple(Node("relation", (parts[0], item), word) for item in parts[-1].parts), "and" if word == "!=" else "or")
    return Node("relation", tuple(parts), " ".join(RELATIONS[s] for s in signs))


def bracketed(tokens: list[Token], bracket: str, apart: bool) -> Node:
    inner = tokens[1:-1]
    closer = tokens[-1].text
    if bracket == "\\{":
        for n, (token, depth) in enumerate(depths(inner)):
            if depth == 0 and token.text in ("|", "\\mid", ":", "\\colon") and n + 1 < len(inner):
                return structure(inner[n + 1 :], apart)
        return Node("set", tuple(flat(single(i, apart) for i in split(inner, is_separator) if i)))
    items = [i for i in split(inner, is_separator) if i]
    if len(items) == 1 and PAIRS.get(bracket) == closer and (bracket in "({" or items[0][0].text == "\\begin"):
        try:
            return structure(inner, apart)
        except Refused:
            return text_of(tokens)
    if bracket == "{":  # inside a union or a list; around everything it would only group
        return Node("set", tuple(flat(single(item, apart) for item in items)))
    word = {"\\langle": "(", "]": "("}.get(bracket, bracket) + {"\\rangle": ")", "[": ")"}.get(closer, closer)
    parts = [structure(item, apart) for item in items]
    choices = [part.parts if part.kind == "list" and part.word == "or" else (part,) for part in parts]  # (\pm 1, 2)
    if 1 < prod(map(len, choices)) <= 16:
        return Node("list", tuple(Node("tuple", chosen, word) for chosen in cartesian(*choices)))
    return Node("tuple", tuple(parts), word)


def matrix(tokens: list[Token], apart: bool) -> Node:
    """\\begin{pmatrix} ... \\end{pmatrix}, perhaps transposed."""
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
            rows.append(tuple(structure(c, apart) for c in split(row, lambda t: t.text == "&") if c))
    if tail:
        rows = list(zip(*rows, strict=False))
    if tokens[2].text == "vmatrix" and all(len(row) == len(rows) <= 4 for row in rows):
        return determinant(rows)
    return Node("matrix", tuple(Node("tuple", cells, "()") for cells in rows))


def quantity(tokens: list[Token], apart: bool) -> Node:
    """A value with its unit, a value, or, when it is neither, a text."""
    sign = tokens[0].text in ("-", "+") and len(tokens) > 1
    if len(tokens) > 1 + sign and (tokens[sign].text in CURRENCY or tokens[sign].text in ("Rs", "USD")):
        money = tokens[sign]
        rest = [t for n, t in enumerate(tokens) if n != sign]
        value = quantity(rest, apart)
        name = CURRENCY.get(money.text, money.text.lower())
        return value if value.kind != "number" else Node("quantity", (value,), name)
    label = tokens[0].kind == "text" and tokens[0].text.endswith((":", " is", " are"))
    if len(tokens) > 1 and (label or (tokens[0].kind in ("text", "word") and plain(tokens[0].text) in LEADS)):
        return single(tokens[1:], apart)
    start = split_unit(tokens)
    if not apart and start < len(tokens) and tokens[start].kind == "symbol":
        start = len(tokens)
    angle = any(t.text.removeprefix("\\") in TRIGONOMETRIC for t in tokens)
    if 0 < start < len(tokens) and not (angle and tokens[start].text == "\\degree"):
        try:
            value = single(tokens[:start], apart)
        except Refused:
            value = None
        if value is not None and value.kind not in ("text", "opaque"):
            return Node("quantity", (value,), " ".join(t.text for t in tokens[start:]))
    if both := compound(tokens):
        return Node("quantity", (num(both[0]),), both[1])
    try:
        return expanded(fold(Expression(list(tokens)).read()))
    except Refused:
        return text_of(tokens)


def expanded(node: Node) -> Node:
    """A plus-minus becomes the list of its two values."""
    if not has_choice(node):
        return node
    return Node("list", (chosen(node, False), chosen(node, True)), "or")


def has_choice(node: Node) -> bool:
    return node.word in ("\\pm", "\\mp") or any(has_choice(part) for part in node.parts)


def chosen(node: Node, lower: bool) -> Node:
    if node.word in ("\\pm", "\\mp"):
        inner = chosen(node.parts[0], lower)
        return negative(inner) if lower != (node.word == "\\mp") else inner
    return replace(node, parts=tuple(chosen(part, lower) for part in node.parts)) if node.parts else node


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


def depths(tokens: list[Token]):
    """Each token with the bracket depth around it; a bracket itself belongs to the outside."""
    depth = 0
    for token in tokens:
        if token.text in CLOSERS or (token.text == "\\end"):
            depth = max(0, depth - 1)
        yield token, depth
        if token.text in OPENERS or token.text == "\\begin":
            depth += 1


def split(tokens: list[Token], at) -> list[list[Token]]:
    """Pieces between the tokens of depth 0 for which `at` holds."""
    pieces: list[list[Token]] = [[]]
    for token, depth in depths(tokens):
        if depth == 0 and at(token):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def closing(tokens: list[Token]) -> int:
    """Index of the bracket that closes the first token; len(tokens) when none does."""
    depth = 0
    for n, token in enumerate(tokens):
        depth += (token.text in OPENERS) - (token.text in CLOSERS)
        if depth == 0:
            return n
    return len(tokens)


def wrapped(tokens: list[Token]) -> str:
    """The bracket that opens at the first token and closes at the last, half-open intervals included; else ""."""
    if len(tokens) < 2:
        return ""
    first, last = tokens[0].text, tokens[-1].text
    if first == "]" and last in ("[", "]"):
        return first
    if first == "[" and last == "[":
        return first
    if first not in PAIRS or last not in CLOSERS or closing(tokens) != len(tokens) - 1:
        return ""
    return first if PAIRS[first] == last or (first in "([" and last in ")]") else ""


def is_separator(token: Token) -> bool:
    return (token.kind in ("text", "word") and token.text.lower().strip() in CONNECTORS) or token.text in CONNECTORS


def is_words(tokens: list[Token]) -> bool:
    """Prose: texts and words only, at least one of them neither a function nor a named constant."""
    texts = [t.text for t in tokens if t.kind in ("text", "word")]
    words = [text for text in texts if text.lower() not in FUNCTIONS and text not in NAMES]
    rest = [t for t in tokens if t.kind not in ("text", "word", "symbol") and t.text not in PUNCTUATION]
    return bool(words) and not rest and tokens[0].text != "-"


def text_of(tokens: list[Token]) -> Node:
    """Prose in its normal form; mathematics that was not understood stays opaque, equal only to itself."""
    if is_words(tokens):
        return Node("text", word=plain("".join((" " if t.spaced else "") + t.text for t in tokens)))
    parts = [f" {t.text.lower()} " if t.kind in ("text", "word") else t.text for t in tokens]
    return Node("opaque", word=" ".join("".join(parts).split()))


def plain(text: str) -> str:
    """Normal form of prose: lower case, no punctuation, no articles."""
    parts = re.sub(r"[\"'`.,:!?{}\\_*()]|-", " ", text.lower()).split()
    return " ".join([word for word in parts if word not in ("the", "a", "an", "is", "are")] or parts)
