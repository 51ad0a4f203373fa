"""The parts figures are made of: a grid of panels over training steps with shaded stages, and what is drawn into one.

One run: the steps as they are, faint, under their moving mean. Several: every run's moving mean, thin, under the mean
over runs, with a band from the lowest to the highest run.
"""
from collections.abc import Callable

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from areal_lite.report.series import Span, curve, held, mean, smooth, window_of

BLUE, RED, GREEN, PURPLE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8F5AA8", "#E69F00", "#7A828C", "#24292F"
SHADES = ("#F5F7FA", "#E9EFF5", "#DCE6F0", "#CEDDEA", "#C0D3E5")
STYLE = {"font.size": 9.5, "axes.titlesize": 10.5, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.edgecolor": GREY,
         "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
         "axes.spines.right": False, "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#FFFFFF", "grid.linewidth": 0.9,
         "axes.axisbelow": True, "legend.frameon": False, "legend.fontsize": 8.5, "lines.solid_capstyle": "round",
         "figure.dpi": 100}
SAVED_DPI = 200


def grid(stages: list[Span], *titles: str, last_is_plain: bool = False) -> tuple[Figure, list[Axes]]:
    """2 x 2 panels over training steps, the stages shaded and labelled; last_is_plain: the last has an axis of its own."""
    figure, axes = plt.subplots(2, 2, figsize=(9.8, 5.8), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06, wspace=0.04, hspace=0.05)
    panels = list(axes.flat)
    end = stages[-1].start + stages[-1].steps
    edge = max(0.5, 0.012 * end)
    for i, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        panel.set_title(title, pad=18)
        if last_is_plain and i == 3:
            panel.set_facecolor(SHADES[1])
            continue
        for n, s in enumerate(stages):
            left, right = (s.start if n else -edge), s.start + s.steps + (edge if s is stages[-1] else 0)
            panel.axvspan(left, right, color=SHADES[min(n, len(SHADES) - 1)], lw=0, zorder=0)
            words = context_words(s.context)
            panel.text((left + right) / 2, 1.015, words if s.steps > 0.17 * end else words.removesuffix(" context"),
                       transform=panel.get_xaxis_transform(), ha="center", va="bottom", fontsize=8.5, color=GREY)
        panel.set_xlim(-edge, end + edge)
        panel.xaxis.set_major_locator(MaxNLocator(7, integer=True))
        if i >= 2:
            panel.set_xlabel("training step")
    return figure, panels


def context_words(tokens: int) -> str:
    """8192 -> 8K context; 48 -> context 48."""
    return f"{tokens // 1024}K context" if tokens >= 1024 and tokens % 1024 == 0 else f"context {tokens}"


def lines(panel: Axes, stages: list[Span], what: str | Callable[[Span], np.ndarray], colour: str, label: str, *, raw: bool = True,
          window: int = 0, width: float = 1.8) -> None:
    """Draw a key of the rows, or what(span) [runs, steps], stage by stage; a moving mean never crosses a boundary."""
    window = window or window_of(stages[-1].start + stages[-1].steps)
    for n, s in enumerate(stages):
        values = curve(s, what) if isinstance(what, str) else what(s)
        if np.isnan(values).all():
            continue
        x, smoothed = np.arange(1, s.steps + 1) + s.start, smooth(values, window)
        marker = {"marker": "o", "ms": 4} if s.steps == 1 else {}
        several = len(values) > 1
        if several:
            there = ~np.isnan(smoothed).all(0)
            panel.fill_between(x[there], np.nanmin(smoothed[:, there], 0), np.nanmax(smoothed[:, there], 0), color=colour, alpha=0.16, lw=0)
        elif raw and window > 1:
            panel.plot(x, values[0], color=colour, lw=0.7, alpha=0.28)
        for one in smoothed if several and raw else ():
            panel.plot(x, one, color=colour, lw=0.6, alpha=0.45)
        panel.plot(x, mean(smoothed), color=colour, lw=width, label=label if n == 0 and label else None, **marker)
    if panel.get_ylim()[1] >= 2000:
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def held_out(panel: Axes, stages: list[Span]) -> None:
    """Accuracy on held-out questions: of one run with 95 % intervals, of several their mean with its lowest and highest."""
    for n, s in enumerate(stages):
        rounds = held(s)
        steps = sorted({step for r in rounds for step in r[:, 0]})
        if not steps:
            continue
        at = {step: np.array([row for r in rounds for row in r if row[0] == step]) for step in steps}
        middle = np.array([at[t][:, 1].mean() for t in steps])
        low, high = (np.array([end(at[t][:, 1 if len(rounds) > 1 else column]) for t in steps])
                     for end, column in ((np.min, 2), (np.max, 3)))
        label = "held out, 95 % interval" if len(rounds) == 1 else "held out, lowest to highest run"
        panel.errorbar(np.array(steps) + s.start, middle, np.maximum(0, [middle - low, high - middle]),
                       color=RED, marker="o", ms=4.5, mec="white", mew=0.7, lw=1.2, elinewidth=1.2, capsize=2.5, zorder=5,
                       label=label if n == 0 else None)


def share(panel: Axes, top: float = 0.0) -> None:
    """The axis is a share of one, no lower than 0 and, when given, no higher than `top`."""
    low, high = panel.get_ylim()
    panel.set_ylim(max(0.0, low), min(high, top) if top else high)
    panel.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if high - max(0.0, low) >= 0.08 else None))


def limit(panel: Axes, stages: list[Span]) -> None:
    """The longest answer each stage allows, where that is in sight."""
    top = panel.get_ylim()[1]
    seen = [s for s in stages if s.context <= 1.5 * top]
    for n, s in enumerate(seen):
        panel.hlines(s.context, s.start, s.start + s.steps, INK, "dashed", lw=1, label="limit" if n == 0 else None)


def split_of_step(panel: Axes, stages: list[Span]) -> None:
    """Stacked: what the trainer did in a step, mean over runs, smoothed."""
    parts = (("time_train_s", BLUE, "training"), ("time_publish_s", ORANGE, "publishing weights"), ("time_wait_s", "#B9C2CC", "waiting"))
    window, heights = window_of(stages[-1].start + stages[-1].steps), []
    for n, s in enumerate(stages):
        x, floor = np.arange(s.steps + 1) + s.start, np.zeros(s.steps + 1)
        for key, colour, label in parts:
            part = np.nan_to_num(mean(smooth(curve(s, key), window)))
            top = floor + np.concatenate([part[:1], part])
            panel.fill_between(x, floor, top, color=colour, lw=0, alpha=0.85, label=label if n == 0 else None, step="pre")
            floor = top
        heights.append(floor)
    everything = np.concatenate(heights)
    panel.set_ylim(0, 1.35 * min(everything.max(), 3 * np.median(everything)) or 1.0)
    panel.legend(loc="upper right", ncols=3, handlelength=1.0, borderaxespad=0.1)
