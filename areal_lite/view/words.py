"""What the viewer shows of a pair of results, as plain text: pure functions, no browser library."""
import re
from collections.abc import Callable

from areal_lite.evaluation.answers import right
from areal_lite.evaluation.results import Pair
from areal_lite.evaluation.statistics import estimate

MARKS = {"correct": "✓", "wrong": "✗", "no_answer": "–", "timeout": "timeout", "crash": "crash"}


def _share(row: dict) -> float:
    return sum(right(row)) / len(row["samples"])


FILTERS: dict[str, Callable[[dict, dict], bool]] = {
    "all questions": lambda a, b: True,
    "second is better": lambda a, b: _share(b) > _share(a),
    "second is worse": lambda a, b: _share(b) < _share(a),
    "neither is ever right": lambda a, b: not any(right(a)) and not any(right(b)),
    "both are always right": lambda a, b: all(right(a)) and all(right(b)),
    "an answer was cut off": lambda a, b: any(s["finish"] == "length" for r in (a, b) for s in r["samples"]),
}
"""Name -> which questions it shows, from the first and the second model's row."""


def questions(pair: Pair, show: str) -> list[tuple[str, int]]:
    """(label, place in the pair) of the questions that the filter `show` lets through, in file order."""
    return [(f"{a['id']}   {_score(a)} : {_score(b)}   {' '.join(a['problem'].split())[:80]}", i)
            for i, (a, b) in enumerate(zip(pair.first, pair.second, strict=True)) if FILTERS[show](a, b)]


def samples(row: dict) -> list[tuple[str, int]]:
    """(label, number) of a row's answers."""
    return [(f"{i + 1}  {MARKS[s['outcome']]}  {s['tokens']} tokens", i) for i, s in enumerate(row["samples"])]


def problem(row: dict) -> str:
    """A question's text and golds as Markdown with LaTeX, without anything that a browser would fetch or run."""
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", row["problem"]).replace("![", "! [").replace("](", "] (")
    return f"{text}\n\nGold: `{', '.join(row['answers'])}`"


def facts(row: dict, sample: int) -> str:
    """One answer in a line."""
    s = row["samples"][sample]
    answer = f"answer {s['answer']!r}" if s["answer"] else "no answer"
    notes = [word for word, holds in (("boxed", s["boxed"]), ("repeats itself", s["repeats"])) if holds]
    return ", ".join([f"{MARKS[s['outcome']]} {s['outcome'].replace('_', ' ')}", answer, f"{s['tokens']} tokens",
                      "cut off" if s["finish"] == "length" else "stopped by itself", f"words of reflection: {s['keywords']}", *notes])


def headline(pair: Pair) -> str:
    """The comparison over the whole benchmark."""
    c = pair.compared()
    one, two = (estimate([_share(r) for r in rows], len(rows[0]["samples"])) for rows in (pair.first, pair.second))
    return (f"{c.questions} questions. First {100 * one.mean:.1f} % [{100 * one.low:.1f}, {100 * one.high:.1f}], second "
            f"{100 * two.mean:.1f} % [{100 * two.low:.1f}, {100 * two.high:.1f}]. Difference {100 * c.difference:+.1f} "
            f"[{100 * c.low:+.1f}, {100 * c.high:+.1f}] (brackets: 95 %), p = {c.p_value:.3f}; better on {c.better}, worse on {c.worse}.")


def _score(row: dict) -> str:
    return f"{sum(right(row))}/{len(row['samples'])}"
