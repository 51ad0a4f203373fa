"""What we rely on in vLLM, played on the real engine: python -m tests.vllm_contract MODEL_DIR WEIGHTS_ROOT OUT_DIR.

WEIGHTS_ROOT holds versions 0 to 3 and 4, which lacks half of the tensors. Every answer goes to OUT_DIR/NAME.npz, what
was refused and counted to OUT_DIR/facts.json; test_generation.py compares them with transformers. A process of its own,
because vLLM forks from it.
"""
import asyncio
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from areal_lite.config.schema import Cluster, Data, Generation, Model, Stage
from areal_lite.generation.engine import EngineError, Sampling, VLLMEngine
from areal_lite.weights import WeightsError, read_manifest
from tests.tiny import A

TEMPERATURE = 0.6
RUNNING = 6
SHORT = [np.arange(A + i, A + i + 9, dtype=np.int32) for i in range(RUNNING)]
LONG = (A + np.arange(300, dtype=np.int32) * 7 % 40).astype(np.int32)


class Play:
    """One engine and the files it writes."""

    def __init__(self, model: str, root: Path, out: Path):
        stage = Stage(
            model=Model(path=model, dtype="float32"), data=Data(max_prompt_tokens=320), cluster=Cluster(device="cpu"),
            generation=Generation(max_new_tokens=400, max_concurrency=16, temperature=TEMPERATURE, update_timeout_s=20))
        self.engine, self.root, self.out, self.facts, self.tokens = VLLMEngine(stage, seed=3), root, out, {}, 0

    async def answer(self, name: str, prompt: np.ndarray, tokens: int, seed: int, temperature=TEMPERATURE) -> None:
        output = await self.engine.generate(prompt, Sampling(temperature, 1.0, tokens, seed), name)
        self.tokens += len(output.token_ids)
        np.savez(self.out / name, prompt=prompt, **asdict(output))

    async def update(self, version: int, recompute: bool = False, promise: int | None = None) -> None:
        """Load a version; promise: under the manifest of another one."""
        path = self.root / f"v{version:08d}"
        manifest = read_manifest(self.root / f"v{promise or version:08d}")
        await self.engine.update(str(path), manifest, version, recompute=recompute)

    async def update_in_flight(self, name: str, version: int, recompute: bool) -> None:
        """Answers that have some 60 tokens each when the version changes."""
        begin, deadline = self.engine.generated_tokens, time.monotonic() + 30
        answers = [asyncio.create_task(self.answer(f"{name}{i}", p, 200, i)) for i, p in enumerate(SHORT)]
        while self.engine.generated_tokens < begin + 60 * RUNNING:
            assert time.monotonic() < deadline, "vLLM does not generate"
            await asyncio.sleep(0.002)
        await self.update(version, recompute)
        await asyncio.gather(*answers)

    async def refused(self, name: str, version: int, promise: int | None = None) -> None:
        try:
            await self.update(version, promise=promise)
        except (WeightsError, EngineError) as error:
            self.facts[name] = [type(error).__name__, str(error)]

    async def play(self) -> None:
        await self.engine.start()
        await self.update(0)
        np.save(self.out / "probe.npy", await self.engine.probe(LONG))
        await self.answer("alone", SHORT[0], 60, seed=7)
        await asyncio.gather(self.answer("greedy", SHORT[1], 40, 1, temperature=0.0),
                             *[self.answer(f"seed{s}", SHORT[0], 60, seed=s) for s in (7, 8, 1 << 61)])
        await self.update_in_flight("kept", 1, recompute=False)
        await self.answer("cached", LONG, 4, seed=1)
        await self.update(2)
        await self.answer("salted", LONG, 4, seed=1)
        await self.update_in_flight("recomputed", 3, recompute=True)
        await self.refused("half", 4)
        await self.answer("after_refusal", SHORT[2], 40, seed=5)
        self.facts |= {"counted": self.engine.generated_tokens, "made": self.tokens, "version": self.engine.version}
        await self.refused("torn", 4, promise=3)
        (self.out / "facts.json").write_text(json.dumps(self.facts))


if __name__ == "__main__":
    asyncio.run(Play(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])).play())
    os._exit(0)
