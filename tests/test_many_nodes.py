"""Three nodes as network namespaces on one machine, each started by its own command, with cables that can be pulled.

Real launchers, master and trainer ranks (gloo over the bridge), and generation servers around the fake engine.
"""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from areal_lite import record
from areal_lite.config import read_stage
from tests.tiny import make_model

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
P, G = 2, 4


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True)


class Network:
    """A bridge, and one namespace per node with a cable to it; node K is 10.213.77.(K + 1)."""

    def __init__(self, nodes):
        tag = f"al{os.getpid()}"
        self.bridge, self.names = f"{tag}b", [f"{tag}n{k}" for k in range(nodes)]
        made = ip("link", "add", self.bridge, "type", "bridge")
        if made.returncode:
            pytest.skip(f"network namespaces are not permitted here: {made.stderr.strip()}")
        ip("link", "set", self.bridge, "up")
        for k, name in enumerate(self.names):
            for words in (("netns", "add", name), ("link", "add", f"{name}v", "type", "veth", "peer", "name", "eth0", "netns", name),
                          ("link", "set", f"{name}v", "master", self.bridge, "up"), ("-n", name, "link", "set", "lo", "up"),
                          ("-n", name, "addr", "add", f"10.213.77.{k + 1}/24", "dev", "eth0"), ("-n", name, "link", "set", "eth0", "up")):
                done = ip(*words)
                if done.returncode:
                    self.remove()
                    pytest.skip(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def cable(self, k, state):
        """Pull ("down") or plug in ("up") the cable of a node."""
        assert ip("link", "set", f"{self.names[k]}v", state).returncode == 0

    def remove(self):
        for name in self.names:
            ip("netns", "del", name)
        ip("link", "del", self.bridge)


class Nodes:
    """The launchers of one run, one in each namespace."""

    def __init__(self, network, directory, *words):
        data = directory / "rows.jsonl"
        data.write_text("".join(json.dumps({"id": str(i), "prompt": f"{i}", "answers": [str(i)]}) + "\n" for i in range(10)))
        make_model(directory / "model")
        (directory / "model" / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<eos>"}')
        self.network, self.directory, self.stage = network, directory, directory / "run" / "main"
        self.words = ["exp=distill-1.5b-stage1", "tiny=true", "make=", f"model.path={directory / 'model'}", f"data.path={data}",
                      "data.template=none", "data.limit=0", f"algorithm.prompts_per_step={P}", f"algorithm.group_size={G}",
                      "algorithm.max_staleness=1", "algorithm.max_mean_ratio=0", "generation.max_new_tokens=24",
                      "checkpoint.every_steps=1", f"run_dir={directory / 'run'}",
                      f"nodes={len(network.names)}", "cluster.gpus_per_node=1", "master=10.213.77.1:29600", *words]
        self.running = {}

    def start(self, k, **environment):
        with open(self.directory / f"node{k}.log", "a") as out:
            self.running[k] = subprocess.Popen(
                ["ip", "netns", "exec", self.network.names[k], sys.executable, "-m", "tests.fake_launch", *self.words], cwd=ROOT,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "NODE_RANK": str(k), "AREAL_LITE_FAKE": '{"token_s": 0.01}', "OMP_NUM_THREADS": "1", **environment})

    def rows(self, what):
        return list(record.read(self.stage / f"{what}.jsonl"))

    def events(self, kind, peer=None):
        return [r for r in self.rows("events") if r["event"] == kind and (peer is None or r.get("peer") == peer)]

    def until(self, condition, timeout_s=240.0):
        end = time.monotonic() + timeout_s
        while not condition():
            assert all(p.poll() is None for p in self.running.values()) and time.monotonic() < end, self.said()
            time.sleep(0.05)

    def made(self, version):
        self.until(lambda: any(r["step"] >= version for r in self.rows("metrics")))

    def said(self):
        files = sorted([*self.directory.glob("node*.log"), *(self.stage / "logs").glob("*.log")])
        return "\n".join(f"=== {f.name}\n{f.read_text()[-3000:]}" for f in files)

    def end(self, timeout_s=240.0):
        """Exit statuses by node."""
        end = time.monotonic() + timeout_s
        try:
            return [p.wait(max(0.1, end - time.monotonic())) for _, p in sorted(self.running.items())]
        except subprocess.TimeoutExpired:
            raise AssertionError(self.said()) from None


@pytest.fixture
def nodes(tmp_path):
    network, made = Network(3), []

    def make(*words):
        made.append(Nodes(network, tmp_path, *words))
        return made[-1]
    yield make
    for run in made:
        for popen in run.running.values():
            if popen.poll() is None:
                os.killpg(popen.pid, signal.SIGKILL)
                popen.wait()
    network.remove()


def test_a_generation_nodes_cable_pulled_for_20_s_loses_nothing_and_a_trainer_nodes_ends_in_recovery(nodes):
    steps = 8
    run = nodes(f"until.steps={steps}", "cluster.allocation=vllm.d1+d2", "cluster.silence_s=45", "trainer.step_timeout_s=10")
    for k in (2, 1, 0):                                        # node 0 comes last: the others wait for it
        run.start(k)
    run.made(2)

    run.network.cable(2, "down")                               # the only generation server
    time.sleep(20)                                             # the fault itself, not a way to wait for something
    before = max(r["step"] for r in run.rows("metrics"))
    run.network.cable(2, "up")
    run.made(before + 2)
    assert not run.events("lost") and len(run.events("began")) == 1 and len(run.events("joined", "generation-0")) == 1
    assert run.rows("metrics")[-1]["duplicates"] == 0 and run.rows("metrics")[-1]["lost_tokens"] == 0

    run.network.cable(1, "down")                               # one of the two trainer ranks
    run.until(lambda: "starting master and trainer again" in (run.directory / "node0.log").read_text())
    run.network.cable(1, "up")
    assert run.end() == [0, 0, 0], run.said()
    assert len(run.events("began")) == 2 and run.events("began")[1]["version"] >= before
    assert [(r["step"] - 1, k, n) for r in run.rows("tickets") for k, _, n, _ in r["tickets"]] == \
        [(s, s * P + i, G) for s in range(steps) for i in range(P)]
    assert max(r["staleness_max"] for r in run.rows("metrics")) <= 1
    assert len({r["pid"] for r in run.events("joined", "generation-0")}) == 1       # it lived through all of it


def test_a_node_without_the_run_directory_serves_with_keys_and_address_from_its_environment(nodes, tmp_path):
    run = nodes("until.steps=8", "cluster.allocation=vllm.d2+d1", "cluster.silence_s=20", "cluster.weights_transport=direct")
    words = [sys.executable, "-m", "areal_lite.launch", "--keys"]
    keys = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    run.start(0, AREAL_LITE_KEYS=keys)
    run.start(1)
    run.words = [*run.words, f"run_dir={tmp_path / 'own'}"]
    run.start(2, AREAL_LITE_KEYS=keys, AREAL_LITE_MASTER="10.213.77.1:29600")
    assert run.end() == [0, 0, 0], run.said()
    assert {r["peer"] for r in run.events("joined")} == {"master", "trainer-0", "generation-0", "generation-1"}
    assert read_stage(run.stage).cluster.weights_dir == ""     # not even a place for weights is shared
    assert not (tmp_path / "own" / "head.json").exists() and not (tmp_path / "own" / "main" / "keys").exists()
    for secret in json.loads(keys).values():
        assert secret not in run.said()
