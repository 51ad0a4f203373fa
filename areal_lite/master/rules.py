"""The numbers the scheduler obeys, out of the configuration. Pure."""
from collections.abc import Callable
from dataclasses import dataclass

from areal_lite.config.schema import Stage
from realhf import allocation


@dataclass(frozen=True)
class Rules:
    """The numbers the scheduler obeys (config.Algorithm, config.Until and the training layout)."""
    prompts_per_step: int
    group_size: int
    max_staleness: int
    minibatches: int
    total_steps: int
    trainer_ranks: int
    """Processes of the training side."""
    data_parallel_rank: Callable[[int], int]
    """Global trainer rank -> which Batch it gets."""
    data_parallel: int
    rolling: bool = True
    update_every: int = 1
    policy: str = "bounded"
    filter_zero_variance: bool = False
    max_attempts: int = 8


def rules(stage: Stage) -> Rules:
    """The scheduler's numbers out of the configuration."""
    a, layout = stage.algorithm, allocation.parse(stage.cluster.allocation).training
    return Rules(a.prompts_per_step, a.group_size, a.max_staleness, a.minibatches, stage.until.steps, layout.world_size,
                 layout.data_parallel_rank, layout.data_parallel, stage.generation.rolling, stage.generation.update_every,
                 a.staleness_policy, a.filter_groups == "zero_variance", a.max_attempts)
