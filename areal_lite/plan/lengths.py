"""How long answers are: log-normal, cut at the context; prompts differ in difficulty. Pure functions of their numbers."""
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()


@dataclass(frozen=True)
class Lengths:
    """log(length) = mu + sigma x (the prompt's part and the sample's part), lengths above `cut` are cut. In tokens."""
    mu: float
    sigma: float
    cut: int
    between: float = 0.5
    """Share of sigma^2 that the answers of one prompt have in common."""

    @property
    def mean(self) -> float:
        """Of the lengths as they are cut."""
        return _mean_cut(self.mu, self.sigma, self.cut)

    @property
    def truncated(self) -> float:
        """Share of answers that are cut."""
        return 0.0 if not self.sigma else 1 - NORMAL.cdf((math.log(self.cut) - self.mu) / self.sigma)

    def group(self, key: tuple[int, ...], n: int) -> np.ndarray:
        """[n] lengths of one prompt's answers, the same for the same key of whole numbers."""
        draw = np.random.default_rng(key)
        common = math.sqrt(self.between) * draw.standard_normal()
        own = math.sqrt(1 - self.between) * draw.standard_normal(n)
        return np.clip(np.rint(np.exp(self.mu + self.sigma * (common + own))), 1, self.cut).astype(int)


def with_mean(mean: float, sigma: float, cut: int) -> Lengths:
    """The distribution whose cut lengths have this mean. ValueError when the cut does not allow it."""
    if not 1 <= mean <= cut or (sigma and mean == cut):
        raise ValueError(f"a mean length of {mean:g} does not fit under a context of {cut} tokens; give mean_length=TOKENS")
    if not sigma:
        return Lengths(math.log(mean), 0.0, cut)
    return Lengths(_bisect(lambda mu: _mean_cut(mu, sigma, cut) - mean, 0.0, 2 * math.log(cut) + 10), sigma, cut)


def with_truncation(mean: float, truncated: float, cut: int, longest: float, answers: int) -> Lengths:
    """The distribution with this mean of which this share is cut.

    Where next to nothing is cut, the longest of `answers` answers takes the place of the cut.
    """
    edge, beyond = (cut, truncated) if truncated * answers >= 1 else (longest, 1 / (answers + 1))
    if edge - mean < 1:
        return Lengths(math.log(mean), 0.0, cut)
    z = NORMAL.inv_cdf(1 - min(max(beyond, 1e-9), 1 - 1e-9))
    sigma = _bisect(lambda s: mean - _mean_cut(math.log(edge) - s * z, s, cut), 1e-3, 8.0)
    return with_mean(mean, sigma, cut)


def _mean_cut(mu: float, sigma: float, cut: float) -> float:
    """E[min(X, cut)] of a log-normal X."""
    if not sigma:
        return min(math.exp(mu), cut)
    z = (math.log(cut) - mu) / sigma
    return math.exp(mu + sigma**2 / 2) * NORMAL.cdf(z - sigma) + cut * (1 - NORMAL.cdf(z))


def _bisect(rising, low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
