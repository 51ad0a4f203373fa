"""One trainer rank: receive a Batch, learn from it, publish the new version, say so; until Stop.

Waits for the master (a Batch or Stop) and, inside the engine, for the other ranks; rank 0 speaks for all of them.
A checkpoint is one directory and one number, the version; a restarted rank continues from the newest one it finds.
"""
import time
from pathlib import Path

import numpy as np
import torch

from areal_lite import record, weights
from areal_lite.config.schema import Stage
from areal_lite.streams import Broken, Spoke
from areal_lite.trainer import bundle
from areal_lite.trainer.feeder import Feeder
from areal_lite.trainer.recovery import Recovery
from areal_lite.trainer.step import ppo_step
from areal_lite.types import Batch, Hello, Stop, Update
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
        self.feeder = None
        if rank == 0 and stage.cluster.weights_transport == "direct":
            host = stage.cluster.master.rpartition(":")[0] if stage.cluster.nodes > 1 else "127.0.0.1"
            self.feeder = Feeder(host, device, stage.generation.update_timeout_s / 3)     # whoever waits in line has more
        self.recovery = Recovery(stage, directory, self.policy, rank)
        self.version = self.recovery.back()

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
        self.recovery.tick(self.version)
        if (every := self.stage.checkpoint.export_every_steps) and self.version % every == 0:
            self.policy.export(str(self.directory / "exports" / f"step-{self.version:08d}"))

    def _bundle(self, directory: Path, batch: Batch, trace: bundle.Trace) -> None:
        """The first rank of every data-parallel share writes it."""
        layout = self.policy.layout
        share = layout.data_parallel_rank(self.rank)
        if self.rank == min(r for r in range(layout.world_size) if layout.data_parallel_rank(r) == share):
            bundle.write(directory, share, layout.data_parallel, batch, trace)
        if self.rank == 0:
            record.write(directory / "config.yaml", (self.directory / "config.yaml").read_text())

    def _publish(self, spoke: Spoke, metrics: dict[str, float]) -> None:
        """Publish this version's weights and tell the master; rank 0 publishes, all ranks gather."""
        spoke.doing(f"publishing version {self.version}")
        started = time.monotonic()
        (probed,) = self.policy.logprobs([Sequence(self.probe)])
        dtype, to = self.stage.model.dtype, self.stage.cluster
        device = self.policy.device if to.weights_transport == "direct" else torch.device("cpu")
        tensors = self.policy.full_tensors(getattr(torch, dtype), device)
        if self.rank:
            for _ in tensors:
                pass
            return
        if self.feeder:
            path, checksum = self.feeder.publish(self.version, dtype, tensors, self.probe, probed)
        else:
            flat = ((name, dtype, tuple(t.shape), t.contiguous().view(torch.uint8).numpy()) for name, t in tensors)
            path, checksum = weights.publish(to.weights_dir, self.version, flat, self.probe, probed)
        metrics = metrics | ({"time_publish_s": time.monotonic() - started} if metrics else {})
        spoke.send(Update(self.version, path, checksum, metrics))

    def _finish(self, spoke: Spoke) -> None:
        spoke.doing("exporting the model")
        if self.feeder:
            self.feeder.close()
        self.recovery.save(self.version)
        self.policy.wait_saved()
        self.policy.export(str(self.directory / "export"))
        if self.rank == 0:
            record.write(self.directory / "finished.json", f'{{"version": {self.version}}}\n')
