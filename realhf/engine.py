"""The training engine's face: logprobs, a training step with a given loss, save, load, export. Knows nothing of RL.

Every method is collective: all ranks of the process group call it, in the same order. A rank is given its own
data-parallel share of the sequences; the t x c x p ranks that work on one share together are given the same one.
Ranks wait for each other in collectives, on the clock of realhf.config (init_timeout_s, then step_timeout_s).
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.distributed as dist

from realhf import attention, checkpoint, export, load, model, optimizer, packing
from realhf.allocation import Layout
from realhf.config import Engine as EngineConfig
from realhf.distributed import set_timeout
from realhf.mesh import build_mesh
from realhf.model import EMBEDDING, HEAD, Inputs
from realhf.packing import Packed, Sequence
from realhf.parallel.pipeline import Pipeline
from realhf.parallel.shard import apply_shards
from realhf.parallel.tensor import apply_tensor_parallel

Loss = Callable[
    [torch.Tensor, torch.Tensor, dict[str, torch.Tensor]], tuple[torch.Tensor, dict[str, torch.Tensor]]
]
"""(logprobs [N], entropy [N], fields [N] each) of a packed microbatch -> (summed loss, sums to report), scalars.
Rows are predictions: row j has the logprob, entropy and fields of one token; rows without one have all fields 0."""


class Engine:
    """A model on this rank's part of the layout, and its optimizer when it is trained."""

    def __init__(
        self,
        config: EngineConfig,
        layout: Layout,
        model_path: str,
        *,
        total_optimizer_steps: int,
        device: torch.device,
        train: bool = True,
        random_seed: int | None = None,
    ):
        """Build, cut and load the model. The process group must exist (realhf.distributed.initialise).

        train=False: a frozen model in the compute dtype, for logprobs only. random_seed: random weights instead of
        the directory's (benchmarks). Raises ValueError when the layout does not fit the model or the world.
        """
        self.config, self.layout, self.device = config, layout, device
        self.model_path, self.total_steps, self.steps = model_path, total_optimizer_steps, 0
        self.mesh = build_mesh(layout, device.type)
        self.model_config = model.read_config(model_path)
        self.decoder = self._cut(train)
        self.parameters = dict(self.decoder.named_parameters())
        self._tied_copy = HEAD in self.parameters and self.model_config.tie_word_embeddings
        if random_seed is None:
            stored = {EMBEDDING if name == HEAD and self._tied_copy else name: p for name, p in self.parameters.items()}
            load.load_safetensors(model_path, {name: p.detach() for name, p in stored.items()})
        else:
            load.randomise(self.parameters, random_seed)
        self.optimizer = optimizer.build(self.parameters.values(), config.optimizer) if train else None
        self.pipeline = None
        if layout.p > 1:
            dtype = getattr(torch, config.compute_dtype)
            self.pipeline = Pipeline(self.decoder, self.mesh, device, self.model_config.hidden_size, dtype)
        self.saver = checkpoint.Saver()
        set_timeout(config.step_timeout_s)

    def _cut(self, train: bool) -> model.Decoder:
        config, dtype = self.config, getattr(torch, self.config.compute_dtype)
        decoder = model.build(self.model_config, self.layout, self.mesh.stage, config.logprob_chunk_tokens)
        if not train:
            decoder.to(dtype).requires_grad_(False)
        if self.mesh.tensor is not None:
            apply_tensor_parallel(decoder, self.mesh.tensor, self.model_config.base_model_tp_plan)
        if config.compile_layers:
            model.compile_layers(decoder)
        if config.activation_checkpointing and train:
            model.checkpoint_activations(decoder)
        apply_shards(decoder, self.mesh, dtype, config.cpu_offload)
        model.materialise(decoder, self.model_config, self.device, config.cpu_offload)
        return decoder

    @torch.no_grad()
    def logprobs(self, sequences: list[Sequence], temperature: float = 1.0) -> list[np.ndarray]:
        """One [L] float32 per sequence: log p(token t | tokens before it) at the temperature; 0 for the first."""
        batches = self._pack(sequences)
        inputs = [self._inputs(packed, temperature) for packed in batches]
        if self.pipeline is not None:
            predictions = self.pipeline.forward(inputs)
        else:
            predictions = [self.decoder(i.token_ids[None], i)[0] for i in inputs]
        self.decoder.reshard()
        results: list[np.ndarray] = [np.empty(0)] * len(sequences)
        for packed, values in zip(batches, predictions, strict=True):
            if self.mesh.context is not None:
                whole = values.new_empty(len(packed.token_ids))
                dist.all_gather_single(whole, values, group=self.mesh.context)
                values = whole
            for member, aligned in zip(packed.members, packing.unpack(packed, values.cpu().numpy()), strict=True):
                results[member] = aligned
        return results

    def train_step(
        self,
        sequences: list[Sequence],
        loss: Loss,
        temperature: float,
        denominator: float,
        veto: Callable[[dict[str, float]], bool] | None = None,
    ) -> dict[str, float]:
        """One optimizer step over this data-parallel rank's sequences.

        The gradient is that of (sum of `loss` over all ranks) / denominator. Returns "loss", "grad_norm" (before
        clipping), "lr", "nonfinite_skipped" (0 or 1), "vetoed" (0 or 1) and every metric of the loss summed over all
        ranks. veto: given these sums, True throws the gradient away. Raises ValueError on every rank when one of them
        has no sequence, FloatingPointError when the gradient is not finite and the configuration says "stop".
        """
        if self.optimizer is None:
            raise ValueError("this engine was made with train=False; it only computes logprobs")
        batches = self._pack(sequences, needed=True)
        totals = self._forward_backward(batches, loss, temperature, denominator)
        metrics = self._sum_over_ranks(totals)
        metrics["loss"] /= denominator
        step, self.steps = self.steps, self.steps + 1
        metrics["lr"] = optimizer.learning_rate(self.config.optimizer, step, self.total_steps)
        metrics["vetoed"] = float(bool(veto is not None and veto(metrics)))
        metrics |= self._apply(metrics["lr"], bool(metrics["vetoed"]))
        return metrics

    def _forward_backward(
        self, batches: list[Packed], loss: Loss, temperature: float, denominator: float
    ) -> dict[str, torch.Tensor]:
        """Leave the gradients in the parameters; return this rank's sums (none before the last stage)."""
        inputs = [self._inputs(packed, temperature) for packed in batches]
        totals: dict[str, torch.Tensor] = {}

        def score(index: int, logprobs: torch.Tensor, entropy: torch.Tensor) -> torch.Tensor:
            if not batches[index].members:  # a dummy only keeps this rank in step with the others
                return (logprobs + entropy).sum() * 0.0
            value, sums = loss(logprobs, entropy, inputs[index].fields)
            for name, number in ({"loss": value} | sums).items():
                totals[name] = totals.get(name, 0.0) + number.detach().double()
            return value / denominator

        if self.pipeline is not None:
            self.pipeline.train(inputs, score)
        else:
            for index, one in enumerate(inputs):
                self.decoder.set_requires_all_reduce(index == len(inputs) - 1)  # replicas: once a step
                score(index, *self.decoder(one.token_ids[None], one)).backward()
        return totals

    def _apply(self, lr: float, vetoed: bool) -> dict[str, float]:
        """Clip and step, or leave the step out; either way the gradients are gone afterwards."""
        settings = self.config.optimizer
        gradients = {name: p.grad for name, p in self.parameters.items()}
        if self.pipeline is not None and self.model_config.tie_word_embeddings:
            for name in {EMBEDDING, HEAD} & gradients.keys():
                self.pipeline.sum_tied_gradients(gradients[name].to_local())
        counted = [g for name, g in gradients.items() if not (name == HEAD and self._tied_copy)]
        norm = optimizer.global_norm(counted)
        finite = np.isfinite(norm)
        if not finite and settings.nonfinite == "stop":
            raise FloatingPointError(
                f"optimizer step {self.steps - 1}: the gradient norm is {norm}; look at the step's data and learning "
                "rate, or set optimizer.nonfinite=skip to leave such steps out"
            )
        if finite and not vetoed:
            if settings.grad_clip and norm > settings.grad_clip:
                optimizer.scale(list(gradients.values()), settings.grad_clip / (norm + 1e-6))
            for group in self.optimizer.param_groups:
                group["lr"] = lr
            self.optimizer.step()
        self.optimizer.zero_grad()
        return {"grad_norm": norm, "nonfinite_skipped": float(not finite)}

    def _pack(self, sequences: list[Sequence], needed: bool = False) -> list[Packed]:
        """This rank's microbatches, as many as on every other rank."""
        budget, layout = self.config.max_tokens_per_microbatch, self.layout
        bins = packing.first_fit_decreasing(np.array([len(s.token_ids) for s in sequences], np.int64), budget)
        agreed = torch.tensor([len(bins), -len(sequences)])
        dist.all_reduce(agreed, dist.ReduceOp.MAX, group=self.mesh.control)
        if needed and agreed[1] == 0:
            raise ValueError(
                f"a data-parallel rank has no sequence ({layout.data_parallel} ranks share the minibatch); "
                "use more prompts per minibatch or fewer data-parallel ranks"
            )
        count = max(int(agreed[0]), layout.p if layout.p > 1 else 0)
        return packing.microbatches(sequences, bins, layout.t * layout.c, count, equal=layout.p > 1)

    def _inputs(self, packed: Packed, temperature: float) -> Inputs:
        """Copy a microbatch to the device; of per-token arrays only this context rank's piece."""
        size = len(packed.token_ids) // self.layout.c
        piece = slice(self.mesh.context_rank * size, (self.mesh.context_rank + 1) * size)

        def put(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(array[piece]).to(self.device, non_blocking=True)

        boundaries = attention.Boundaries(
            offsets=packed.offsets,
            cumulative=torch.tensor(packed.offsets, dtype=torch.int32, device=self.device),
            longest=max(np.diff(packed.offsets).tolist()),
            context=self.mesh.context,
        )
        fields = {name: put(values) for name, values in packed.fields.items()}
        return Inputs(
            put(packed.token_ids), put(packed.positions), put(packed.labels), fields, boundaries, temperature
        )

    def _sum_over_ranks(self, totals: dict[str, torch.Tensor]) -> dict[str, float]:
        """Each number once: tensor-parallel ranks hold copies of it, and only the last stage has any."""
        names = sorted(totals) if self.pipeline is None else self.pipeline.tell_names(sorted(totals))
        values = torch.zeros(len(names), dtype=torch.float64, device=self.device)
        if self.mesh.is_last_stage and self.mesh.rank % self.layout.t == 0:
            values += torch.stack([totals[name] for name in names])
        dist.all_reduce(values)
        return dict(zip(names, values.tolist(), strict=True))

    def all_reduce_sum(self, numbers: np.ndarray) -> np.ndarray:
        """Sum of float64 arrays over data-parallel ranks, on every rank."""
        mine = np.asarray(numbers, np.float64)
        tensor = torch.from_numpy(mine.copy() if self.mesh.leads_data_parallel else np.zeros_like(mine))
        dist.all_reduce(tensor, group=self.mesh.control)
        return tensor.numpy()

    def full_tensors(
        self, dtype: torch.dtype, device: torch.device = torch.device("cpu")
    ) -> Iterator[tuple[str, torch.Tensor | None]]:
        """Hugging Face names and whole tensors on `device`, one gathered at a time; None on all ranks but 0.

        Collective: every rank iterates to the end. The tensors are copies. A tied head is not repeated.
        """
        for name, shape in model.parameter_shapes(self.model_config).items():
            owner = model.stage_of(name, self.model_config.num_hidden_layers, self.layout.p)
            source = owner * (self.layout.world_size // self.layout.p)
            tensor = None
            if owner == self.mesh.stage:
                whole = self.parameters[name].detach().to(self.device, dtype, copy=True).full_tensor()
                tensor = whole.to("cpu" if owner else device) if self.mesh.rank == source else None
            if owner and self.mesh.rank == source:
                dist.send(tensor, 0, group=self.mesh.control)
            if owner and self.mesh.rank == 0:
                tensor = torch.empty(shape, dtype=dtype)
                dist.recv(tensor, source, group=self.mesh.control)
                tensor = tensor.to(device)
            yield name, tensor if self.mesh.rank == 0 else None

    def export(self, path: str) -> None:
        """Write a Hugging Face directory in the start model's dtype; it is whole when this returns on every rank."""
        tensors = self.full_tensors(self.model_config.dtype or torch.float32)
        if self.mesh.rank == 0:
            export.write_hugging_face(path, self.model_path, tensors)
        else:
            for _ in tensors:
                pass
        dist.barrier(group=self.mesh.control)

    def _state(self) -> dict[str, torch.Tensor]:
        names = {p: name for name, p in self.parameters.items()}
        state = {name: p.detach() for p, name in names.items()} | optimizer.state_tensors(self.optimizer, names)
        return state

    def save(self, path: str, extra: dict) -> None:
        """Start writing a recovery checkpoint (weights, moments, step counts) with the caller's JSON-able extra.

        Returns when the state is copied; wait_saved() returns when `path` exists and is complete.
        """
        counts = {"steps": self.steps, "updates": optimizer.updates_made(self.optimizer)}
        state = self._state()
        if self._tied_copy:
            state = {name: tensor for name, tensor in state.items() if not name.startswith(HEAD)}
        self.saver.start(path, state, {"engine": counts, "caller": extra})

    def wait_saved(self) -> None:
        """Wait for the checkpoint being written, if any. Raises what went wrong with it."""
        self.saver.wait()

    def load(self, path: str) -> dict:
        """Continue from a checkpoint saved under any layout; returns the extra it was saved with."""
        self.decoder.reshard()
        state = self._state()
        if self._tied_copy:
            state = {name.replace(HEAD, EMBEDDING): tensor for name, tensor in state.items()}
        extra = checkpoint.load(path, state, self.mesh.control)
        self.steps = extra["engine"]["steps"]
        optimizer.set_updates_made(self.optimizer, extra["engine"]["updates"])
        return extra["caller"]
