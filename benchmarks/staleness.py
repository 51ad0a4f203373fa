"""What staleness costs in accuracy and saves in time: python -m benchmarks.staleness [exp=quickstart] [--out runs/staleness]

Every max_staleness (0, 1, 2, 4, 8) with the decoupled and the naive objective and every seed runs one stage of the
experiment to the same number of steps of the same size from the same cold start, so to equal tokens up to their lengths,
and is measured on the held-out questions. Finished runs are not repeated, so the command can be stopped and given again;
--rows N stops after N new ones. Writes table.md, results.jsonl and staleness.png. With staleness 0 nothing is stale,
and the two objectives differ by the proximal logprobs alone.
"""
import argparse
import dataclasses
import json
import math
from pathlib import Path
from statistics import fmean, stdev

from areal_lite.config import Stage
from benchmarks import runs

BOUNDS, OBJECTIVES = (0, 1, 2, 4, 8), ("decoupled", "naive")
COLOURS = {"decoupled": "#0072B2", "naive": "#D55E00"}


def grid(bounds: list[int], objectives: list[str], seeds: int) -> list[tuple[int, int, str]]:
    """(seed, bound, objective) in the order they run: whole seeds first, so that what is there can be compared."""
    return [(seed, bound, objective) for seed in range(1, seeds + 1) for bound in bounds for objective in objectives]


def run(stage: Stage, out: Path, seed: int, bound: int, objective: str, steps: int) -> dict:
    """Run one cell, or read it."""
    weight = {"behaviour_weight": "none"} if objective == "naive" else {}
    stage = dataclasses.replace(stage, seed=seed)
    done = runs.run(stage, out / f"staleness-{bound}-{objective}-seed-{seed}", until={"steps": steps, "plateau": 0.0},
                    algorithm={"max_staleness": bound, "objective": objective, **weight}, checkpoint={"every_s": 0.0})
    return result(runs.rows(done), runs.rows(done, "evaluation.jsonl"), seed, bound, objective)


def result(rows: list[dict], held: list[dict], seed: int, bound: int, objective: str) -> dict:
    """One row of the table from a run's files."""
    return {"staleness": bound, "objective": objective, "seed": seed, "steps": len(rows), "tokens": sum(r["tokens"] for r in rows),
            "accuracy_before": held[0]["accuracy"], "accuracy": held[-1]["accuracy"], "accuracy_se": held[-1]["accuracy_se"],
            "reward_last": fmean(r["reward"] for r in rows[-5:]), "step_s": fmean(r["step_s"] for r in rows[2:]),
            "staleness_mean": fmean(r["staleness_mean"] for r in rows), "staleness_max": max(r["staleness_max"] for r in rows),
            "clip_fraction": fmean(r["clip_fraction"] for r in rows), "kl_behaviour": fmean(r["kl_behaviour"] for r in rows)}


def cells(found: list[dict]) -> list[tuple[int, str, list[dict]]]:
    """Results of the same bound and objective, in order."""
    keys = sorted({(r["staleness"], r["objective"]) for r in found})
    return [(s, o, [r for r in found if (r["staleness"], r["objective"]) == (s, o)]) for s, o in keys]


def interval(values: list[float]) -> float:
    """Half of a 95 % interval of their mean by Student's t; nan of a single one."""
    t = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}
    return t.get(len(values), 2.0) * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def table(found: list[dict]) -> str:
    """As Markdown: means over seeds."""
    lines = ["| max_staleness | objective | seeds | held-out accuracy (95 %) | before | s/step | staleness mean / max | tokens | clipped |",
             "|---|---|---|---|---|---|---|---|---|"]
    for bound, objective, group in cells(found):
        m = {key: fmean(r[key] for r in group) for key in group[0] if key != "objective"}
        spread = interval([r["accuracy"] for r in group])
        shown = "" if math.isnan(spread) else f" ± {spread:.3f}"
        lines.append(f"| {bound} | {objective} | {len(group)} | {m['accuracy']:.3f}{shown} | {m['accuracy_before']:.3f} "
                     f"| {m['step_s']:.2f} | {m['staleness_mean']:.2f} / {max(r['staleness_max'] for r in group):.0f} "
                     f"| {m['tokens'] / 1e3:.0f}k | {m['clip_fraction']:.2%} |")
    return "\n".join(lines) + "\n"


def plot(found: list[dict], file: Path) -> None:
    """Accuracy, distance of the policies, staleness seen and seconds a step, over the bound."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    panels = (("accuracy", "held-out accuracy"), ("kl_behaviour", "KL(behaviour || trained) per token"),
              ("staleness_mean", "mean staleness of trained tokens"), ("step_s", "seconds a step"))
    figure, axes = plt.subplots(1, len(panels), figsize=(13.5, 3.2), layout="constrained")
    for axis, (key, title) in zip(axes, panels, strict=True):
        for objective in OBJECTIVES:
            mine = [(bound, [r[key] for r in group]) for bound, o, group in cells(found) if o == objective]
            at = [math.log2(bound + 1) for bound, _ in mine]
            axis.plot(at, [fmean(v) for _, v in mine], "o-", color=COLOURS[objective], label=objective)
            for x, (_, values) in zip(at, mine, strict=True):
                axis.plot([x] * len(values), values, ".", color=COLOURS[objective], alpha=0.4)
        bounds = sorted({r["staleness"] for r in found})
        axis.set_xticks([math.log2(b + 1) for b in bounds], [str(b) for b in bounds])
        axis.set(title=title, xlabel="max_staleness")
        axis.grid(alpha=0.3)
    axes[0].legend(frameon=False)
    figure.savefig(file, dpi=160)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.staleness", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    runs.arguments(parser, "the last one", "runs/staleness")
    parser.add_argument("--steps", type=int, default=40, help="of every run (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of every cell (default %(default)s)")
    parser.add_argument("--bounds", type=int, nargs="+", default=BOUNDS, metavar="S",
                        help=f"values of max_staleness (default {' '.join(map(str, BOUNDS))})")
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=OBJECTIVES,
                        help=f"values of algorithm.objective (default {' '.join(OBJECTIVES)})")
    parser.add_argument("--rows", type=int, default=0, help="stop after so many new runs; 0: all")
    options = parser.parse_intermixed_args()
    experiment, stage = runs.chosen(options.out, options.words, options.stage, -1)
    if not stage.evaluation.path:
        raise SystemExit(f"{experiment.name} has no held-out questions: set evaluation.path")
    runs.cold_start(experiment)
    found, new = [], 0
    for seed, bound, objective in grid(options.bounds, options.objectives, options.seeds):
        there = (options.out / f"staleness-{bound}-{objective}-seed-{seed}" / stage.name / "finished.json").exists()
        if not there and options.rows and new == options.rows:
            continue
        new += not there
        found.append(run(stage, options.out, seed, bound, objective, options.steps))
        print(f"{'there' if there else 'run':5} {found[-1]}", flush=True)
        (options.out / "results.jsonl").write_text("".join(json.dumps(r) + "\n" for r in found))
        (options.out / "table.md").write_text(table(found))
        plot(found, options.out / "staleness.png")
    print(table(found), end="")


if __name__ == "__main__":
    main()
