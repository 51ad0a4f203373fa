"""Supervised fine-tuning on {prompt, response} rows: the cold start before RL. Same engine, packing and checkpoints.

Needs no master: every rank draws the same rows and takes its share of them; rank 0 writes the metrics.
"""
import time
from pathlib import Path

import numpy as np
import torch

from areal_lite import dataset, record
from areal_lite.algorithms.losses import sft_loss
from areal_lite.config.schema import Stage
from areal_lite.trainer.recovery import Recovery
from realhf.allocation import Layout
from realhf.engine import Engine
from realhf.packing import Sequence


def train(stage: Stage, directory: Path, layout: Layout, rank: int, device: torch.device) -> None:
    """until.steps steps of algorithm.prompts_per_step rows; checkpoints, then export/ and finished.json."""
    rows = dataset.load(stage.data.path, stage.model.path, format=stage.data.format, template=stage.data.template,
                        max_prompt_tokens=stage.data.max_prompt_tokens, limit=stage.data.limit, seed=stage.seed,
                        max_response_tokens=stage.generation.max_new_tokens)
    engine = Engine(stage.trainer, layout, stage.model.path, total_optimizer_steps=stage.until.steps, device=device)
    recovery = Recovery(stage, directory, engine, rank)
    step = recovery.back()
    if rank == 0:
        record.keep(directory / "metrics.jsonl", lambda row: row["step"] <= step)
    share, started = layout.data_parallel_rank(rank), time.monotonic()
    while step < stage.until.steps:
        drawn = range(step * stage.algorithm.prompts_per_step, (step + 1) * stage.algorithm.prompts_per_step)
        lengths = engine.all_reduce_sum(np.array([sum(len(rows.response(n)) for n in drawn[share::layout.data_parallel])]))
        metrics = engine.train_step([_sequence(rows, n) for n in drawn[share::layout.data_parallel]], sft_loss, 1.0, lengths[0])
        step += 1
        if rank == 0:
            metrics["entropy"] /= lengths[0]
            now, seconds = time.time(), time.monotonic() - started
            record.append(directory / "metrics.jsonl", {"step": step, "time": now, "stage": stage.name, "tokens": lengths[0],
                                                        "elapsed_s": seconds, **metrics})
        recovery.tick(step)
    engine.wait_saved()
    engine.export(str(directory / "export"))
    if rank == 0:
        record.write(directory / "finished.json", f'{{"version": {step}}}\n')


def _sequence(rows: dataset.Dataset, n: int) -> Sequence:
    prompt, response = rows.prompt(n).token_ids, rows.response(n)
    mask = np.concatenate([np.zeros(len(prompt), np.float32), np.ones(len(response), np.float32)])
    return Sequence(np.concatenate([prompt, response]), {"mask": mask})
