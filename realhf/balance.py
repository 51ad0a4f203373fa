"""Sequences shared among data-parallel ranks by what they cost to train. Pure and light: no torch."""

import heapq

import numpy as np


def sequence_cost(lengths: np.ndarray, quadratic_at: float = 32768.0) -> np.ndarray:
    """Work of sequences in units of one token without attention.

    quadratic_at: the length at which attention costs as much as everything else, about 12 x hidden size; the default lies
    between that of 1.5B and 7B models.
    """
    lengths = np.asarray(lengths, np.float64)
    return lengths * (1.0 + lengths / quadratic_at)


def balance(costs: np.ndarray, ranks: int) -> list[list[int]]:
    """Share items among ranks so that the largest sum of costs is small: largest first, to whoever has least.

    At most 4/3 of the optimum (Graham 1969); far closer when there are many items.
    """
    heap = [(0.0, rank) for rank in range(ranks)]
    shares: list[list[int]] = [[] for _ in range(ranks)]
    costs = np.asarray(costs, np.float64)
    for item in np.argsort(-costs, kind="stable").tolist():
        load, rank = heap[0]
        shares[rank].append(item)
        heapq.heapreplace(heap, (load + float(costs[item]), rank))
    return shares
