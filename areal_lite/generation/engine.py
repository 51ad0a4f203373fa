"""The only file that drives vLLM: one AsyncLLM that samples, freezes, loads new weights and goes on.

Consumes token ids and a published weight version, gives back token ids with the logprob and the weight version of
every token. Waits for EngineCore, a process of vLLM's own, always with a clock; `errored` says when it has died.
vllm is imported by start(), after the environment that it reads at import is set.
"""
import asyncio
import functools
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from areal_lite.config.schema import Stage
from areal_lite.generation.worker_extension import begin_core
from areal_lite.types import Finish
from areal_lite.weights import DIRECT, Manifest, check_same_shape

_CPU_KV_BYTES = 512 << 20
_STREAM_INTERVAL = 16


class EngineError(RuntimeError):
    """The engine can no longer be trusted or has died: the process has to end."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one answer is drawn."""
    temperature: float
    """0 is greedy."""
    top_p: float
    max_tokens: int
    seed: int
    """Same seed, prompt, weights and server: same answer."""


@dataclass(frozen=True, slots=True)
class Output:
    """One finished answer of T tokens."""
    token_ids: np.ndarray
    """[T] int32, the stop token included"""
    logprobs: np.ndarray
    """[T] float32, aligned; of the distribution sampled from, or of the plain softmax when that is greedy"""
    versions: np.ndarray
    """[T] int32, the weight version that sampled each token"""
    finish: Finish


class VLLMEngine:
    """A vLLM engine for one model. All methods belong to the event loop that ran start()."""

    def __init__(self, stage: Stage, *, seed: int, tensor_parallel: int = 1, pipeline_parallel: int = 1):
        """stage: model, lengths, memory and device. seed: of the engine itself; answers carry their own."""
        self._stage, self._seed = stage, seed
        self._parallel = {"tensor_parallel_size": tensor_parallel, "pipeline_parallel_size": pipeline_parallel}
        self._llm = None
        self._first: Manifest | None = None
        self._running = asyncio.Event()
        self._params = None                        # SamplingParams with what all requests share
        self._salt = ""
        """Of the prefix cache: new requests must not meet keys and values that other weights computed."""
        self.version = -1
        """Of the weights in the engine; -1 before the first update."""
        self.generated_tokens = 0
        """Sampled so far, those of unfinished answers included (up to 15 tokens of each are not counted yet)."""

    async def start(self) -> None:
        """Start EngineCore with the model. ValueError when vLLM or a file of the model is missing, EngineError when
        EngineCore does not answer; whatever else stops vLLM is vLLM's own error."""
        stop_ids, stop = stop_token_ids(self._stage.model.path), list(self._stage.generation.stop)
        _environment(self._stage)
        try:
            from vllm import SamplingParams
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.sampling_params import RequestOutputKind
            from vllm.v1.engine.async_llm import AsyncLLM
        except ImportError as error:
            raise ValueError(f"generation needs vLLM ({error}): pip install -e '.[gpu]', or '.[cpu]' without a GPU") from error
        self._params = functools.partial(
            SamplingParams, stop=stop, detokenize=bool(stop), stop_token_ids=stop_ids, flat_logprobs=True,
            output_kind=RequestOutputKind.DELTA, stream_interval=_STREAM_INTERVAL)
        config = AsyncEngineArgs(**self._arguments()).create_engine_config()
        if self._stage.cluster.device == "cpu":    # only now: create_engine_config chooses spawn, 20 s slower
            os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "fork"
        os.register_at_fork(after_in_child=begin_core)     # EngineCore, while it still starts
        self._llm = AsyncLLM.from_vllm_config(config, disable_log_stats=True)
        await self._answer(self._llm.collective_rpc("follow_server", args=(os.getpid(),)), "following the server")

    def _arguments(self) -> dict:
        stage, generation = self._stage, self._stage.generation
        new_tokens = max(generation.max_new_tokens, stage.evaluation.max_new_tokens)
        arguments = {
            "model": stage.model.path, "dtype": stage.model.dtype, "seed": self._seed,
            "max_model_len": stage.data.max_prompt_tokens + new_tokens,
            "max_num_seqs": generation.max_concurrency + 1, "scheduling_policy": "priority",  # the probe has a place
            "enable_prefix_caching": True,
            "skip_tokenizer_init": not generation.stop, "generation_config": "vllm", "disable_log_stats": True,
            "logprobs_mode": "raw_logprobs" if generation.temperature == 1.0 else "processed_logprobs",
            "worker_extension_cls": "areal_lite.generation.worker_extension.WorkerExtension",
            "enforce_eager": generation.enforce_eager, **self._parallel,
            "gpu_memory_utilization": generation.memory_utilization,
            "kv_cache_memory_bytes": generation.kv_cache_bytes or None,
        }
        if stage.cluster.device == "cpu":
            arguments |= {"enforce_eager": True, "kv_cache_memory_bytes": generation.kv_cache_bytes or _CPU_KV_BYTES,
                          "enable_chunked_prefill": False,     # vLLM 0.32 dies of a seeded prompt in chunks on CPU
                          "distributed_executor_backend": "vllm.v1.executor.uniproc_executor.UniProcExecutor"}
        return arguments

    @property
    def errored(self) -> bool:
        """EngineCore has died; a call that was pending then never returns by itself."""
        return self._llm is not None and self._llm.errored

    async def generate(self, prompt_ids: np.ndarray, sampling: Sampling, request_id: str) -> Output:
        """Sample one answer to prompt_ids [P], across weight updates if there are any. Needs a first update.

        EngineError when the engine dies or refuses the request.
        """
        await self._running.wait()                 # a paused engine would take it under the old version's salt
        prompt = {"prompt_token_ids": prompt_ids.tolist(), "cache_salt": self._salt}
        params = self._params(temperature=sampling.temperature, top_p=sampling.top_p, seed=sampling.seed,
                              max_tokens=sampling.max_tokens, logprobs=0)
        token_ids, logprobs = [], []
        async for answer, _ in self._stream(prompt, params, request_id):
            token_ids += answer.token_ids
            logprobs += answer.logprobs.logprobs
            self.generated_tokens += len(answer.token_ids)
        if answer.finish_reason not in ("stop", "length"):
            raise EngineError(f"request {request_id} ended by {answer.finish_reason!r}")
        versions = np.full(len(token_ids), -1, np.int32)
        for span in answer.weight_versions:
            versions[span.start:span.end] = int(span.version)
        assert len(logprobs) == len(token_ids) and (versions >= 0).all(), f"{request_id}: a token without its facts"
        return Output(np.array(token_ids, np.int32), np.array(logprobs, np.float32), versions, answer.finish_reason)

    async def probe(self, token_ids: Sequence[int]) -> np.ndarray:
        """Logprobs [L] float32 of a sequence at temperature 1 under the present weights, aligned; index 0 is 0."""
        if not len(token_ids):
            return np.zeros(0, np.float32)
        prompt = {"prompt_token_ids": [int(t) for t in token_ids], "cache_salt": f"probe {self._salt}"}
        params = self._params(max_tokens=1, prompt_logprobs=0)
        scores = []
        async for _, prompt_logprobs in self._stream(prompt, params, f"probe {self._salt}", priority=-1):
            scores += prompt_logprobs.logprobs if prompt_logprobs else []
        return np.array([0.0, *scores], np.float32)

    async def _stream(self, prompt: dict, params: object, name: str, priority: int = 0) -> AsyncIterator[tuple]:
        """(new part of the answer, prompt logprobs) of one vLLM request; the lower priority goes first."""
        try:
            async for step in self._llm.generate(prompt, params, name, priority=priority):
                yield step.outputs[0], step.prompt_logprobs
        except Exception as error:                 # vLLM's many kinds; all mean that this request is lost
            cause = error.__cause__ or error
            raise EngineError(f"request {name}: {type(cause).__name__}: {cause}") from error

    async def update(self, path: str, manifest: Manifest, version: int, *, recompute: bool) -> float:
        """Freeze every request, load PATH (a directory, or a direct.Offer's), go on; return the seconds in between.

        recompute: prefill running requests again under the new weights instead of keeping their key-value cache.
        WeightsError when the manifest does not match the first one: nothing was touched, generation never stopped.
        EngineError when loading failed twice: the engine stays paused for good.
        """
        if self._first is not None:
            check_same_shape(self._first, manifest)
        begin = time.monotonic()
        self._running.clear()
        await self._answer(self._llm.pause_generation(mode="keep", clear_cache=recompute), "pausing")
        await self._load(path, manifest, version)
        await self._answer(self._llm.update_weight_version(str(version)), "stamping the version")
        self._first, self.version, self._salt = self._first or manifest, version, f"{version} {manifest.checksum}"
        await self._answer(self._llm.resume_generation(), "resuming")
        self._running.set()
        return time.monotonic() - begin

    async def adopt(self, version: int) -> None:
        """Call the weights that start() read from the model directory `version`, and go on. Not after an update."""
        assert self._first is None, "the model directory's own weights are gone after an update"
        await self._answer(self._llm.update_weight_version(str(version)), "stamping the version")
        self.version, self._salt = version, f"{version} of the model directory"
        self._running.set()

    async def _load(self, path: str, manifest: Manifest, version: int, tries: int = 2) -> None:
        method, arguments = "load_weights_file", (path,)
        if path.startswith(DIRECT):                # which is sent again before it fails
            method, tries = "receive_weights", 1
            arguments = path, json.dumps(asdict(manifest)), self._stage.generation.update_timeout_s
        try:
            await self._answer(self._llm.collective_rpc(method, args=arguments), f"loading version {version} from {path}")
        except EngineError:
            raise
        except Exception as error:                 # the worker's error arrives as a bare Exception
            if tries == 1:
                raise EngineError(f"version {version} does not load from {path}: {error}") from error
            await self._load(path, manifest, version, tries - 1)

    async def _answer(self, call: Awaitable, what: str) -> object:
        """Await a call to EngineCore under the configured clock."""
        seconds = self._stage.generation.update_timeout_s
        try:
            async with asyncio.timeout(seconds):
                return await call
        except TimeoutError as error:
            raise EngineError(f"vLLM did not answer within {seconds:g} s while {what}") from error

    def shutdown(self) -> None:
        """End EngineCore."""
        if self._llm is not None:
            self._llm.shutdown()


def stop_token_ids(model: str) -> list[int]:
    """End-of-sequence tokens of a model directory: generation_config.json's, else config.json's. ValueError if none."""
    for name in ("generation_config.json", "config.json"):
        file = Path(model) / name
        try:
            found = json.loads(file.read_text()).get("eos_token_id")
        except FileNotFoundError:
            continue
        except json.JSONDecodeError as error:
            raise ValueError(f"{file} is not JSON: {error}") from error
        if found is not None:
            return [found] if isinstance(found, int) else sorted(found)
    raise ValueError(f"{model}: no eos_token_id in generation_config.json or config.json; answers would never stop")


def _environment(stage: Stage) -> None:
    """What vLLM and torch read when they are imported."""
    words = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1",
             "VLLM_USE_V2_MODEL_RUNNER": "0",      # the one of CPUs too, on which all that is promised here was tested
             "VLLM_ENGINE_READY_TIMEOUT_S": str(int(stage.generation.start_timeout_s))}
    if stage.cluster.device == "cpu":              # without dynamo: it would compile one function for 3-11 s
        words |= {"TORCHDYNAMO_DISABLE": "1", "OMP_NUM_THREADS": str(stage.generation.threads)}
    for name, value in words.items():
        os.environ.setdefault(name, value)
