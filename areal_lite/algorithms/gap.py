"""How far the policy being trained is from the one that sampled, by the staleness of the token.

The loss reports sums over tokens, because only sums add up over microbatches and ranks; summary() makes metrics of them.
Staleness 0 in whole answers of one version is the two engines' numerical difference and nothing else.
"""
import numpy as np
import torch
from torch import Tensor

LEVELS = 9
"""Staleness 0 .. 7, and 8 for all that is staler."""
EDGES = tuple(10.0 ** (np.arange(21) / 4 - 4))
"""Of the histogram of |log ratio|: four bins a decade from 1e-4 to 10."""
QUANTILES = (50, 90, 99)
COLUMNS = ("tokens", "gap", "kl", "masked")
PARTS = ("at_", "ratio_bin_")
"""How the names of the sums begin; summary() says what they come to."""


def by_staleness(log_ratio: Tensor, kl: Tensor, masked: Tensor, staleness: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """Sums over loss tokens, all [N]: log_ratio = log current - log behaviour, kl its k3 estimate, masked 1.0 where the
    token's weight is 0, staleness in versions. Keys at_<column>_<level> and ratio_bin_<i>."""
    level = staleness.long().clamp(0, LEVELS - 1)
    columns = torch.stack([mask, log_ratio.abs() * mask, kl * mask, masked * mask])
    table = columns.new_zeros(len(COLUMNS), LEVELS).index_add_(1, level, columns)
    edges = torch.logspace(-4, 1, len(EDGES), dtype=log_ratio.dtype, device=log_ratio.device)       # EDGES, made where it is used
    bins = mask.new_zeros(len(EDGES) + 1).index_add_(0, torch.bucketize(log_ratio.abs(), edges), mask)
    return {**{f"at_{name}_{s}": row[s] for name, row in zip(COLUMNS, table, strict=True) for s in range(LEVELS)},
            **{f"ratio_bin_{i}": n for i, n in enumerate(bins)}}


def summary(sums: dict[str, float]) -> dict[str, float]:
    """Metrics out of the summed by_staleness(): per level that has tokens gap_staleness_<s> (mean |log ratio|),
    kl_staleness_<s> and masked_staleness_<s> (share), and ratio_p<q>, quantiles of |log ratio| read off the histogram
    (the upper edge of the bin it falls in; 100 beyond 10)."""
    found = {}
    for s in range(LEVELS):
        if tokens := sums[f"at_tokens_{s}"]:
            found |= {f"{name}_staleness_{s}": sums[f"at_{name}_{s}"] / tokens for name in COLUMNS[1:]}
    reached = np.cumsum([sums[f"ratio_bin_{i}"] for i in range(len(EDGES) + 1)])
    if reached[-1]:
        edges = (*EDGES, 100.0)
        found |= {f"ratio_p{q}": edges[int(np.searchsorted(reached, q / 100 * reached[-1]))] for q in QUANTILES}
    return found
