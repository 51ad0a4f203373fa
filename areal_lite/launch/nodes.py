"""Which node of how many this is, and where node 0 listens: a pure function of the words, the environment and the config.

The words win; what they do not say is read from the environment of whatever started this node: torchrun-style
variables, a Kubernetes indexed job, SLURM. One node needs nothing of this, so the environment is then left alone.
"""
import re
from collections.abc import Mapping
from itertools import islice

SHORT = ("nodes", "node_rank", "master")
"""Words that may be written without `cluster.`"""
PORT = 29600
"""Where node 0 listens when the environment names its host but no port; one more is the trainer ranks' store."""


def resolve(words: list[str], environment: Mapping[str, str], configured: int) -> list[str]:
    """The words with cluster.nodes, cluster.node_rank and cluster.master filled in.

    configured: cluster.nodes of the configuration when neither words nor environment say it. ValueError when there are
    several nodes and nobody says which of them this is, or when a variable is not what it should be.
    """
    words = expand(words)
    given = dict(w.partition("=")[::2] for w in words)
    found = _environment(environment)
    nodes = int(given.get("cluster.nodes") or found.get("cluster.nodes") or configured)
    if nodes <= 1 and "cluster.nodes" not in given:
        nodes = configured                     # an interactive allocation of one node does not shrink the run
    if nodes <= 1:
        return words
    found["cluster.nodes"] = str(nodes)
    if "cluster.node_rank" not in given and "cluster.node_rank" not in found:
        raise ValueError(f"this is one of {nodes} nodes, but which? Say node_rank=K (0 on the one that master= names); "
                         "NODE_RANK, GROUP_RANK, JOB_COMPLETION_INDEX and SLURM_NODEID are read too")
    return [*words, *(f"{key}={value}" for key, value in sorted(found.items()) if key not in given)]


def expand(words: list[str]) -> list[str]:
    """nodes=, node_rank= and master= -> their keys under cluster."""
    return [f"cluster.{w}" if w.partition("=")[0] in SHORT else w for w in words]


def _environment(e: Mapping[str, str]) -> dict[str, str]:
    """What the environment says, by key; the first family that knows a rank."""
    if rank := e.get("NODE_RANK") or e.get("GROUP_RANK"):
        port = _number(e, "MASTER_PORT", str(PORT)) + ("TORCHELASTIC_RUN_ID" in e)      # torchrun listens there itself
        found = {"node_rank": rank, "nodes": e.get("NNODES") or e.get("GROUP_WORLD_SIZE", ""), "host": e.get("MASTER_ADDR", "")}
    elif rank := e.get("JOB_COMPLETION_INDEX"):
        port = _number(e, "MASTER_PORT", str(PORT))
        found = {"node_rank": rank, "nodes": e.get("NNODES", ""), "host": e.get("MASTER_ADDR", "")}
    elif rank := e.get("SLURM_NODEID"):
        port = PORT + 2 * (_number(e, "SLURM_JOB_ID", "0") % 1000)                      # two jobs may share a node
        hosts = hostnames(e.get("SLURM_JOB_NODELIST", ""), 1)
        found = {"node_rank": rank, "nodes": e.get("SLURM_NNODES", ""), "host": hosts[0] if hosts else ""}
    else:
        return {}
    for name in ("node_rank", "nodes"):
        if found[name] and not found[name].isdigit():
            raise ValueError(f"the environment says {name} is {found[name]!r}, which is not a number; say {name}=K")
    master = f"{found['host']}:{port}" if found["host"] else ""
    named = {"cluster.node_rank": found["node_rank"], "cluster.nodes": found["nodes"], "cluster.master": master}
    return {key: value for key, value in named.items() if value}


def _number(e: Mapping[str, str], name: str, default: str) -> int:
    text = e.get(name) or default
    if not text.isdigit():
        raise ValueError(f"the environment says {name} is {text!r}, which is not a number")
    return int(text)


def hostnames(nodelist: str, limit: int = 1 << 20) -> list[str]:
    """The first `limit` hosts of a SLURM node list: "a[1-2,07]b,c" -> a1b, a2b, a07b, c."""
    return list(islice(_hosts(nodelist), limit))


def _hosts(nodelist: str):
    for item in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", nodelist):
        match = re.fullmatch(r"([^\[]*)\[([^\]]*)\](.*)", item)
        if not match:
            yield item
            continue
        head, ranges, tail = match.groups()
        for part in ranges.split(","):
            low, _, high = part.partition("-")
            for n in range(int(low), int(high or low) + 1):
                yield from _hosts(f"{head}{n:0{len(low)}d}{tail}")
