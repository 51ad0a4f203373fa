"""What a person sees while a run goes on: a live panel on a terminal, a line per step elsewhere.

A pure reader of the stage directory (metrics.jsonl, evaluation.jsonl, status.json); nothing waits for it.
"""
import sys
import time
from pathlib import Path

from rich.console import Console as Rich
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from areal_lite import record
from areal_lite.config import Experiment, Stage

REFRESH_S = 0.5


class Console:
    """Shows one experiment; call tick() often and say() for what should stay on the screen."""

    def __init__(self, experiment: Experiment, stream=None):
        self.rich = Rich(file=stream or sys.stdout, highlight=False)
        self.experiment, self.stage = experiment, experiment.stages[0]
        self.live = Live(console=self.rich, refresh_per_second=4, transient=True) if self.rich.is_terminal else None
        self.drawn = 0.0
        self.shown: dict[Path, int] = {}
        self.read: dict[Path, tuple] = {}

    def __enter__(self):
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_):
        if self.live:
            self.live.stop()

    def begin(self, stage: Stage, text: str) -> None:
        """A stage starts."""
        self.stage = stage
        self.say(text)

    def say(self, text: str) -> None:
        """A line that stays."""
        if text:
            self.rich.print(Text(f"{time.strftime('%H:%M:%S')} {text}"), soft_wrap=True)

    def tick(self, directory: Path, running: dict, force: bool = False) -> None:
        """Refresh from the stage directory; running: this node's children by name."""
        now = time.monotonic()
        if now - self.drawn < REFRESH_S and not force:
            return
        self.drawn = now
        rows, held = self._rows(directory / "metrics.jsonl"), self._rows(directory / "evaluation.jsonl")
        for r in self._new(directory / "evaluation.jsonl", held):
            self.say(f"[{self.stage.name}] held-out accuracy at version {r['step']}: {r['accuracy']:.1%} "
                     f"(+-{1.96 * r['accuracy_se']:.1%}), length {r['length']:.1f}, truncated {r['truncated']:.1%}")
        if self.live:
            self.live.update(self._panel(rows, held, record.last_status(directory), running))
        else:
            for r in self._new(directory / "metrics.jsonl", rows):
                self.say(self._line(r))

    def _rows(self, file: Path) -> list[dict]:
        """Of a file, which is read again only when it has changed: a long run has many."""
        stamp = (file.stat().st_ino, file.stat().st_size) if file.exists() else None
        if self.read.get(file, (None,))[0] != stamp:
            self.read[file] = stamp, list(record.read(file))
        return self.read[file][1] if stamp else []

    def _new(self, file: Path, rows: list[dict]) -> list[dict]:
        seen, self.shown[file] = self.shown.get(file, 0), len(rows)
        return rows[seen:]

    def _line(self, r: dict) -> str:
        total = self.stage.until.steps
        if self.stage.kind == "sft":
            return f"[{self.stage.name}] step {r['step']}/{total} loss {r['loss']:.4f}" if r["step"] % 20 == 0 else ""
        return (f"[{self.stage.name}] step {r['step']}/{total} reward {r['reward']:+.2f} accuracy {r['accuracy']:.1%} "
                f"length {r['length']:.1f} truncated {r['truncated']:.1%} staleness {r['staleness_max']:.0f} "
                f"{r['tokens_per_s']:.0f} tok/s {r['step_s']:.1f} s/step")

    def _panel(self, rows: list[dict], held: list[dict], status: dict, running: dict) -> Panel:
        parts = [self._bars(rows)]
        if rows and self.stage.kind == "rl":
            parts.append(_numbers(rows[-1], held))
        elif rows:
            parts.append(Text(f"loss {rows[-1]['loss']:.4f}"))
        waiting = status.get("waiting_for") or f"starting {', '.join(running) or 'processes'}"
        parts.append(Text(f"waiting for: {waiting}", style="dim"))
        return Panel(Group(*parts), title=f"AReaL-lite  {self.experiment.name}", title_align="left")

    def _bars(self, rows: list[dict]) -> Table:
        """A bar per stage, with the time left of the one under way."""
        table = Table.grid(padding=(0, 1))
        names = [s.name for s in self.experiment.stages]
        here = names.index(self.stage.name)
        for i, stage in enumerate(self.experiment.stages):
            total = (self.stage if i == here else stage).until.steps or 1
            done = total if i < here else (rows[-1]["step"] if rows and i == here else 0)
            context = f"{stage.generation.max_new_tokens} tokens" if stage.kind == "rl" else "supervised"
            left = _left(rows, total) if i == here else ""
            table.add_row(Text(stage.name, style="bold" if i == here else ""), Text(context, style="dim"),
                          ProgressBar(total=total, completed=done, width=30), f"{done}/{total}", left)
        return table


def _numbers(r: dict, held: list[dict]) -> Table:
    table = Table.grid(padding=(0, 3))
    accuracy = f"{held[-1]['accuracy']:.1%} (version {held[-1]['step']})" if held else "-"
    table.add_row(f"reward {r['reward']:+.2f}", f"accuracy {r['accuracy']:.1%}", f"held-out {accuracy}")
    table.add_row(f"length {r['length']:.1f}", f"truncated {r['truncated']:.1%}", f"staleness max {r['staleness_max']:.0f}")
    table.add_row(f"{r['tokens_per_s']:.0f} tok/s", f"{r['step_s']:.1f} s/step", f"probe error {r['probe_error']:.1e}")
    return table


def _left(rows: list[dict], total: int) -> str:
    recent = [r["time"] for r in rows[-11:]]
    if len(recent) < 2:
        return ""
    seconds = (recent[-1] - recent[0]) / (len(recent) - 1) * (total - rows[-1]["step"])
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"
