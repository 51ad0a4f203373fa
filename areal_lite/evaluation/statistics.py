"""What answers say about a model, and how sure that is: pure functions, no files, no clock, randomness only by seed.

Questions are the independent unit; the answers to one question are a cluster. Everything is averaged within a question
first, and every interval comes from the spread between questions. Q questions, n answers to each.
"""
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

EXACT_QUESTIONS = 14
"""Up to so many differing questions the paired test runs through all sign patterns (16,384)."""
DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in [0, 1] with its confidence interval."""
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Second model against first on the same questions; difference = second - first."""
    questions: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float
    """Two-sided, of the hypothesis that both are equally good on these questions."""
    better: int
    """Questions on which the second is better."""
    worse: int


def pass_at_k(n: int, right: int, k: int) -> float:
    """Chance that at least one of k answers, drawn without replacement from n of which `right` are right, is right.

    Unbiased (Chen et al. 2021, arXiv:2107.03374, eq. 1), in exact integers. ValueError unless 1 <= k <= n.
    """
    if not (1 <= k <= n and 0 <= right <= n):
        raise ValueError(f"pass@{k} of {right} right among {n} answers is not defined")
    return 1.0 - math.comb(n - right, k) / math.comb(n, k)


def vote(classes: Sequence[int], right: Sequence[bool]) -> float:
    """Chance that a majority vote is right; a tie is drawn by lot.

    classes [n]: equal numbers for equal answers, negative for no answer, which has no vote. A class is right when its
    first answer is. 0 when nobody answered.
    """
    votes: dict[int, int] = {}
    verdict: dict[int, bool] = {}
    for c, ok in zip(classes, right, strict=True):
        if c >= 0:
            votes[c] = votes.get(c, 0) + 1
            verdict.setdefault(c, bool(ok))
    top = [c for c in votes if votes[c] == max(votes.values())]
    return sum(verdict[c] for c in top) / len(top) if top else 0.0


def maj_at_k(classes: Sequence[int], right: Sequence[bool], k: int) -> float:
    """Mean of `vote` over the n // k disjoint blocks of k answers: unbiased, as answers come in no order.

    ValueError unless 1 <= k <= n.
    """
    n = len(classes)
    if not 1 <= k <= n:
        raise ValueError(f"maj@{k} of {n} answers is not defined")
    blocks = [slice(i * k, (i + 1) * k) for i in range(n // k)]
    return sum(vote(classes[b], right[b]) for b in blocks) / len(blocks)


def classes(answers: Sequence[str], same: Callable[[str, str], bool]) -> list[int]:
    """[n] numbers, equal for equal answers, -1 for "". Each answer is compared with one of every class so far."""
    known: dict[str, int] = {}
    heads: list[str] = []
    for answer in answers:
        if answer and answer not in known:
            known[answer] = next((i for i, head in enumerate(heads) if same(answer, head)), len(heads))
            if known[answer] == len(heads):
                heads.append(answer)
    return [known[answer] if answer else -1 for answer in answers]


def estimate(per_question: Sequence[float], answers: int = 1, level: float = 0.95) -> Estimate:
    """Mean of per_question [Q], each in [0, 1] and made of `answers` answers, with a question-clustered interval.

    Wilson's interval at the effective sample size p (1 - p) / SE^2, where SE is the standard error between questions
    (recommended by Franco et al. 2019, PMC6690503); so it stays in [0, 1] and never has length 0. The effective size is
    at most Q * answers, and Q when all questions agree on 0 or on 1. ValueError without a question.
    """
    values = np.asarray(per_question, np.float64)
    size = len(values)
    if not size:
        raise ValueError("no question was answered")
    p = min(max(float(values.mean()), 0.0), 1.0)
    spread = float(values.var(ddof=1)) / size if size > 1 else p * (1 - p)
    effective = float(size)
    if 0 < p < 1:
        effective = min(p * (1 - p) / spread, size * answers) if spread > 0 else size * answers
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (p + z * z / (2 * effective)) / (1 + z * z / effective)
    half = z * math.sqrt(p * (1 - p) / effective + z * z / (4 * effective**2)) / (1 + z * z / effective)
    return Estimate(p, min(max(middle - half, 0.0), p), max(min(middle + half, 1.0), p))


def compare(first: Sequence[float], second: Sequence[float], level: float = 0.95, seed: int = 0) -> Comparison:
    """Paired comparison of two models' per-question values [Q], in the same order of questions.

    The interval is normal, from the spread of the differences; without any difference it is what Q equal questions
    leave possible: a share of questions above its end would have shown itself. The p-value is a sign-flip test (all
    sign patterns when at most EXACT_QUESTIONS questions differ, else DRAWS random ones). ValueError unless both have the
    same Q > 0.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or not len(a):
        raise ValueError(f"{len(a)} and {len(b)} questions cannot be paired")
    d = b - a
    mean, half = float(d.mean()), 1 - ((1 - level) / 2) ** (1 / len(d))
    if d.any():
        error = float(d.std(ddof=1)) / math.sqrt(len(d)) if len(d) > 1 else math.inf
        half = NormalDist().inv_cdf((1 + level) / 2) * error
    return Comparison(len(d), float(a.mean()), float(b.mean()), mean, max(mean - half, -1.0), min(mean + half, 1.0),
                      _sign_flip(d[d != 0], seed), int((d > 0).sum()), int((d < 0).sum()))


def _sign_flip(d: np.ndarray, seed: int) -> float:
    """Share of sign patterns whose |sum| is at least that of d [D]; 1 when nothing differs."""
    seen = abs(d.sum()) * (1 - 1e-12)
    if len(d) <= EXACT_QUESTIONS:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(d))))
        return float(np.mean(np.abs(signs @ d) >= seen))
    random = np.random.default_rng(seed)
    hits = sum(int((np.abs(random.choice((-1.0, 1.0), (1000, len(d))) @ d) >= seen).sum()) for _ in range(DRAWS // 1000))
    return (hits + 1) / (DRAWS + 1)
