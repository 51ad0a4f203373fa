"""The slow path: a maintained LaTeX parser and sympy, for what reader.py does not read (sums, integrals, limits).

Neither executes text. What could be large is refused by size before it is parsed; time is bounded only by the pool.
"""

import re

MAX_CHARACTERS = 200
HEAVY = re.compile(r"\d{7,}|!|\^[^a-z]*\d{3,}|\^[^^]*\^|(?:[\^_]\{?[^}]*){6,}")


def warm_up() -> None:
    """Import what a worker needs, once, before its memory is capped."""
    same("\\sum_{k=1}^{3} k", "6")


def same(a: str, b: str) -> bool:
    """Equal as sympy expressions; False for whatever cannot be parsed, is large, or makes sympy fail."""
    from latex2sympy2_extended import latex2sympy
    from math_verify.grader import sympy_expr_eq

    if max(len(a), len(b)) > MAX_CHARACTERS or HEAVY.search(a) or HEAVY.search(b):
        return False
    try:
        return bool(sympy_expr_eq(latex2sympy(b), latex2sympy(a), 6, 15))
    except Exception:  # the parser and sympy raise anything at all on malformed input; every such answer is not equal
        return False
