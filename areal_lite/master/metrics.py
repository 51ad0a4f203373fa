"""What a step's trajectories say: a pure function of the batch, computed once, never woven into the training step."""
import numpy as np

from areal_lite.types import Trajectory


def batch_metrics(groups: list[list[Trajectory]], step: int) -> dict[str, float]:
    """Rates are shares of answers in [0, 1], lengths are output tokens, staleness is step - version of a token."""
    answers = [t for g in groups for t in g]
    lengths = np.array([len(t.output_ids) for t in answers], np.float64)
    right = np.array([t.outcome == "correct" for t in answers])
    versions = [t.versions for t in answers if len(t.versions)]
    stale = lengths.sum() * step - sum(int(v.sum(dtype=np.int64)) for v in versions)
    shares = [float(np.mean([t.outcome == "correct" for t in g])) for g in groups]
    return {
        "reward": _mean([t.reward for t in answers]),
        "accuracy": _mean(right),
        "length": _mean(lengths),
        "length_correct": _mean(lengths[right]),
        "length_wrong": _mean(lengths[~right]),
        "length_max": float(lengths.max(initial=0)),
        "prompt_length": _mean([len(t.prompt_ids) for t in answers]),
        "truncated": _mean([t.finish == "length" for t in answers]),
        **{f"outcome_{word}": _mean([t.outcome == word for t in answers]) for word in ("no_answer", "timeout", "crash")},
        "groups_all_right": _mean([s == 1 for s in shares]),
        "groups_all_wrong": _mean([s == 0 for s in shares]),
        "staleness_mean": float(stale / max(lengths.sum(), 1.0)),
        "staleness_max": float(max((step - int(v.min()) for v in versions), default=0)),
        "mixed_versions": _mean([len(t.versions) > 0 and t.versions[0] != t.versions[-1] for t in answers]),
        "tokens": float(lengths.sum()),
        "answers": float(len(answers)),
        "answer_seconds": _mean([t.seconds for t in answers]),
        "answer_seconds_max": float(max((t.seconds for t in answers), default=0.0)),
    }


def evaluation_metrics(trajectories: list[Trajectory], version: int) -> dict[str, float]:
    """One evaluation round. overtaken: share of tokens sampled under other weights than the round's version."""
    lengths = [len(t.output_ids) for t in trajectories]
    right = np.array([t.outcome == "correct" for t in trajectories], np.float64)
    per_question: dict[int, list[float]] = {}
    for t, ok in zip(trajectories, right, strict=True):
        per_question.setdefault(t.k, []).append(ok)
    means = np.array([np.mean(v) for v in per_question.values()])
    return {
        "accuracy": _mean(right),
        "accuracy_se": float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else 0.0,
        "length": _mean(lengths),
        "truncated": _mean([t.finish == "length" for t in trajectories]),
        "no_answer": _mean([t.outcome == "no_answer" for t in trajectories]),
        "answers": float(len(trajectories)),
        "overtaken": _mean(np.concatenate([t.versions != version for t in trajectories])),
    }


def _mean(values) -> float:
    return float(np.mean(values, dtype=np.float64)) if len(values) else 0.0
