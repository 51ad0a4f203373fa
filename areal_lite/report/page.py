"""The numbers and the page of a report: a table per stage, and one HTML file that holds the figures and some samples."""
import base64
import html
import itertools
import math
from pathlib import Path

from areal_lite.report.panels import SAVED_DPI, context_words
from areal_lite.report.read import WASTED, Run, StageRecord, differences
from areal_lite.report.series import curve, ends, spans

HEAD = ("stage", "context", "steps", "held-out accuracy", "training accuracy", "length", "truncated", "minutes", "staleness",
        "wasted tokens")
LEGEND = """a -> b: the stage's first and last evaluation; in training, the mean of its first and of its last steps. Minutes are
those of the steps, without starting. Staleness: of the oldest token trained on. Wasted: tokens that were generated and not trained on."""
SHOWN_DPI = 106
"""Of a figure on the page: one of full width fills it."""
CSS = """body{font:15px/1.55 system-ui,sans-serif;color:#24292f;max-width:1040px;margin:2.5em auto;padding:0 1em}
h1{font-size:1.5em;margin-bottom:.1em}h2{font-size:1.1em;margin:2em 0 .5em}figure{margin:1.5em 0}img{max-width:100%;height:auto}
figcaption,.dim{color:#57606a;font-size:.9em}table{border-collapse:collapse;font-size:.88em;width:100%}
th,td{text-align:right;padding:.35em .6em;border-bottom:1px solid #d8dee4;white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f8fa;padding:.8em;font-size:.82em;max-height:26em;overflow:auto}"""


def table(runs: list[Run]) -> list[list[str]]:
    """HEAD and a row per stage and run; "a -> b" is the stage's first and last evaluation, or first and last steps."""
    rows = [["run", *HEAD] if len(runs) > 1 else list(HEAD)]
    for run in runs:
        for s in run.stages:
            rows.append(([run.path.name] if len(runs) > 1 else []) + _row(run, s))
    return rows


def text(rows: list[list[str]]) -> str:
    """The table for a terminal."""
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, wide, strict=True)).rstrip() for row in rows)


def page(runs: list[Run], figures: dict[str, tuple[Path, str]]) -> str:
    """The whole HTML file; figures: name -> (PNG file, caption)."""
    e, first = html.escape, runs[0].experiment
    notes = [e(first.recipe)] if first.recipe else []
    if len(runs) > 1:
        notes.append(f"{len(runs)} runs: lines are their mean, bands go from the lowest to the highest: "
                     + e(", ".join(str(r.path) for r in runs)))
        notes += [f"<b>not only seeds differ:</b> {e(d)}" for d in differences(runs)]
    notes += [e(x) for run in runs for x in remarks(run)]
    head, *rows = table(runs)
    cells = "".join(f"<tr>{''.join(f'<td>{e(c)}</td>' for c in row)}</tr>" for row in rows)
    parts = [f"<h1>{e(first.name)}</h1>", *[f'<p class="dim">{n}</p>' for n in notes],
             f"<table><tr>{''.join(f'<th>{e(c)}</th>' for c in head)}</tr>{cells}</table>",
             f'<p class="dim">{e(LEGEND)}</p>']
    for name, (file, caption) in figures.items():
        data = file.read_bytes()
        width = int.from_bytes(data[16:20]) * SHOWN_DPI // SAVED_DPI       # a PNG's first chunk
        parts.append(f'<figure><img alt="{e(name)}" width="{width}" src="data:image/png;base64,{base64.b64encode(data).decode()}">'
                     f'<figcaption>{e(caption)}</figcaption></figure>')
    parts += [_samples(s) for s in runs[0].stages if s.samples]
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{e(first.name)}</title><style>{CSS}</style>{''.join(parts)}</html>\n")


def remarks(run: Run) -> list[str]:
    """What a reader of the curves must know: unfinished, restarted, servers lost, ended early."""
    out, planned = [], run.experiment.stages
    unfinished = [s.name for s in planned if not any(r.name == s.name and r.finished for r in run.stages)]
    if unfinished:
        out.append(f"{run.path}: not finished: {', '.join(unfinished)}")
    for s in run.stages:
        starts, lost = s.events.get("began", 0), s.events.get("lost", 0)
        if starts > 1:
            out.append(f"{run.path}, stage {s.name}: went on from a checkpoint {starts - 1} times; tokens are counted since the last")
        if lost:
            out.append(f"{run.path}, stage {s.name}: {lost} servers were lost and their samples generated again")
        if s.events.get("ends early"):
            out.append(f"{run.path}, stage {s.name}: ended early by its `until` rule")
    return out


def _row(run: Run, s: StageRecord) -> list[str]:
    steps = str(int(s.rows[-1]["step"])) if s.rows else "0"
    if s.stage.kind == "sft":
        return [s.name, "supervised", steps, "", "", "", "", f"{_minutes(s):.1f}", "", ""]
    span = next(x for x in spans([run]) if x.name == s.name)
    accuracy, length, truncated = (ends(curve(span, key)[0]) for key in ("accuracy", "length", "truncated"))
    stale = max((r["staleness_max"] for r in s.rows), default=math.nan)
    held = f"{_percent(s.held[0]['accuracy'])} -> {_percent(s.held[-1]['accuracy'])}" if s.held else "-"
    return [s.name, context_words(span.context), steps, held, " -> ".join(map(_percent, accuracy)),
            " -> ".join(f"{x:.1f}" for x in length), " -> ".join(map(_percent, truncated)), f"{_minutes(s):.1f}",
            f"{stale:.0f} of {s.stage.algorithm.max_staleness}", _wasted(s)]


def _minutes(s: StageRecord) -> float:
    """Spent in steps: without start-up, without the time between a death and a restart."""
    if s.stage.kind == "rl":
        return sum(r["step_s"] for r in s.rows) / 60
    elapsed = [0.0, *(r["elapsed_s"] for r in s.rows)]
    return sum(b - a if b >= a else b for a, b in itertools.pairwise(elapsed)) / 60


def _wasted(s: StageRecord) -> str:
    if not s.ledger:
        return "-"
    lost = sum(s.ledger[word] for word in WASTED)
    return f"{lost} ({_percent(lost / max(s.ledger['received'] + s.ledger['lost'], 1))})" if lost else "0"


def _percent(x: float) -> str:
    return "-" if math.isnan(x) else f"{100 * x:.1f} %"


def _samples(s: StageRecord) -> str:
    e, parts = html.escape, []
    for t in s.samples:
        cut = ", cut by the context" if t["finish"] == "length" else ""
        parts.append(f"<details><summary>step {t['step']}, ticket {t['k']}: {e(t['outcome'])}, reward {t['reward']:+g}, {t['tokens']} "
                     f"tokens{cut}</summary><pre>{e(t['prompt'])}<b>{e(t['response'])}</b></pre></details>")
    return f"<h2>First and last samples of {e(s.name)}</h2>{''.join(parts)}"
