"""A pipeline stage of a Hugging Face decoder: its own layers, under the checkpoint's names, and a fused logprob head.

Built without memory (meta device); cut by parallel/, then filled by load.py. With one stage it is the whole model.
Every parameter keeps its Hugging Face name, whatever the layout, so checkpoints and exports need no name map.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard
from torch.utils.checkpoint import checkpoint
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from realhf import attention
from realhf.allocation import Layout, check_model
from realhf.logprobs import fused_logprobs

FAMILIES = ("qwen2", "llama", "mistral")
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


@dataclass(frozen=True)
class Inputs:
    """A packed microbatch of T tokens on the device; this rank's T / c of them where it says so."""

    token_ids: torch.Tensor
    """[T/c] int64"""
    positions: torch.Tensor
    """[T/c] int64"""
    labels: torch.Tensor
    """[T/c] int64"""
    fields: dict[str, torch.Tensor]
    """[T/c] float32 each"""
    boundaries: attention.Boundaries
    temperature: float


class Head(nn.Module):
    """The output embedding. Called only through Decoder.forward, which hands the weight to the fused logprobs."""

    def __init__(self, weight: nn.Parameter):
        super().__init__()
        self.weight = weight


class Decoder(nn.Module):
    """Layers [first, last) of a model, with the embedding on the first stage and norm and head on the last."""

    def __init__(self, whole: nn.Module, stage: int, stages: int, chunk: int):
        super().__init__()
        count = len(whole.model.layers)
        mine = range(count * stage // stages, count * (stage + 1) // stages)
        self.is_first, self.is_last, self.chunk = stage == 0, stage == stages - 1, chunk
        self.tensor: DeviceMesh | None = None
        self.model = nn.Module()
        if self.is_first:
            self.model.embed_tokens = whole.model.embed_tokens
        self.model.layers = nn.ModuleDict({str(i): whole.model.layers[i] for i in mine})
        self.model.rotary_emb = whole.model.rotary_emb
        if self.is_last:
            self.model.norm = whole.model.norm
            if not (whole.config.tie_word_embeddings and self.is_first):
                self.lm_head = Head(whole.lm_head.weight)

    def forward(self, x: torch.Tensor, inputs: Inputs) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """x: token ids [1, T/c] on the first stage, else hidden [1, T/(c*t), D].

        Returns hidden states (a DTensor cut over t), or on the last stage logprobs and entropy of the predictions,
        [T/c] float32 each.
        """
        if self.is_first:
            hidden = self.model.embed_tokens(x)
        else:
            hidden = x if self.tensor is None else DTensor.from_local(x, self.tensor, [Shard(1)])
        rotary = self.model.rotary_emb(hidden, inputs.positions[None])
        for layer in self.model.layers.values():
            hidden = layer(
                hidden, attention_mask=None, position_embeddings=rotary, packed=inputs.boundaries, use_cache=False
            )
        if not self.is_last:
            return hidden
        return self._predict(self.model.norm(hidden), inputs)

    def _predict(self, hidden: torch.Tensor, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        weight = self.lm_head.weight if hasattr(self, "lm_head") else self.model.embed_tokens.weight
        group = None
        if self.tensor is not None:
            group = self.tensor.get_group()
            hidden = hidden.redistribute(placements=[Replicate()]).to_local(grad_placements=[Partial()])
            weight = weight.to_local()
        return fused_logprobs(hidden[0], weight, inputs.labels, inputs.temperature, self.chunk, group)


def read_config(path: str) -> PretrainedConfig:
    """The model's configuration. Raises ValueError when `path` is no model directory of a supported family."""
    if not (Path(path) / "config.json").is_file():
        raise ValueError(
            f'"{path}" has no config.json; give a local Hugging Face directory (for a hub name: hf download NAME '
            "--local-dir DIRECTORY)"
        )
    config = AutoConfig.from_pretrained(path)
    if config.model_type not in FAMILIES:
        raise ValueError(f'model_type "{config.model_type}" of {path} is not supported; choose one of {FAMILIES}')
    return config


def build(config: PretrainedConfig, layout: Layout, stage: int, chunk: int) -> Decoder:
    """A stage on the meta device: right shapes and names, no memory. Raises ValueError when the layout does not fit."""
    check_model(
        layout,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        intermediate=config.intermediate_size,
        vocab=config.vocab_size,
        layers=config.num_hidden_layers,
    )
    with torch.device("meta"):  # from_config writes the dtype into the configuration it is given
        whole = AutoModelForCausalLM.from_config(
            deepcopy(config), attn_implementation=attention.NAME, dtype=torch.float32
        )
    return Decoder(whole, stage, layout.p, chunk)


def parameter_shapes(config: PretrainedConfig) -> dict[str, torch.Size]:
    """Hugging Face names and shapes of the whole model, in its order; a tied head is not repeated."""
    with torch.device("meta"):
        whole = AutoModelForCausalLM.from_config(deepcopy(config), dtype=torch.float32)
    return {name: parameter.shape for name, parameter in whole.named_parameters()}


def materialise(decoder: Decoder, config: PretrainedConfig, device: torch.device, on_host: bool) -> None:
    """Give the (already sharded) parameters memory, uninitialised, and compute the rotary frequencies anew."""
    decoder.to_empty(device="cpu" if on_host else device)
    rotary = decoder.model.rotary_emb
    decoder.model.rotary_emb = type(rotary)(config=config).to(device)


def compile_layers(decoder: Decoder, backend: str | Callable = "inductor") -> None:
    """Compile what a layer does around its attention kernel, once for all layers, numbers of tokens and of sequences.

    Inside FSDP's hooks, and before checkpoint_activations: a graph that breaks at the kernel cannot hold a checkpoint.
    Raises ValueError for tensor-parallel layers.
    """
    if decoder.tensor is not None:
        raise ValueError(
            f"compile_layers with t (m) {decoder.tensor.size()}: torch 2.13 does not compile tensor-parallel layers for changing "
            "lengths; set compile_layers=false, or t1 with more d or c"
        )

    def any_length(compiled: Callable, hidden: torch.Tensor, **others) -> torch.Tensor:
        for x in (hidden, *others["position_embeddings"]):
            torch._dynamo.maybe_mark_dynamic(x, 1)
        torch._dynamo.maybe_mark_dynamic(others["packed"].cumulative, 0)
        return compiled(hidden, **others)

    for layer in decoder.model.layers.values():
        layer.forward = partial(any_length, torch.compile(layer.forward, backend=backend))


def checkpoint_activations(decoder: Decoder) -> None:
    """Keep only each layer's input for the backward and compute the layer again there."""
    for layer in decoder.model.layers.values():
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False, preserve_rng_state=False)


def stage_of(name: str, layers: int, stages: int) -> int:
    """The pipeline stage that owns a parameter; of a tied embedding, the first."""
    if name == EMBEDDING:
        return 0
    if not name.startswith("model.layers."):
        return stages - 1
    layer = int(name.split(".")[2])
    return next(s for s in range(stages) if layer < layers * (s + 1) // stages)
