"""Published graders, for reproducing published numbers, with their known leniency. No text is ever evaluated as code.

qwen: the rule of Qwen2.5-Math's evaluation (also SimpleRL's and AReaL v0.1's reward): last box, else what follows
"answer is", else the last number; spelling rules that drop units, dollars and percent signs; numbers equal to 1e-4
relative, also times or divided by 100; equal expressions. Its sympy parsing is replaced by our reader, so hostile
answers are wrong instead of fatal. math-verify: the library itself, in the killable child of symbolic.py.
"""

import re
import time
from collections.abc import Sequence
from fractions import Fraction

from areal_lite.rewards import symbolic
from areal_lite.rewards.compare import equal
from areal_lite.rewards.extract import NUMBER, after_marker, last_box
from areal_lite.rewards.lexer import Refused
from areal_lite.rewards.normalise import tidy
from areal_lite.rewards.reader import readings
from areal_lite.rewards.scalars import Options
from areal_lite.rewards.verdict import Verdict

TOLERANCE = Fraction(1, 10**4)
MAX_CHARACTERS = 2000
MAX_RESPONSE = 100_000
DEADLINE_S = 4.0
LENIENT = Options(percent_without_sign=True, unordered_tuples=False, last_number=True)
TEXT = re.compile(r"\\(?:text|mbox|mathrm)\{[^{}]*\}$")
PREFIX = re.compile(r"^[A-Za-z]{1,2} ?(?:=|\\in) ?")
CHOICE = re.compile(r"\b([A-E])\b")
PLAIN_NUMBER = re.compile(r"-?(?:\d+(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")


def grade(response: str, golds: Sequence[str], protocol: str) -> Verdict:
    """As math.grade. Raises ValueError for an unknown protocol."""
    rules = {"qwen": _grade_qwen, "math-verify": _grade_math_verify}
    if protocol not in rules:
        raise ValueError(f"protocol={protocol!r}: use ours, qwen or math-verify")
    try:
        return rules[protocol](response, golds)
    except symbolic.Undecided as late:
        return Verdict(False, late.outcome, f"{protocol}: {late}")


def _grade_qwen(response: str, golds: Sequence[str]) -> Verdict:
    response = response[-MAX_RESPONSE:]
    box, _opened = last_box(response)
    numbers = NUMBER.findall(response)
    answer = _stripped(box if box is not None else after_marker(response) or (numbers[-1] if numbers else ""))
    if not answer:
        return Verdict(False, "no_answer", "no answer", "", box is not None)
    deadline = time.monotonic() + DEADLINE_S
    right = any(_qwen_equal(answer, _stripped(gold), deadline) for gold in golds)
    return Verdict(right, "correct" if right else "wrong", "qwen rule", answer[:200], box is not None)


def _stripped(text: str) -> str:
    """Without what the rule ignores: units in \\text{}, degrees, dollars, percent signs, a leading x =."""
    text = tidy(text[:MAX_CHARACTERS])
    for ignored in ("\\degree", "\\dollar", "\\%", "%"):
        text = text.replace(ignored, "")
    without = TEXT.sub("", text).strip()
    text = PREFIX.sub("", without or text.partition("{")[2].rstrip("}"))
    return text.strip().rstrip(".")


def _qwen_equal(answer: str, gold: str, deadline: float) -> bool:
    if answer.replace(" ", "").lower() == gold.replace(" ", "").lower():
        return True
    if gold in "ABCDE" and len(gold) == 1:
        letters = CHOICE.findall(answer.upper())
        return bool(letters) and letters[-1] == gold
    x, y = _number(answer), _number(gold)
    if x is not None and y is not None:
        return any(abs(x - other) <= TOLERANCE * max(abs(x), abs(other)) for other in (y / 100, y, y * 100))
    bare = [re.sub(r"[{}()\[\]\\]", "", text).replace(" ", "").lower() for text in (answer, gold)]
    if bare[0] == bare[1]:
        return True
    try:
        if any(equal(a, b, LENIENT) for a in readings(answer) for b in readings(gold)):
            return True
    except Refused:
        return False
    return symbolic.same(answer, gold, deadline)


def _number(text: str) -> Fraction | None:
    text = text.replace(" ", "")
    mantissa = text.lower().partition("e")[0]
    if len(text) > 60 or not PLAIN_NUMBER.fullmatch(text) or not any(c.isdigit() for c in mantissa):
        return None
    return Fraction(text.replace(",", ""))


def _grade_math_verify(response: str, golds: Sequence[str]) -> Verdict:
    text = response[-MAX_RESPONSE:]
    reply = symbolic.ask({"response": text, "golds": list(golds)}, time.monotonic() + DEADLINE_S, DEADLINE_S)
    outcome = "correct" if reply["right"] else "wrong" if reply["found"] else "no_answer"
    return Verdict(reply["right"], outcome, "math-verify", reply["found"], last_box(text)[0] is not None)
