"""Questions -> finished answers, by generation servers of this node: the master's part of an evaluation.

Starts the servers, waits for their messages 0.1 s at a time, and hands every finished question on at once. A server that
dies is started again and its answers are given to others; one that never gets ready, or a time in which nobody samples
a token, ends the evaluation with a sentence that says why.
"""
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from areal_lite import record
from areal_lite.config import Stage, to_yaml
from areal_lite.evaluation.questions import Question
from areal_lite.evaluation.scheduler import Scheduler
from areal_lite.launch.placement import Process
from areal_lite.launch.supervise import Child, Children, how_it_ended, last_words, visible
from areal_lite.streams import Hub, announce, make_keys
from areal_lite.types import Heartbeat, Stop, Trajectory
from realhf import allocation

LIVES = 3
"""Deaths of one server in a row, without an answer in between, that end the evaluation."""
GRACE_S = 20.0
SAY_S = 10.0


class EvaluationFailed(RuntimeError):
    """It cannot go on; the message says what to do. What is finished is kept."""


class Servers:
    """The generation servers of one model, and the hub they speak to."""

    def __init__(self, stage: Stage, directory: Path, hang_s: float, module: str):
        """directory: for the servers' configuration, keys and logs; hang_s: how long nothing may move; module: what a
        server process runs."""
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        record.write(directory / "config.yaml", to_yaml(stage))
        environment = {}
        if stage.cluster.device == "cpu":
            environment = {"OMP_NUM_THREADS": str(stage.generation.threads), "CUDA_VISIBLE_DEVICES": ""}
        self.directory, self.hang_s = directory, hang_s
        self.processes = processes(stage, module)
        self.children = Children(directory, environment)
        self.deaths: dict[str, int] = {}
        self.beats: dict[str, Heartbeat] = {}
        self.tokens, self.delivered, self.moved = 0.0, 0, time.monotonic()

    def answer(self, scheduler: Scheduler, finished: Callable[[Question, list[Trajectory]], None],
               say: Callable[[str], None]) -> None:
        """Until every question of the scheduler is finished; finished(question, answers) is called for each, say(text)
        for news. EvaluationFailed when it cannot be brought there."""
        self.hub = Hub("tcp://127.0.0.1:*", make_keys(self.directory / "keys"))
        try:
            announce(self.directory, self.hub.address)
            for spec in self.processes:
                self.children.start(spec, ("--restart", "0"))
            said = time.monotonic()
            while not scheduler.done:
                self._receive(scheduler)
                for question, answers in scheduler.finished:
                    finished(question, answers)
                scheduler.finished.clear()
                for child, status in self.children.ended():
                    self._ended(scheduler, child, status, say)
                if time.monotonic() - said > SAY_S:
                    said = time.monotonic()
                    say(self._doing())
                if time.monotonic() - self.moved > self.hang_s:
                    raise EvaluationFailed(f"nothing has moved for {self.hang_s:g} s (hang_s): {self._doing()}; the servers' "
                                           f"logs are in {self.directory / 'logs'}")
            self._leave(scheduler)
        finally:
            self.children.stop()
            self.hub.close(0)
            shutil.rmtree(self.directory / "keys", ignore_errors=True)

    def _receive(self, scheduler: Scheduler) -> None:
        got = self.hub.receive(timeout_s=0.1)
        if got is None:
            return
        peer, message = got
        if isinstance(message, Heartbeat):
            self.beats[peer] = message
            self.hub.send(peer, Heartbeat("serving", 0.0))
            tokens = sum(b.counters.get("generated_tokens", 0.0) for b in self.beats.values())
            if tokens != self.tokens:
                self.tokens, self.moved = tokens, time.monotonic()
            return
        self.moved = time.monotonic()
        if isinstance(message, Trajectory):
            self.deaths[peer] = 0
            self.delivered += len(message.output_ids)
        self._send(scheduler.on(peer, message))

    def _send(self, outgoing: list[tuple[str, object]]) -> None:
        for peer, message in outgoing:
            self.hub.send(peer, message)       # to a peer that is gone: dropped, its process's end is noticed

    def _ended(self, scheduler: Scheduler, child: Child, status: int, say: Callable[[str], None]) -> None:
        name = child.spec.name
        self.deaths[name] = self.deaths.get(name, 0) + 1
        told = f"{name} {how_it_ended(status)}. Its last lines ({child.log}):\n{last_words(child.log)}"
        if self.deaths[name] >= LIVES:
            raise EvaluationFailed(f"{name} died {LIVES} times without an answer. {told}")
        say(f"{name} {how_it_ended(status)}; starting it again, its unfinished answers go to others")
        self._send(scheduler.lost(name))
        self.beats.pop(name, None)
        self.children.start(child.spec, ("--restart", str(child.restart + 1)), child.restart + 1)

    def _leave(self, scheduler: Scheduler) -> None:
        """Tell the servers to stop and give them a moment to; one that is still starting is not waited for."""
        self._send([(peer, Stop("finished")) for peer in scheduler.servers])
        self.children.stop([name for name in self.children.running if name not in scheduler.servers])
        end = time.monotonic() + GRACE_S
        while self.children.running and time.monotonic() < end:
            self.hub.receive(timeout_s=0.1)
            self.children.ended()

    def _doing(self) -> str:
        beats = (f"{p} {b.doing}, {b.counters.get('running', 0):.0f} answers running"
                 for p, b in sorted(self.beats.items()))
        return f"{self.tokens:,.0f} tokens sampled; {'; '.join(beats) or 'servers are starting'}"


def processes(stage: Stage, module: str) -> list[Process]:
    """One per server, with neighbouring GPUs of its own. On CPU a server gets none. ValueError when too few are visible."""
    layout = allocation.parse(stage.cluster.allocation).generation
    size = layout.world_size // layout.data_parallel
    gpus = tuple(range(layout.world_size)) if stage.cluster.device == "cuda" else ()
    try:
        visible(gpus, os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    except ValueError as error:
        raise ValueError(f"servers times tensor is {layout.world_size}: {error}") from error
    return [Process(f"generation-{i}", module, ("--index", str(i)), 0, gpus[i * size:(i + 1) * size]) for i in range(layout.data_parallel)]
