"""One stage as node 0 runs it: start its processes, watch them, restart what may be restarted, stop when it is finished.

Waits for children and files, 0.2 s at a time. A generation server that dies is started again at once and the run goes
on; when the master or a trainer rank dies, those start again from the last checkpoint while the servers wait for them.
A process that says FATAL, or a group that fails twice without a step in between, ends the run with its last words.
"""
import json
import os
import socket
import time
from pathlib import Path

from areal_lite import record
from areal_lite.config import Stage
from areal_lite.launch.console import Console
from areal_lite.launch.head import Beat
from areal_lite.launch.node import Node, StageFailed
from areal_lite.launch.placement import place
from areal_lite.streams import keys, make_keys

POLL_S = 0.2


def run_stage(stage: Stage, directory: Path, cores: int, console: Console, beat: Beat) -> None:
    """Run one stage to its end. StageFailed when it cannot be brought there; KeyboardInterrupt stops everything."""
    node = Node(stage, directory, [p for p in place(stage, cores) if p.node == 0], console)
    before = -1
    if stage.kind == "rl" and (os.environ.get(keys.ENVIRONMENT) or not keys.file_of(directory / "keys").exists()):
        make_keys(directory / "keys")
    try:
        for number in range(stage.checkpoint.retries + 1):
            port = _forget_address(directory)
            beat.says(stage=stage.name, attempt=number)
            node.start(number, store(stage), port)
            if not (why := _watch(node)):
                return
            node.stop_group()
            version = newest_version(directory)
            if number and version <= before:
                raise StageFailed(f"failed again at version {version}, without a step since the last start. {why}")
            before = version
            console.say(f"{why}\nstarting master and trainer again from the last checkpoint "
                        f"(retry {number + 1} of {stage.checkpoint.retries})")
        raise StageFailed(f"gave up after {stage.checkpoint.retries} retries (checkpoint.retries). {why}")
    finally:
        node.stop()
        console.tick(directory, {}, force=True)


def _watch(node: Node) -> str:
    """Until the stage is finished ("") or the group has to start again (why). StageFailed when neither helps."""
    while True:
        time.sleep(POLL_S)
        node.console.tick(node.directory, node.children.running)
        if why := node.poll():
            return why
        if not node.busy and (node.directory / "finished.json").exists():
            return ""


def _forget_address(directory: Path) -> int:
    """Nobody is to connect to the master of before; returns the port it had, 0 if there was none."""
    file = directory / "endpoint.json"
    if not file.exists():
        return 0
    port = int(json.loads(file.read_text())["address"].rpartition(":")[2])
    file.unlink()
    return port


def newest_version(directory: Path) -> int:
    """Newest version the run has made, by its rows; 0 before the first."""
    return max((int(r["step"]) for r in record.read(directory / "metrics.jsonl")), default=0)


def store(stage: Stage) -> str:
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
