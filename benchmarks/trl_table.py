"""What the comparison with TRL says of its runs: one row each, the accuracy that all reach, the table and the picture.

Pure but for the picture; waits for nothing.
"""
import math
from itertools import pairwise
from pathlib import Path
from statistics import fmean

WARM = 2
"""First steps that are left out of rates (not out of the time to an accuracy)."""
ASYNC, SYNC, TRL = "ours", "ours, synchronous", "TRL"
COLOURS = {ASYNC: "#0072B2", SYNC: "#56B4E9", TRL: "#D55E00"}


def result(side: str, seed: int, steps: list[dict], cpu_s: float, start_s: float, accuracy: dict[int, float]) -> dict:
    """One run. steps: {"step", "seconds" since the start, "samples", "tokens"} each. accuracy: by step, 0 is before any."""
    timed, seconds = steps[WARM:], steps[-1]["seconds"] - steps[WARM - 1]["seconds"]
    at = {0: 0.0, **{s["step"]: s["seconds"] for s in steps}}
    return {"side": side, "seed": seed, "steps": len(steps), "step_s": seconds / len(timed), "cpu_s": cpu_s, "start_s": start_s,
            "samples_per_s": sum(s["samples"] for s in timed) / seconds, "tokens_per_s": sum(s["tokens"] for s in timed) / seconds,
            "curve": [[step, at[step], value] for step, value in sorted(accuracy.items())]}


def mean_curve(found: list[dict]) -> list[tuple[float, float]]:
    """(seconds, accuracy) at each measured step, means over seeds."""
    return [(fmean(p[1] for p in points), fmean(p[2] for p in points)) for points in zip(*(f["curve"] for f in found), strict=True)]


def seconds_to(curve: list[tuple[float, float]], accuracy: float) -> float:
    """When it is first reached, on straight lines between the measurements; nan: never."""
    if curve[0][1] >= accuracy:
        return curve[0][0]
    for (t0, a0), (t1, a1) in pairwise(curve):
        if a1 >= accuracy:
            return t0 + (t1 - t0) * (accuracy - a0) / (a1 - a0)
    return math.nan


def common_accuracy(curves: list[list[tuple[float, float]]]) -> float:
    """The highest multiple of 0.05 that every curve reaches."""
    return math.floor(min(max(a for _, a in curve) for curve in curves) * 20 + 1e-9) / 20


def table(found: list[dict], way: str) -> str:
    """As Markdown: means over seeds; "times" are TRL's seconds over this side's."""
    sides = [s for s in COLOURS if any(f["side"] == s for f in found)]
    groups = {s: [f for f in found if f["side"] == s] for s in sides}
    curves = {s: mean_curve(g) for s, g in groups.items()}
    goal = common_accuracy(list(curves.values()))
    reached = {s: seconds_to(c, goal) for s, c in curves.items()}
    lines = [f"| side | seeds | samples/s | tokens/s | s/step | CPU s/step | start s | accuracy before → after | s to {goal:.2f} | times |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for s, group in groups.items():
        m = {key: fmean(f[key] for f in group) for key in ("samples_per_s", "tokens_per_s", "step_s", "cpu_s", "start_s")}
        times = reached[TRL] / reached[s] if TRL in reached and reached[s] else math.nan
        lines.append(f"| {s}{f' ({way})' if s == TRL else ''} | {len(group)} | {m['samples_per_s']:.0f} | {m['tokens_per_s']:.0f} "
                     f"| {m['step_s']:.2f} | {m['cpu_s']:.2f} | {m['start_s']:.0f} | {curves[s][0][1]:.3f} → {curves[s][-1][1]:.3f} "
                     f"| {reached[s]:.1f} | {times:.2f} |")
    return "\n".join(lines) + "\n"


def plot(found: list[dict], file: Path) -> None:
    """Held-out accuracy over seconds of training; thin: seeds, thick: their mean."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for side, colour in COLOURS.items():
        group = [f for f in found if f["side"] == side]
        for f in group:
            axis.plot([p[1] for p in f["curve"]], [p[2] for p in f["curve"]], color=colour, alpha=0.3, linewidth=1)
        if group:
            axis.plot(*zip(*mean_curve(group), strict=True), "o-", color=colour, label=side, markersize=4)
    axis.set(xlabel="seconds of training", ylabel="held-out accuracy")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    figure.savefig(file, dpi=160)
    plt.close(figure)
