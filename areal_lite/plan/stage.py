"""A stage of an experiment on an allocation -> hours, idle shares and staleness, by simulating a few dozen of its steps."""
import dataclasses
import math
from dataclasses import dataclass

from areal_lite.config import Stage
from areal_lite.master.rules import rules
from areal_lite.plan.costs import Costs, Hardware, assumed
from areal_lite.plan.lengths import Lengths, with_mean
from areal_lite.plan.simulate import Seen, World
from realhf import allocation
from realhf.allocation import Allocation

ROWS = {"deepscaler": 40315, "orz_math_57k": 56878, "level3to5": 8523}
"""Training rows of the published data sets, for stages that end after epochs."""
MEANS = (0, 8192, 16384, 24000), (0, 5000, 7000, 9000)
"""Contexts and assumed mean lengths under them, read off the published curves; between them in proportion."""


@dataclass(frozen=True)
class Settings(Hardware):
    """What the planner assumes besides the configuration; every key can be given on the command line."""
    nodes: int = 0
    """Of the cluster; 0: the configuration's."""
    gpus_per_node: int = 0
    """GPUs of one node; 0: the configuration's."""
    simulate: int = 24
    """Steps that are simulated, after 2 + max_staleness for warming up; the rest is extrapolated."""
    shrink: int = 0
    """Simulate 1/shrink of the prompts, servers and ranks; 1 is the whole cluster, 0 chooses about 64 prompts a step."""
    mean_length: float = 0.0
    """Of answers, in tokens; 0: by the context."""
    length_factor: float = 1.0
    """Multiplies the assumed mean lengths."""
    sigma: float = 0.8
    """Standard deviation of log(length); half of its square lies between prompts."""
    prompt_tokens: int = 150
    """Of every prompt."""
    rows: int = 0
    """Training rows, for stages that end after epochs; 0: the published data sets are known."""
    slower: float = 1.0
    """Everything takes this many times as long as the data sheet's roofline says."""


@dataclass(frozen=True)
class Planned:
    """A stage on an allocation."""
    stage: Stage
    plan: Allocation
    lengths: Lengths
    seen: Seen
    steps: int
    shrink: int

    @property
    def hours(self) -> float:
        """Of the whole stage."""
        return self.seen.step_s * self.steps / 3600

    @property
    def idle_generation(self) -> float:
        """Share of the time in which a server had nothing to do."""
        return max(0.0, 1 - self.seen.generation / self.seen.seconds)

    @property
    def idle_training(self) -> float:
        """Share of the time in which the trainer waited."""
        return max(0.0, 1 - self.seen.trainer / self.seen.seconds)


def plan_stage(stage: Stage, plan: Allocation, settings: Settings, *, costs: Costs | None = None,
               lengths: Lengths | None = None) -> Planned:
    """Simulate a stage of reinforcement learning on an allocation. ValueError when something has to be said first."""
    costs = (costs or assumed(stage, plan, settings)).slower(settings.slower)
    cut = stage.generation.max_new_tokens
    lengths = lengths or with_mean(settings.mean_length or settings.length_factor * mean_length(cut), settings.sigma, cut)
    a, servers, ranks = stage.algorithm, plan.generation.d, plan.training.data_parallel
    shrink = settings.shrink or best_shrink(a.prompts_per_step, servers, a.minibatches)
    if a.prompts_per_step % (shrink * a.minibatches) or servers % shrink:
        raise ValueError(f"shrink={shrink} must divide prompts_per_step / minibatches and the {servers} servers")
    few = max(1, ranks // shrink)
    costs = dataclasses.replace(costs, token=costs.token * shrink * few / ranks, square=costs.square * shrink * few / ranks)
    warm = 2 + a.max_staleness
    simulated = dataclasses.replace(
        rules(stage), prompts_per_step=a.prompts_per_step // shrink, trainer_ranks=few, data_parallel=few,
        data_parallel_rank=lambda rank: rank, total_steps=warm + settings.simulate + a.max_staleness + 2)
    world = World(simulated, costs, lengths, servers=servers // shrink, capacity=stage.generation.max_concurrency,
                  prompt_tokens=settings.prompt_tokens, seed=stage.seed)
    return Planned(stage, plan, lengths, world.run(warm, settings.simulate), steps_of(stage, settings.rows), shrink)


def best_shrink(prompts: int, servers: int, minibatches: int) -> int:
    """The largest divisor of prompts and servers that leaves 64 prompts and 2 servers."""
    whole = math.gcd(prompts // minibatches, servers)
    return max(s for s in range(1, whole + 1) if whole % s == 0 and (s == 1 or (prompts // s >= 64 and servers // s >= 2)))


def mean_length(cut: int) -> float:
    """Assumed mean length of the answers under a context."""
    contexts, means = MEANS
    for low, high, a, b in zip(contexts, contexts[1:], means, means[1:], strict=False):
        if cut <= high:
            return a + (b - a) * (cut - low) / (high - low)
    return means[-1] * cut / contexts[-1]


def steps_of(stage: Stage, rows: int) -> int:
    """Steps of the stage. ValueError when it ends after epochs of data whose rows are not known."""
    if stage.until.steps:
        return stage.until.steps
    rows = rows or next((n for name, n in ROWS.items() if name in stage.data.path.lower()), 0)
    if not rows:
        raise ValueError(f"stage {stage.name} ends after {stage.until.epochs:g} epochs of {stage.data.path}: say rows=N or until.steps=N")
    return max(1, math.floor(stage.until.epochs * rows / stage.algorithm.prompts_per_step))


def splits(plan: Allocation, gpus: int) -> list[Allocation]:
    """The same server and trainer groups with 1/8 ... 7/8 of the GPUs generating, as far as they come out even."""
    server, group = plan.generation.t * plan.generation.p, plan.training.world_size // plan.training.d
    unit, found = math.lcm(server, group), {}
    for eighth in range(1, 8):
        generating = max(unit, round(gpus * eighth / 8 / unit) * unit)
        if gpus - generating >= unit and (gpus - generating) % group == 0:
            found[generating] = Allocation(dataclasses.replace(plan.generation, d=generating // server),
                                           dataclasses.replace(plan.training, d=(gpus - generating) // group))
    return list(found.values())


def with_staleness(stage: Stage, staleness: int, policy: str = "bounded") -> Stage:
    """The stage under another bound and policy."""
    a = dataclasses.replace(stage.algorithm, max_staleness=staleness, staleness_policy=policy)
    generation = dataclasses.replace(stage.generation, update_every=min(stage.generation.update_every, staleness + 1))
    return dataclasses.replace(stage, algorithm=a, generation=generation)


def allocation_of(stage: Stage) -> Allocation:
    """The configuration's."""
    return allocation.parse(stage.cluster.allocation)
