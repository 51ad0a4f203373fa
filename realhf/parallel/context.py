"""Ulysses: each rank has a piece of the sequence and all heads; attention needs all of the sequence and some heads.

Two all-to-alls around attention exchange one for the other (Jacobs et al. 2023, DeepSpeed-Ulysses). All ranks of the
group call these together, in forward and in backward.
"""

import torch
import torch.distributed as dist
from torch.distributed._functional_collectives import all_to_all_single_autograd


def _exchange(pieces: torch.Tensor, group: dist.ProcessGroup) -> torch.Tensor:
    """[c, ...]: piece i goes to rank i; the result's piece j came from rank j."""
    flat = all_to_all_single_autograd(pieces.contiguous(), None, None, group)
    return flat.reshape(pieces.shape)


def gather_sequence(q, k, v, group: dist.ProcessGroup) -> list[torch.Tensor]:
    """Three [T/c, heads, head_dim] -> three [T, heads/c, head_dim]; too few key-value heads are repeated first."""
    c = dist.get_world_size(group)
    gathered = []
    for x in (q, k, v):
        x = x.repeat_interleave(max(1, c // x.shape[1]), dim=1)
        pieces = x.unflatten(1, (c, -1)).movedim(1, 0)
        gathered.append(_exchange(pieces, group).flatten(0, 1))
    return gathered


def gather_heads(x: torch.Tensor, group: dist.ProcessGroup) -> torch.Tensor:
    """[T, heads/c, head_dim] -> [T/c, heads, head_dim]."""
    pieces = _exchange(x.unflatten(0, (dist.get_world_size(group), -1)), group)
    return pieces.movedim(0, 1).flatten(1, 2)
