"""Is this response right? Extraction, then typed comparison with each gold; any of several golds is enough."""

from collections.abc import Sequence
from fractions import Fraction

from areal_lite.rewards.extract import extract
from areal_lite.rewards.verdict import Verdict

MAX_RESPONSE = 1 << 20
MAX_ANSWER = 4000


def grade(response: str, answers: Sequence[str], protocol: str = "ours") -> Verdict:
    """The verdict on `response` against `answers`."""
    answer, boxed = extract(response[-MAX_RESPONSE:])
    if answer is None or not answer or len(answer) > MAX_ANSWER:
        return Verdict(False, "no_answer", "no answer found", "", boxed)
    for gold in answers:
        reason = compare(clean(answer), clean(gold))
        if reason:
            return Verdict(True, "correct", reason, answer[:200], boxed)
    return Verdict(False, "wrong", "differs from every gold", answer[:200], boxed)


def clean(text: str) -> str:
    for old, new in (("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("\\left", ""), ("\\right", ""), ("\\!", ""),
                     ("\\$", ""), ("$", ""), ("\\%", ""), ("^\\circ", ""), ("^{\\circ}", ""), ("\\,", ""), (" ", "")):
        text = text.replace(old, new)
    return text.strip().rstrip(".")


def compare(answer: str, gold: str) -> str:
    if answer == gold:
        return "same text"
    a, b = rational(answer), rational(gold)
    return "same number" if a is not None and a == b else ""


def rational(text: str) -> Fraction | None:
    if len(text) > 60:
        return None
    text = text.replace(",", "")
    sign = -1 if text.startswith("-") else 1
    text = text.removeprefix("-")
    if text.startswith("\\frac{") and text.endswith("}") and "}{" in text:
        top, _, bottom = text[6:-1].partition("}{")
        text = f"{top}/{bottom}"
    top, slash, bottom = text.partition("/")
    parts = [top, bottom] if slash else [top]
    if not all(p.replace(".", "", 1).isascii() and p.replace(".", "", 1).isdigit() for p in parts):
        return None
    values = [Fraction(p) for p in parts]
    if len(values) == 2 and values[1] == 0:
        return None
    return sign * (values[0] / values[1] if len(values) == 2 else values[0])
