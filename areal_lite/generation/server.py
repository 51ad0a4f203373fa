"""One generation server: tickets in, scored trajectories out, new weights in between.

A ticket becomes one task per wanted sample: sample, decode, verify, reward, send. Updates are applied one at a time
while those tasks go on; when several wait, the last to come is applied and acknowledged. What was finished under
weights whose probe has not passed yet is held back until it has. When the connection to the master breaks, every
unfinished sample is dropped (the master gives it out again) and the server joins anew, with the weights it holds.
Waits for the master (tickets, updates), for the engine and for the verifier pool; whatever goes wrong ends run() with
the reason, and the launcher starts a new server.
"""
import asyncio
import hashlib
import itertools
import os
import time
from typing import Protocol

import numpy as np
from tokenizers import Tokenizer

from areal_lite.config.schema import Stage
from areal_lite.generation.engine import EngineError, Output, Sampling
from areal_lite.rewards import rules
from areal_lite.rewards.pool import VerifierPool
from areal_lite.streams import Broken, Spoke
from areal_lite.types import Damaged, Hello, Loaded, Missed, Stop, Ticket, Trajectory, Update
from areal_lite.weights import DIRECT, DamagedError, Manifest, WeightsError, read_manifest, verify
from realhf import allocation

_WATCH_S = 0.2
_AGAIN_S = 0.5
"""Between two attempts to reach a trainer that may be starting again."""
_DEFAULT_TOLERANCE = {"float32": 1e-4, "bfloat16": 0.3}


class Engine(Protocol):
    """What a server needs of an engine; engine.VLLMEngine says what each of these promises."""
    version: int
    generated_tokens: int
    errored: bool

    async def generate(self, prompt_ids: np.ndarray, sampling: Sampling, request_id: str) -> Output: ...
    async def probe(self, token_ids: tuple[int, ...]) -> np.ndarray: ...
    async def update(self, path: str, manifest: Manifest, version: int, *, recompute: bool) -> float: ...
    async def adopt(self, version: int) -> None: ...


class _Stopped(Exception):
    """The master said Stop."""


class Server:
    """Serves one spoke from one started engine."""

    def __init__(self, stage: Stage, index: int, restart: int, engine: Engine, pool: VerifierPool, tokenizer: Tokenizer,
                 stop_ids: list[int]):
        """index, restart: which server, and how often it was started again; they and stage.seed make the seeds."""
        self._stage, self._index, self._restart = stage, index, restart
        self._engine, self._pool, self._tokenizer, self._stop_ids = engine, pool, tokenizer, frozenset(stop_ids)
        self._tolerance = stage.generation.probe_tolerance or _DEFAULT_TOLERANCE[stage.model.dtype]
        self._updates: asyncio.Queue[Update] = asyncio.Queue()
        self._trusted = asyncio.Event()
        self._loaded: Loaded | None = None
        self._requests = itertools.count()
        self._sampling, self._scoring, self._applied, self._stall_s, self._note = 0, 0, 0, 0.0, ""
        layout = allocation.parse(stage.cluster.allocation).generation
        self._workers, self._source, self._joined = layout.t * layout.p, "", 0
        """How many vLLM has; where they had their weights from; how often the server joined."""
        self._before = 0
        """Tokens generated before the server joined this time; the master counts from its Hello."""

    async def run(self, spoke: Spoke, inbox: asyncio.Queue) -> str:
        """Serve until Stop arrives in inbox; returns its reason. ExceptionGroup of EngineError or WeightsError otherwise."""
        self._spoke, why = spoke, ""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                tasks.create_task(self._update())
                answers = self._join(set())
                while not why:
                    message = await inbox.get()
                    if isinstance(message, Ticket):
                        for sample in message.samples:
                            answers.add(task := tasks.create_task(self._answer(message, sample)))
                            task.add_done_callback(answers.discard)
                    elif isinstance(message, Update):
                        self._updates.put_nowait(message)
                    elif isinstance(message, Broken):
                        answers = self._join(answers)
                    elif isinstance(message, Stop):
                        why = message.reason
                raise _Stopped
        except* _Stopped:
            pass
        return why

    def _join(self, answers: set[asyncio.Task]) -> set[asyncio.Task]:
        """Say Hello, and forget everything the master of before had asked for."""
        for task in answers:
            task.cancel()
        while not self._updates.empty():
            self._updates.get_nowait()
        self._joined += 1
        self._sampling, self._scoring, self._before = 0, 0, self._engine.generated_tokens
        self._spoke.send(Hello("generation", self._index, os.getpid(), self._stage.generation.max_concurrency))
        return set()

    async def _answer(self, ticket: Ticket, sample: int) -> None:
        """One sample of a ticket, from prompt to sent trajectory."""
        assert self._engine.version >= 0, f"ticket {ticket.k} came before the first weights"
        begin = time.monotonic()
        sampling = self.sampling(ticket, sample)
        name = f"{ticket.purpose} {ticket.k}.{ticket.attempt}.{sample} #{next(self._requests)}"
        self._sampling += 1
        output = await self._engine.generate(ticket.prompt.token_ids, sampling, name)
        self._sampling -= 1
        self._scoring += 1
        answers = ticket.prompt.answers
        verdict = await asyncio.wrap_future(self._pool.submit(self.text(output), answers, output.finish))
        self._scoring -= 1
        reward = rules.reward(self._stage.reward, verdict, output.finish, len(output.token_ids), sampling.max_tokens)
        await self._trusted.wait()
        self._spoke.send(Trajectory(
            ticket.k, ticket.attempt, sample, ticket.purpose, ticket.prompt.token_ids,
            output.token_ids, output.logprobs, output.versions, output.finish,
            reward, verdict.outcome, verdict.extracted, time.monotonic() - begin))

    def sampling(self, ticket: Ticket, sample: int) -> Sampling:
        """How this sample is drawn. A training seed is its own on every server and every restart of it; an evaluation's
        is the same everywhere, so that a measurement does not depend on who was free."""
        generation, evaluation = self._stage.generation, self._stage.evaluation
        where = (self._index, self._restart) if ticket.purpose == "train" else ()
        facts = (self._stage.seed, *where, ticket.purpose, ticket.k, ticket.attempt, sample)
        seed = int.from_bytes(hashlib.blake2b(repr(facts).encode(), digest_size=8).digest(), "big") >> 2
        if ticket.purpose == "train":
            return Sampling(generation.temperature, 1.0, generation.max_new_tokens, seed)
        return Sampling(evaluation.temperature, evaluation.top_p,
                        evaluation.max_new_tokens or generation.max_new_tokens, seed)

    def text(self, output: Output) -> str:
        """What the verifier reads: without the end-of-sequence token and other special ones."""
        ids = output.token_ids.tolist()
        if ids and ids[-1] in self._stop_ids:
            ids.pop()
        return self._tokenizer.decode(ids, skip_special_tokens=True)

    async def _update(self) -> None:
        while True:
            update = await self._updates.get()
            while not self._updates.empty():
                update = self._updates.get_nowait()
            if self._loaded and (self._loaded.version, self._loaded.checksum) == (update.version, update.checksum):
                self._spoke.send(self._loaded)
            else:
                await self._apply(update)

    async def _apply(self, update: Update) -> None:
        """Load and acknowledge; an update without a path names the weights that the engine started with."""
        self._say(f"loading version {update.version}")
        joined, gap, seconds = self._joined, 0.0, 0.0
        if not update.path:
            await self._engine.adopt(update.version)
        elif found := await self._find(update):
            gap, seconds = await self._load(update, *found)
        else:
            self._spoke.send(Missed(update.version))
            self._say("")
            return
        self._trusted.set()
        self._applied, self._stall_s = self._applied + 1, self._stall_s + seconds
        self._loaded = Loaded(update.version, update.checksum, gap, seconds)
        if self._joined == joined:                 # else a master that has gone wanted it; the one of now says what it wants
            self._spoke.send(self._loaded)
        self._say("")

    async def _find(self, update: Update) -> tuple[str, Manifest] | None:
        """Where the engine can have it from, and what it is; None when the trainer, or the whole run, has gone on."""
        clock = self._stage.generation.update_timeout_s
        try:
            if update.path.startswith(DIRECT):
                return await self._ask(update, time.monotonic() + clock)
            async with asyncio.timeout(clock):             # not wait_for: that of Python 3.11 may swallow a cancellation
                return update.path, await asyncio.to_thread(_verified, update)
        except TimeoutError as error:
            raise EngineError(f"version {update.version} from {update.path} was not ready after {clock:g} s") from error
        except WeightsError as error:
            raise self._refused(update, error) from error

    async def _ask(self, update: Update, end: float) -> tuple[str, Manifest] | None:
        """As _find, of the trainer itself: it is this server's turn. A trainer that has died may be starting again."""
        from areal_lite import direct  # torch reads its environment once: not before the engine has set it

        name, joined, (source, _, group) = f"generation-{self._index}", self._joined, self._source.rpartition("/")
        in_group = int(group) if source == update.path else 0
        while True:
            try:
                left = max(end - time.monotonic(), _AGAIN_S)
                offer = await asyncio.to_thread(direct.ask, update.path, update.version, name, self._workers, in_group, left)
                break
            except OSError as error:
                if self._joined != joined:                 # the master of now will say where its trainer is
                    return None
                if time.monotonic() + _AGAIN_S > end:
                    raise EngineError(f"{name} did not get version {update.version} from {update.path}: {error}") from error
            await asyncio.sleep(_AGAIN_S)
        if offer is None:
            return None
        if offer.manifest.checksum != update.checksum:
            raise WeightsError(f"{update.path}: the manifest's checksum {offer.manifest.checksum} is not the update's {update.checksum}")
        return offer.path, offer.manifest

    def _refused(self, update: Update, error: WeightsError) -> WeightsError:
        if isinstance(error, DamagedError):                # nobody can load it, and only the trainer can publish it anew
            self._spoke.send(Damaged(update.version, str(error)))
        return type(error)(f"version {update.version} is refused: {error}")

    async def _load(self, update: Update, path: str, manifest: Manifest) -> tuple[float, float]:
        """Load, probe; (probe error, seconds of stall)."""
        clock = self._stage.generation.update_timeout_s
        try:
            self._trusted.clear()
            seconds = await self._engine.update(path, manifest, update.version, recompute=self._stage.generation.kv == "recompute")
            async with asyncio.timeout(clock):
                logprobs = await self._engine.probe(manifest.probe_ids)
            self._source = path
        except TimeoutError as error:
            raise EngineError(f"version {update.version} from {update.path} was not ready after {clock:g} s") from error
        except WeightsError as error:
            raise self._refused(update, error) from error
        gap = float(np.abs(logprobs - np.array(manifest.probe_logprobs, np.float32)).max(initial=0.0))
        if not gap <= self._tolerance:
            raise EngineError(
                f"version {update.version} from {update.path} loaded wrongly: on the probe vLLM's logprobs differ by "
                f"{gap:.3g} from the trainer's; generation.probe_tolerance allows {self._tolerance:g}")
        return gap, seconds

    async def _watch(self) -> None:
        """Notice a dead engine, and keep the heartbeat's numbers fresh."""
        while True:
            if self._engine.errored:
                raise EngineError("vLLM's EngineCore has died; its own last words are above")
            if not self._note.startswith("loading"):
                self._say("generating" if self._sampling else "scoring" if self._scoring else "waiting for a ticket")
            running = min(self._sampling, self._stage.generation.max_concurrency)
            self._spoke.counters({
                "generated_tokens": self._engine.generated_tokens - self._before, "running": running, "updates": self._applied,
                "queued": self._sampling - running, "scoring": self._scoring, "stall_s": self._stall_s})
            await asyncio.sleep(_WATCH_S)

    def _say(self, note: str) -> None:
        if note != self._note:
            self._note = note
            self._spoke.doing(note)


def _verified(update: Update) -> Manifest:
    manifest = read_manifest(update.path)
    verify(update.path, manifest, update.checksum)
    return manifest
