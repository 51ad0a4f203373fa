"""A run's own rows -> the costs that produced them, and the planner's prediction of that run or another beside the clock.

Fitted: seconds of a decoding step and of each sequence in it (from busy time, tokens and, by Little's law, the mean number
of running answers), seconds of a minibatch and of each trained token, publishing, loading, and the length distribution.
Not fitted: step time, waiting, staleness; those the scheduler makes of the costs.
"""
import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from areal_lite import record
from areal_lite.config import Stage, read_stage
from areal_lite.master.rules import rules
from areal_lite.plan.costs import Costs
from areal_lite.plan.lengths import Lengths, with_truncation
from areal_lite.plan.simulate import Seen, World
from areal_lite.plan.stage import allocation_of

WARM = 2
"""First rows of a stage that are left out: engines are warming up."""


@dataclass(frozen=True)
class Trace:
    """What a stage directory says of time."""
    stage: Stage
    rows: list[dict]
    """Of metrics.jsonl, without the first and without those in which held-out questions were answered too."""
    held_out: int

    def mean(self, key: str) -> float:
        """Over the rows."""
        return float(np.mean([r[key] for r in self.rows]))


def stage_dirs(run: Path) -> list[Path]:
    """The stages of reinforcement learning of a run directory, or the stage directory itself. ValueError when there is none."""
    found = [d for d in (run, *sorted(run.iterdir() if run.is_dir() else ())) if (d / "metrics.jsonl").exists()
             and read_stage(d).kind == "rl"]
    if not found:
        raise ValueError(f"{run} is no run or stage directory with steps of reinforcement learning: it has no metrics.jsonl")
    return found


def read(directory: Path) -> Trace:
    """ValueError when too few rows remain or they do not say how long generation took."""
    stage, rows = read_stage(directory), list(record.read(directory / "metrics.jsonl"))
    rounds = [int(r["step"]) for r in record.read(directory / "evaluation.jsonl")]
    data = [e for e in record.read(directory / "events.jsonl") if e["event"] == "data"]
    disturbed = {v + 1 + late for v in rounds for late in range(stage.algorithm.max_staleness + 1)}
    calm = [r for r in rows[WARM:] if r["step"] not in disturbed and r.get("time_generation_s", 0) > 0]
    if len(calm) < 3:
        raise ValueError(f"{directory}: {len(calm)} of {len(rows)} rows can be used; 3 are needed that are not among the first {WARM}, "
                         "have time_generation_s and no evaluation round. Give a longer run, or one with evaluation.path=")
    return Trace(stage, calm, int(data[-1]["held_out"]) if data else 0)


def fit(trace: Trace) -> tuple[Costs, Lengths]:
    """The costs and the answers of this run."""
    plan, rows, a = allocation_of(trace.stage), trace.rows, trace.stage.algorithm
    tokens, answers = (np.array([r[key] for r in rows]) for key in ("tokens", "answers"))
    busy = plan.generation.d * np.array([r["time_generation_s"] for r in rows])
    running = answers * np.array([r["answer_seconds"] for r in rows]) / busy
    step, sequence = _line(1 / running, busy / tokens)
    prompts = answers * np.array([r["prompt_length"] for r in rows])
    trained = (tokens + prompts) / plan.training.data_parallel
    token, constant = _line(trained, np.array([r["time_train_s"] for r in rows]))
    cut = trace.stage.generation.max_new_tokens
    lengths = with_truncation(trace.mean("length"), trace.mean("truncated"), cut, max(r["length_max"] for r in rows),
                              int(answers.sum()))
    return Costs(step=step, sequence=sequence, token=token, minibatch=constant / a.minibatches,
                 publish=trace.mean("time_publish_s"), load=trace.mean("stall_s")), lengths


def predict(trace: Trace, costs: Costs, lengths: Lengths, steps: int = 40) -> Seen:
    """Simulate the stage of this trace, whole, without held-out questions."""
    stage, plan = trace.stage, allocation_of(trace.stage)
    ranks, warm = plan.training.data_parallel, WARM + stage.algorithm.max_staleness
    simulated = dataclasses.replace(rules(stage), trainer_ranks=ranks, data_parallel_rank=lambda rank: rank,
                                    total_steps=warm + steps + stage.algorithm.max_staleness + 2)
    world = World(simulated, costs, lengths, servers=plan.generation.d, capacity=stage.generation.max_concurrency,
                  prompt_tokens=round(trace.mean("prompt_length")), seed=stage.seed)
    return world.run(warm, steps)


def compare(directories: list[Path]) -> str:
    """Fit the first stage directory and predict all of them: a line each, and the costs."""
    traces = [read(d) for d in directories]
    costs, lengths = fit(traces[0])
    out = [f"fitted to {directories[0]} ({len(traces[0].rows)} steps): a decoding step takes {1e3 * costs.step:.2f} ms and "
           f"{1e3 * costs.sequence:.3f} ms more per sequence,", f"training {1e3 * costs.minibatch:.1f} ms per minibatch and "
           f"{1e6 * costs.token:.1f} us per token, publishing {1e3 * costs.publish:.0f} ms, loading {1e3 * costs.load:.0f} ms; "
           f"answers of {lengths.mean:.0f} tokens (sigma {lengths.sigma:.2f}, {lengths.truncated:.1%} cut)",
           f"{'':40}{'S':>3}{'measured':>12}{'predicted':>12}{'ratio':>8}   busy generation / trainer: measured, predicted"]
    for i, (directory, trace) in enumerate(zip(directories, traces, strict=True)):
        seen = predict(trace, costs, lengths if i == 0 else fit(trace)[1])
        measured = trace.mean("step_s")
        busy = [trace.mean(k) / measured for k in ("time_generation_s", "time_train_s")]
        out.append(f"{str(directory)[-39:]:40}{trace.stage.algorithm.max_staleness:>3}{measured:>10.3f} s{seen.step_s:>10.3f} s"
                   f"{seen.step_s / measured:>8.2f}   {busy[0]:.2f} / {busy[1]:.2f}, {seen.generation / seen.seconds:.2f} / "
                   f"{seen.trainer / seen.seconds:.2f}")
    return "\n".join(out)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(slope, intercept) of the least-squares line through y with neither below 0."""
    slope, intercept = np.polyfit(x, y, 1) if np.ptp(x) > 1e-9 * abs(x).max() else (0.0, y.mean())
    if slope < 0:
        return 0.0, float(y.mean())
    if intercept < 0:
        return float((x * y).sum() / (x * x).sum()), 0.0
    return float(slope), float(intercept)
