"""What the training engine can be told. Frozen; every default is the one we would use ourselves.

These are plain dataclasses: areal_lite.config fills them from YAML, and realhf can be used without it.
"""
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Optimizer:
    """AdamW on fp32 master weights."""
    lr: float = 1e-6
    """Peak learning rate."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Decay of the first and of the second moment per step."""
    eps: float = 1e-5
    """Added to the root of the second moment."""
    weight_decay: float = 0.05
    """Decoupled from the gradient; biases and norm weights are not decayed."""
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    """Shape after the warmup; cosine and linear end at min_lr_ratio * lr."""
    warmup_fraction: float = 0.02
    """Share of all optimizer steps spent rising linearly from 0."""
    min_lr_ratio: float = 0.0
    """Where cosine and linear end, as a share of lr."""
    grad_clip: float = 1.0
    """Largest global gradient norm; 0 turns clipping off."""
    nonfinite: Literal["stop", "skip"] = "stop"
    """A NaN or infinite gradient: end the run with an error, or leave this optimizer step out and count it."""


@dataclass(frozen=True)
class Engine:
    """How the model is computed and where its state lives."""
    compute_dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Forward and backward; master weights and gradient reduction are always fp32."""
    max_tokens_per_microbatch: int = 16384
    """Token budget of one packed microbatch; a longer single sequence gets a microbatch of its own."""
    activation_checkpointing: bool = True
    """Keep only what enters a decoder layer and compute the rest again in the backward pass: less memory, about a third more time."""
    cpu_offload: bool = False
    """Keep master weights and optimizer state in host memory."""
    compile_layers: bool = False
    """torch.compile per decoder layer (meant for CUDA; no faster than eager on CPU), not with tensor parallelism."""
    logprob_chunk_tokens: int = 1024
    """Tokens whose logits exist at one time in the fused logprob head."""
    init_timeout_s: float = 300.0
    """Clock of process-group creation and model loading."""
    step_timeout_s: float = 600.0
    """Clock of every collective afterwards."""
    threads: int = 0
    """Intra-op CPU threads of a rank; 0 leaves torch's default on CUDA and takes 1 on CPU."""
    optimizer: Optimizer = field(default_factory=Optimizer)
