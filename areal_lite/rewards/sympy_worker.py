"""The process that runs sympy: two LaTeX answers per frame, or a response and its golds for the math-verify protocol.

symbolic.py starts it, and kills it when it is slow.
"""

import logging
import re
import sys

from areal_lite.rewards.process import enter, limit_memory, receive, send

SHORT_FRACTION = re.compile(r"\\frac ?(\d) ?(\d)")


def _same(answer: str, gold: str) -> bool:
    """Equal after sympy has carried out sums, integrals and limits; False for what it cannot parse or compare."""
    from latex2sympy2_extended import latex2sympy
    from math_verify.grader import sympy_expr_eq

    try:
        theirs, ours = (latex2sympy(SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)).doit() for text in (answer, gold))
        theirs, ours = (side.as_explicit() if hasattr(side, "as_explicit") else side for side in (theirs, ours))
        return bool(sympy_expr_eq(ours, theirs, 6, 15))
    except Exception:  # the parser and sympy raise anything at all on malformed input; that is not equal
        return False


def _judged(response: str, golds: list[str]) -> dict:
    """Math-Verify's own verdict, with its default settings."""
    from math_verify import parse, verify

    found = parse(response, parsing_timeout=None)
    right = bool(found) and any(verify(parse(f"${gold}$", parsing_timeout=None), found, timeout_seconds=None) for gold in golds)
    return {"right": right, "found": str(found[-1])[:200] if found else ""}


def main() -> None:
    """Answer frames until the parent closes the socket or dies."""
    sock, settings = enter(sys.argv[1:])
    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that the time limit is the caller's business
    _same("\\sum_{k=1}^{3} k", "\\int_{0}^{1} 12 x dx")
    limit_memory(settings["memory_mb"])
    send(sock, {"ready": True})
    while (item := receive(sock)) is not None:
        send(sock, _judged(item["response"], item["golds"]) if "response" in item else
             {"same": _same(item["answer"], item["gold"])})  # fmt: skip


if __name__ == "__main__":
    main()
