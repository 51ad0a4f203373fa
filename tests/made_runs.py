"""Run directories made without running: files as a run writes them, with numbers that behave like published curves."""
import dataclasses
import json
import math
from pathlib import Path

import numpy as np

from areal_lite import record
from areal_lite.config import Experiment, Stage, to_yaml
from areal_lite.config.schema import Algorithm, Data, Evaluation, Generation, Model, Until

PLAN = (("8k", 8192, 160), ("16k", 16384, 80), ("24k", 24576, 60))
SFT = Stage(name="cold", kind="sft", model=Model(path="m"), data=Data(path="d"), until=Until(steps=40))
NOW = 1_760_000_000.0


def stage(name, context, steps, seed=1):
    return Stage(name=name, seed=seed, model=Model(path="m"), data=Data(path="d"), generation=Generation(max_new_tokens=context),
                 algorithm=Algorithm(max_staleness=4), until=Until(steps=steps), evaluation=Evaluation(path="h", samples=2))


def rl_row(step, stage_name, where, context, random):
    """where: 0 at the whole run's start, 1 at its end."""
    skill = 0.45 + 0.35 * (1 - math.exp(-2.5 * where)) + random.normal(0, 0.02)
    length = min(context * 0.7, 5500 - 3000 * min(1.0, 4 * where) + 5200 * max(0.0, where - 0.3)) * random.normal(1, 0.03)
    stale = min(4, step)
    truncated = float(np.clip(0.42 * math.exp(-9 * where) + random.normal(0.03, 0.01), 0, 1))
    return {"step": step, "stage": stage_name, "time": NOW + 30 * step, "elapsed_s": 30.0 * step, "step_s": random.normal(30, 2),
            "reward": 10 * skill - 5, "accuracy": skill, "truncated": truncated,
            "length": length, "length_correct": 0.8 * length, "length_wrong": 1.5 * length,
            "staleness_mean": 0.5 * stale, "staleness_max": float(stale), "tokens": 512 * length, "tokens_per_s": 512 * length / 30,
            "kl_behaviour": 1e-3 * random.random(), "kl_start": 0.05 * where, "clip_fraction": 0.01 * random.random(),
            "behaviour_masked": 0.0, "time_train_s": 22.0, "time_publish_s": 1.5, "time_wait_s": random.uniform(2, 7),
            "time_generation_s": 28.0,
            **{f"gap_staleness_{s}": 0.002 * (1 + s) * random.uniform(0.7, 1.4) for s in range(stale + 1)}}


def held_accuracy(where, random):
    return min(0.99, 0.3 + 0.4 * (1 - math.exp(-2.5 * where)) + random.normal(0, 0.01))


def make_run(root: Path, seed=0, plan=PLAN, sft=False, done=1.0, held=True) -> Path:
    """A run of RL stages (after a supervised one), of which the share `done` of all steps was made before it was killed."""
    run, random = root / f"seed{seed}", np.random.default_rng(seed)
    stages = ([SFT] if sft else []) + [stage(*p, seed=seed) for p in plan]
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(to_yaml(Experiment("made", str(run), tuple(stages), recipe="made for a test")))
    total = sum(steps for _, _, steps in plan)
    budget, before = round(done * total), 0
    for s in stages:
        folder = run / s.name
        if s.kind == "sft":
            _write(folder, s, [{"step": i + 1, "time": NOW + i, "stage": s.name, "tokens": 100.0, "elapsed_s": 1.0 + i,
                                "loss": 2 / (1 + i), "entropy": 1.0} for i in range(s.until.steps)], [], True)
            continue
        steps = min(s.until.steps, budget - before)
        if steps <= 0:
            break
        rows = [rl_row(i + 1, s.name, (before + i) / total, s.generation.max_new_tokens, random) for i in range(steps)]
        measured = [0, *range(20, steps + 1, 20)] if held else []
        evaluation = [{"step": v, "stage": s.name, "time": NOW, "accuracy": held_accuracy((before + v) / total, random),
                       "accuracy_se": 0.02, "length": 4000.0, "truncated": 0.1, "answers": 1000.0} for v in measured]
        _write(folder, s, rows, evaluation, steps == s.until.steps)
        before += steps
    return run


def _write(folder, s, rows, evaluation, finished):
    folder.mkdir()
    (folder / "config.yaml").write_text(to_yaml(s))
    for name, what in (("metrics", rows), ("evaluation", evaluation)):
        for row in what:
            record.append(folder / f"{name}.jsonl", row)
    if s.kind == "rl":
        record.append(folder / "events.jsonl", {"time": NOW, "event": "began", "version": 0})
        record.append(folder / "samples.jsonl", {
            "step": 0, "k": 0, "sample": 1, "prompt": "1 < 2 & what?", "response": "<b>so</b> \\boxed{2}", "reward": 5.0,
            "outcome": "correct", "answer": "2", "finish": "stop", "tokens": 9, "versions": [0, 0]})
        book = {"received": 1000, "trained": 900, "evaluated": 50, "filtered": 30, "dropped": 0, "refused": 20, "lost": 0}
        (folder / "status.json").write_text(json.dumps({"time": NOW, "ledger": book}))
    if finished:
        (folder / "finished.json").write_text("{}")


def other(run: Path, **algorithm) -> None:
    """Give a made run another algorithm."""
    from areal_lite.config import read_experiment
    e = read_experiment(run)
    stages = tuple(dataclasses.replace(s, algorithm=dataclasses.replace(s.algorithm, **algorithm)) for s in e.stages)
    (run / "config.yaml").write_text(to_yaml(dataclasses.replace(e, stages=stages)))
