"""What takes how long, in seconds: assumed from a model's shape and a GPU's data sheet. calibrate.py fits it to a run."""
import json
from dataclasses import dataclass, replace
from pathlib import Path

from areal_lite.config import Stage
from realhf.allocation import Allocation

SHAPES = {  # hidden, intermediate, layers, heads, key-value heads, head size, vocabulary
    "0.5b": (896, 4864, 24, 14, 2, 64, 151936), "1.5b": (1536, 8960, 28, 12, 2, 128, 151936),
    "deepseek-math-7b": (4096, 11008, 30, 32, 32, 128, 102400), "mistral-7b": (4096, 14336, 32, 32, 8, 128, 32000),
    "7b": (3584, 18944, 28, 28, 4, 128, 152064), "llama-3.1-8b": (4096, 14336, 32, 32, 8, 128, 128256),
    "14b": (5120, 13824, 48, 40, 8, 128, 152064), "mistral-small-24b": (5120, 32768, 40, 32, 8, 128, 131072),
    "32b": (5120, 27648, 64, 40, 8, 128, 152064),
}
"""Of published models, for a model.path that is not on this machine; the first whose name is part of the path."""


@dataclass(frozen=True)
class Hardware:
    """One GPU and how much of it is reached; the defaults are an H800's data sheet and ordinary shares of it."""
    flops: float = 989e12
    """A second, of one GPU in dense bf16."""
    bandwidth: float = 3.35e12
    """Bytes/s of a GPU's memory."""
    mfu: float = 0.4
    """Share of flops that training reaches."""
    decode_share: float = 0.6
    """Share of the bandwidth that decoding reaches."""
    step_s: float = 0.006
    """Seconds of one decoding step whatever the model: scheduling, sampling, launches."""
    reduce_s: float = 15e-6
    """Seconds of one all-reduce between the GPUs of a server, whatever its size."""
    wire: float = 2e9
    """Bytes/s at which a version is gathered and written, and at which a server reads it."""


@dataclass(frozen=True)
class Costs:
    """Seconds. A decoding step of a server with n sequences and c tokens of context takes step + n x sequence + c x context."""
    step: float
    sequence: float = 0.0
    context: float = 0.0
    prefill: float = 0.0
    """Per prompt token; the answers of a group share it."""
    token: float = 0.0
    """Training, per token on one data-parallel rank, all passes together."""
    square: float = 0.0
    """The same per squared length of a sequence: attention."""
    minibatch: float = 0.0
    publish: float = 0.0
    """From the last optimizer step to the Update."""
    load: float = 0.0
    """Stall of a server that loads a version."""
    score: float = 0.0
    """From an answer's last token to its arrival at the master."""

    def slower(self, factor: float) -> "Costs":
        """Everything takes factor times as long."""
        return replace(self, **{name: factor * seconds for name, seconds in vars(self).items()})


def assumed(stage: Stage, plan: Allocation, hardware: Hardware) -> Costs:
    """Roofline: decoding reads all weights and keys and values once a step; training is FLOPs over MFU.

    ValueError for a model whose shape is not known.
    """
    hidden, intermediate, layers, heads, kv_heads, head, vocab = shape(stage.model.path)
    weights = layers * (hidden * head * 2 * (heads + kv_heads) + 3 * hidden * intermediate) + vocab * hidden
    server = plan.generation.t * plan.generation.p
    memory = hardware.bandwidth * hardware.decode_share * server
    compute = hardware.flops * hardware.mfu
    group = plan.training.t * plan.training.c * plan.training.p
    return Costs(
        step=hardware.step_s + 2 * weights / memory + (2 * layers * hardware.reduce_s if plan.generation.t > 1 else 0.0),
        sequence=2 * weights / (compute * server),
        context=4 * layers * kv_heads * head / memory,
        prefill=2 * weights / (compute * server),
        token=passes(stage) * 2 * weights / (compute * group),
        square=passes(stage) * 2 * layers * heads * head / (compute * group),
        publish=2 * weights / hardware.wire, load=2 * weights / hardware.wire)


def passes(stage: Stage) -> int:
    """Forward passes' worth of work per trained token: the backward is two, checkpointing, proximal and reference one each."""
    a = stage.algorithm
    proximal = a.objective == "decoupled" and (a.minibatches > 1 or a.behaviour_weight.startswith("sequence"))
    return 3 + stage.trainer.activation_checkpointing + proximal + bool(a.kl_reward or a.kl_loss)


def shape(path: str) -> tuple[int, ...]:
    """(hidden, intermediate, layers, heads, key-value heads, head size, vocabulary) of a model directory or a known name."""
    file = Path(path) / "config.json"
    if file.exists():
        c = json.loads(file.read_text())
        head = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
        return (c["hidden_size"], c["intermediate_size"], c["num_hidden_layers"], c["num_attention_heads"],
                c["num_key_value_heads"], head, c["vocab_size"])
    for name, numbers in SHAPES.items():
        if name in path.lower():
            return numbers
    raise ValueError(f"model.path={path} is neither on this machine nor one of {', '.join(SHAPES)}; give model.path=DIRECTORY "
                     "with a config.json")
