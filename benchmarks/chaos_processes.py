"""The processes of a simulated run, each forked by chaos_simulated.py: the real master, a real generation server around an
engine without vLLM, and a trainer that only counts.

An engine's logprobs follow from the checksum of its weights, so the trainer knows of every token which of the weights
that were ever published sampled it. Each waits for what its original waits for.
"""
import asyncio
import json
import os
import random
import shutil
import signal
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from areal_lite import record, weights
from areal_lite.config import Stage
from areal_lite.generation.engine import stop_token_ids
from areal_lite.generation.server import Server
from areal_lite.master.__main__ import listen
from areal_lite.master.main import Master
from areal_lite.rewards.math import grade
from areal_lite.streams import Broken, Spoke, announce, find, read_keys
from areal_lite.types import Batch, Hello, Stop, Trajectory, Update
from benchmarks.fakes import FakeEngine

CHECKPOINT_EVERY = 2


@dataclass(frozen=True)
class Noise:
    """What every server's messages suffer: shares of trajectories sent twice and sent late."""
    twice: float
    late: float
    seed: int


class NoisySpoke(Spoke):
    """Sends some trajectories twice and some late, as long as the connection is the one they were meant for."""

    def __init__(self, *args, noise: Noise, **kw):
        self._noise, self._random, self._joined = noise, random.Random(noise.seed), 0
        super().__init__(*args, **kw)

    def send(self, message: object) -> None:
        """Now, or now and again, or later."""
        self._joined += isinstance(message, Hello)
        chance = self._random.random()
        if not isinstance(message, Trajectory) or chance > self._noise.twice + self._noise.late:
            super().send(message)
            return
        if chance < self._noise.twice:
            super().send(message)
        timer = threading.Timer(self._random.uniform(0, 0.2), self._later, (self._joined, message))
        timer.daemon = True
        timer.start()

    def _later(self, joined: int, message: object) -> None:
        if joined == self._joined:
            super().send(message)


class Engine(FakeEngine):
    """Its logprobs tell which weight file sampled a token; SIGUSR2 makes it slow for a while."""

    def __init__(self, stage: Stage, seed: int):
        super().__init__(stage, seed=seed, token_s=0.001)
        self.sums: dict[int, int] = {}

    def logprob(self, version: int, position: int, token: int) -> float:
        """Of the checksum in the version's place."""
        return mark(self.sums[version], position, token)

    async def update(self, path: str, manifest: weights.Manifest, version: int, *, recompute: bool) -> float:
        """As FakeEngine's."""
        self.sums[version] = short(manifest.checksum)
        return await super().update(path, manifest, version, recompute=recompute)

    def slow(self) -> None:
        """A token takes 20 ms for the next second."""
        self._token_s = 0.02
        asyncio.get_running_loop().call_later(1.0, setattr, self, "_token_s", 0.001)


def mark(checksum: int, position: int, token: int) -> float:
    """The logprob of a token under the weights of this checksum."""
    return FakeEngine.logprob(checksum, position, token)


def short(checksum: str) -> int:
    """A checksum as a number that the engine's arithmetic takes."""
    return int(checksum[:8], 16)


class Grader:
    """VerifierPool's face, in this process."""

    def submit(self, response: str, answers: tuple[str, ...], finish: str = "stop") -> Future:
        """Graded at once."""
        done: Future = Future()
        done.set_result(grade(response, answers))
        return done


def serve(stage: Stage, directory: Path, index: int, restart: int, address: str, noise: Noise) -> None:
    """A generation server's process, with its exit statuses."""
    async def life() -> int:
        loop, inbox = asyncio.get_running_loop(), asyncio.Queue()
        engine = Engine(stage, index)
        loop.add_signal_handler(signal.SIGUSR2, engine.slow)
        server = Server(stage, index, restart, engine, Grader(), Tokenizer.from_file(f"{stage.model.path}/tokenizer.json"),
                        stop_token_ids(stage.model.path))
        spoke = NoisySpoke(f"tcp://{address}", f"generation-{index}", read_keys(directory / "keys"),
                           lambda message: loop.call_soon_threadsafe(inbox.put_nowait, message), stage.cluster.silence_s, noise=noise)
        try:
            why = await server.run(spoke, inbox)
        except ExceptionGroup as several:
            print(f"server {index} stops: {several.exceptions[0]}", flush=True)
            spoke.close(1.0)
            return 1
        spoke.close(1.0)
        print(f"server {index} stops: {why}", flush=True)
        return 0 if why == "finished" else record.AGAIN
    os._exit(asyncio.run(life()))


def schedule(stage: Stage, directory: Path, port: int) -> None:
    """The master's process."""
    hub = listen(stage, read_keys(directory / "keys"), port)
    master = Master(stage, directory, hub)
    announce(directory, hub.address)
    try:
        master.run()
    finally:
        hub.close(2.0)


def train(stage: Stage, directory: Path, attempt: int) -> None:
    """The trainer's process: writes down what it would have learnt from, makes a version of it, checkpoints every second one."""
    saved = record.checkpoints(directory)
    made = json.loads(checkpoint(directory, saved[-1]).read_text()) if saved else [[attempt, 0]]
    """Of every version so far: which attempt made it, and its checksum."""
    record.append(directory / "trained.jsonl", {"from": len(made) - 1})
    address, keys = find(directory, 20.0)
    spoke = Spoke(address, "trainer-0", keys, silence_s=stage.cluster.hang_s)
    spoke.send(Hello("trainer", 0, os.getpid()))
    spoke.send(publish(stage, directory, len(made) - 1, made))
    while True:
        message, version = spoke.receive(1.0), len(made) - 1
        if isinstance(message, Batch):
            ever = published(directory)
            answers = [answer(t, made, ever) for m in message.minibatches for t in m.trajectories]
            record.append(directory / "trained.jsonl", {"step": message.step, "version": version, "answers": answers})
            time.sleep(0.02)
            made.append([attempt, 0])
            spoke.send(replace(publish(stage, directory, version + 1, made), metrics={"loss": 0.0}))
            if (version + 1) % CHECKPOINT_EVERY == 0:
                save(directory, version + 1, made)
        elif isinstance(message, Stop) and message.reason == "finished":
            record.write(directory / "finished.json", "{}")
            spoke.close(1.0)
            return
        elif isinstance(message, Stop | Broken):
            raise SystemExit(f"the trainer stops: {message.reason}")


def checkpoint(directory: Path, version: int) -> Path:
    """A checkpoint's only file."""
    return directory / "checkpoints" / f"step-{version:08d}" / "made.json"


def save(directory: Path, version: int, made: list[list[int]]) -> None:
    """As the trainer does: whole under its name or not there, and the newest two stay."""
    file = checkpoint(directory, version)
    partial = file.parent.with_suffix(".partial")
    partial.mkdir(parents=True)
    (partial / file.name).write_text(json.dumps(made))
    partial.rename(file.parent)
    for old in record.checkpoints(directory)[:-2]:
        shutil.rmtree(checkpoint(directory, old).parent)


def publish(stage: Stage, directory: Path, version: int, made: list[list[int]]) -> Update:
    """A version's weights say which attempt made them, so that those of a past that did not last can be told apart."""
    tensor = np.array([version, made[version][0], 0, 0], np.float32)
    path, checksum = weights.publish(stage.cluster.weights_dir, version, [("w", "float32", (4,), tensor)], (1, 2), (0.0, -1.0))
    made[version][1] = short(checksum)
    record.append(directory / "published.jsonl", {"version": version, "checksum": made[version][1]})
    return Update(version, path, checksum)


def answer(t: Trajectory, made: list[list[int]], ever: dict[int, set[int]]) -> list[int]:
    """[k, sample, oldest version, newest version, tokens of no weights that were ever published, tokens of weights that did
    not last]."""
    foreign = lost = 0
    for position, (version, token, logprob) in enumerate(zip(t.versions.tolist(), t.output_ids.tolist(), t.logprobs.tolist(), strict=True)):
        by = {checksum for checksum in ever.get(version, ()) if abs(mark(checksum, position, token) - logprob) < 1e-5}
        foreign += not by
        lost += bool(by) and not (version < len(made) and made[version][1] in by)
    return [t.k, t.sample, int(t.versions.min()), int(t.versions.max()), foreign, lost]


def published(directory: Path) -> dict[int, set[int]]:
    """Checksums of everything that was ever published, by version."""
    ever: dict[int, set[int]] = {}
    for row in record.read(directory / "published.jsonl"):
        ever.setdefault(row["version"], set()).add(row["checksum"])
    return ever
