"""launch --ray: which nodes it takes (always), and a run on a local cluster of two (where Ray is installed)."""
import importlib.util
import json
from pathlib import Path

import pytest

from areal_lite import record
from areal_lite.config import ConfigError, load
from areal_lite.launch.on_ray import nodes, run
from tests.tiny import make_model

ROOT = Path(__file__).parents[1]


def node(name, gpus=8, alive=True):
    return {"NodeID": name, "Alive": alive, "Resources": {"GPU": gpus} if gpus else {}, "NodeManagerAddress": f"10.0.0.{ord(name) - 96}"}


def names(alive, here, *words):
    return "".join(n["NodeID"] for n in nodes(alive, here, load(["exp=distill-1.5b-stage1", *words])))


def test_this_node_is_node_0_and_only_living_nodes_with_enough_gpus_are_taken():
    alive = [node("a"), node("b", gpus=4), node("c", alive=False), node("d"), node("e")]
    assert names(alive, "d", "cluster.nodes=3") == "dae" and names(alive, "d", "cluster.nodes=2") == "da"
    assert names([node("b", gpus=0), node("a", gpus=0)], "b", "cluster.nodes=2", "cluster.device=cpu") == "ba"


@pytest.mark.parametrize(("here", "count"), [("d", 4), ("b", 1)])
def test_too_few_nodes_or_a_login_node_without_gpus_are_refused(here, count):
    with pytest.raises(ConfigError, match="Ray has 3 such"):
        names([node("a"), node("b", gpus=0), node("d"), node("e")], here, f"cluster.nodes={count}")


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_it_says_what_to_install():
    with pytest.raises(ConfigError, match=r"\.\[ray\]"):
        run(load(["exp=distill-1.5b-stage1"]), [])


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install -e '.[ray]'")
def test_two_local_ray_nodes_train_together(tmp_path, monkeypatch):
    from ray.cluster_utils import Cluster
    make_model(tmp_path / "model")
    (tmp_path / "model" / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<eos>"}')
    rows = [{"id": str(i), "prompt": f"{i}", "answers": [str(i)]} for i in range(9)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["exp=distill-1.5b-stage1", "tiny=true", "make=", f"model.path={tmp_path / 'model'}", f"data.path={tmp_path / 'rows.jsonl'}",
             "data.template=none", "algorithm.prompts_per_step=2", "generation.max_new_tokens=24", "algorithm.max_mean_ratio=0",
             "until.steps=3", f"run_dir={tmp_path / 'run'}", "cluster.nodes=2", "cluster.gpus_per_node=1"]
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        assert run(load(words), words, module="tests.fake_launch") == 0
        stage = tmp_path / "run" / "main"
        assert [r["step"] for r in record.read(stage / "metrics.jsonl")] == [1, 2, 3]
        assert {r["peer"] for r in record.read(stage / "events.jsonl") if r["event"] == "joined"} == {"master", "trainer-0", "generation-0"}
    finally:
        import ray
        ray.shutdown()
        cluster.shutdown()
