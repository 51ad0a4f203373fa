"""The same launcher on an existing Ray cluster: one supervisor per node, which starts it there and waits for it.

Ray places and reports; everything else is as on any nodes. The node this is called on is node 0. Waits for the launchers,
which have clocks of their own; when Ray kills a supervisor, its launcher and all of its processes die with it.
"""
import os
import subprocess
import sys

from areal_lite.config import ConfigError, Experiment
from areal_lite.launch.nodes import PORT
from areal_lite.launch.supervise import GRACE_S, prepare

OWN = ("cluster.nodes", "cluster.node_rank", "cluster.master")


def run(experiment: Experiment, words: list[str], module: str = "areal_lite.launch") -> int:
    """Start `module` with the words on cluster.nodes nodes of the Ray cluster; node 0's exit status. ConfigError without Ray,
    without a cluster, or with too few nodes."""
    try:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
    except ImportError:
        raise ConfigError("--ray needs Ray, in the version of the cluster: pip install -e '.[ray]'") from None
    try:
        ray.init(address="auto", logging_level="WARNING")
    except ConnectionError as error:
        raise ConfigError(f"there is no Ray cluster here: ray start --head, and ray start --address on the others ({error})") from None
    chosen = nodes(ray.nodes(), ray.get_runtime_context().get_node_id(), experiment)
    cluster = experiment.stages[0].cluster
    given = [w for w in words if w.partition("=")[0] not in OWN]
    given += [f"nodes={cluster.nodes}", f"master={_master(cluster.master, chosen[0]['NodeManagerAddress'])}"]
    supervise = ray.remote(max_retries=0, num_cpus=0, num_gpus=cluster.gpus_per_node if cluster.device == "cuda" else 0)(_supervise)
    running = [supervise.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
               .remote([sys.executable, "-m", module, *given, f"node_rank={rank}"], os.getcwd()) for rank, node in enumerate(chosen)]
    try:
        return ray.get(running)[0]
    except KeyboardInterrupt:
        for task in running:
            ray.cancel(task)
        return 130


def nodes(alive: list[dict], here: str, experiment: Experiment) -> list[dict]:
    """The nodes to use out of ray.nodes(), this one first. ConfigError when there are too few with enough GPUs."""
    cluster = experiment.stages[0].cluster
    wanted = cluster.gpus_per_node if cluster.device == "cuda" else 0
    fit = [n for n in alive if n["Alive"] and n["Resources"].get("GPU", 0) >= wanted]
    fit.sort(key=lambda n: (n["NodeID"] != here, n["NodeManagerAddress"], n["NodeID"]))
    if len(fit) < cluster.nodes or fit[0]["NodeID"] != here:
        raise ConfigError(f"cluster.nodes={cluster.nodes} nodes with {wanted} GPUs are needed, this one too; Ray has {len(fit)} such")
    return fit[:cluster.nodes]


def _master(said: str, address: str) -> str:
    """cluster.master if it was given, else this node's address in the Ray cluster."""
    return f"{address}:{PORT}" if said.endswith(":0") else said


def _supervise(words: list[str], directory: str) -> int:
    """Runs on a node, in a Ray worker: the launcher's exit status."""
    launcher = subprocess.Popen(words, cwd=directory, preexec_fn=prepare(os.getpid()))
    try:
        return launcher.wait()
    except KeyboardInterrupt:
        launcher.terminate()
        return launcher.wait(2 * GRACE_S)
