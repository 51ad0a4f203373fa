"""Run directories -> what the figures are drawn from. Reads files only; a run may be under way, killed or of one step."""
from dataclasses import dataclass
from pathlib import Path

from areal_lite import record
from areal_lite.config import Experiment, Stage, read_experiment, read_stage

WASTED = ("filtered", "dropped", "refused", "lost")
"""Words of the token ledger for what was generated and not trained on (lost: generated again)."""


@dataclass(frozen=True)
class StageRecord:
    """One stage of one run, as its files stand."""
    stage: Stage
    rows: list[dict]
    """metrics.jsonl, oldest first."""
    held: list[dict]
    """evaluation.jsonl."""
    samples: list[dict]
    """Of samples.jsonl the first and the last steps."""
    ledger: dict[str, int]
    """Of the master's last status; {} without one."""
    events: dict[str, int]
    """Kind of event -> how often."""
    finished: bool

    @property
    def name(self) -> str:
        """The stage's name."""
        return self.stage.name


@dataclass(frozen=True)
class Run:
    """One run directory."""
    path: Path
    experiment: Experiment
    stages: list[StageRecord]
    """Those that have begun, in the configuration's order."""

    @property
    def rl(self) -> list[StageRecord]:
        """The stages of reinforcement learning."""
        return [s for s in self.stages if s.stage.kind == "rl"]


def read_run(path: Path) -> Run:
    """ValueError when `path` is no run directory or has nothing to draw yet."""
    experiment = read_experiment(path)
    stages = [_stage(path / s.name) for s in experiment.stages if (path / s.name / "config.yaml").exists()]
    stages = [s for s in stages if s.rows or s.held]
    if not stages:
        raise ValueError(f"{path} has no finished step yet; its logs are in {path}/*/logs")
    return Run(path, experiment, stages)


def differences(runs: list[Run]) -> list[str]:
    """Settings in which runs differ besides seeds and paths: those runs are not repetitions of each other."""
    flat = [{f"{s.name}.{k}": v for s in run.experiment.stages for k, v in _flat(s)} for run in runs]
    keys = sorted({k for f in flat for k in f})
    odd = [k for k in keys if len({repr(f.get(k)) for f in flat}) > 1 and not k.endswith((".seed", ".path", "_dir", ".master"))]
    return [f"{k}: {', '.join(str(f.get(k, '-')) for f in flat)}" for k in odd]


def _flat(thing: object, prefix: str = "") -> list[tuple[str, object]]:
    if not hasattr(thing, "__dataclass_fields__"):
        return [(prefix, thing)]
    dot = f"{prefix}." if prefix else ""
    return [x for name in thing.__dataclass_fields__ for x in _flat(getattr(thing, name), dot + name)]


def _stage(directory: Path) -> StageRecord:
    counts: dict[str, int] = {}
    for event in record.read(directory / "events.jsonl"):
        counts[event["event"]] = counts.get(event["event"], 0) + 1
    samples = list(record.read(directory / "samples.jsonl"))
    return StageRecord(read_stage(directory), list(record.read(directory / "metrics.jsonl")),
                       list(record.read(directory / "evaluation.jsonl")), samples[:2] + samples[2:][-2:],
                       record.last_status(directory).get("ledger", {}), counts, (directory / "finished.json").exists())
