"""What a run leaves behind: metrics.jsonl (a row per version), tickets.jsonl (what each step trained on),
evaluation.jsonl, samples.jsonl, events.jsonl, TensorBoard.

In every file `step` N is the one that made version N: the first is 1, and evaluation's 0 is before any.
Rows are written when they are complete; a resumed stage takes back the rows of steps it will do again.
"""
import time
from pathlib import Path

from tensorboard.summary import Writer
from tokenizers import Tokenizer

from areal_lite import record
from areal_lite.config.schema import Stage
from areal_lite.master.evaluation import Round
from areal_lite.master.metrics import batch_metrics, evaluation_metrics
from areal_lite.types import Loaded, Trajectory


class Recorder:
    """Writes a stage's rows. Times are Unix seconds; elapsed_s is of this process."""

    def __init__(self, stage: Stage, directory: Path, tokenizer: Tokenizer):
        self.stage, self.directory, self.tokenizer = stage, directory, tokenizer
        self.started = self.last = time.monotonic()
        self.board = Writer(str(directory / "tensorboard")) if stage.record.tensorboard else None
        self.loads: list[Loaded] = []
        self.pending: dict[str, float] = {}
        self.rows: list[dict] = []
        """Of metrics.jsonl, oldest first."""

    def began(self, version: int, taken_back: int) -> None:
        """Training goes on from this version: later rows belong to a past that did not last. taken_back: answers for it
        that the journal held."""
        record.keep(self.directory / "metrics.jsonl", lambda row: row["step"] <= version)
        record.keep(self.directory / "evaluation.jsonl", lambda row: row["step"] < version)
        record.keep(self.directory / "tickets.jsonl", lambda row: row["step"] <= version)
        self.rows = list(record.read(self.directory / "metrics.jsonl"))
        self.event("began", version=version, taken_back=taken_back)
        self.last = time.monotonic()

    def event(self, kind: str, **facts) -> None:
        """Something that is not a step: a server joined, was lost, loaded a version."""
        record.append(self.directory / "events.jsonl", {"time": time.time(), "event": kind, **facts})

    def tickets(self, groups: list[list[Trajectory]], step: int) -> None:
        """This step's batch is about to be sent: its tickets."""
        record.append(self.directory / "tickets.jsonl", {
            "step": step + 1, "tickets": [[g[0].k, g[0].attempt, len(g), sum(len(t.output_ids) for t in g)] for g in groups]})

    def batch(self, groups: list[list[Trajectory]], step: int) -> None:
        """The batch of this step was sent to the trainer: its numbers and some of its answers."""
        self.pending = batch_metrics(groups, step)
        for t in [t for g in groups for t in g][:: max(1, sum(map(len, groups)) // max(1, self.stage.record.samples_per_step))]:
            self._sample(t, step)

    def loaded(self, peer: str, message: Loaded) -> None:
        """A server acknowledged a version."""
        self.loads.append(message)
        self.event("loaded", peer=peer, version=message.version, stall_s=message.seconds, probe_error=message.probe_error)

    def step(self, version: int, trainer: dict[str, float], facts: dict[str, float]) -> dict[str, float]:
        """A version was made: one row with the batch, what the trainer measured, and the clock. Returns it."""
        now = time.monotonic()
        row = {"step": version, "stage": self.stage.name, "time": time.time(), "elapsed_s": now - self.started,
               "step_s": now - self.last, **self.pending, **trainer, **facts,
               "probe_error": max((m.probe_error for m in self.loads), default=0.0),
               "stall_s": max((m.seconds for m in self.loads), default=0.0)}
        row["tokens_per_s"] = row.get("tokens", 0.0) / max(row["step_s"], 1e-9)
        self.last, self.loads = now, []
        self.rows.append(row)
        record.append(self.directory / "metrics.jsonl", row)
        self._plot(row, "train", version)
        return row

    def evaluated(self, r: Round) -> dict[str, float]:
        """An evaluation round is complete. Returns its row."""
        row = {"step": r.version, "stage": self.stage.name, "time": time.time(), "elapsed_s": time.monotonic() - self.started,
               **evaluation_metrics(r.trajectories, r.version)}
        record.append(self.directory / "evaluation.jsonl", row)
        self._plot(row, "evaluation", r.version)
        return row

    def close(self) -> None:
        """Flush TensorBoard."""
        if self.board:
            self.board.close()

    def _plot(self, row: dict, group: str, step: int) -> None:
        if self.board:
            for name, value in row.items():
                if isinstance(value, float):
                    self.board.add_scalar(f"{group}/{name}", value, step)

    def _sample(self, t: Trajectory, step: int) -> None:
        prompt, answer = (self.tokenizer.decode(ids.tolist(), skip_special_tokens=False) for ids in (t.prompt_ids, t.output_ids))
        record.append(self.directory / "samples.jsonl", {
            "step": step + 1, "k": t.k, "sample": t.sample, "prompt": prompt, "response": answer, "reward": t.reward,
            "outcome": t.outcome, "answer": t.answer, "finish": t.finish, "tokens": len(t.output_ids),
            "versions": [int(t.versions[0]), int(t.versions[-1])] if len(t.versions) else []})
