"""Pipeline parallel: stages of layers pass hidden states forward and their gradients back, one forward, one backward.

The schedule is torch.distributed.pipelining's 1F1B (Narayanan et al. 2019, PipeDream-flush). Its messages have one
shape, so all microbatches of a step are padded to a common length, and there must be at least as many as stages.
Every stage packs the same sequences and so knows each microbatch; only hidden states and gradients travel.
"""

import json
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.pipelining import PipelineStage, Schedule1F1B
from torch.distributed.tensor import DTensor

from realhf.mesh import Mesh
from realhf.model import Decoder, Inputs


def _run(decoder: Decoder, x: torch.Tensor, inputs: Inputs):
    """A stage's output with hidden states as this rank's piece, ready to send."""
    out = decoder(x, inputs)
    return out.to_local() if isinstance(out, DTensor) else out


class _InOrder(nn.Module):
    """A stage as the schedule calls it: it forwards microbatches strictly in order, so they can be handed out here.

    Not itself an FSDP module, so the schedule leaves FSDP alone and every backward reduces and reshards as usual.
    """

    def __init__(self, decoder: Decoder, batches: list[Inputs]):
        super().__init__()
        self.decoder, self.batches = decoder, iter(batches)

    def forward(self, x: torch.Tensor):
        return _run(self.decoder, x, next(self.batches))


class Pipeline:
    """One rank's stage and its neighbours."""

    def __init__(self, decoder: Decoder, mesh: Mesh, device: torch.device, hidden_size: int, dtype: torch.dtype):
        self.decoder, self.mesh, self.device = decoder, mesh, device
        self.hidden_size, self.dtype = hidden_size, dtype
        self.last = mesh.layout.p - 1

    def _message(self, inputs: Inputs) -> tuple[int, ...]:
        """Shape of the hidden states between stages: [1, T/(c*t), D]."""
        return 1, len(inputs.token_ids) // self.mesh.layout.t, self.hidden_size

    @torch.no_grad()
    def forward(self, batches: list[Inputs]) -> list[torch.Tensor]:
        """[T/c] logprobs of each microbatch, the same on every stage."""
        group, stage = self.mesh.pipeline, self.mesh.stage
        results = []
        for inputs in batches:
            x = inputs.token_ids[None]
            if stage > 0:
                x = torch.empty(self._message(inputs), dtype=self.dtype, device=self.device)
                dist.recv(x, group=group, group_src=stage - 1)
            out = _run(self.decoder, x, inputs)
            if stage < self.last:
                dist.send(out.contiguous(), group=group, group_dst=stage + 1)
                out = (torch.empty(len(inputs.token_ids), device=self.device), None)
            results.append(out[0])
        for values in results:
            dist.broadcast(values, group=group, group_src=self.last)
        return results

    def train(self, batches: list[Inputs], score: Callable) -> None:
        """Forward and backward of all microbatches; the last stage calls score(index, logprobs, entropy) -> scalar.

        Raises ValueError when there are fewer microbatches than stages.
        """
        token_ids = torch.stack([inputs.token_ids for inputs in batches])
        hidden = torch.empty(self._message(batches[0]), dtype=self.dtype, device="meta", requires_grad=True)
        rows = torch.empty(token_ids.shape[1], device="meta", requires_grad=True)
        is_first, is_last = self.mesh.stage == 0, self.mesh.stage == self.last
        stage = PipelineStage(
            _InOrder(self.decoder, batches),
            self.mesh.stage,
            self.mesh.layout.p,
            self.device,
            input_args=token_ids[:1].to("meta") if is_first else hidden,
            output_args=(rows, rows) if is_last else hidden,
            group=self.mesh.pipeline,
        )
        schedule = Schedule1F1B(
            stage,
            len(batches),
            loss_fn=lambda out, index: score(int(index), *out),
            scale_grads=False,
        )
        schedule.step(
            *([token_ids] if is_first else []),
            target=torch.arange(len(batches)) if is_last else None,
            return_outputs=False,
        )

    def sum_tied_gradients(self, gradient: torch.Tensor) -> None:
        """First and last stage hold a copy of a tied embedding each: add the other's gradient in place.

        gradient: this rank's local shard. Other stages do not call this.
        """
        other = torch.empty_like(gradient)
        peer = {"group": self.mesh.pipeline, "group_peer": self.last - self.mesh.stage}
        sent = gradient.clone()
        works = dist.batch_isend_irecv([dist.P2POp(dist.isend, sent, **peer), dist.P2POp(dist.irecv, other, **peer)])
        for work in works:
            work.wait()
        gradient += other

    def tell_names(self, names: list[str]) -> list[str]:
        """The last stage's list of words, on every rank."""
        size = torch.tensor([0])
        words = torch.frombuffer(bytearray(json.dumps(names).encode()), dtype=torch.uint8)
        source = self.mesh.layout.world_size - 1
        if self.mesh.rank == source:
            size[0] = len(words)
        dist.broadcast(size, source, group=self.mesh.control)
        if self.mesh.rank != source:
            words = torch.empty(int(size), dtype=torch.uint8)
        dist.broadcast(words, source, group=self.mesh.control)
        return json.loads(bytes(words.tolist()))
