"""The processes of one stage on this node: started, started again when a generation server dies, stopped.

Waits for nothing itself: poll() is called often. Servers live through group restarts (master and trainer ranks): they
notice the break and join the new master with the weights they hold.
"""
import os
import socket
import time
from pathlib import Path

import psutil

from areal_lite import record
from areal_lite.config import Stage
from areal_lite.launch.console import Console
from areal_lite.launch.placement import Process
from areal_lite.launch.supervise import Child, Children, how_it_ended, last_words

SERVER = "areal_lite.generation"
QUICK_DEATHS = 3
"""A server that dies this often without ever having loaded weights will not do better the next time."""
SETTLED_S = 600.0
"""A server that lived this long starts with a clean slate."""


class StageFailed(RuntimeError):
    """The stage cannot go on; the message has the process, its last lines and what to do."""


class Node:
    """This node's share of a stage."""

    def __init__(self, stage: Stage, directory: Path, mine: list[Process], console: Console):
        """mine: what the placement gives this node."""
        self.stage, self.directory, self.mine, self.console = stage, directory, mine, console
        self.children = Children(directory, environment(stage))
        self.attempt = 0
        self.starts: dict[str, int] = {}
        self.failures: dict[str, int] = {}
        self.left: dict[str, float] = {}
        """Servers that will be started again -> when they ended."""

    def start(self, attempt: int, store: str, port: int) -> None:
        """Start what does not run. store: where trainer rank 0 listens for the others; port: where the master before this
        one listened, 0 if there was none."""
        self.attempt = attempt
        for p in self.mine:
            if p.name in self.children.running or p.name in self.left:
                continue
            if p.module == "areal_lite.trainer":
                self.children.start(p, ("--store", store))
            elif p.module == "areal_lite.master":
                self.children.start(p, ("--port", str(port)))
            else:
                self._serve(p)

    def _serve(self, p: Process) -> None:
        """Start a server; the number of its start makes its seeds, so that it never repeats itself."""
        number = self.starts[p.name] = self.starts.get(p.name, -1) + 1
        self.children.start(p, ("--restart", str(self.attempt * 100 + number)), number)

    def poll(self) -> str:
        """Restart servers whose time has come; why the master or a trainer rank ended badly, "" if none did."""
        why = ""
        for child, status in self.children.ended():
            why = self._ended(child, status) or why
        headless = any(p.name == "master" for p in self.mine) and "master" not in self.children.running
        for name, since in list(self.left.items()):
            failed = self.failures.get(name, 0)
            wait_s = min(2.0 ** failed, 30.0) if failed else 3.0          # a clean leave may be the end of the stage
            if time.monotonic() - since < wait_s or headless or (self.directory / "finished.json").exists():
                continue
            del self.left[name]
            self._serve(next(p for p in self.mine if p.name == name))
        return why

    def _ended(self, child: Child, status: int) -> str:
        """What to say of a master or trainer rank; a server is put down for another start."""
        name = child.spec.name
        if status == 0:
            return ""
        said = f"{name} {how_it_ended(status)}. Its last lines ({child.log}):\n{last_words(child.log)}"
        if status == record.FATAL:
            raise StageFailed(said)
        if child.spec.module != SERVER:
            return said
        self.left[name] = time.monotonic()
        if status != record.AGAIN:
            self._count(child, said)
            self.console.say(f"{name} {how_it_ended(status)}; starting it again, its unfinished samples go to others")
        return ""

    def _count(self, child: Child, said: str) -> None:
        """Give up on a server that never gets ready."""
        name = child.spec.name
        lived_s = time.monotonic() - child.started
        self.failures[name] = 1 if lived_s > SETTLED_S else self.failures.get(name, 0) + 1
        ready = {r["peer"] for r in record.read(self.directory / "events.jsonl") if r["event"] == "loaded"}
        limit = self.stage.checkpoint.retries if name in ready else QUICK_DEATHS
        if self.failures[name] >= limit:
            raise StageFailed(f"{name} died {self.failures[name]} times. {said}")

    @property
    def busy(self) -> bool:
        """The master or a trainer rank runs."""
        return any(c.spec.module != SERVER for c in self.children.running.values())

    def stop_group(self) -> None:
        """Stop the master and the trainer ranks of this node; servers go on."""
        self.children.stop([n for n, c in self.children.running.items() if c.spec.module != SERVER])

    def stop(self) -> None:
        """Stop everything."""
        self.children.stop()


def environment(stage: Stage) -> dict[str, str]:
    """What this node's processes get besides their own settings; a user's variable of that name goes before.

    On one node every library listens on the loopback interface only; on several, on the one that leads to node 0.
    """
    host = stage.cluster.master.rpartition(":")[0] if stage.cluster.nodes > 1 else "127.0.0.1"
    address = towards(host)
    words = {"VLLM_HOST_IP": address, "GLOO_SOCKET_IFNAME": interface(address), "NCCL_SOCKET_IFNAME": interface(address)}
    words = {k: v for k, v in words.items() if v and k not in os.environ}
    if stage.cluster.device == "cuda":
        return words
    threads = stage.trainer.threads if stage.kind == "sft" else stage.generation.threads
    return {**words, "OMP_NUM_THREADS": str(max(threads, 1)), "CUDA_VISIBLE_DEVICES": ""}


def towards(host: str) -> str:
    """This node's own address on the way to host; "" when there is no way. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect((host, 9))
            return s.getsockname()[0]
        except OSError:
            return ""


def interface(address: str) -> str:
    """Name of the network interface that has this address; "" when none has."""
    return next((name for name, all_of in psutil.net_if_addrs().items() if any(a.address == address for a in all_of)), "")
