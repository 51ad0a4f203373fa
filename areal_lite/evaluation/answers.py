"""One finished question -> its row, and rows -> the numbers of a benchmark. Pure functions of what was answered.

A row holds every fact later numbers need (text, outcome, finish, tokens, what the text contains), so that a result
file can be read without a tokenizer, a model or a verifier.
"""
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import numpy as np

from areal_lite.evaluation.questions import Question
from areal_lite.evaluation.statistics import classes, estimate, maj_at_k, pass_at_k
from areal_lite.rewards.extract import last_box
from areal_lite.types import Trajectory

COLUMNS = ("acc", "pass_acc", "tokens", "keywords", "correct_tokens", "wrong_tokens", "clip_ratio", "stop_tokens",
           "stop_ratio", "box_ratio", "repeat_ratio")
"""Of SimpleRL-Zoo's eval_results.csv, in its order."""
KEYWORDS = ("recheck", "rethink", "try again", "wait", "alternatively", "retry", "however")
"""SimpleRL-Zoo's words of reflection."""
WINDOW, PART, ALIKE = 10, 20, 0.85


def row(question: Question, answers: Sequence[Trajectory], text: Callable[[np.ndarray], str]) -> dict:
    """The result of one question; text decodes output ids without special tokens."""
    samples = [_sample(t, text(t.output_ids)) for t in sorted(answers, key=lambda t: t.sample)]
    return {"id": question.prompt.id, "benchmark": question.benchmark, "problem": question.problem,
            "answers": list(question.prompt.answers), "prompt_tokens": len(question.prompt.token_ids), "samples": samples}


def _sample(t: Trajectory, text: str) -> dict:
    return {"text": text, "answer": t.answer, "outcome": t.outcome, "finish": t.finish, "tokens": len(t.output_ids),
            "seconds": round(t.seconds, 3), "keywords": keywords(text), "boxed": last_box(text)[0] is not None,
            "repeats": repeats(text)}


def keywords(text: str) -> int:
    """How often words of reflection occur, in any case."""
    lower = text.lower()
    return sum(lower.count(word) for word in KEYWORDS)


def repeats(text: str) -> bool:
    """Whether two neighbouring pieces are nearly the same characters: SimpleRL-Zoo's rule.

    Pieces are windows of WINDOW characters, then lines, then sentences of at least PART characters; the search ends at
    the first separator that does not occur. Two departures: Chinese is compared by characters, not by dictionary words,
    and a text without any long enough piece is not a repeat (the published code raised there, and counted that).
    """
    text = text.lower()
    if _alike(text[i:i + WINDOW] for i in range(0, len(text) - WINDOW + 1, WINDOW)):
        return True
    for separator in ("\n", ".", "。"):
        if separator not in text:
            return False
        if _alike(part for part in text.split(separator) if len(part) >= PART):
            return True
    return False


def _alike(pieces: Iterator[str]) -> bool:
    """Whether two neighbours share ALIKE of their words (text with spaces and line ends) or characters."""
    sets = (set(p.split()) if " " in p and "\n" in p else set(p) for p in pieces)
    return any(len(a & b) >= ALIKE * len(a | b) > 0 for a, b in itertools.pairwise(sets))


def right(r: dict) -> list[bool]:
    """[n] which answers of a row are right."""
    return [s["outcome"] == "correct" for s in r["samples"]]


def columns(rows: Sequence[dict]) -> dict[str, float]:
    """SimpleRL-Zoo's numbers over all answers: acc and pass_acc in percent, ratios in [0, 1], means over answers.

    tokens are the sampled ones, the end token included; keywords per answer; 0 where there is nothing to average.
    """
    samples = [s for r in rows for s in r["samples"]]
    stopped = [s for s in samples if s["finish"] == "stop"]
    return {
        "acc": 100 * _mean(np.mean(right(r)) for r in rows), "pass_acc": 100 * _mean(any(right(r)) for r in rows),
        "tokens": _mean(s["tokens"] for s in samples), "keywords": _mean(s["keywords"] for s in samples),
        "correct_tokens": _mean(s["tokens"] for s in samples if s["outcome"] == "correct"),
        "wrong_tokens": _mean(s["tokens"] for s in samples if s["outcome"] != "correct"),
        "clip_ratio": 1 - _ratio(stopped, samples), "stop_tokens": _mean(s["tokens"] for s in stopped),
        "stop_ratio": _ratio(stopped, samples), "box_ratio": _mean(s["boxed"] for s in samples),
        "repeat_ratio": _mean(s["repeats"] for s in samples)}


def measures(rows: Sequence[dict], same: Callable[[str, str], bool]) -> dict:
    """Everything known about one benchmark: the columns, and avg@n, pass@k and maj@k with 95 % intervals, as plain data.

    rows: at least one, all with the same n; same(a, b): whether two extracted answers are equal. k runs over the powers
    of 2 below n, and n.
    """
    n = len(rows[0]["samples"])
    ks = [k for k in (2**i for i in range(n.bit_length())) if k < n] + [n]
    won = [right(r) for r in rows]
    groups = [classes([s["answer"] for s in r["samples"]], same) for r in rows]
    return {
        "questions": len(rows), "n": n, **columns(rows),
        "outcomes": {word: sum(s["outcome"] == word for r in rows for s in r["samples"])
                     for word in ("correct", "wrong", "no_answer", "timeout", "crash")},
        "avg": asdict(estimate([np.mean(w) for w in won], n)),
        "pass": {str(k): asdict(estimate([pass_at_k(n, sum(w), k) for w in won], n // k)) for k in ks},
        "maj": {str(k): asdict(estimate([maj_at_k(g, w, k) for g, w in zip(groups, won, strict=True)], n // k)) for k in ks}}


def _mean(values) -> float:
    values = list(values)
    return float(np.mean(values)) if values else 0.0


def _ratio(part: Sequence, whole: Sequence) -> float:
    return len(part) / len(whole) if whole else 0.0
