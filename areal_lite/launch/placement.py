"""Which process runs on which node, with which GPUs or cores: the same pure answer on every node."""
from dataclasses import dataclass

from areal_lite.config.schema import Stage
from realhf import allocation
from realhf.allocation import Allocation


@dataclass(frozen=True, slots=True)
class Process:
    """One operating-system process of a stage."""
    name: str
    """generation-3, trainer-0, master: also its log file and its name on the wire."""
    module: str
    arguments: tuple[str, ...]
    node: int
    gpus: tuple[int, ...] = ()
    """Of its node; empty on CPU."""
    cpus: tuple[int, ...] = ()
    """Cores it is pinned to; empty for all."""


def place(stage: Stage, cores: int) -> list[Process]:
    """Every process of the stage on every node. cores: CPU cores of a node, used only when pinning.

    Training ranks come first, so that rank 0 shares node 0 with the master; a generation server's GPUs are adjacent and
    on one node. ValueError when the allocation does not fit the cluster.
    """
    cluster, plan = stage.cluster, allocation.parse(stage.cluster.allocation)
    if cluster.device == "cuda":
        allocation.check_cluster(plan, cluster.nodes, cluster.gpus_per_node)
    generation_cores, trainer_cores = _cores(cores) if cluster.pin_cpus else ((), ())
    processes = []
    if stage.kind == "sft":
        return _trainers(stage, plan, ())
    processes.append(Process("master", "areal_lite.master", (), 0))
    processes += _trainers(stage, plan, trainer_cores)
    size = plan.generation.world_size // plan.generation.data_parallel
    slot = plan.training.world_size
    for index in range(plan.generation.data_parallel):
        node, gpus = 0, ()
        if cluster.device == "cuda":
            if slot % cluster.gpus_per_node + size > cluster.gpus_per_node:      # would cross a node's border
                slot = (slot // cluster.gpus_per_node + 1) * cluster.gpus_per_node
            node, first = divmod(slot, cluster.gpus_per_node)
            gpus = tuple(range(first, first + size))
            slot += size
        cpus = (generation_cores[index % len(generation_cores)],) if generation_cores else ()
        processes.append(Process(f"generation-{index}", "areal_lite.generation", ("--index", str(index)), node, gpus, cpus))
    if cluster.device == "cuda" and (last := max(p.node for p in processes)) >= cluster.nodes:
        raise ValueError(f"allocation {cluster.allocation} needs {last + 1} nodes of {cluster.gpus_per_node} GPUs when servers "
                         f"of {size} GPUs stay whole, but cluster.nodes={cluster.nodes}")
    return processes


def _trainers(stage: Stage, plan: Allocation, cores: tuple[int, ...]) -> list[Process]:
    out = []
    for rank in range(plan.training.world_size):
        node, gpu = divmod(rank, stage.cluster.gpus_per_node) if stage.cluster.device == "cuda" else (0, 0)
        gpus = (gpu,) if stage.cluster.device == "cuda" else ()
        cpus = (cores[rank % len(cores)],) if cores else ()
        out.append(Process(f"trainer-{rank}", "areal_lite.trainer", ("--rank", str(rank)), node, gpus, cpus))
    return out


def _cores(cores: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(for generation, for training): the first half and the rest; one core is shared."""
    if cores < 2:
        return (0,), (0,)
    return tuple(range(cores // 2)), tuple(range(cores // 2, cores))


def table(processes: list[Process]) -> str:
    """The plan as text: process, node, GPUs, cores."""
    rows = [("process", "node", "GPUs", "cores")]
    rows += [(p.name, str(p.node), ",".join(map(str, p.gpus)) or "-", ",".join(map(str, p.cpus)) or "any") for p in processes]
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() for r in rows)
