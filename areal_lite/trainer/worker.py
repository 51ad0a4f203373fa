"""One trainer rank: receive a Batch, learn from it, publish the new version, say so; until Stop.

Waits for the master (a Batch or Stop) and, inside the engine, for the other ranks; rank 0 speaks for all of them.
A checkpoint is one directory and one number, the version; a restarted rank continues from the newest one it finds.
"""
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from areal_lite import record, weights
from areal_lite.config.schema import Stage
from areal_lite.streams import Broken, Spoke
from areal_lite.trainer import bundle
from areal_lite.trainer.step import ppo_step
from areal_lite.types import Batch, Hello, Stop, Update
from realhf import checkpoint
from realhf.allocation import Layout
from realhf.engine import Engine
from realhf.packing import Sequence

PROBE_TOKENS = 32


class Worker:
    """The state of one rank between messages."""

    def __init__(self, stage: Stage, directory: Path, layout: Layout, rank: int, device: torch.device):
        """Build the policy and, when a KL is asked for, the frozen reference; load the newest checkpoint."""
        self.stage, self.directory, self.rank = stage, directory, rank
        a = stage.algorithm
        self.policy = Engine(stage.trainer, layout, stage.model.path, device=device,
                             total_optimizer_steps=stage.until.steps * a.minibatches)
        self.reference = None
        if a.kl_reward or a.kl_loss:
            self.reference = Engine(stage.trainer, layout, stage.model.reference or stage.model.path, device=device,
                                    total_optimizer_steps=0, train=False)
        vocabulary = self.policy.model_config.vocab_size
        self.probe = np.random.RandomState(stage.seed).randint(0, vocabulary, PROBE_TOKENS).astype(np.int32)
        self.version = self._recover()
        self.saved_at, self.saved = time.monotonic(), self.version

    def run(self, spoke: Spoke, pid: int) -> None:
        """Serve the master until it says Stop; "finished" exports the model."""
        spoke.send(Hello("trainer", self.rank, pid))
        self._publish(spoke, {})
        while True:
            spoke.doing("waiting for a batch")
            waited = time.monotonic()
            message = None
            while message is None:
                message = spoke.receive(timeout_s=60.0)   # the spoke itself says Broken when the master has gone
            match message:
                case Batch():
                    self._learn(spoke, message, time.monotonic() - waited)
                case Stop(reason="finished"):
                    self._finish(spoke)
                    return
                case Stop(reason=reason) | Broken(reason=reason):
                    raise SystemExit(f"trainer rank {self.rank}: told to stop: {reason}")

    def _learn(self, spoke: Spoke, batch: Batch, waited_s: float) -> None:
        if batch.step != self.version:
            raise SystemExit(f"trainer rank {self.rank} holds version {self.version} but was sent step {batch.step}")
        spoke.doing(f"training step {batch.step}")
        started = time.monotonic()
        recorded = record.bundle_dir(self.directory, batch.step + 1, self.stage.record.bundle_every_steps)
        trace = bundle.Trace() if recorded else None
        metrics = ppo_step(self.stage.algorithm, self.stage.generation.temperature, batch, self.policy, self.reference, trace)
        if not np.isfinite(metrics["loss"]):
            raise SystemExit(f"step {batch.step}: the loss is {metrics['loss']}; the run has diverged. Resume from a checkpoint "
                             f"with a smaller trainer.optimizer.lr (now {self.stage.trainer.optimizer.lr})")
        self.version += 1
        if trace:
            self._bundle(recorded, batch, trace)
        trained = time.monotonic()
        metrics |= {"time_wait_s": waited_s, "time_train_s": trained - started}
        self._publish(spoke, metrics)
        self._checkpoint()

    def _bundle(self, directory: Path, batch: Batch, trace: bundle.Trace) -> None:
        """The first rank of every data-parallel share writes it."""
        layout = self.policy.layout
        share = layout.data_parallel_rank(self.rank)
        if self.rank == min(r for r in range(layout.world_size) if layout.data_parallel_rank(r) == share):
            bundle.write(directory, share, layout.data_parallel, batch, trace)
        if self.rank == 0:
            record.write(directory / "config.yaml", (self.directory / "config.yaml").read_text())

    def _publish(self, spoke: Spoke, metrics: dict[str, float]) -> None:
        """Write this version's weights and tell the master; rank 0 writes, all ranks gather."""
        spoke.doing(f"publishing version {self.version}")
        started = time.monotonic()
        (probed,) = self.policy.logprobs([Sequence(self.probe)])
        tensors = self._tensors()
        if self.rank == 0:
            path, checksum = weights.publish(self.stage.cluster.weights_dir, self.version, tensors, self.probe, probed)
            metrics = metrics | ({"time_publish_s": time.monotonic() - started} if metrics else {})
            spoke.send(Update(self.version, path, checksum, metrics))
        else:
            for _ in tensors:
                pass

    def _tensors(self) -> Iterator[tuple[str, str, tuple[int, ...], memoryview]]:
        dtype = self.stage.model.dtype
        for name, tensor in self.policy.full_tensors(getattr(torch, dtype)):
            flat = None if tensor is None else tensor.contiguous().view(torch.uint8).numpy()
            yield name, dtype, () if tensor is None else tuple(tensor.shape), flat

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        """Save when the clock or the count says so; all ranks agree on rank 0's clock."""
        settings = self.stage.checkpoint
        by_count = settings.every_steps > 0 and self.version % settings.every_steps == 0
        late = settings.every_s > 0 and time.monotonic() - self.saved_at > settings.every_s
        late = bool(self.policy.all_reduce_sum(np.array([float(late and self.rank == 0)]))[0])
        if by_count or late:
            self._save()
        if settings.export_every_steps and self.version % settings.export_every_steps == 0:
            self.policy.export(str(self.directory / "exports" / f"step-{self.version:08d}"))

    def _save(self) -> None:
        root = self.directory / "checkpoints"
        self.policy.wait_saved()               # the one before is complete now, so older ones may go
        if self.rank == 0:
            checkpoint.retire(str(root), self.stage.checkpoint.keep)
        self.policy.save(str(root / f"step-{self.version:08d}"), {"version": self.version, "of": fingerprint(self.stage)})
        self.saved_at, self.saved = time.monotonic(), self.version

    def _recover(self) -> int:
        found = checkpoint.complete(str(self.directory / "checkpoints"))
        if not found:
            return 0
        extra = self.policy.load(str(found[-1]))
        refuse_other(found[-1], extra["of"], fingerprint(self.stage))
        return int(extra["version"])

    def _finish(self, spoke: Spoke) -> None:
        spoke.doing("exporting the model")
        if self.saved != self.version:
            self._save()
        self.policy.wait_saved()
        self.policy.export(str(self.directory / "export"))
        if self.rank == 0:
            record.write(self.directory / "finished.json", f'{{"version": {self.version}}}\n')


def fingerprint(stage: Stage) -> dict[str, object]:
    """What must be equal for a checkpoint to be this stage's own: another order of prompts or another batch shape is not."""
    a = stage.algorithm
    return {"stage": stage.name, "model.path": stage.model.path, "data.path": stage.data.path, "seed": stage.seed,
            "algorithm.prompts_per_step": a.prompts_per_step, "algorithm.group_size": a.group_size,
            "algorithm.minibatches": a.minibatches, "generation.max_new_tokens": stage.generation.max_new_tokens}


def refuse_other(path: Path, saved: dict[str, object], wanted: dict[str, object]) -> None:
    """ValueError naming every field in which the checkpoint belongs to something else."""
    if odd := [f"{k} was {saved.get(k)!r} and is {v!r} now" for k, v in wanted.items() if saved.get(k) != v]:
        raise ValueError(f"checkpoint {path} is of another run: {'; '.join(odd)}. Give this run its own run_dir, or restore them")
