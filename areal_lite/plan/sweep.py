"""All sensible splits of the GPUs under several staleness bounds: hours and idle shares, as a table and a picture."""
import dataclasses
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import PercentFormatter

from areal_lite.config import Stage
from areal_lite.plan.stage import Planned, Settings, plan_stage, splits, with_staleness
from realhf.allocation import Allocation

BOUNDS = (0, 1, 2, 4, 8)
COLOURS = ("#7A828C", "#E69F00", "#0072B2", "#009E73", "#8F5AA8")


def sweep(stage: Stage, plan: Allocation, gpus: int, settings: Settings) -> list[Planned]:
    """Every split under every bound."""
    return [plan_stage(with_staleness(stage, s), split, settings) for s in BOUNDS for split in splits(plan, gpus)]


def table(stage: Stage, found: list[Planned]) -> str:
    """Hours by split and bound; the best split of each bound has a star."""
    bounds = {s: [p for p in found if p.stage.algorithm.max_staleness == s] for s in BOUNDS}
    lines = [f"stage {stage.name}: hours of {found[0].steps} steps by max_staleness (* best split)",
             f"  {'allocation':28}" + "".join(f"{f'S={s}':>10}" for s in BOUNDS) + "   idle generation / training at S=2"]
    for i, row in enumerate(zip(*bounds.values(), strict=True)):
        best = ["*" if row[j].hours == min(p.hours for p in bounds[s]) else " " for j, s in enumerate(BOUNDS)]
        lines.append(f"  {row[0].plan!s:28}" + "".join(f"{p.hours:>9.1f}{b}" for p, b in zip(row, best, strict=True))
                     + f"   {bounds[2][i].idle_generation:.0%} / {bounds[2][i].idle_training:.0%}")
    return "\n".join(lines)


def plot(sweeps: dict[str, list[Planned]], file: Path) -> None:
    """A column per stage: hours above, idle shares with max_staleness 2 below, over the share of GPUs that generate."""
    figure, axes = plt.subplots(2, len(sweeps), figsize=(4.2 * len(sweeps) + 1, 6.2), squeeze=False, layout="constrained", sharex=True)
    for column, (name, found) in zip(axes.T, sweeps.items(), strict=True):
        hours, idle = column
        for s, colour in zip(BOUNDS, COLOURS, strict=True):
            rows = [p for p in found if p.stage.algorithm.max_staleness == s]
            hours.plot([_share(p) for p in rows], [p.hours for p in rows], "o-", color=colour, ms=4,
                       label="synchronous" if s == 0 else f"max_staleness {s}")
        two = [p for p in found if p.stage.algorithm.max_staleness == 2]
        idle.plot([_share(p) for p in two], [p.idle_generation for p in two], "o-", ms=4, color="#009E73", label="generation idle")
        idle.plot([_share(p) for p in two], [p.idle_training for p in two], "o-", ms=4, color="#0072B2", label="training idle")
        hours.set(title=f"stage {name}: hours of {found[0].steps} steps", ylim=(0, 1.15 * max(p.hours for p in found)))
        idle.set(title="idle share, max_staleness 2", ylim=(-0.02, 1), xlabel="share of GPUs that generate")
        for axis in column:
            axis.grid(alpha=0.3)
            axis.xaxis.set_major_formatter(PercentFormatter(1.0))
        idle.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes[0][0].legend(frameon=False, fontsize=8.5)
    axes[1][0].legend(frameon=False, fontsize=8.5)
    figure.savefig(file, dpi=160)
    plt.close(figure)


def _share(p: Planned) -> float:
    generating = p.plan.generation.world_size
    return generating / (generating + p.plan.training.world_size)


def best(stage: Stage, plan: Allocation, gpus: int, settings: Settings) -> Planned:
    """The fastest split under the stage's own bound."""
    quick = dataclasses.replace(settings, simulate=min(settings.simulate, 12))
    return min((plan_stage(stage, split, quick) for split in splits(plan, gpus)), key=lambda p: p.hours)
