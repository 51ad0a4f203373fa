"""What the staleness policies cost, by simulation: the same answers, servers and trainer under each of them, as Markdown."""
import dataclasses
from dataclasses import dataclass

from areal_lite.config import Stage
from areal_lite.plan.stage import Settings, allocation_of, plan_stage, with_staleness

BOUNDS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Cost:
    """One policy under one max_staleness."""
    policy: str
    bound: int
    step_s: float
    wasted: float
    """Tokens thrown away per token trained."""
    stale_mean: float
    stale_max: int
    beyond: float
    """Share of trained tokens older than the bound."""
    trained_length: float
    generated_length: float


def costs(stage: Stage, settings: Settings, bounds: tuple[int, ...] = BOUNDS) -> list[Cost]:
    """Every policy under every bound; synchronous training first."""
    return [cost(stage, settings, "bounded", 0),
            *(cost(stage, settings, policy, s) for policy in ("bounded", "count", "drop_late") for s in bounds)]


def cost(stage: Stage, settings: Settings, policy: str, bound: int) -> Cost:
    """Simulate one."""
    seen = plan_stage(with_staleness(stage, bound, policy), allocation_of(stage), settings).seen
    return Cost(policy, bound, seen.step_s, seen.dropped_tokens / seen.trained_tokens, seen.stale_mean, seen.stale_max,
                float(seen.staleness[bound + 1:].sum() / seen.staleness.sum()),
                seen.trained_tokens / seen.trained, seen.generated_tokens / seen.generated)


def section(stage: Stage, settings: Settings, bounds: tuple[int, ...] = BOUNDS) -> str:
    """The page."""
    rows = costs(stage, settings, bounds)
    slowest = rows[0].step_s
    first = plan_stage(stage, allocation_of(stage), dataclasses.replace(settings, simulate=1))
    lines = [
        "# What the staleness policies cost", "",
        f"Simulated: the scheduler itself on `{stage.cluster.allocation}`, {stage.algorithm.prompts_per_step} prompts x "
        f"{stage.algorithm.group_size} answers a step, log-normal answers with a mean of {first.lengths.mean:.0f} tokens under a "
        f"context of {stage.generation.max_new_tokens} (sigma {first.lengths.sigma:g}, {first.lengths.truncated:.0%} cut), "
        f"{settings.simulate} steps after warming up, at 1/{first.shrink} of the size. The times are assumptions "
        "(`python -m areal_lite.plan --help`); what is compared is the policies under the same ones.", "",
        "| policy | max_staleness | speed-up | wasted tokens | mean staleness | oldest | beyond the bound | trained / generated length |",
        "|---|---|---|---|---|---|---|---|"]
    for r in rows:
        name = "synchronous" if r.bound == 0 else f"`{r.policy}`"
        lines.append(f"| {name} | {r.bound} | {slowest / r.step_s:.2f} | {r.wasted:.1%} | {r.stale_mean:.2f} | {r.stale_max} | "
                     f"{r.beyond:.1%} | {r.trained_length / r.generated_length:.3f} |")
    return "\n".join([*lines, "", *READING]) + "\n"


READING = (
    "`bounded` (the default) numbers its tickets and trains them in that order: a step waits for its slowest answer, but that",
    "answer was begun up to max_staleness steps earlier. Nothing is thrown away, no token is older than the bound, and the",
    "lengths that are trained are those that were sampled.", "",
    "`count` admits as many groups as the bound allows in total and trains whichever are whole. It never waits for a",
    "straggler, so a straggler is trained whenever it ends: the bound holds on average and not for a sample.", "",
    "`drop_late` trains whichever are whole and drops a group whose oldest token is beyond the bound. The bound holds, by",
    "throwing away tokens; those are the long groups, so training sees shorter answers than the policy gives. A trained /",
    "generated length below 1 is that bias.",
)
