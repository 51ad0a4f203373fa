"""An engine without vLLM and the made vocabulary it speaks, for benchmarks and tests. It waits for its event loop only."""
import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models

from areal_lite.config import Stage
from areal_lite.generation.engine import EngineError, Output, Sampling
from areal_lite.weights import DIRECT, Manifest, check_same_shape

LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
WORDS = ["<eos>", "<pad>", "\\boxed{", "}", " ", *map(str, range(10)), *LETTERS, *[f"<{i}>" for i in range(23)]]
EOS, BOX, CLOSE, SPACE, ZERO, A = (WORDS.index(w) for w in ("<eos>", "\\boxed{", "}", " ", "0", "a"))


def write_tokenizer(directory: Path) -> None:
    """tokenizer.json with one token per word, decoded by joining; and the end-of-sequence token in config.json."""
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<pad>"))
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(["<eos>", "<pad>"])
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "generation_config.json").write_text(f'{{"eos_token_id": [{EOS}]}}')


class FakeEngine:
    """Thinks aloud in random letters, then boxes the last token of the prompt, or some other digit.

    Everything follows from the sampling seed: the length (up to twice max_tokens, then cut), the letters, and whether
    the answer is right (with probability 1/2). A token's logprob is `logprob(version, position, token)`.
    """

    def __init__(self, stage: Stage, *, seed: int = 0, tensor_parallel: int = 1, pipeline_parallel: int = 1,
                 token_s: float = 0.0, load_s: float = 0.0, probe_off: float = 0.0, dies_after: int = 0):
        """token_s: time a token takes; load_s: a load; probe_off: error of every probe; dies_after: so many tokens."""
        self._token_s, self._load_s, self._probe_off, self._dies_after = token_s, load_s, probe_off, dies_after
        self._running, self._first, self._manifest, self._group = asyncio.Event(), None, None, None
        self.version, self.generated_tokens, self.errored, self._clock_s = -1, 0, False, stage.generation.update_timeout_s
        self.loads: list[int] = []
        """Versions, in the order they were loaded."""

    async def start(self) -> None:
        """Nothing to do."""

    @staticmethod
    def logprob(version: int, position: int, token: int) -> float:
        """In [-2, -1), and different for neighbouring versions, positions and tokens."""
        return -1.0 - (version * 31 + position * 7 + token * 3) % 97 / 97

    @staticmethod
    def tokens(prompt_ids: Sequence[int], sampling: Sampling) -> list[int]:
        """The answer that this seed gives, with its end-of-sequence token, cut to max_tokens."""
        random = np.random.default_rng(sampling.seed)
        thinking = A + random.integers(0, len(LETTERS), random.integers(1, 2 * sampling.max_tokens))
        right = int(prompt_ids[-1])
        answer = right if random.random() < 0.5 else SPACE + 1 + int(random.integers(0, 10))
        return [*map(int, thinking), BOX, answer, CLOSE, EOS][:sampling.max_tokens]

    async def generate(self, prompt_ids: np.ndarray, sampling: Sampling, request_id: str) -> Output:
        """As VLLMEngine's: frozen during an update, then goes on under the new version."""
        tokens = self.tokens(prompt_ids, sampling)
        logprobs, versions = [], []
        for position, token in enumerate(tokens):
            await asyncio.sleep(self._token_s)
            await self._running.wait()
            if self._dies_after and self.generated_tokens >= self._dies_after:
                self.errored = True
                raise EngineError(f"request {request_id}: the fake engine died")
            self.generated_tokens += 1
            logprobs.append(self.logprob(self.version, position, token))
            versions.append(self.version)
        return Output(np.array(tokens, np.int32), np.array(logprobs, np.float32), np.array(versions, np.int32),
                      "stop" if tokens[-1] == EOS else "length")

    async def probe(self, token_ids: Sequence[int]) -> np.ndarray:
        """What the manifest promises, plus probe_off."""
        assert tuple(token_ids) == self._manifest.probe_ids
        return np.array(self._manifest.probe_logprobs, np.float32) + np.float32(self._probe_off)

    async def update(self, path: str, manifest: Manifest, version: int, *, recompute: bool) -> float:
        """As VLLMEngine's; of files it reads nothing but the manifest, and what a trainer sends it takes and forgets."""
        if self._first is not None:
            check_same_shape(self._first, manifest)
        self._running.clear()
        if path.startswith(DIRECT):
            await asyncio.to_thread(self._receive, path, manifest)
        await asyncio.sleep(self._load_s)
        self._first, self._manifest, self.version = self._first or manifest, manifest, version
        self.loads.append(version)
        self._running.set()
        return self._load_s

    def _receive(self, path: str, manifest: Manifest) -> None:
        import torch

        from areal_lite.direct import Group
        if self._group is None or self._group.path != path:
            self._group = Group(path, 1, 2, torch.device("cpu"), self._clock_s)
        self._group.receive(manifest, lambda tensors: [None for _ in tensors])

    async def adopt(self, version: int) -> None:
        """As VLLMEngine's."""
        assert self._first is None
        self.version = version
        self._running.set()
