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
from realhf.balance import balance, sequence_cost
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
    share, per_step, started = layout.data_parallel_rank(rank), stage.algorithm.prompts_per_step, time.monotonic()
    while step < stage.until.steps:
        drawn = [_sequence(rows, n) for n in range(step * per_step, (step + 1) * per_step)]
        costs = sequence_cost(np.array([len(s.token_ids) for s in drawn]))
        tokens = sum(float(s.fields["mask"].sum()) for s in drawn)
        mine = [drawn[i] for i in balance(costs, layout.data_parallel)[share]]
        metrics = engine.train_step(mine, sft_loss, 1.0, tokens)
        step += 1
        if rank == 0:
            metrics["entropy"] /= tokens
            now, seconds = time.time(), time.monotonic() - started
            record.append(directory / "metrics.jsonl", {"step": step, "time": now, "stage": stage.name, "tokens": tokens,
                                                        "elapsed_s": seconds, **metrics})
        recovery.tick(step)
    recovery.save(step)
    engine.wait_saved()
    engine.export(str(directory / "export"))
    if rank == 0:
        record.write(directory / "finished.json", f'{{"version": {step}}}\n')


def _sequence(rows: dataset.Dataset, n: int) -> Sequence:
    prompt, response = rows.prompt(n).token_ids, rows.response(n)
    mask = np.concatenate([np.zeros(len(prompt), np.float32), np.ones(len(response), np.float32)])
    return Sequence(np.concatenate([prompt, response]), {"mask": mask})
