"""Which node this is: words first, then the environment of whatever started it; nothing of it on a single node."""
import pytest

from areal_lite.launch.nodes import expand, hostnames, resolve

TORCHRUN = {"NODE_RANK": "3", "NNODES": "4", "MASTER_ADDR": "head", "MASTER_PORT": "1234"}
KUBERNETES = {"JOB_COMPLETION_INDEX": "2", "MASTER_ADDR": "run-0.run"}
SLURM = {"SLURM_NODEID": "1", "SLURM_NNODES": "16", "SLURM_JOB_NODELIST": "gpu[003-018]", "SLURM_JOB_ID": "71004"}


def values(words, environment, configured=1):
    """(nodes, node_rank, master) after resolving; None where nothing is said."""
    given = dict(w.split("=") for w in resolve(words, environment, configured))
    return tuple(given.get(f"cluster.{k}") for k in ("nodes", "node_rank", "master"))


@pytest.mark.parametrize(("words", "environment", "configured", "expected"), [
    (["nodes=16", "node_rank=3", "master=h:1"], {}, 1, ("16", "3", "h:1")),
    (["cluster.nodes=2", "cluster.node_rank=0", "master=h:1"], {}, 1, ("2", "0", "h:1")),
    ([], TORCHRUN, 1, ("4", "3", "head:1234")),
    ([], {"GROUP_RANK": "1", "GROUP_WORLD_SIZE": "2", "MASTER_ADDR": "head", "MASTER_PORT": "1234", "TORCHELASTIC_RUN_ID": "x"}, 1,
     ("2", "1", "head:1235")),
    (["nodes=3"], KUBERNETES, 1, ("3", "2", "run-0.run:29600")),
    ([], KUBERNETES, 16, ("16", "2", "run-0.run:29600")),
    ([], SLURM, 1, ("16", "1", "gpu003:29608")),
    (["node_rank=5", "nodes=8", "master=x:9"], {**TORCHRUN, **SLURM}, 1, ("8", "5", "x:9")),
    (["master=x:9"], TORCHRUN, 1, ("4", "3", "x:9")),
    ([], {**KUBERNETES, **SLURM}, 1, (None, None, None)),                     # ten seeds as an indexed job: each is one node
    (["nodes=1"], SLURM, 16, ("1", None, None)),
    ([], {}, 1, (None, None, None)),
    (["node_rank=1"], {"SLURM_NODEID": "0", "SLURM_NNODES": "1", "SLURM_JOB_NODELIST": "a"}, 16, ("16", "1", "a:29600")),
])
def test_words_win_over_the_environment_and_one_node_ignores_it(words, environment, configured, expected):
    assert values(words, environment, configured) == expected


def test_other_words_pass_through_and_keep_their_order():
    assert expand(["exp=x", "nodes=2", "seed=1"]) == ["exp=x", "cluster.nodes=2", "seed=1"]


def test_one_of_many_without_a_rank_is_asked_which():
    with pytest.raises(ValueError, match="node_rank=K"):
        resolve(["nodes=2"], {}, 1)


@pytest.mark.parametrize("environment", [{**TORCHRUN, "NODE_RANK": "b"}, {**TORCHRUN, "MASTER_PORT": "http"}])
def test_a_variable_that_is_no_number_is_named(environment):
    with pytest.raises(ValueError, match="not a number"):
        resolve([], environment, 1)


@pytest.mark.parametrize(("nodelist", "hosts"), [
    ("a", ["a"]), ("a,b", ["a", "b"]), ("gpu[003-005,018],login1", ["gpu003", "gpu004", "gpu005", "gpu018", "login1"]),
    ("r[1-2]n[08-09].x", ["r1n08.x", "r1n09.x", "r2n08.x", "r2n09.x"]), ("", []),
])
def test_a_slurm_node_list_is_read_as_scontrol_would(nodelist, hosts):
    assert hostnames(nodelist) == hosts and hostnames(nodelist, 1) == hosts[:1]
