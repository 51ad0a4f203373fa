"""The engine under a layout against one process of plain transformers and torch: `python -m tests.parity` prints all.

The reference knows nothing of realhf: one sequence at a time, full logits, log_softmax, clip_grad_norm_, AdamW. Both
take three optimizer steps from the same files. Compared, relative to the largest element of each tensor: the losses,
the gradient norms, the first step's gradient of every parameter (as AdamW's first moment, so after clipping), and
every parameter after three steps.
"""

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config
from transformers.utils.logging import disable_progress_bar

from realhf.allocation import parse_layout
from realhf.config import Engine as EngineConfig
from realhf.config import Optimizer
from realhf.engine import Engine
from realhf.model import EMBEDDING, HEAD
from realhf.packing import Sequence
from tests.groups import CLOCK_S, run_ranks

disable_progress_bar()

LAYOUTS = ("d1", "d2", "t2", "d2t2", "c2", "c2t2", "r2d2", "p2", "p2d2")
FAMILIES = ("qwen2", "llama", "mistral")
BAR = 5e-6
STEPS, TEMPERATURE, ENTROPY_BONUS = 3, 0.7, 0.01
OPTIMIZER = Optimizer(lr=1e-3, schedule="cosine", warmup_fraction=0.2, grad_clip=0.5)


def make_model(path: Path, family: str, tied: bool, seed: int = 0, **sizes) -> str:
    """A tiny random model directory of the family, in fp32."""
    shape = {
        "vocab_size": 128,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "tie_word_embeddings": tied,
        "dtype": "float32",
    } | sizes
    if family == "mistral":
        shape = {"sliding_window": 24} | shape
    config = {"qwen2": Qwen2Config, "llama": LlamaConfig, "mistral": MistralConfig}[family](**shape)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms that matter
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    model.save_pretrained(path)
    return str(path)


def make_sequences(seed: int, lengths=(50, 3, 37, 60, 33, 2, 90, 11), vocab: int = 128) -> list[Sequence]:
    """Random tokens; loss on all but a first part of each sequence, with random weights."""
    draw = np.random.default_rng(seed)
    return [
        Sequence(
            draw.integers(3, vocab, n).astype(np.int32),
            {"mask": (np.arange(n) >= n // 4).astype(np.float32), "weight": draw.normal(size=n).astype(np.float32)},
        )
        for n in lengths
    ]


def loss_tokens(sequences: list[Sequence]) -> float:
    return float(sum(s.fields["mask"][1:].sum() for s in sequences))


def weighted_loss(logprobs, entropy, fields):
    """The loss of all engine tests: every term of the interface takes part."""
    mask = fields["mask"]
    value = -(logprobs * fields["weight"] * mask).sum() - ENTROPY_BONUS * (entropy * mask).sum()
    return value, {"tokens": mask.sum(), "entropy": (entropy * mask).sum()}


def reference(path: str) -> dict[str, np.ndarray]:
    """Three steps with plain transformers and torch."""
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager")
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": OPTIMIZER.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, betas=OPTIMIZER.betas, eps=OPTIMIZER.eps, foreach=False)
    found: dict[str, np.ndarray] = {}
    for step in range(STEPS):
        sequences = make_sequences(step)
        total = torch.zeros(())
        for sequence in sequences:
            ids = torch.from_numpy(sequence.token_ids).long()
            logits = model(ids[None]).logits[0, :-1] / TEMPERATURE
            log_p = torch.log_softmax(logits, -1)
            chosen = log_p.gather(1, ids[1:, None])[:, 0]
            entropy = -(log_p.exp() * log_p).sum(-1)
            mask, weight = (torch.from_numpy(sequence.fields[k][1:]) for k in ("mask", "weight"))
            total = total - (chosen * weight * mask).sum() - ENTROPY_BONUS * (entropy * mask).sum()
        loss = total / loss_tokens(sequences)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), OPTIMIZER.grad_clip)
        for group in adam.param_groups:
            group["lr"] = _schedule(step)
        adam.step()
        adam.zero_grad()
        found[f"loss {step}"], found[f"grad_norm {step}"] = np.array(loss.item()), np.array(norm.item())
        if step == 0:
            found |= {f"gradient {n}": adam.state[p]["exp_avg"].numpy().copy() for n, p in model.named_parameters()}
    return found | {f"parameter {n}": p.detach().numpy() for n, p in model.named_parameters()}


def _schedule(step: int) -> float:
    """One of 4 steps is warmup; cosine over the other three."""
    return OPTIMIZER.lr if step == 0 else OPTIMIZER.lr * 0.5 * (1 + math.cos(math.pi * (step - 1) / 3))


def measure(layout: str, paths: list[str], gpu: bool = False) -> list[dict[str, float]]:
    """The largest relative error of each kind, per model."""
    by_rank = run_ranks(_measure_all, parse_layout(layout).world_size, layout, paths, gpu=gpu)
    kinds = ("loss", "grad_norm", "gradient", "parameter")
    return [{kind: max(row.get(kind, 0.0) for row in rows) for kind in kinds} for rows in zip(*by_rank, strict=True)]


def _measure_all(device: torch.device, layout_text: str, paths: list[str]) -> list[dict[str, float]]:
    return [_measure_one(device, layout_text, path) for path in paths]


def _measure_one(device: torch.device, layout_text: str, path: str) -> dict[str, float]:
    layout = parse_layout(layout_text)
    settings = EngineConfig(
        compute_dtype="float32", max_tokens_per_microbatch=96, logprob_chunk_tokens=32, step_timeout_s=CLOCK_S,
        optimizer=OPTIMIZER,
    )  # fmt: skip
    engine = Engine(settings, layout, path, total_optimizer_steps=4, device=device)
    share = layout.data_parallel_rank(dist.get_rank())
    found: dict[str, np.ndarray] = {}
    for step in range(STEPS):
        sequences = make_sequences(step)
        mine = sequences[share :: layout.data_parallel]
        metrics = engine.train_step(mine, weighted_loss, TEMPERATURE, loss_tokens(sequences))
        found |= {f"{key} {step}": np.array(metrics[key]) for key in ("loss", "grad_norm")}
        if step == 0:
            found |= {f"gradient {name}": tensor for name, tensor in _moments(engine)}
    found |= {f"parameter {name}": t.numpy() for name, t in engine.full_tensors(torch.float32) if t is not None}
    leads_stage = dist.get_rank() % (layout.world_size // layout.p) == 0
    return compare(found, reference(path), all_parameters=dist.get_rank() == 0) if leads_stage else {}


def _moments(engine: Engine):
    """First moments of this rank's pipeline stage, whole; the copy of a tied head under the embedding's name."""
    for name, parameter in engine.parameters.items():
        tied = name == HEAD and engine.model_config.tie_word_embeddings
        yield EMBEDDING if tied else name, engine.optimizer.state[parameter]["exp_avg"].full_tensor().cpu().numpy().copy()


def compare(found: dict, expected: dict, all_parameters: bool) -> dict[str, float]:
    """Largest |difference| / largest |expected| per kind: loss, grad_norm, gradient, parameter."""
    worst: dict[str, float] = {}
    for key, value in found.items():
        kind = key.split()[0]
        error = float(np.abs(value - expected[key]).max() / np.abs(expected[key]).max())
        worst[kind] = max(worst.get(kind, 0.0), error)
    missing = {key for key in expected if key.startswith("parameter")} - found.keys()
    assert not (all_parameters and missing), f"not compared: {sorted(missing)}"
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layouts", nargs="*", default=LAYOUTS)
    layouts = parser.parse_args().layouts
    names = [f"{family}-{'tied' if tied else 'untied'}" for family in FAMILIES for tied in (True, False)]
    print(f"largest relative error (bar {BAR:.0e})\n{'layout':8}{'model':16}    loss  grad_norm  gradient  parameter")
    failed = 0
    with tempfile.TemporaryDirectory() as root:
        paths = [make_model(Path(root) / name, name.split("-")[0], name.endswith("-tied")) for name in names]
        for layout in layouts:
            for name, row in zip(names, measure(layout, paths), strict=True):
                bad = max(row.values()) > BAR
                failed += bad
                print(
                    f"{layout:8}{name:16}{row['loss']:8.1e}{row['grad_norm']:11.1e}{row['gradient']:10.1e}"
                    f"{row['parameter']:11.1e}{'  ABOVE THE BAR' if bad else ''}",
                    flush=True,
                )
    print(f"{failed} of {len(layouts) * len(names)} above the bar")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
