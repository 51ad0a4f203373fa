"""Rows -> fewer rows, and how many went. Pure; every filter keeps the order and says what it dropped, and why.

An empty gold can never be rewarded, so such rows go; a file full of them is a mistake in the file and stops the run.
"""
import re
import unicodedata
from collections.abc import Callable, Sequence

from areal_lite.dataset.readers import Row

MAX_BAD_SHARE = 0.01
"""More rows without a gold than this are an error. The published sets have 2 of 8,523 and 4 of 7,474."""
WINDOW = 24
"""Characters of the text windows the contamination index is made of; containment is seen from 2 * WINDOW on."""

DIFFICULTIES: dict[str, Callable[[Row], bool]] = {
    "easy": lambda row: row.source == "gsm8k" or (row.source == "math" and row.level == 1),
    "medium": lambda row: row.source == "math" and 1 <= row.level <= 4,
    "hard": lambda row: row.source == "math" and 3 <= row.level <= 5,
}
"""SimpleRL-Zoo's subsets: GSM8K + MATH level 1; MATH 1-4; MATH 3-5."""


def with_gold(rows: Sequence[Row]) -> list[Row]:
    """Rows that can be rewarded or imitated. Raises ValueError when more than MAX_BAD_SHARE cannot."""
    bad = [row.where for row in rows if not row.answers and not row.response]
    if len(bad) > MAX_BAD_SHARE * len(rows):
        shown = "; ".join(bad[:5]) + (" ..." if len(bad) > 5 else "")
        raise ValueError(f"{len(bad)} of {len(rows)} rows have an empty gold answer: {shown}")
    return [row for row in rows if row.answers or row.response]


def of_difficulty(rows: Sequence[Row], difficulty: str) -> list[Row]:
    """Rows of one of SimpleRL-Zoo's subsets. Raises ValueError when nothing is left."""
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"data.difficulty {difficulty!r} is unknown; choose one of {', '.join(DIFFICULTIES)}")
    kept = [row for row in rows if DIFFICULTIES[difficulty](row)]
    if not kept:
        raise ValueError(f"data.difficulty={difficulty} keeps none of {len(rows)} rows; they need a MATH `level` "
                         "(1-5) or GSM8K answers (`#### n`)")
    return kept


def normalised(problem: str) -> str:
    """A problem text without what two copies of it differ in: case, spacing, braces, punctuation, LaTeX dressing."""
    text = unicodedata.normalize("NFKC", problem).lower()
    text = re.sub(r"\\(left|right|displaystyle|text|mathrm|quad|[,;:! ])", "", text)
    text = re.sub(r"\\[dt]frac", r"\\frac", text)
    return re.sub(r"[\s${}~.,;:!?'\"`]", "", text)


def uncontaminated(rows: Sequence[Row], benchmark: Sequence[Row]) -> list[Row]:
    """Rows whose normalised problem neither equals one of the benchmark nor contains it or lies in it.

    Containment is checked for texts of at least 2 * WINDOW characters: of a common part that long, one whole window
    starts at a multiple of WINDOW in the training text, and the index holds every window of the benchmark.
    """
    known = [normalised(row.text) for row in benchmark]
    exact = set(known)
    index: dict[str, set[int]] = {}
    for n, text in enumerate(known):
        if len(text) >= 2 * WINDOW:
            for start in range(len(text) - WINDOW + 1):
                index.setdefault(text[start:start + WINDOW], set()).add(n)

    def clean(row: Row) -> bool:
        text = normalised(row.text)
        if text in exact:
            return False
        if len(text) < 2 * WINDOW:
            return True
        starts = range(0, len(text) - WINDOW + 1, WINDOW)
        candidates = set().union(*(index.get(text[start:start + WINDOW], ()) for start in starts))
        return not any(known[n] in text or text in known[n] for n in candidates)

    return [row for row in rows if clean(row)]
