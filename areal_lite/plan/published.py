"""The planner against the published hours of AReaL v0.1: one row calibrates one constant, the others are predicted.

Assumed, because it is not published: answers are log-normal with sigma 0.8 and a mean of 5,000 / 7,000 / 9,000 tokens
under the 8K / 16K / 24K contexts; the hours of "10 epochs" (393 steps) are of the three stages in the proportion of the
published curve (200 : 158 : 79) for 1.5B and of the 16K context for 7B. The published system alternated generation and
training (max_staleness 0); on one node both took turns on the same 8 GPUs. Calibrated: one factor by which everything is
slower than the roofline, from the 50 hours of 1.5B on 16 nodes. Pipeline bubbles and the time to hand GPUs over are left out.
The last column says how much shorter or longer all answers would have to be for the row to agree.
"""
import dataclasses
import math
from dataclasses import dataclass

from areal_lite.config import Experiment, load
from areal_lite.plan.stage import Settings, plan_stage, with_staleness
from realhf.allocation import Allocation, parse, parse_layout

EPOCH_STEPS = 393
"""10 epochs of 40,315 prompts, 1,024 a step."""
ROWS = (  # experiment, nodes, allocation, published hours; a pair of layouts shares its GPUs
    ("distill-1.5b", 16, "vllm.d64p1m1+d32p2m1", 50.0),
    ("distill-1.5b", 4, "vllm.d16p1m1+d8p2m1", 150.0),
    ("distill-1.5b", 1, "actor_gen:d4p1m2,*:d4p2m1", 520.0),
    ("distill-7b", 16, "vllm.d16p1m4+d32p2m1", 130.0),
    ("distill-7b", 4, "vllm.d4p1m4+d8p2m1", 410.0),
)


@dataclass(frozen=True)
class Row:
    """Hours of one published configuration."""
    experiment: str
    nodes: int
    allocation: str
    published: float
    predicted: float
    calibrated: bool
    overlapped: float
    """Our prediction for the same allocation with max_staleness 2; 0 where the sides share GPUs."""
    lengths: float
    """Factor on the assumed mean lengths with which the row would agree, by a power law through half of them."""


def compare(settings: Settings) -> tuple[float, list[Row]]:
    """(the calibrated factor, a row for each published configuration)."""
    settings = dataclasses.replace(settings, slower=1.0)
    factor, rows = 0.0, []
    for name, nodes, layout, published in ROWS:
        experiment, shared = load([f"exp={name}"]), layout.startswith("actor_gen")
        predicted = hours(experiment, layout, settings, 0)
        factor = factor or published / predicted
        half = dataclasses.replace(settings, length_factor=settings.length_factor / 2)
        power = math.log2(predicted / hours(experiment, layout, half, 0))
        overlapped = 0.0 if shared else factor * hours(experiment, layout, settings, 2)
        predicted *= factor
        rows.append(Row(name, nodes, layout, published, predicted, not rows, overlapped, (published / predicted) ** (1 / power)))
    return factor, rows


def hours(experiment: Experiment, layout: str, settings: Settings, staleness: int) -> float:
    """Of 10 epochs, the stages weighted by their steps."""
    planned = [plan_stage(with_staleness(s, staleness), _allocation(layout), settings) for s in experiment.stages if s.kind == "rl"]
    share = EPOCH_STEPS / sum(p.steps for p in planned)
    return share * sum(p.hours for p in planned)


def _allocation(layout: str) -> Allocation:
    """Sides that share their GPUs and take turns are, to a synchronous simulation, two sides of their full size."""
    if not layout.startswith("actor_gen:"):
        return parse(layout)
    generation, training = layout.removeprefix("actor_gen:").split(",*:")
    return Allocation(parse_layout(generation), parse_layout(training))


def table(factor: float, rows: list[Row]) -> str:
    """As text."""
    lines = [f"everything {factor:.2f} times slower than the roofline (calibrated on the first row; see --help for what is assumed)",
             f"{'':14}{'nodes':>6}{'published':>11}{'planner':>9}{'ratio':>7}  {'':11}{'max_staleness 2':>16}{'lengths x':>11}"]
    for r in rows:
        what = "calibrated" if r.calibrated else "predicted"
        ours = f"{r.overlapped:.0f} h" if r.overlapped else "-"
        lines.append(f"{r.experiment:14}{r.nodes:>6}{r.published:>9.0f} h{r.predicted:>7.0f} h{r.predicted / r.published:>7.2f}  "
                     f"{what:11}{ours:>16}{r.lengths:>11.2f}")
    return "\n".join(lines)


