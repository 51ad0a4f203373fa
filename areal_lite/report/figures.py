"""The figures of a report: one function each, from runs to a matplotlib figure, or None when there is nothing to draw.

One run: the steps as they are, faint, under their moving mean. Several: every run's moving mean, thin, under the mean
over runs, with a band from the lowest to the highest run. Stages are shaded, darker the longer the context.
"""
from collections.abc import Callable

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator

from areal_lite.report.panels import BLUE, GREEN, INK, PURPLE, RED, SHADES, STYLE, grid, held_out, limit, lines, share, split_of_step
from areal_lite.report.read import Run
from areal_lite.report.series import Span, curve, smooth, spans, window_of


def draw(runs: list[Run]) -> dict[str, tuple[Figure, str]]:
    """File name -> (figure, caption) of everything there is to see; the main picture first."""
    made = {}
    with plt.rc_context(STYLE):
        for name, function, caption in FIGURES:
            if (figure := function(runs)) is not None:
                _close_ranks(figure)
                made[name] = (figure, caption)
    return made


def _close_ranks(figure: Figure) -> None:
    """What the run did not measure leaves no empty frame: the other panels move up, and the figure shrinks."""
    before = figure.axes[0].get_gridspec()
    for panel in [p for p in figure.axes if not (p.lines or p.collections)]:
        figure.delaxes(panel)
    if len(figure.axes) < before.nrows * before.ncols:
        rows, (width, height) = -(-len(figure.axes) // before.ncols), figure.get_size_inches()
        figure.set_size_inches(width, height * rows / before.nrows)
        for panel, place in zip(figure.axes, GridSpec(rows, before.ncols, figure), strict=False):
            panel.set_subplotspec(place)
            panel.set_xlabel(panel.get_xlabel() or "training step")


def curriculum(runs: list[Run]) -> Figure | None:
    """Reward, accuracy, response length and truncation over the stages."""
    if not (stages := spans(runs)):
        return None
    figure, panels = grid(stages, "Reward", "Accuracy", "Response length (tokens)", "Truncated answers")
    reward, accuracy, length, truncated = panels
    lines(reward, stages, "reward", BLUE, "")
    lines(accuracy, stages, "accuracy", BLUE, "training (sampled)")
    held_out(accuracy, stages)
    share(accuracy, top=1.05)
    lines(length, stages, "length", BLUE, "all")
    for word, nobody, colour in (("correct", 0.0, GREEN), ("wrong", 1.0, RED)):      # of steps in which there were any
        lines(length, stages, lambda s, w=word, n=nobody: np.where(curve(s, "accuracy") == n, np.nan, curve(s, f"length_{w}")),
              colour, word, raw=False, width=1.2)
    limit(length, stages)
    length.set_ylim(0, 1.05 * length.get_ylim()[1])
    lines(truncated, stages, "truncated", BLUE, "")
    truncated.set_ylim(0, max(0.05, truncated.get_ylim()[1]))
    share(truncated, top=1.05)
    for panel in (accuracy, length):
        panel.legend(loc="best", handlelength=1.6, borderaxespad=0.3)
    return figure


def asynchrony(runs: list[Run]) -> Figure | None:
    """Staleness, throughput, where a step's time goes, what servers and trainer wait for."""
    if not (stages := spans(runs)):
        return None
    figure, (stale, speed, split, overlap) = grid(stages, "Staleness of trained tokens (versions)", "Generated tokens per second",
                                                   "Trainer's step (s)", "Busy share of the step")
    lines(stale, stages, "staleness_max", RED, "oldest token", raw=False, window=1)
    lines(stale, stages, "staleness_mean", BLUE, "mean")
    for n, s in enumerate(stages):
        bound = max(r.stage.algorithm.max_staleness for r in s.records if r)
        stale.hlines(bound, s.start, s.start + s.steps, INK, "dashed", lw=1, label="bound" if n == 0 else None)
    stale.set_ylim(-0.1, stale.get_ylim()[1] * 1.25 + 0.2)
    stale.yaxis.set_major_locator(MaxNLocator(integer=True))
    lines(speed, stages, "tokens_per_s", BLUE, "")
    speed.set_ylim(bottom=0)
    split_of_step(split, stages)
    for key, colour, label in (("time_train_s", BLUE, "trainer"), ("time_generation_s", GREEN, "generation servers")):
        lines(overlap, stages, lambda s, k=key: curve(s, k) / curve(s, "step_s"), colour, label, raw=False)
    overlap.set_ylim(0, 1.25)
    share(overlap)
    overlap.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
    for panel in (stale, overlap):
        panel.legend(loc="upper right", ncols=3, handlelength=1.6, borderaxespad=0.1)
    return figure


def policy_gap(runs: list[Run]) -> Figure | None:
    """How far the policies are from each other: behaviour, trainer, reference; and the gap by staleness."""
    stages = spans(runs)
    if not any(np.isfinite(curve(t, "kl_behaviour")).any() for t in stages):
        return None
    figure, (kl, far, ratio, gap) = grid(stages, "KL(behaviour || trainer) per token", "KL(policy || stage's start) per token",
                                          "Clipped or masked tokens", "|log-probability gap| by staleness", last_is_plain=True)
    lines(kl, stages, "kl_behaviour", BLUE, "")
    lines(far, stages, "kl_start", PURPLE, "")
    lines(ratio, stages, "clip_fraction", BLUE, "clipped")
    lines(ratio, stages, "behaviour_masked", RED, "masked", raw=False)
    share(ratio)
    ratio.legend(loc="best")
    _by_staleness(gap, stages)
    return figure


def _by_staleness(panel: Axes, stages: list[Span]) -> None:
    """Median and spread over steps of the gap, for every staleness there was."""
    found = {s: np.concatenate([curve(t, f"gap_staleness_{s}").ravel() for t in stages]) for s in range(9)}
    found = {s: v[np.isfinite(v)] for s, v in found.items() if np.isfinite(v).any()}
    if not found:
        return
    levels = list(found)
    low, middle, high = (np.array([np.quantile(v, q) for v in found.values()]) for q in (0.05, 0.5, 0.95))
    panel.errorbar(levels, middle, [middle - low, high - middle], fmt="o", color=BLUE, ms=5, lw=1.4, capsize=3)
    panel.set_xticks(levels, [str(s) if s < 8 else "8+" for s in levels])
    panel.set_xlim(min(levels) - 0.6, max(levels) + 0.6)
    if low.min() > 0:
        panel.set_yscale("log")
    panel.set_xlabel("staleness of the token (versions); bars: 5 % to 95 % of steps")


def supervised(runs: list[Run]) -> Figure | None:
    """Loss of the supervised stages."""
    stages = [(run, s) for run in runs for s in run.stages if s.stage.kind == "sft" and s.rows]
    if not stages:
        return None
    figure, panel = plt.subplots(figsize=(4.9, 2.7), layout="constrained")
    panel.set_facecolor(SHADES[0])
    for _, s in stages:
        loss = np.array([r["loss"] for r in s.rows])
        panel.plot([r["step"] for r in s.rows], smooth(loss, window_of(len(loss))), color=BLUE, lw=1.4, alpha=max(0.35, 1 / len(runs)),
                   marker="o" if len(loss) == 1 else None)
    panel.set(title="Supervised loss per token", xlabel="step", ylim=(0, None))
    return figure


FIGURES: tuple[tuple[str, Callable, str], ...] = (
    ("curriculum.png", curriculum, "Reward, accuracy, response length and truncation. Shaded: the stages, by the longest answer they "
     "allow. Points: accuracy on held-out questions, with 95 % intervals."),
    ("asynchrony.png", asynchrony, "How stale the trained tokens are, how many are made, and where the time of a step goes."),
    ("policy_gap.png", policy_gap, "Distance between the policy that sampled, the one that is trained and the one the stage began with."),
    ("supervised.png", supervised, "The supervised stages before reinforcement learning."),
)
