"""Tokens -> Node: one arithmetic expression by precedence climbing. Anything else is Refused, never guessed.

Juxtaposition multiplies, with the precedence of a written product; an integer directly before a proper fraction of
integers is a mixed number. Recursion is bounded by the lexer's depth limit.
"""

from dataclasses import replace
from fractions import Fraction

from areal_lite.rewards import vocabulary as known
from areal_lite.rewards.lexer import Refused, Token, letters, number
from areal_lite.rewards.node import Node, is_whole, num, plain_ratio, power, product, quotient, signed

MAX_NESTING = 60
MAX_POSTFIX = 10


class Expression:
    """A cursor over tokens; `read` consumes all of them or raises Refused."""

    def __init__(self, tokens: list[Token]):
        self.tokens = [letter for token in tokens for letter in letters(token)]
        self.at = 0
        self.bars = 0
        self.depth = 0

    def read(self) -> Node:
        """The expression that all the tokens make. Raises Refused when they make none, or nest past MAX_NESTING."""
        node = self._over_or_sum()
        if self.at < len(self.tokens):
            raise Refused(f"unexpected {self._peek()!r}")
        return node

    def _peek(self, ahead: int = 0) -> str:
        """The next token's text; "" at the end and for a \\text{}, which has no meaning inside an expression."""
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        return "\\text" if token.kind == "text" else token.text

    def _take(self, expected: str = "") -> Token:
        if self.at >= len(self.tokens) or (expected and self._peek() != expected):
            raise Refused(f"expected {expected or 'more'}")
        self.at += 1
        return self.tokens[self.at - 1]

    def _deeper(self) -> None:
        """Bars, functions and signs nest without a bracket that the lexer counts."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise Refused("too deep")

    def _sum(self) -> Node:
        terms = [self._term()]
        while self._peek() in ("+", "-", "\\pm", "\\mp"):
            sign = self._take().text
            terms.append(signed(sign, self._term()))
        return terms[0] if len(terms) == 1 else Node("sum", tuple(terms))

    def _term(self) -> Node:
        if self._peek() in ("+", "-", "\\pm", "\\mp"):
            self._deeper()
            node = signed(self._take().text, self._term())
            self.depth -= 1
            return node
        factors = [self._factor()]
        while True:
            mark = self._peek()
            if mark in known.TIMES:
                self._take()
                factors.append(self._signed_factor())
            elif mark in known.OVER:
                self._take()
                factors.append(power(self._signed_factor(), num(-1)))
            elif mark == "\\bmod":
                self._take()
                self._deeper()
                factors = [Node("call", (product(*factors), self._signed_factor()), "mod")]
            elif self._starts_factor():
                factors.append(self._juxtaposed(factors))
            else:
                return factors[0] if len(factors) == 1 else Node("product", tuple(factors))

    def _signed_factor(self) -> Node:
        sign = self._take().text if self._peek() in ("-", "+") else "+"
        return signed(sign, self._factor())

    def _juxtaposed(self, factors: list[Node]) -> Node:
        """The factor that follows without a sign; turns 3 and 1/2 into the mixed number by editing `factors`."""
        before, start, spaced = factors[-1], self.at, self.tokens[self.at].spaced
        if self._peek()[0].isdigit() and self.tokens[self.at - 1].kind == "number":
            if spaced and before.kind == "power":  # 2^6 3^5
                return self._factor()
            fraction = self._slashed_fraction() if spaced and is_whole(before) else None
            if fraction is None:
                raise Refused("two numbers side by side")
            return num(factors.pop().value + fraction)
        is_fraction = self._peek() == "\\frac"
        after = self._factor()
        if is_fraction and is_whole(before) and self.tokens[start - 1].kind == "number":
            ratio = plain_ratio(after)
            if ratio is not None and 0 < ratio < 1:
                return num(factors.pop().value + ratio)
        return after

    def _slashed_fraction(self) -> Fraction | None:
        """1/2 at the cursor, both plain integers and proper; None leaves the cursor where it was."""
        if self._peek(1) != "/" or not self._peek(2).isdigit() or not self._peek().isdigit():
            return None
        top, bottom = int(self._peek()), int(self._peek(2))
        if not 0 <= top < bottom:
            return None
        self.at += 3
        return Fraction(top, bottom)

    def _starts_factor(self) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        if token.kind in ("number", "symbol", "word"):
            return True
        if token.text == "|":
            return self.bars == 0
        return token.text in known.CLOSER or (token.kind == "command" and known.is_atom(token.text))

    def _factor(self) -> Node:
        self._deeper()
        node = self._postfix(self._atom())
        self.depth -= 1
        if self._peek() in ("^", "**"):
            self._take()
            exponent = self._exponent()
            node = self._postfix(power(node, exponent))
            if self._peek() in ("^", "**"):
                raise Refused("double exponent")
        return node

    def _exponent(self) -> Node:
        if self._peek() in ("-", "+"):
            return signed(self._take().text, self._postfix(self._atom()))
        return self._postfix(self._atom())

    def _postfix(self, node: Node) -> Node:
        for _ in range(MAX_POSTFIX):
            mark = self._peek()
            if mark == "!":
                self._take()
                twice = self._peek() == "!" and bool(self._take())
                node = Node("call", (node,), "factorial2" if twice else "factorial")
            elif mark == "\\degree":
                self._take()
                node = product(node, Node("symbol", word="pi"), num(Fraction(1, 180)))
            elif mark in ("\\%", "%"):
                self._take()
                node = product(node, num(Fraction(1, 100)))
            elif mark in ("...", "\\ldots", "\\dots") and node.digits and self.at + 1 == len(self.tokens):
                self._take()
            elif mark == "'" and node.kind == "symbol":
                self._take()
                node = replace(node, word=node.word + "'")
            elif mark == "(" and node.word in known.VALUED and self._peek(1).isdigit() and self._peek(2) == ")":
                node = replace(node, word=f"{node.word}({self._peek(1)})")
                self.at += 3
            elif mark == "_" and node.kind in ("symbol", "number"):
                self._take()
                node = self._subscripted(node)
            else:
                return node
        raise Refused("too many signs after a factor")

    def _subscripted(self, node: Node) -> Node:
        """x_1 is a name of its own; 101_2 is a numeral in a base, equal only to itself."""
        if self._peek() == "{":
            start = self.at
            depth = 0
            while True:
                depth += {"{": 1, "}": -1}.get(self._take().text, 0)
                if depth == 0:
                    break
            inside = "".join(t.text for t in self.tokens[start + 1 : self.at - 1] if t.text not in "(){}")
        else:
            inside = self._take().text
        if node.kind == "number" and inside == "10":
            return node
        if node.kind == "number":
            return Node("symbol", word=f"{node.value} base {known.BASES.get(inside.lower(), inside)}")
        return replace(node, word=f"{node.word}_{inside}")

    def _group(self) -> Node:
        opener = self._take().text
        bars, self.bars = self.bars, 0
        node = self._over_or_sum()
        self.bars = bars
        self._take(known.CLOSER[opener])
        return node

    def _over_or_sum(self) -> Node:
        node = self._sum()
        if self._peek() == "\\choose":
            self._take()
            return Node("call", (node, self._sum()), "binom")
        if self._peek() == "\\over":
            self._take()
            return quotient(node, self._sum())
        return node

    def _atom(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return Node("number", value=token.value, digits=token.digits)
        name = token.text
        if token.kind == "text" or name == "not":
            raise Refused("words inside an expression")
        if name in known.CONSTANTS:
            return Node("symbol", word=known.CONSTANTS[name])
        if token.kind == "symbol":
            return Node("symbol", word=name)
        bare = name.removeprefix("\\")
        if bare.lower() in known.FUNCTIONS and bare.lower() not in ("frac", "binom"):
            return self._call(bare.lower())
        if token.kind == "word":
            return Node("symbol", word="\\" + name if "\\" + name in known.GREEK else name)
        if name in known.CLOSER:
            self.at -= 1
            return self._bracket(name)
        if name in known.GREEK:
            return Node("symbol", word=name)
        return self._command(name)

    def _command(self, name: str) -> Node:
        if name == "\\frac":
            if [self._peek(n) for n in range(5)] == ["{", "d", "}", "{", "d"]:
                raise Refused("a derivative")
            top = self._argument()
            return quotient(top, self._argument())
        if name == "\\binom":
            return Node("call", (self._argument(), self._argument()), "binom")
        if name in ("\\overline", "\\bar", "\\mathbb"):
            self._take("{")
            inside = self._take().text
            self._take("}")
            return Node("symbol", word=f"{name}{inside}")
        raise Refused(f"unknown command {name}")

    def _argument(self) -> Node:
        """{...} or one token; of a run of digits only the first, as in \\frac12."""
        if self._peek() == "{":
            return self._group()
        token = self._take()
        if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():
            self.tokens[self.at - 1 : self.at] = [number(c) for c in token.text]
            return Node("number", value=Fraction(int(token.text[0])))
        self.at -= 1
        return self._atom()

    def _bracket(self, opener: str) -> Node:
        if opener in ("|", "\\lvert"):
            self._take()
            self.bars += 1
            node = self._sum()
            self.bars -= 1
            self._take(known.CLOSER[opener])
            return Node("call", (node,), "abs")
        node = self._group()
        if opener == "\\{":
            raise Refused("set inside an expression")
        return Node("call", (node,), {"\\lfloor": "floor", "\\lceil": "ceil"}[opener]) if "l" in opener else node

    def _call(self, name: str) -> Node:
        name = known.CALLS.get(name, name)
        if name == "sqrt":
            index = self._group() if self._peek() == "[" else num(2)
            return power(self._atom(), quotient(num(1), index))
        if name == "cbrt":
            return power(self._atom(), num(Fraction(1, 3)))
        base = raised = None
        while self._peek() in ("_", "^", "**"):
            if self._take().text == "_":
                base = self._argument()
            else:
                raised = self._exponent()
        node = self._called(name)
        if name == "cis":
            return power(Node("symbol", word="e"), product(Node("symbol", word="i"), node.parts[0]))
        if base is not None:
            node = quotient(Node("call", node.parts, "ln"), Node("call", (base,), "ln"))
        if raised is None:
            return node
        if raised.kind == "number" and raised.value == -1 and not name.startswith(("arc", "ln", "log")):
            return replace(node, word="arc" + name)
        return power(node, raised)

    def _called(self, name: str) -> Node:
        """The function's argument: a bracket, or the product that follows up to the next function or sign."""
        if self._peek() in ("(", "[", "{", "\\{"):
            opener = self._take().text
            parts = [self._over_or_sum()]
            while self._peek() in (",", ";"):
                self._take()
                parts.append(self._sum())
            self._take(known.CLOSER[opener])
            return Node("call", tuple(parts), name)
        parts = [self._signed_factor()]
        while self._starts_factor() and not self._at_function() and self._peek() not in ("(", "["):
            parts.append(self._factor())
        return Node("call", (parts[0] if len(parts) == 1 else Node("product", tuple(parts)),), name)

    def _at_function(self) -> bool:
        return self._peek().removeprefix("\\") in known.FUNCTIONS and self._peek() not in ("\\frac", "\\sqrt")
