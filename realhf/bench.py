"""How fast the engine trains a model shape under a layout, with random weights: `python -m realhf.bench --help`.

Starts one process per rank itself and waits for them; the same command on CPU and GPU. Prints time per phase, tokens
per second, model FLOPs utilisation against the machine's own measured matrix multiplication, and peak memory.

  python -m realhf.bench                                                      a tiny model on one CPU core or GPU
  python -m realhf.bench --model qwen2.5-1.5b --layout d8 --context 16384     FSDP over 8 GPUs
  python -m realhf.bench --model qwen2.5-7b --layout d2t4 --tokens 131072     and tensor parallelism of 4
"""

import argparse
import json
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import PretrainedConfig

from realhf.allocation import Layout, parse_layout
from realhf.attention import half_precision_kernel
from realhf.balance import balance, sequence_cost
from realhf.config import Engine as EngineConfig
from realhf.distributed import initialise, leave
from realhf.engine import Engine
from realhf.model import parameter_shapes
from realhf.packing import Sequence

SHAPES = {  # hidden, intermediate, layers, heads, key-value heads, vocabulary, tied
    "tiny": (256, 704, 4, 4, 2, 4096, True),
    "qwen2.5-0.5b": (896, 4864, 24, 14, 2, 151936, True),
    "qwen2.5-1.5b": (1536, 8960, 28, 12, 2, 151936, True),
    "qwen2.5-7b": (3584, 18944, 28, 28, 4, 152064, False),
    "qwen2.5-14b": (5120, 13824, 48, 40, 8, 152064, False),
    "qwen2.5-32b": (5120, 27648, 64, 40, 8, 152064, False),
}


def write_shape(name: str, directory: str) -> str:
    """A model directory that holds only a configuration."""
    hidden, intermediate, layers, heads, kv_heads, vocab, tied = SHAPES[name]
    config = {
        "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "hidden_size": hidden, "vocab_size": vocab,
        "intermediate_size": intermediate, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "tie_word_embeddings": tied, "max_position_embeddings": 32768,
    }  # fmt: skip
    (Path(directory) / "config.json").write_text(json.dumps(config))
    return directory


def long_tailed(total: int, longest: int, seed: int = 0) -> np.ndarray:
    """Log-normal lengths with a median of an eighth of the longest, about `total` tokens of them and one longest."""
    draw = np.random.default_rng(seed)
    lengths = [longest]
    while sum(lengths) < total:
        lengths.append(int(np.clip(draw.lognormal(np.log(longest / 8), 0.9), 16, longest)))
    return np.array(lengths)


def training_flops(config: PretrainedConfig, lengths: np.ndarray) -> float:
    """Forward and backward without recomputation: 6 per weight and token, 6 x width x L^2 per layer of attention.

    As Chowdhery et al. 2022 (PaLM, appendix B), with the causal half of attention. A lookup is not counted.
    """
    weights = sum(shape.numel() for name, shape in parameter_shapes(config).items() if "embed_tokens" not in name)
    weights += config.vocab_size * config.hidden_size * config.tie_word_embeddings
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    attention = config.num_hidden_layers * config.num_attention_heads * head * float((lengths**2.0).sum())
    return 6.0 * weights * lengths.sum() + 6.0 * attention


def matmul_rate(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """FLOP/s of a square matrix multiplication: the best of five times four, so that a GPU does not wait for the next one."""
    a = torch.randn(size, size, device=device, dtype=dtype)
    product, best = torch.empty_like(a), float("inf")
    for _ in range(5):
        start = _now(device)
        for _ in range(4):
            torch.mm(a, a, out=product)
        best = min(best, (_now(device) - start) / 4)
    return 2.0 * size**3 / best


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _loss(logprobs, entropy, fields):
    return -(logprobs * fields["mask"]).sum(), {"entropy": (entropy * fields["mask"]).sum()}


def measure(engine: Engine, sequences: list[Sequence], steps: int) -> dict[str, float]:
    """Seconds of each phase: the fastest of `steps` after one that is not counted."""
    device, taken = engine.device, []
    for _ in range(steps + 1):
        marks = [_now(device)]

        def mark(_metrics) -> None:
            """Given as the veto, which the engine asks between backward and optimizer; None is no veto."""
            marks.append(_now(device))  # noqa: B023

        engine.logprobs(sequences)
        mark({})
        engine.train_step(sequences, _loss, 1.0, 1000.0, veto=mark)
        mark({})
        taken.append(np.diff(marks))
    return dict(zip(("logprobs", "forward + backward", "optimizer"), np.min(taken[1:], axis=0).tolist(), strict=True))


def run_rank(options: argparse.Namespace, layout: Layout) -> None:
    """One rank's benchmark; rank 0 prints."""
    host, port = options.store.rsplit(":", 1)
    device = initialise(options.rank, layout.world_size, host, int(port), timeout_s=300.0, threads=options.threads)
    settings = replace(
        EngineConfig(),
        compute_dtype=options.dtype,
        max_tokens_per_microbatch=options.context,
        activation_checkpointing=not options.keep_activations,
        compile_layers=options.compile,
        cpu_offload=options.offload,
    )
    engine = Engine(settings, layout, options.model_dir, total_optimizer_steps=100, device=device, random_seed=0)
    config = engine.model_config
    lengths = long_tailed(options.tokens, options.context)
    if options.full:
        lengths = np.full(max(1, options.tokens // options.context), options.context)
    shares = balance(sequence_cost(lengths, 12.0 * config.hidden_size), layout.data_parallel)
    draw, mine = np.random.default_rng(1), lengths[shares[layout.data_parallel_rank(options.rank)]]
    sequences = [random_sequence(draw, n, config.vocab_size, lengths.max() if options.padded else n) for n in mine]
    seconds = measure(engine, sequences, options.steps)
    if options.rank == 0:
        _print(options, layout, engine, lengths, seconds)
    leave()


def random_sequence(draw: np.random.Generator, length: int, vocab: int, padded_to: int) -> Sequence:
    """Random tokens, with masked ones behind them up to `padded_to`."""
    mask = (np.arange(padded_to) < length).astype(np.float32)
    return Sequence(draw.integers(0, vocab, padded_to).astype(np.int32), {"mask": mask})


def _print(options, layout: Layout, engine: Engine, lengths: np.ndarray, seconds: dict[str, float]) -> None:
    device, tokens = engine.device, int(lengths.sum())
    side = 8192 if device.type == "cuda" else 1024
    rate = matmul_rate(device, getattr(torch, options.dtype), side) * layout.world_size
    weights = sum(shape.numel() for shape in parameter_shapes(engine.model_config).values())
    flops = training_flops(engine.model_config, lengths)
    if device.type == "cuda":
        kernel = half_precision_kernel().__name__.strip("_")
        name, peak = f"{torch.cuda.get_device_name(device)}, {kernel}", torch.cuda.max_memory_allocated(device)
    else:
        name = f"CPU, {torch.get_num_threads()} thread(s) a rank"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{options.model}: {weights / 1e6:.1f}M weights, {options.dtype}, layout {layout}, {name}")
    print(f"{len(lengths)} sequences, {tokens} tokens, longest {lengths.max()}{', padded' if options.padded else ''}")
    print(f"matrix multiplication measured at {rate / 1e12:.3g} TFLOP/s over {layout.world_size} ranks")
    print(f"{'phase':20}{'seconds':>9}{'tokens/s':>10}{'MFU':>8}")
    training = seconds["forward + backward"] + seconds["optimizer"]
    rows = [("logprobs", seconds["logprobs"], flops / 3), ("forward + backward", seconds["forward + backward"], flops)]
    rows += [("optimizer", seconds["optimizer"], None), ("training step", training, flops)]
    for phase, taken, work in rows:
        share = "" if work is None else f"{work / taken / rate:8.1%}"
        print(f"{phase:20}{taken:9.3f}{tokens / taken:10.0f}{share}")
    print(f"peak memory of a rank: {peak / 2**30:.2f} GiB")


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Examples as they are written, and the defaults."""


def main() -> None:
    """Parse the command line; start all ranks, or be one of them."""
    parser = argparse.ArgumentParser(prog="python -m realhf.bench", description=__doc__, formatter_class=_Help)
    parser.add_argument("--model", default="tiny", help=f"{', '.join(SHAPES)}, or a directory with a config.json")
    parser.add_argument("--layout", default="d1", help="for example d2t2; letters as in an allocation string")
    parser.add_argument("--context", type=int, default=2048, help="longest sequence and tokens per microbatch")
    parser.add_argument("--tokens", type=int, default=16384, help="tokens of one optimizer step")
    parser.add_argument("--steps", type=int, default=2, help="measured steps; the fastest counts")
    parser.add_argument("--dtype", default="bfloat16" if torch.cuda.is_available() else "float32",
                        choices=("bfloat16", "float32"), help="of forward and backward")
    parser.add_argument("--full", action="store_true", help="all sequences as long as the context, no long tail")
    parser.add_argument("--padded", action="store_true", help="pad every sequence to the longest")
    parser.add_argument("--keep-activations", action="store_true", help="no activation checkpointing")
    parser.add_argument("--compile", action="store_true", help="torch.compile each layer")
    parser.add_argument("--offload", action="store_true", help="parameters and optimizer state in host memory")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of a rank")
    parser.add_argument("--rank", type=int, default=-1, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    parser.add_argument("--model-dir", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.model not in SHAPES and not (Path(options.model) / "config.json").is_file():
        parser.error(f'--model "{options.model}" is no directory with a config.json and none of {", ".join(SHAPES)}')
    try:
        layout = parse_layout(options.layout)
    except ValueError as error:
        parser.error(str(error))
    if options.rank >= 0:
        run_rank(options, layout)
    with tempfile.TemporaryDirectory() as directory:
        model_dir = write_shape(options.model, directory) if options.model in SHAPES else options.model
        raise SystemExit(_start_ranks(layout.world_size, model_dir))


def _start_ranks(world_size: int, model_dir: str) -> int:
    """Run all ranks to their end; the first that fails ends the others, and so does SIGTERM. Returns an exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        store = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "realhf.bench", *sys.argv[1:], "--store", store, "--model-dir", model_dir]
    ranks = [subprocess.Popen([*command, "--rank", str(rank)]) for rank in range(world_size)]
    try:
        while any(rank.poll() is None for rank in ranks):
            if failed := [rank.returncode for rank in ranks if rank.returncode]:
                return failed[0]
            time.sleep(0.1)
        return max(abs(rank.returncode) for rank in ranks)
    finally:
        for rank in ranks:
            rank.kill()


if __name__ == "__main__":
    main()
