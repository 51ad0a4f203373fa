"""Pictures of an evaluation: how length, clipping, reflection and accuracy move over a run's checkpoints; pass@k curves.

Made from the SETTINGS.json files alone (results.numbers), so they can be drawn again at any time.
"""
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from areal_lite.evaluation.results import DIGEST

DYNAMICS = {
    "accuracy": ("right answers (%)", ("acc", "pass_acc")),
    "length": ("tokens per answer", ("tokens", "correct_tokens", "wrong_tokens", "stop_tokens")),
    "clipping": ("share of answers", ("clip_ratio", "repeat_ratio")),
    "reflection": ("words of reflection per answer", ("keywords",)),
}
"""Picture -> (unit, columns drawn into it)."""
COLOURS = ("#1b6ca8", "#d1495b", "#2e933c", "#edae49")


def draw(found: Sequence[dict], directory: Path) -> list[Path]:
    """Write the pictures to DIRECTORY, for every setting in `found` (of results.numbers); returns their paths.

    Dynamics are drawn for settings that several steps have.
    """
    by_settings: dict[str, list[dict]] = {}
    for r in found:
        by_settings.setdefault(Path(r["result"]).stem[:-DIGEST], []).append(r)
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for name, entries in by_settings.items():
        if len({r["step"] for r in entries}) > 1:
            files += [_panels(entries, directory / f"{name}-{picture}.png", lambda axes, of, p=picture: _dynamics(axes, of, p))
                      for picture in DYNAMICS]
        if entries[0]["measures"]["n"] > 1:
            files.append(_panels(entries, directory / f"{name}-pass-at-k.png", _pass_at_k))
    return files


def _panels(entries: list[dict], file: Path, paint: Callable) -> Path:
    """One panel per benchmark, in one row of at most three."""
    names = list(dict.fromkeys(r["benchmark"] for r in entries))
    wide = min(3, len(names))
    tall = -(-len(names) // wide)
    figure = Figure(figsize=(4.6 * wide, 3.4 * tall), layout="constrained")
    FigureCanvasAgg(figure)
    for i, name in enumerate(names):
        axes = figure.add_subplot(tall, wide, i + 1)
        paint(axes, [r for r in entries if r["benchmark"] == name])
        axes.set_title(name)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(4, 2 * wide),
                  frameon=False, fontsize=8)
    figure.savefig(file, dpi=120)
    return file


def _dynamics(axes, entries: list[dict], picture: str) -> None:
    """Columns over steps; accuracy with its interval."""
    unit, columns = DYNAMICS[picture]
    steps = [r["step"] for r in entries]
    for column, colour in zip(columns, COLOURS, strict=False):
        axes.plot(steps, [r["measures"][column] for r in entries], marker="o", ms=3, color=colour, label=column)
    if picture == "accuracy":
        low, high = ([100 * r["measures"]["avg"][end] for r in entries] for end in ("low", "high"))
        axes.fill_between(steps, low, high, color=COLOURS[0], alpha=0.15, lw=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel(unit)


def _pass_at_k(axes, entries: list[dict]) -> None:
    """pass@k over k with its interval, maj@k dashed; of many models the first, the last and two between them."""
    places = sorted({round(i * (len(entries) - 1) / (len(COLOURS) - 1)) for i in range(len(COLOURS))})
    for r, colour in zip([entries[i] for i in places], COLOURS, strict=False):
        for kind, style in (("pass", "-"), ("maj", "--")):
            ks = [int(k) for k in r["measures"][kind]]
            of = list(r["measures"][kind].values())
            label = f"{r['model'].split('@')[0]} {kind}@k"
            axes.plot(ks, [100 * e["mean"] for e in of], style, marker="o", ms=3, color=colour, label=label)
            if kind == "pass":
                axes.fill_between(ks, [100 * e["low"] for e in of], [100 * e["high"] for e in of], color=colour, alpha=0.12, lw=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks(ks, ks)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("k")
    axes.set_ylabel("questions (%)")
