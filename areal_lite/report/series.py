"""Rows of several runs -> curves on one axis of training steps. Pure numpy; a number that a row lacks is nan."""
from dataclasses import dataclass

import numpy as np

from areal_lite.report.read import Run, StageRecord

Z = 1.96
"""Normal quantile of a 95 % interval."""


@dataclass(frozen=True)
class Span:
    """One stage on the common axis: its steps 1..n are drawn at start + 1 .. start + n."""
    name: str
    context: int
    """generation.max_new_tokens"""
    start: int
    steps: int
    records: list[StageRecord | None]
    """Of every run; None where the run has not come that far."""


def spans(runs: list[Run]) -> list[Span]:
    """The RL stages side by side; a stage is as long as its longest run. ValueError when runs have other stages."""
    planned = [[s.name for s in run.experiment.stages if s.kind == "rl"] for run in runs]
    if any(names != planned[0] for names in planned):
        raise ValueError("these runs have different stages, so they cannot lie over each other: "
                         + "; ".join(f"{run.path}: {', '.join(names)}" for run, names in zip(runs, planned, strict=True)))
    out, start = [], 0
    for name in planned[0]:
        records = [next((s for s in run.rl if s.name == name), None) for run in runs]
        there = [r for r in records if r]
        if not there:
            continue
        steps = max([int(r.rows[-1]["step"]) for r in there if r.rows] + [int(h["step"]) for r in there for h in r.held])
        out.append(Span(name, there[0].stage.generation.max_new_tokens, start, steps, records))
        start += steps
    return out


def curve(span: Span, key: str) -> np.ndarray:
    """[runs, steps] of a key of metrics.jsonl."""
    out = np.full((len(span.records), span.steps), np.nan)
    for i, r in enumerate(span.records):
        for row in r.rows if r else ():
            if 1 <= row["step"] <= span.steps and row.get(key) is not None:
                out[i, int(row["step"]) - 1] = row[key]
    return out


def held(span: Span) -> list[np.ndarray]:
    """Of every run [rounds, 4]: step within the stage, accuracy, and its 95 % interval's lower and upper end."""
    out = []
    for r in span.records:
        rows = [(h["step"], h["accuracy"], *interval(h["accuracy"], h["accuracy_se"], h["answers"] / r.stage.evaluation.samples))
                for h in (r.held if r else ())]
        out.append(np.array(rows, np.float64).reshape(-1, 4))
    return out


def interval(p: float, standard_error: float, questions: float) -> tuple[float, float]:
    """95 % Wilson score interval (Wilson 1927) of an accuracy p with the given standard error over questions.

    The standard error, which counts the answers to one question as one observation, sets how many independent
    observations p is worth; when it is 0 (all right or all wrong), that is the number of questions.
    """
    n = p * (1 - p) / standard_error**2 if standard_error > 0 and 0 < p < 1 else questions
    if n <= 0:
        return p, p
    centre, half = (p + Z * Z / (2 * n)) / (1 + Z * Z / n), Z / (1 + Z * Z / n) * np.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Centred moving mean along the last axis; narrower at both ends, nan counts for nothing."""
    if values.shape[-1] == 0:
        return values
    half = window // 2
    columns = [values[..., max(0, i - half):i + half + 1] for i in range(values.shape[-1])]
    return np.stack([mean(c, axis=-1) for c in columns], axis=-1)


def mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Mean of what is there; nan where nothing is."""
    there = ~np.isnan(values)
    count = there.sum(axis)
    return np.where(count > 0, np.where(there, values, 0.0).sum(axis) / np.maximum(count, 1), np.nan)


def window_of(steps: int) -> int:
    """Steps that one smoothed point averages: about a thirtieth of the run, odd, at least 1."""
    return max(1, steps // 30) | 1


def ends(values: np.ndarray) -> tuple[float, float]:
    """(mean of the first steps, mean of the last steps) of [steps]: a fifth of them each, at most 10."""
    there = values[~np.isnan(values)]
    if not len(there):
        return float("nan"), float("nan")
    n = max(1, min(10, len(there) // 5))
    return float(there[:n].mean()), float(there[-n:].mean())
