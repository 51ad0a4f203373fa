"""Advantages without a critic at gamma = lambda = 1: the reward still to come, normalised.

With V = 0 and gamma = lambda = 1, generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438, eq. 16)
collapses to the suffix sum of the rewards. The outcome reward sits on the last token; a KL penalty sits on every one.
"""
import numpy as np


def reward_to_go(reward: float, penalties: np.ndarray) -> np.ndarray:
    """[T] sum of everything from token t on: the outcome, minus the penalties of tokens t..T-1.

    reward: the answer's outcome. penalties: [T] per token, already times their coefficient.
    """
    return reward - np.cumsum(penalties[::-1], dtype=np.float64)[::-1]


def kl_penalties(logprobs: np.ndarray, reference: np.ndarray, coefficient: float) -> np.ndarray:
    """[T] coefficient * (log pi - log pi_ref): the k1 estimate of the KL (Ouyang et al. 2022, arXiv:2203.02155, eq. 2)."""
    return coefficient * (logprobs.astype(np.float64) - reference)


def centre_in_group(reward: float, group: np.ndarray, scale: bool) -> float:
    """(r - mean) or, with scale, (r - mean) / (std + 1e-6), std unbiased (GRPO, arXiv:2402.03300, section 4.1.2).

    group: [G] rewards of all answers to the prompt, this one included; G >= 2.
    """
    centred = reward - float(group.mean(dtype=np.float64))
    return centred / (float(group.std(ddof=1, dtype=np.float64)) + 1e-6) if scale else centred


def moments(advantages: list[np.ndarray]) -> np.ndarray:
    """[3] float64: count, sum and sum of squares over all tokens; add them over ranks, then normalise()."""
    total = np.zeros(3)
    for a in advantages:
        total += (a.size, a.sum(dtype=np.float64), np.square(a, dtype=np.float64).sum())
    return total


def normalise(advantages: list[np.ndarray], total: np.ndarray) -> list[np.ndarray]:
    """(a - mean) / (std + 1e-5) over all loss tokens of the global batch, as AReaL v0.1 does; std is biased.

    total: moments() summed over every rank, so that all ranks and minibatches share one scale.
    """
    count, first, second = total
    if count == 0:
        return advantages
    mean = first / count
    std = np.sqrt(max(second / count - mean * mean, 0.0))
    return [(a - mean) / (std + 1e-5) for a in advantages]
