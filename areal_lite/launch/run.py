"""One stage on this node: start its processes, watch them, restart what may be restarted, stop when it is finished.

Waits for children and files, 0.2 s at a time. A generation server that dies is started again at once and the run goes
on; when the master or a trainer rank dies, the whole group starts again from the last checkpoint, with a new port.
A process that says FATAL, or a group that fails twice without a step in between, ends the run with its last words.
"""
import json
import socket
import time
from pathlib import Path

from areal_lite import record
from areal_lite.config import Stage
from areal_lite.launch.console import Console
from areal_lite.launch.placement import Process, place
from areal_lite.launch.supervise import Child, Children, how_it_ended, last_words
from areal_lite.record import FATAL
from areal_lite.streams import make_keys

POLL_S = 0.2
QUICK_DEATHS = 3
"""A server that dies this often without ever having loaded weights will not do better the next time."""


class StageFailed(RuntimeError):
    """The stage cannot go on; the message has the process, its last lines and what to do."""


class Attempt:
    """The processes of a stage between two group restarts."""

    def __init__(self, stage: Stage, directory: Path, plan: list[Process], console: Console, number: int):
        self.stage, self.directory, self.console, self.number = stage, directory, console, number
        self.mine = [p for p in plan if p.node == stage.cluster.node_rank]
        self.children = Children(directory, _environment(stage))
        self.restarts: dict[str, int] = {}
        self.left: dict[str, float] = {}
        """Servers that ended by themselves -> when; the stage may be finishing, or they had been declared lost."""

    def start(self) -> None:
        """Start every process of this node."""
        (self.directory / "endpoint.json").unlink(missing_ok=True)
        if self.stage.cluster.node_rank == 0 and self.stage.kind == "rl":
            make_keys(self.directory / "keys")
        store = _store(self.stage)
        for p in self.mine:
            extra = ("--store", store) if p.module == "areal_lite.trainer" else ()
            extra += ("--restart", str(self.number * 100)) if p.module == "areal_lite.generation" else ()
            self.children.start(p, extra)

    def watch(self) -> str:
        """Until the stage is finished ("") or the group has to start again (why). StageFailed when neither helps."""
        while True:
            time.sleep(POLL_S)
            self.console.tick(self.directory, self.children.running)
            for child, status in self.children.ended():
                if why := self._ended(child, status):
                    return why
            self._start_again()
            if self._done():
                self.children.stop()
                self.console.tick(self.directory, {}, force=True)
                return ""

    def _ended(self, child: Child, status: int) -> str:
        """Why the group has to start again, or "" when it goes on."""
        name = child.spec.name
        if status == 0 and child.spec.module != "areal_lite.generation":
            return ""
        said = f"{name} {how_it_ended(status)}. Its last lines ({child.log}):\n{last_words(child.log)}"
        if status == FATAL:
            raise StageFailed(said)
        if child.spec.module != "areal_lite.generation":
            return said
        self.left[name] = time.monotonic()
        if status:
            self._count(child, said)
            self.console.say(f"{name} {how_it_ended(status)}; starting it again, its unfinished samples go to others")
        return ""

    def _count(self, child: Child, said: str) -> None:
        """Give up on a server that never gets ready."""
        self.restarts[child.spec.name] = self.restarts.get(child.spec.name, 0) + 1
        ready = {r["peer"] for r in record.read(self.directory / "events.jsonl") if r["event"] == "loaded"}
        limit = self.stage.checkpoint.retries if child.spec.name in ready else QUICK_DEATHS
        if self.restarts[child.spec.name] >= limit:
            raise StageFailed(f"{child.spec.name} died {self.restarts[child.spec.name]} times. {said}")

    def _start_again(self) -> None:
        """Restart servers that are gone while the master still works; a clean leave gets a moment, it may be the end."""
        if "master" not in self.children.running and self.stage.cluster.node_rank == 0:
            return
        for name, since in list(self.left.items()):
            failed = self.restarts.get(name, 0)
            if time.monotonic() - since < (min(2.0 ** failed, 30.0) if failed else 3.0):
                continue
            if (self.directory / "finished.json").exists():
                continue
            del self.left[name]
            spec = next(p for p in self.mine if p.name == name)
            self.children.start(spec, ("--restart", str(self.number * 100 + failed + 1)), failed + 1)

    def _done(self) -> bool:
        """The model is exported and nobody but generation servers is left."""
        busy = [c for c in self.children.running.values() if c.spec.module != "areal_lite.generation"]
        return not busy and ((self.directory / "finished.json").exists() or self.stage.cluster.node_rank > 0)


def run_stage(stage: Stage, directory: Path, cores: int, console: Console) -> None:
    """Run one stage to its end. StageFailed when it cannot be brought there; KeyboardInterrupt stops everything."""
    plan, before = place(stage, cores), -1
    for number in range(stage.checkpoint.retries + 1):
        attempt = Attempt(stage, directory, plan, console, number)
        try:
            attempt.start()
            why = attempt.watch()
        finally:
            attempt.children.stop()
        if not why:
            return
        version = newest_version(directory)
        if number and version <= before:
            raise StageFailed(f"failed again at version {version}, without a step since the last start. {why}")
        before = version
        console.say(f"{why}\nstarting the group again from the last checkpoint (retry {number + 1} of {stage.checkpoint.retries})")
    raise StageFailed(f"gave up after {stage.checkpoint.retries} retries (checkpoint.retries). {why}")


def newest_version(directory: Path) -> int:
    """Newest version the run has made, by its rows; 0 before the first."""
    return max((int(r["step"]) for r in record.read(directory / "metrics.jsonl")), default=0)


def read_status(directory: Path) -> dict:
    """The master's last status; {} before the first."""
    file = directory / "status.json"
    return json.loads(file.read_text()) if file.exists() else {}


def _environment(stage: Stage) -> dict[str, str]:
    if stage.cluster.device == "cuda":
        return {}
    return {"OMP_NUM_THREADS": str(max(stage.trainer.threads if stage.kind == "sft" else stage.generation.threads, 1)),
            "CUDA_VISIBLE_DEVICES": ""}


def _store(stage: Stage) -> str:
    """host:port where trainer rank 0 listens for the other ranks: a free port, or the master's port + 1 on a cluster."""
    host, _, port = stage.cluster.master.rpartition(":")
    if stage.cluster.nodes > 1:
        return f"{host}:{int(port) + 1}"
    return f"127.0.0.1:{free_port()}"


def free_port() -> int:
    """A loopback TCP port nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
