"""How long a weight update stops generation: python -m benchmarks.weight_update [--dtype bfloat16] [--transport direct]

64 streams generate on a real vLLM engine while versions are loaded in flight, for a model of the quickstart's size and
one of 100M parameters. Two yardsticks on the same core: reading the weight file once into new memory, and copying as
many bytes in memory that is already there. Of the whole stall, `step` is the wait for the step under way (tokens are
still made) and 20 ms of sleep inside vLLM's pause. With --transport direct the weights come from a feeder in this process.
"""
import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from areal_lite.config.schema import Cluster, Data, Generation, Model, Stage
from areal_lite.generation.engine import EngineError, Sampling, VLLMEngine
from areal_lite.weights import Manifest, publish, read_manifest

STREAMS = 64
SIZES = {"quickstart": {"vocab_size": 64, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3,
                        "num_attention_heads": 4, "num_key_value_heads": 2},
         "100M": {"vocab_size": 16000, "hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 14,
                  "num_attention_heads": 12, "num_key_value_heads": 4}}


class TimedEngine(VLLMEngine):
    """Remembers how long every call to EngineCore took."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.calls: dict[str, list[float]] = {}

    async def _answer(self, call, what):
        begin = time.monotonic()
        answer = await super()._answer(call, what)
        self.calls.setdefault(what.split()[0], []).append(1e3 * (time.monotonic() - begin))
        return answer


def make(directory: Path, size: dict, dtype: str) -> tuple[int, int]:
    """Write the model and version 0 of its weights; (parameters, bytes)."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(**size, tie_word_embeddings=True, eos_token_id=0, max_position_embeddings=4096)
    model = Qwen2ForCausalLM(config)
    model.to(getattr(torch, dtype)).save_pretrained(directory)
    tensors = [(n, dtype, tuple(p.shape), p.detach().view(torch.uint8).numpy()) for n, p in model.named_parameters()]
    publish(directory, 0, tensors)
    return sum(p.numel() for p in model.parameters()), read_manifest(directory / "v00000000").nbytes


def copy_ms(file: Path) -> tuple[float, float]:
    """Median times to read a file into new memory, and to copy as many bytes into memory that is already there."""
    def median_ms(action) -> float:
        times = []
        for _ in range(9):
            begin = time.monotonic()
            action()
            times.append(1e3 * (time.monotonic() - begin))
        return statistics.median(times)

    source = np.fromfile(file, np.uint8)
    target = np.zeros_like(source)
    return median_ms(lambda: np.fromfile(file, np.uint8)), median_ms(lambda: np.copyto(target, source))


class Sent:
    """The weights of a file, as versions that a feeder holds."""

    def __init__(self, path: str, manifest: Manifest):
        import torch

        from areal_lite.trainer.feeder import Feeder
        flat = torch.from_file(f"{path}/weights.bin", size=manifest.nbytes, dtype=torch.uint8).clone()
        self.feeder, self.dtype, self.group = Feeder("127.0.0.1", torch.device("cpu"), 60.0), manifest.entries[0].dtype, 0
        self.tensors = [(e.name, flat[e.offset:e.offset + e.nbytes].view(getattr(torch, e.dtype)).view(e.shape)) for e in manifest.entries]

    def __call__(self, version: int) -> tuple[str, Manifest]:
        """Publish it and wait until it is this server's turn."""
        from areal_lite.direct import ask
        path, _ = self.feeder.publish(version, self.dtype, self.tensors)
        offer = ask(path, version, "benchmark", 1, self.group, 60.0)
        self.group = int(offer.path.rpartition("/")[2])
        return offer.path, offer.manifest


async def play(directory: Path, dtype: str, updates: int, tokens: int, transport: str) -> dict[str, list[float]]:
    stage = Stage(model=Model(path=str(directory), dtype=dtype), data=Data(max_prompt_tokens=64),
                  generation=Generation(max_new_tokens=tokens, max_concurrency=STREAMS, kv_cache_bytes=2 << 30),
                  cluster=Cluster(device="cpu"))
    engine = TimedEngine(stage, seed=0)
    await engine.start()
    path = str(directory / "v00000000")
    manifest = read_manifest(path)
    find = Sent(path, manifest) if transport == "direct" else lambda version: (path, manifest)
    await engine.update(*find(0), 0, recompute=False)

    async def stream(n: int) -> None:
        prompt = np.arange(1 + n % 8, 30, dtype=np.int32)
        while True:                                # always 64 at once, until this process ends
            await engine.generate(prompt, Sampling(1.0, 1.0, tokens, n), f"{n} {time.monotonic()}")

    streams = [asyncio.create_task(stream(n)) for n in range(STREAMS)]
    begin = engine.generated_tokens
    while engine.generated_tokens < begin + 40 * STREAMS:
        if failed := [s.exception() for s in streams if s.done()]:
            raise EngineError(f"a stream ended: {failed[0]}")
        await asyncio.sleep(0.05)
    engine.calls.clear()
    whole = []
    for version in range(1, updates + 1):
        found = await asyncio.to_thread(find, version)
        whole.append(1e3 * await engine.update(*found, version, recompute=False))
        await asyncio.sleep(1.0)
    return {"stall": whole, **engine.calls}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weight_update", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"], help="of the model (default %(default)s)")
    parser.add_argument("--updates", type=int, default=8, help="loads that are measured (default %(default)s)")
    parser.add_argument("--transport", default="files", choices=["files", "direct"], help="how weights come (default %(default)s)")
    parser.add_argument("--size", choices=list(SIZES), help="only this model (default: both, one after the other)")
    options = parser.parse_args()
    if options.size is None:                       # one engine per process
        for size in SIZES:
            os.spawnlp(os.P_WAIT, sys.executable, sys.executable, "-m", "benchmarks.weight_update", "--dtype",
                       options.dtype, "--updates", str(options.updates), "--transport", options.transport, "--size", size)
        return
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as directory:
        parameters, nbytes = make(Path(directory), SIZES[options.size], options.dtype)
        read, copy = copy_ms(Path(directory) / "v00000000" / "weights.bin")
        times = asyncio.run(play(Path(directory), options.dtype, options.updates, 1000, options.transport))
        stall = [s - p for s, p in zip(times["stall"], times["pausing"], strict=True)]
        row = {"stall": times["stall"], "step": times["pausing"], "stall - step": stall, "load": times["loading"]}
        print(f"{options.size}: {parameters / 1e6:.1f}M {options.dtype} parameters, {nbytes / 1e6:.1f} MB, "
              f"read once {read:.1f} ms, copied in memory {copy:.1f} ms")
        for name, ms in row.items():
            print(f"  {name:12} median {statistics.median(ms):7.1f} ms   max {max(ms):7.1f}   "
                  f"{statistics.median(ms) / read:5.1f} x read {statistics.median(ms) / copy:5.1f} x copy", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
