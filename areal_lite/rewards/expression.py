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
        node = self.over_or_sum()
        if self.at < len(self.tokens):
            raise Refused(f"unexpected {self.peek()!r}")
        return node

    def peek(self, ahead: int = 0) -> str:
        """The next token's text; "" at the end and for a \\text{}, which has no meaning inside an expression."""
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        return "\\text" if token.kind == "text" else token.text

    def take(self, expected: str = "") -> Token:
        if self.at >= len(self.tokens) or (expected and self.peek() != expected):
            raise Refused(f"expected {expected or 'more'}")
        self.at += 1
        return self.tokens[self.at - 1]

    def deeper(self) -> None:
        """Bars, functions and signs nest without a bracket that the lexer counts."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise Refused("too deep")

    def sum(self) -> Node:
        terms = [self.term()]
        while self.peek() in ("+", "-", "\\pm", "\\mp"):
            sign = self.take().text
            terms.append(signed(sign, self.term()))
        return terms[0] if len(terms) == 1 else Node("sum", tuple(terms))

    def term(self) -> Node:
        if self.peek() in ("+", "-", "\\pm", "\\mp"):
            self.deeper()
            node = signed(self.take().text, self.term())
            self.depth -= 1
            return node
        factors = [self.factor()]
        while True:
            mark = self.peek()
            if mark in known.TIMES:
                self.take()
                factors.append(self.signed_factor())
            elif mark in known.OVER:
                self.take()
                factors.append(power(self.signed_factor(), num(-1)))
            elif self.starts_factor():
                factors.append(self.juxtaposed(factors))
            else:
                return factors[0] if len(factors) == 1 else Node("product", tuple(factors))

    def signed_factor(self) -> Node:
        sign = self.take().text if self.peek() in ("-", "+") else "+"
        return signed(sign, self.factor())

    def juxtaposed(self, factors: list[Node]) -> Node:
        """The factor that follows without a sign; turns 3 and 1/2 into the mixed number by editing `factors`."""
        before, start, spaced = factors[-1], self.at, self.tokens[self.at].spaced
        if self.peek()[0].isdigit() and self.tokens[self.at - 1].kind == "number":
            if spaced and before.kind == "power":  # 2^6 3^5
                return self.factor()
            fraction = self.slashed_fraction() if spaced and is_whole(before) else None
            if fraction is None:
                raise Refused("two numbers side by side")
            return num(factors.pop().value + fraction)
        is_fraction = self.peek() == "\\frac"
        after = self.factor()
        if is_fraction and is_whole(before) and self.tokens[start - 1].kind == "number":
            ratio = plain_ratio(after)
            if ratio is not None and 0 < ratio < 1:
                return num(factors.pop().value + ratio)
        return after

    def slashed_fraction(self) -> Fraction | None:
        """1/2 at the cursor, both plain integers and proper; None leaves the cursor where it was."""
        if self.peek(1) != "/" or not self.peek(2).isdigit() or not self.peek().isdigit():
            return None
        top, bottom = int(self.peek()), int(self.peek(2))
        if not 0 <= top < bottom:
            return None
        self.at += 3
        return Fraction(top, bottom)

    def starts_factor(self) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        if token.kind in ("number", "symbol", "word"):
            return True
        if token.text == "|":
            return self.bars == 0
        return token.text in known.CLOSER or (token.kind == "command" and known.is_atom(token.text))

    def factor(self) -> Node:
        self.deeper()
        node = self.postfix(self.atom())
        self.depth -= 1
        if self.peek() in ("^", "**"):
            self.take()
            exponent = self.exponent()
            node = self.postfix(power(node, exponent))
            if self.peek() in ("^", "**"):
                raise Refused("double exponent")
        return node

    def exponent(self) -> Node:
        if self.peek() in ("-", "+"):
            return signed(self.take().text, self.postfix(self.atom()))
        return self.postfix(self.atom())

    def postfix(self, node: Node) -> Node:
        for _ in range(MAX_POSTFIX):
            mark = self.peek()
            if mark == "!":
                self.take()
                twice = self.peek() == "!" and bool(self.take())
                node = Node("call", (node,), "factorial2" if twice else "factorial")
            elif mark == "\\degree":
                self.take()
                node = product(node, Node("symbol", word="pi"), num(Fraction(1, 180)))
            elif mark in ("\\%", "%"):
                self.take()
                node = product(node, num(Fraction(1, 100)))
            elif mark in ("...", "\\ldots", "\\dots") and node.digits and self.at + 1 == len(self.tokens):
                self.take()
            elif mark == "'" and node.kind == "symbol":
                self.take()
                node = replace(node, word=node.word + "'")
            elif mark == "(" and node.word in known.VALUED and self.peek(1).isdigit() and self.peek(2) == ")":
                node = replace(node, word=f"{node.word}({self.peek(1)})")
                self.at += 3
            elif mark == "_" and node.kind in ("symbol", "number"):
                self.take()
                node = self.subscripted(node)
            else:
                return node
        raise Refused("too many signs after a factor")

    def subscripted(self, node: Node) -> Node:
        """x_1 is a name of its own; 101_2 is a numeral in a base, equal only to itself."""
        if self.peek() == "{":
            start = self.at
            depth = 0
            while True:
                depth += {"{": 1, "}": -1}.get(self.take().text, 0)
                if depth == 0:
                    break
            inside = "".join(t.text for t in self.tokens[start + 1 : self.at - 1] if t.text not in "(){}")
        else:
            inside = self.take().text
        if node.kind == "number":
            return Node("symbol", word=f"{node.value} base {known.BASES.get(inside.lower(), inside)}")
        return replace(node, word=f"{node.word}_{inside}")

    def group(self) -> Node:
        opener = self.take().text
        bars, self.bars = self.bars, 0
        node = self.over_or_sum()
        self.bars = bars
        self.take(known.CLOSER[opener])
        return node

    def over_or_sum(self) -> Node:
        node = self.sum()
        if self.peek() == "\\choose":
            self.take()
            return Node("call", (node, self.sum()), "binom")
        if self.peek() == "\\over":
            self.take()
            return quotient(node, self.sum())
        return node

    def atom(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return Node("number", value=token.value, digits=token.digits)
        name = token.text
        if token.kind == "text":
            raise Refused("text inside an expression")
        if name in known.CONSTANTS:
            return Node("symbol", word=known.CONSTANTS[name])
        if token.kind == "symbol":
            return Node("symbol", word=name)
        bare = name.removeprefix("\\")
        if bare.lower() in known.FUNCTIONS and bare.lower() not in ("frac", "binom"):
            return self.call(bare.lower())
        if token.kind == "word":
            return Node("symbol", word="\\" + name if "\\" + name in known.GREEK else name)
        if name in known.CLOSER:
            self.at -= 1
            return self.bracket(name)
        if name in known.GREEK:
            return Node("symbol", word=name)
        return self.command(name)

    def command(self, name: str) -> Node:
        if name == "\\frac":
            if [self.peek(n) for n in range(5)] == ["{", "d", "}", "{", "d"]:
                raise Refused("a derivative")
            top = self.argument()
            return quotient(top, self.argument())
        if name == "\\binom":
            return Node("call", (self.argument(), self.argument()), "binom")
        if name in ("\\overline", "\\bar", "\\mathbb"):
            self.take("{")
            inside = self.take().text
            self.take("}")
            return Node("symbol", word=f"{name}{inside}")
        raise Refused(f"unknown command {name}")

    def argument(self) -> Node:
        """{...} or one token; of a run of digits only the first, as in \\frac12."""
        if self.peek() == "{":
            return self.group()
        token = self.take()
        if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():
            self.tokens[self.at - 1 : self.at] = [number(c) for c in token.text]
            return Node("number", value=Fraction(int(token.text[0])))
        self.at -= 1
        return self.atom()

    def bracket(self, opener: str) -> Node:
        if opener in ("|", "\\lvert"):
            self.take()
            self.bars += 1
            node = self.sum()
            self.bars -= 1
            self.take(known.CLOSER[opener])
            return Node("call", (node,), "abs")
        node = self.group()
        if opener == "\\{":
            raise Refused("set inside an expression")
        return Node("call", (node,), {"\\lfloor": "floor", "\\lceil": "ceil"}[opener]) if "l" in opener else node

    def call(self, name: str) -> Node:
        name = known.CALLS.get(name, name)
        if name == "sqrt":
            index = self.group() if self.peek() == "[" else num(2)
            return power(self.atom(), quotient(num(1), index))
        if name == "cbrt":
            return power(self.atom(), num(Fraction(1, 3)))
        base = raised = None
        while self.peek() in ("_", "^"):
            if self.take().text == "_":
                base = self.argument()
            else:
                raised = self.exponent()
        node = self.called(name)
        if name == "cis":
            return power(Node("symbol", word="e"), product(Node("symbol", word="i"), node.parts[0]))
        if base is not None:
            node = quotient(Node("call", node.parts, "ln"), Node("call", (base,), "ln"))
        if raised is None:
            return node
        if raised.kind == "number" and raised.value == -1 and not name.startswith(("arc", "ln", "log")):
            return replace(node, word="arc" + name)
        return power(node, raised)

    def called(self, name: str) -> Node:
        """The function's argument: a bracket, or the product that follows up to the next function or sign."""
        if self.peek() in ("(", "[", "{", "\\{"):
            opener = self.take().text
            parts = [self.over_or_sum()]
            while self.peek() in (",", ";"):
                self.take()
                parts.append(self.sum())
            self.take(known.CLOSER[opener])
            return Node("call", tuple(parts), name)
        parts = [self.signed_factor()]
        while self.starts_factor() and not self.at_function() and self.peek() not in ("(", "["):
            parts.append(self.factor())
        return Node("call", (parts[0] if len(parts) == 1 else Node("product", tuple(parts)),), name)

    def at_function(self) -> bool:
        return self.peek().removeprefix("\\") in known.FUNCTIONS and self.peek() not in ("\\frac", "\\sqrt")
