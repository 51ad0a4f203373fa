"""What a node that is not node 0 believes: only a beat that changes; what it does when node 0 ends, fails or never comes."""
import dataclasses
import io
import json
import threading

import pytest

from areal_lite.config import load
from areal_lite.launch.console import Console
from areal_lite.launch.follow import follow, serve_apart
from areal_lite.launch.head import Beat, Pulse
from areal_lite.launch.node import StageFailed, environment, interface, towards


@pytest.fixture
def experiment(tmp_path):
    return load(["exp=distill-1.5b-stage1", "model.path=/m", "data.path=/d", f"run_dir={tmp_path / 'run'}", "cluster.nodes=2",
                 "cluster.node_rank=1", "cluster.gpus_per_node=1", "cluster.allocation=vllm.d1+d1", "cluster.device=cpu", "until.steps=1"])


def hurried(experiment, hang_s):
    stage = experiment.stages[0]
    return dataclasses.replace(experiment, stages=(dataclasses.replace(stage, cluster=dataclasses.replace(stage.cluster, hang_s=hang_s)),))


def left_behind(run_dir, **facts):
    run_dir.mkdir(exist_ok=True)
    (run_dir / "head.json").write_text(json.dumps({"run": "old", "beat": 9, "state": "finished", "stage": "x", "attempt": 0} | facts))


def test_what_an_earlier_run_left_is_not_believed_until_it_beats(tmp_path):
    left_behind(tmp_path / "run")
    pulse = Pulse(tmp_path / "run")
    assert pulse.look() is None
    with Beat(tmp_path / "run", nodes=2) as beat:
        beat.says(stage="8k", attempt=3)
        row = pulse.look()
        assert (row["stage"], row["attempt"], row["state"]) == ("8k", 3, "running") and row["run"] != "old"


def test_a_head_that_ends_in_an_error_says_so_and_one_node_writes_nothing(tmp_path):
    with pytest.raises(RuntimeError), Beat(tmp_path / "run", nodes=2):
        raise RuntimeError("disk full")
    row = json.loads((tmp_path / "run" / "head.json").read_text())
    assert (row["state"], row["why"]) == ("stopped", "disk full")
    with Beat(tmp_path / "alone", nodes=1) as beat:
        beat.says(state="finished")
    assert not (tmp_path / "alone").exists()


@pytest.mark.parametrize(("state", "why", "message"), [("finished", "", ""), ("stopped", "Ctrl-C", "node 0 has stopped. Ctrl-C")])
def test_a_follower_ends_as_node_0_does(experiment, tmp_path, state, why, message):
    left_behind(tmp_path / "run")
    ended = []

    def node_1():
        try:
            follow(experiment, 1, Console(experiment, stream=io.StringIO()))
            ended.append("")
        except StageFailed as error:
            ended.append(str(error))
    thread = threading.Thread(target=node_1)
    thread.start()
    with Beat(tmp_path / "run", nodes=2) as beat:
        for _ in range(100):                               # whenever it begins to look, the next beat is news
            beat.says(state=state, why=why)
            thread.join(0.1)
            if not thread.is_alive():
                break
    assert ended == [message]


def test_a_node_0_that_never_comes_is_missed_within_its_clock(experiment):
    with pytest.raises(StageFailed, match=r"node 0 was not heard for .* one directory for all nodes"):
        follow(hurried(experiment, 0.3), 1, Console(experiment, stream=io.StringIO()))


def test_a_node_apart_waits_for_the_model_of_the_stage_before_within_its_clock(experiment, monkeypatch):
    monkeypatch.setenv("AREAL_LITE_MASTER", "10.0.0.1:29600")
    with pytest.raises(StageFailed, match=r"/m did not appear in .* a curriculum needs a run_dir that all nodes see"):
        serve_apart(hurried(experiment, 0.3), 1, Console(experiment, stream=io.StringIO()))


def test_one_node_keeps_every_library_on_the_loopback_and_the_users_choice_goes_before(experiment, monkeypatch):
    for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME", "VLLM_HOST_IP"):
        monkeypatch.delenv(name, raising=False)
    stage = experiment.stages[0]
    alone = dataclasses.replace(stage, cluster=dataclasses.replace(stage.cluster, nodes=1, node_rank=0))
    assert (towards("127.0.0.1"), interface("127.0.0.1"), interface("203.0.113.7")) == ("127.0.0.1", "lo", "")
    words = environment(alone)
    assert {words[k] for k in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")} == {"lo"} and words["VLLM_HOST_IP"] == "127.0.0.1"
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "eth7")
    assert "GLOO_SOCKET_IFNAME" not in environment(alone)
