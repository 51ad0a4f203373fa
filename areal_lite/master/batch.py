"""Groups -> one Batch per data-parallel rank, balanced by cost."""
import numpy as np

from areal_lite.types import Batch, Minibatch, Trajectory
from realhf.balance import balance, sequence_cost


def make_batches(groups: list[list[Trajectory]], step: int, ranks: int, minibatches: int) -> list[Batch]:
    """One Batch for each of `ranks` data-parallel ranks.

    Groups stay whole inside a minibatch (group g goes to minibatch g mod minibatches); inside it trajectories are dealt
    to ranks largest first (LPT, Graham 1969), since the ranks meet at the end of every minibatch.
    """
    parts = [groups[m::minibatches] for m in range(minibatches)]
    dealt = [_deal(part, ranks) for part in parts]
    tokens = [sum(len(t.output_ids) for g in part for t in g) for part in parts]
    return [Batch(step, tuple(_minibatch(dealt[m][rank], tokens[m]) for m in range(minibatches))) for rank in range(ranks)]


def _deal(groups: list[list[Trajectory]], ranks: int) -> list[list[tuple[Trajectory, np.ndarray]]]:
    """Each rank's (trajectory, rewards of its group)."""
    items = []
    for group in groups:
        rewards = np.array([t.reward for t in sorted(group, key=lambda t: t.sample)], np.float32)
        items += [(t, rewards) for t in group]
    costs = sequence_cost(np.array([len(t.prompt_ids) + len(t.output_ids) for t, _ in items]))
    return [[items[i] for i in share] for share in balance(costs, ranks)]


def _minibatch(share: list[tuple[Trajectory, np.ndarray]], loss_tokens: int) -> Minibatch:
    rewards = np.stack([r for _, r in share]) if share else np.zeros((0, 0), np.float32)
    return Minibatch(tuple(t for t, _ in share), rewards, loss_tokens)
