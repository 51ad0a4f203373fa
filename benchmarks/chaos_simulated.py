"""One simulated run under faults: the real master and the real generation servers, every one a process of its own on
loopback, around an engine without vLLM and a trainer that only counts. Clocks are short: a run takes seconds.

Plays a schedule of faults, starts again what dies by the launcher's rules, and reads what the trainer wrote down. Waits for
the stage's end, with a clock. Forks, so it is for a process without threads.
"""
import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from areal_lite import record
from areal_lite.config import Stage, to_yaml
from areal_lite.config.schema import Algorithm, Checkpoint, Cluster, Data, Evaluation, Generation, Model, Record, Until
from areal_lite.generation.worker_extension import die_with
from areal_lite.streams import make_keys, sockets
from benchmarks import chaos_checks as checks
from benchmarks.chaos_link import FORK, Link, free_port
from benchmarks.chaos_processes import Noise, schedule, serve, train
from benchmarks.fakes import write_tokenizer
from realhf import allocation

SILENCE_S, CLOCK_S = 0.6, 60.0
"""When a peer is declared lost; how long a run may take."""
KINDS = ("kill server", "stop server", "stop server long", "slow server", "partition", "partition long", "cut link",
         "corrupt weights", "kill master", "kill trainer", "stop master")
LASTS = {"stop server": 0.5, "partition": 0.5, "stop server long": 2.5, "partition long": 2.5, "cut link": 0.8, "stop master": 2.5}
"""Times SILENCE_S, at most."""


def short_clocks() -> None:
    """Heartbeats of this process and of those it forks, to go with SILENCE_S."""
    sockets.HEARTBEAT_S = 0.1


def draw_stage(source: random.Random, directory: Path) -> Stage:
    """A small stage with random rules."""
    staleness = source.choice((0, 1, 2, 4))
    return Stage(
        model=Model(path=str(directory / "model"), dtype="float32"), seed=source.randrange(1000),
        data=Data(path=str(directory / "rows.jsonl"), max_prompt_tokens=32),
        generation=Generation(max_new_tokens=24, max_concurrency=source.choice((8, 24)), update_timeout_s=5.0,
                              rolling=source.random() < 0.5, update_every=source.randint(1, staleness + 1)),
        algorithm=Algorithm(prompts_per_step=source.choice((2, 4)), group_size=4, max_staleness=staleness, minibatches=1,
                            filter_groups=source.choice(("none", "zero_variance"))),
        evaluation=Evaluation(path=source.choice(("", str(directory / "rows.jsonl"))), limit=3, temperature=0.0),
        until=Until(steps=source.randint(8, 12)), record=Record(tensorboard=False),
        checkpoint=Checkpoint(journal_gb=source.choice((0.0, 1.0))),
        cluster=Cluster(device="cpu", silence_s=SILENCE_S, hang_s=15.0, allocation=f"vllm.d{source.randint(1, 3)}+d1",
                        weights_dir=str(directory / "weights")))


@dataclass(frozen=True)
class Fault:
    """Strikes `server` delay_s after `version` was made; a stop or a cut is mended seconds later."""
    kind: str
    version: int
    delay_s: float
    server: int
    seconds: float


def draw_faults(source: random.Random, stage: Stage, kinds: tuple[str, ...]) -> list[Fault]:
    """One to four of these kinds, at random points of the run."""
    servers = allocation.parse(stage.cluster.allocation).generation.d
    drawn = [source.choice(kinds) for _ in range(source.randint(1, 4))]
    return [Fault(kind, source.randrange(stage.until.steps - 2), source.uniform(0, 0.1), source.randrange(servers),
                  SILENCE_S * LASTS.get(kind, 0.0) * source.uniform(0.6, 1.0)) for kind in drawn]


class Run:
    """One run: play() returns what is broken."""

    def __init__(self, directory: Path, seed: int, kinds: tuple[str, ...] = KINDS):
        source = random.Random(seed)
        self.root, self.directory, self.stage = directory, directory / "main", draw_stage(source, directory)
        self.faults = draw_faults(source, self.stage, kinds)
        self.noise = [Noise(source.choice((0.0, 0.1)), source.choice((0.0, 0.1)), source.randrange(1000)) for _ in range(4)]
        self.struck: list[str] = []
        self.broken: list[str] = []
        self.later: list[tuple[float, Callable[[], object]]] = []
        """(when, what) still to be done: faults that are due, faults that end."""
        self.killed, self.attempt, self.restarts = False, 0, Counter()
        write_tokenizer(directory / "model")
        (directory / "model" / "tokenizer_config.json").write_text('{"eos_token": "<eos>"}')
        (directory / "rows.jsonl").write_text("".join(
            json.dumps({"id": str(i), "prompt": str(i), "answers": [str(i)]}) + "\n" for i in range(10)))
        self.directory.mkdir()
        (self.directory / "config.yaml").write_text(to_yaml(self.stage))
        make_keys(self.directory / "keys")

    def play(self) -> list[str]:
        """Until the stage is finished or its clock has run out."""
        self.port, self.started = free_port(), time.monotonic()
        servers = range(allocation.parse(self.stage.cluster.allocation).generation.d)
        self.links = {i: Link(self.directory) for i in servers}
        self._group()
        self.servers = {i: self._server(i) for i in servers}
        try:
            while not self._ended():
                self._strike()
                self._supervise()
                time.sleep(0.005)
        finally:
            self._clear()
        self.seconds = time.monotonic() - self.started
        return self.broken + self._check()

    def _fork(self, name: str, target: Callable, *words: object) -> multiprocessing.Process:
        process = FORK.Process(target=_inside, args=(self.root / f"{name}.log", os.getpid(), target, self.stage, self.directory, *words),
                               name=name, daemon=True)
        process.start()
        return process

    def _server(self, i: int) -> multiprocessing.Process:
        self.restarts[i] += 1
        return self._fork(f"generation-{i}", serve, i, self.attempt * 100 + self.restarts[i], self.links[i].address, self.noise[i])

    def _group(self) -> None:
        (self.directory / "endpoint.json").unlink(missing_ok=True)
        self.group = [self._fork("master", schedule, self.port), self._fork("trainer", train, self.attempt)]
        self.killed = False

    def _ended(self) -> bool:
        if time.monotonic() - self.started > CLOCK_S:
            self.broken.append(f"not finished after {CLOCK_S:g} s")
        return bool(self.broken) or all(p.exitcode == 0 for p in self.group)

    def _strike(self) -> None:
        made = sum("step" in row for row in record.read(self.directory / "trained.jsonl")) if self.faults else 0
        now = time.monotonic()
        for fault in [f for f in self.faults if f.version <= made]:
            self.faults.remove(fault)
            self.later.append((now + fault.delay_s, partial(self._begin, fault)))
        for due in [due for due in self.later if due[0] <= now]:
            self.later.remove(due)
            due[1]()

    def _begin(self, fault: Fault) -> None:
        server, link = self.servers[fault.server], self.links[fault.server]
        if fault.kind == "corrupt weights" and not flip(Path(self.stage.cluster.weights_dir)):
            self._after(0.01, partial(self._begin, fault))
            return
        self.struck.append(fault.kind)
        match fault.kind:
            case "kill server": server.kill()
            case "slow server": _signal(server, signal.SIGUSR2)
            case "kill master" | "kill trainer":
                self.killed = True
                self.group[fault.kind == "kill trainer"].kill()
            case "corrupt weights": pass
            case "stop master":
                _signal(self.group[0], signal.SIGSTOP)
                self._after(fault.seconds, partial(_signal, self.group[0], signal.SIGCONT))
            case "cut link":
                link.cut()
                self._after(fault.seconds, link.mend)
            case "stop server" | "stop server long":
                _signal(server, signal.SIGSTOP)
                self._after(fault.seconds, partial(_signal, server, signal.SIGCONT))
            case _:
                link.stop()
                self._after(fault.seconds, link.mend)

    def _after(self, seconds: float, what: Callable[[], object]) -> None:
        self.later.append((time.monotonic() + seconds, what))

    def _supervise(self) -> None:
        """By the launcher's rules (launch/node.py): a server alone, master and trainer together."""
        for i, process in self.servers.items():
            if process.exitcode is None or (self.directory / "finished.json").exists():
                continue
            process.join()
            self.servers[i] = self._server(i)
        if any(p.exitcode for p in self.group):
            if not self.killed and not any(r["event"] == "damaged" for r in record.read(self.directory / "events.jsonl")):
                self.broken += [f"{p.name} ended with status {p.exitcode}" for p in self.group if p.exitcode]
            self._again()

    def _again(self) -> None:
        for process in self.group:
            process.kill()
            process.join()
        self.attempt += 1
        self._group()

    def _clear(self) -> None:
        """Nothing of the run stays."""
        for process in (*self.servers.values(), *self.group, *(link.process for link in self.links.values())):
            process.kill()
            process.join()

    def _check(self) -> list[str]:
        a, steps, directory = self.stage.algorithm, self.stage.until.steps, self.directory
        shape = (steps, a.prompts_per_step, a.group_size)
        return [*checks.trained(list(record.read(directory / "trained.jsonl")), *shape, a.max_staleness,
                                 self.stage.checkpoint.journal_gb > 0),
                *checks.tickets(list(record.read(directory / "tickets.jsonl")), *shape),
                *checks.metrics(list(record.read(directory / "metrics.jsonl")), steps, a.max_staleness, self.attempt),
                *checks.ledger(json.loads((directory / "status.json").read_text())["ledger"])]


def flip(weights_dir: Path) -> bool:
    """Change a byte of the newest published version; False when there is none at the moment."""
    try:
        with open(max(weights_dir.glob("v[0-9]*"), default=weights_dir) / "weights.bin", "r+b") as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
    except FileNotFoundError:
        return False
    return True


def _signal(process: multiprocessing.Process, what: signal.Signals) -> None:
    if process.exitcode is None:
        os.kill(process.pid, what)


def _inside(log: Path, parent: int, target: Callable, *words: object) -> None:
    """A forked process: its output is its log, and it dies with its parent."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)           # its maker decides when it ends
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with open(log, "a") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    target(*words)
