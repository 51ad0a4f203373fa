"""Layout -> process groups. Every rank calls this once, in the same order, right after the process group exists.

Ranks are numbered with t fastest, then c, d, r, p, as in allocation.Layout: tensor groups stay inside a node and
pipeline stages are farthest apart.
"""

from dataclasses import dataclass

import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from realhf.allocation import Layout


@dataclass(frozen=True)
class Mesh:
    """The groups this rank belongs to. A dim of size 1 has no group."""

    layout: Layout
    rank: int
    shard: DeviceMesh
    """Where fully_shard works: [d*c], or [r, d*c] with replicas. Context ranks hold different tokens of the same
    sequences, so for the parameters they are shards like any other."""
    tensor: DeviceMesh | None
    context: dist.ProcessGroup | None
    pipeline: dist.ProcessGroup | None
    control: dist.ProcessGroup
    """All ranks over CPU tensors: counts to agree on, sums of a few numbers, tensors on their way to the host."""

    @property
    def stage(self) -> int:
        return self.layout.stage(self.rank)

    @property
    def is_last_stage(self) -> bool:
        return self.stage == self.layout.p - 1

    @property
    def context_rank(self) -> int:
        return self.rank // self.layout.t % self.layout.c

    @property
    def leads_data_parallel(self) -> bool:
        """One rank of each t x c x p group: the one that speaks for its share of the data."""
        return self.rank % (self.layout.t * self.layout.c) == 0 and self.stage == 0


def build_mesh(layout: Layout, device_type: str) -> Mesh:
    """Make all process groups of a layout. Collective. Raises ValueError when the world has another size."""
    if dist.get_world_size() != layout.world_size:
        raise ValueError(f"layout {layout} needs {layout.world_size} ranks, but {dist.get_world_size()} were started")
    names = ("pipeline", "replica", "shard", "tensor")
    whole = init_device_mesh(device_type, (layout.p, layout.r, layout.d * layout.c, layout.t), mesh_dim_names=names)
    context = None
    if layout.c > 1:
        shape = (layout.world_size // (layout.c * layout.t), layout.c, layout.t)
        regrouped = init_device_mesh(device_type, shape, mesh_dim_names=("outer", "context", "inner"))
        context = regrouped["context"].get_group()
    return Mesh(
        layout=layout,
        rank=dist.get_rank(),
        shard=whole["replica", "shard"] if layout.r > 1 else whole["shard"],
        tensor=whole["tensor"] if layout.t > 1 else None,
        context=context,
        pipeline=whole["pipeline"].get_group() if layout.p > 1 else None,
        control=dist.new_group(backend="gloo"),
    )
