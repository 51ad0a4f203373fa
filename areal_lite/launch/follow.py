"""A node other than node 0: it does what RUN/head.json says, with the configuration that node 0 resolved.

Waits for node 0's launcher (cluster.hang_s) and for its own children. A node that does not see the run directory (the
environment variable AREAL_LITE_MASTER says where the master is) serves generation only, stage by stage, by itself.
"""
import os
import time
from pathlib import Path

from areal_lite.config import Experiment, Stage, read_stage
from areal_lite.launch.console import Console
from areal_lite.launch.head import Pulse
from areal_lite.launch.node import SERVER, Node, StageFailed
from areal_lite.launch.placement import place
from areal_lite.launch.run import POLL_S, store
from areal_lite.launch.stages import local, resolve, write_configs
from areal_lite.streams import endpoint, keys


def follow(experiment: Experiment, cores: int, console: Console) -> None:
    """Until node 0 says that the run is over. StageFailed when it failed there, or when node 0 is not heard of."""
    run_dir, cluster = Path(experiment.run_dir), experiment.stages[0].cluster
    pulse, node, group, told = Pulse(run_dir), None, (), False
    console.say(f"node {cluster.node_rank} of {cluster.nodes}: waiting for node 0 ({pulse.file})")
    try:
        while True:
            time.sleep(POLL_S)
            row = pulse.look()
            if pulse.silent_s > cluster.hang_s:
                raise StageFailed(f"node 0 was not heard for {pulse.silent_s:.0f} s (cluster.hang_s). Does it run, and is {run_dir} "
                                  f"one directory for all nodes? Without one: {endpoint.ENVIRONMENT} and {keys.ENVIRONMENT}")
            if row and row["state"] == "finished":
                return
            if row and row["state"] == "stopped":
                raise StageFailed(f"node 0 has stopped. {row['why']}")
            if row and row["stage"] and (node is None or row["stage"] != node.stage.name):
                if node:
                    node.stop()
                node, group = _node(experiment, row["stage"], cores, console), ()
            if node and group != (row["run"], row["attempt"]):
                group, told = (row["run"], row["attempt"]), False
                node.stop_group()
                node.start(row["attempt"], store(node.stage), 0)
            if node and (why := node.poll()) and not told:
                told = True
                console.say(f"{why}\nwaiting for node 0 to start the group again")
    finally:
        if node:
            node.stop()


def _node(experiment: Experiment, name: str, cores: int, console: Console) -> Node:
    """This node's share of the stage that node 0 runs, by the configuration it wrote."""
    directory = Path(experiment.run_dir) / name
    stage = read_stage(directory)
    for mine in experiment.stages:
        if mine.name == name and not Path(stage.model.path).is_dir():
            local(mine.model.path)                         # a hub model: into the same place of this node's cache
    if not Path(stage.model.path).is_dir():
        raise StageFailed(f"node 0 uses the model in {stage.model.path}, which this node does not have; put it on shared storage, "
                          "or set HF_HOME to a directory that all nodes see")
    rank = experiment.stages[0].cluster.node_rank
    mine = [p for p in place(stage, cores) if p.node == rank]
    console.begin(stage, f"stage {name}: {', '.join(p.name for p in mine) or 'nothing'} on this node")
    return Node(stage, directory, mine, console)


def serve_apart(experiment: Experiment, cores: int, console: Console) -> None:
    """The stages of a node that sees neither the run directory nor node 0's launcher: generation servers, each until its
    master says that the stage is finished."""
    for stage in (s for s in experiment.stages if s.kind == "rl"):
        _await_model(stage)
        stage = resolve(experiment, stage)
        mine = [p for p in place(stage, cores) if p.node == stage.cluster.node_rank]
        if any(p.module != SERVER for p in mine):
            raise StageFailed(f"stage {stage.name} trains on this node: its checkpoints need a run_dir that all nodes see; "
                              f"unset {endpoint.ENVIRONMENT} and share one")
        node = Node(stage, write_configs(experiment, stage), mine, console)
        console.begin(stage, f"stage {stage.name}: {', '.join(p.name for p in mine) or 'nothing'} for the master at "
                             f"{os.environ[endpoint.ENVIRONMENT]}")
        try:
            node.start(0, "", 0)
            while node.children.running or node.left:
                time.sleep(POLL_S)
                node.poll()
        finally:
            node.stop()


def _await_model(stage: Stage) -> None:
    """A later stage of a curriculum starts from what the one before exported, on node 0."""
    path, end = Path(stage.model.path), time.monotonic() + stage.cluster.hang_s
    while path.is_absolute() and not (path / "config.json").exists():
        if time.monotonic() > end:
            raise StageFailed(f"{path} did not appear in {stage.cluster.hang_s:.0f} s: a curriculum needs a run_dir that all nodes see")
        time.sleep(1.0)
