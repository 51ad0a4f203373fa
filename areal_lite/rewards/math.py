"""Is this response right? Extraction, then typed comparison with each gold; any of several golds is enough.

Safe on any text in this process: nothing is evaluated before its size is bounded, nothing is ever executed, and sympy
runs in a child that is killed after SYMBOLIC_S. A hard deadline for the whole verdict comes from pool.py.
"""

import re
import time
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from areal_lite.rewards import symbolic
from areal_lite.rewards.compare import equal
from areal_lite.rewards.extract import extract
from areal_lite.rewards.lexer import Refused
from areal_lite.rewards.node import Node
from areal_lite.rewards.normalise import key, tidy, variants
from areal_lite.rewards.prose import in_digits, same_words
from areal_lite.rewards.reader import readings
from areal_lite.rewards.scalars import Options
from areal_lite.rewards.special import choice, same_choice, same_date
from areal_lite.rewards.verdict import Verdict

MAX_RESPONSE = 1 << 20
"""Characters; of a longer response only the end is searched."""
MAX_ANSWER = 20_000
"""Characters; a longer answer equals only a gold that is the same text."""
BEGINS_BOXED = re.compile(r"[\s$(\[\\]{0,9}\\boxed\{")
"""A gold that is nothing but boxes means all of them; in a solution the last counts."""
SYMBOLIC_S = 4.0
"""Wall time for all golds of one answer together; each has symbolic.CPU_S."""
SECOND_S = 1.0
"""Wall time for the golds that follow one that sympy could not decide."""
DEFAULTS = Options()


def grade(response: str, answers: Sequence[str], protocol: str = "ours", options: Options = DEFAULTS) -> Verdict:
    """The verdict on `response` against `answers`, any one of which is right.

    protocol: "ours", or a published rule for reproduction, "qwen" or "math-verify" (protocols.py); `options` concern
    ours. Raises ValueError for an unknown protocol or when there is no non-empty gold.
    """
    golds = [gold for gold in answers if gold.strip()]
    if isinstance(answers, str) or not golds:
        raise ValueError(f"answers={answers!r}: give a list with at least one non-empty gold")
    if protocol != "ours":
        from areal_lite.rewards import protocols

        return protocols.grade(response, golds, protocol)
    found = extract(response[-MAX_RESPONSE:], options.last_number)
    if not found.answer:
        return Verdict(False, "no_answer", found.where, "", found.boxed)
    candidates = [tidy(text[:MAX_ANSWER]) for text in (found.answer, found.together) if text]
    shown = found.answer[:200]
    deadline = time.monotonic() + SYMBOLIC_S
    undecided: symbolic.Undecided | None = None
    for tidied, gold in product(candidates, golds):
        try:
            reason = _same(tidied, _tidy_gold(gold), options, deadline)
        except symbolic.Undecided as late:
            undecided, deadline = late, min(deadline, time.monotonic() + SECOND_S)
            continue
        if reason:
            return Verdict(True, "correct", reason, shown, found.boxed)
    if undecided is not None:
        return Verdict(False, undecided.outcome, str(undecided), shown, found.boxed)
    return Verdict(False, "wrong", "differs from every gold", shown, found.boxed)


@lru_cache(maxsize=65536)
def _tidy_gold(gold: str) -> str:
    return tidy(_extract_gold(gold))


def _all_readings(tidied: str) -> tuple[Node, ...]:
    return tuple(node for text in variants(tidied) for node in readings(text))


_gold_readings = lru_cache(maxsize=4096)(_all_readings)


def _extract_gold(gold: str) -> str:
    """A gold may still stand in its box, or in several, or after the four hashes of GSM8K."""
    if gold.count("\\boxed{") > 1 and BEGINS_BOXED.match(gold):
        return gold.replace("\\boxed{", "{")
    if "\\boxed" in gold or "####" in gold:
        return extract(gold, False).answer or gold
    return gold


def _same(answer: str, gold: str, options: Options, deadline: float) -> str:
    """The comparison that found two tidied answers equal; "" when none did. Undecided when sympy was late."""
    if key(answer) == key(gold):
        return "same text"
    if choice(gold):
        return "same choice" if same_choice(answer, gold) else ""
    answer, gold = in_digits(answer), in_digits(gold)
    for decide, name in ((same_date, "same date"), (same_words, "same words")):
        decision = decide(answer, gold)
        if decision is not None:
            return name if decision else ""
    try:
        theirs, ours = _all_readings(answer), _gold_readings(gold)
    except Refused:
        return ""
    for a in theirs:
        for b in ours:
            try:
                if equal(a, b, options):
                    return f"same {b.kind}"
            except Refused:
                continue
    unread = any(side[0].kind == "opaque" for side in (theirs, ours))
    texts = (_plain(answer, theirs), _plain(gold, ours))
    return "same by sympy" if unread and symbolic.same(*texts, deadline) else ""


def _plain(text: str, read: tuple[Node, ...]) -> str:
    """`text`, or the number that was read from it in a spelling that every parser reads alike."""
    first = read[0].parts[0] if read[0].kind == "quantity" else read[0]
    is_small = first.kind == "number" and first.value.numerator.bit_length() + first.value.denominator.bit_length() < 1000
    return f"\\frac{{{first.value.numerator}}}{{{first.value.denominator}}}" if is_small else text
