"""Which process runs on which node, with which GPUs or cores: the same pure answer on every node."""
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from areal_lite.config.schema import Cluster, Stage
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

    Training ranks come first, so that rank 0 shares node 0 with the master. A generation server's GPUs are adjacent and
    on one node: check_cluster wants every GPU used and servers that divide a node, so none can cross a border.
    ValueError when the allocation does not fit the cluster.
    """
    cluster, plan = stage.cluster, allocation.parse(stage.cluster.allocation)
    if _counted(cluster):
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
        if _counted(cluster):
            node, first = divmod(slot, cluster.gpus_per_node)
            gpus = tuple(range(first, first + size)) if cluster.device == "cuda" else ()
            slot += size
        cpus = (generation_cores[index % len(generation_cores)],) if generation_cores else ()
        processes.append(Process(f"generation-{index}", "areal_lite.generation", ("--index", str(index)), node, gpus, cpus))
    return processes


def _trainers(stage: Stage, plan: Allocation, cores: tuple[int, ...]) -> list[Process]:
    out = []
    for rank in range(plan.training.world_size):
        node, gpu = divmod(rank, stage.cluster.gpus_per_node) if _counted(stage.cluster) else (0, 0)
        gpus = (gpu,) if stage.cluster.device == "cuda" else ()
        cpus = (cores[rank % len(cores)],) if cores else ()
        out.append(Process(f"trainer-{rank}", "areal_lite.trainer", ("--rank", str(rank)), node, gpus, cpus))
    return out


def _counted(cluster: Cluster) -> bool:
    """Whether a node holds only so many processes: GPUs are counted, and CPU processes as soon as there are several nodes."""
    return cluster.device == "cuda" or cluster.nodes > 1


def _cores(cores: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(for generation, for training): the first half and the rest; one core is shared."""
    if cores < 2:
        return (0,), (0,)
    return tuple(range(cores // 2)), tuple(range(cores // 2, cores))


def table(processes: list[Process]) -> str:
    """The plan as text: a line per node and kind of process, with its GPUs and cores."""
    rows = [("processes", "node", "GPUs", "cores")]
    for (node, _), group in itertools.groupby(processes, key=lambda p: (p.node, p.module)):
        alike = list(group)
        name = alike[0].name if len(alike) == 1 else f"{alike[0].name} .. {alike[-1].name.rpartition('-')[2]}"
        rows.append((name, str(node), _span(g for p in alike for g in p.gpus) or "-", _span(c for p in alike for c in p.cpus) or "any"))
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() for r in rows)


def _span(numbers: Iterable[int]) -> str:
    """0,1,2,3 -> 0-3; gaps stay visible."""
    wanted = sorted(set(numbers))
    if len(wanted) > 2 and wanted == list(range(wanted[0], wanted[-1] + 1)):
        return f"{wanted[0]}-{wanted[-1]}"
    return ",".join(map(str, wanted))
