"""The whole system as a user starts it: real launcher, master, vLLM servers and trainer ranks, killed in the middle.

A tiny random model on made sums; each run is under a minute on two cores.
"""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from areal_lite import record
from areal_lite.config import read_stage
from areal_lite.config.identity import of_answers
from areal_lite.master.journal import Journal

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
P, G = 4, 4
SMALL = ["exp=distill-1.5b-stage1", "tiny=true", "data.template=none", "data.limit=0", "data.max_prompt_tokens=64",
         f"algorithm.prompts_per_step={P}", f"algorithm.group_size={G}", "generation.max_new_tokens=48", "generation.max_concurrency=32",
         "checkpoint.every_steps=2", "cluster.silence_s=20"]


class Launched:
    """A launcher in a process group of its own, and its run directory."""

    def __init__(self, directory: Path, *words: str, rows=64):
        directory.mkdir(parents=True, exist_ok=True)
        data = directory / "rows.jsonl"
        data.write_text("".join(json.dumps({"id": str(i), "prompt": f"{i}+1=", "answers": [str(i + 1)]}) + "\n" for i in range(rows)))
        self.run_dir, self.stage = directory / "run", directory / "run" / "main"
        self.words = [*SMALL, f"data.path={data}", f"run_dir={self.run_dir}", *words]
        self.log = directory / "launch.log"

    def start(self, *flags: str):
        with open(self.log, "a") as out:
            self.popen = subprocess.Popen([sys.executable, "-m", "areal_lite.launch", *self.words, *flags], cwd=ROOT, stdout=out,
                                          stderr=subprocess.STDOUT, start_new_session=True,
                                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))     # a shell's & ignores it
        return self

    def until(self, condition, timeout_s=300.0):
        """Wait for condition(); the run must not end before."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"{self.log.read_text()}\n{(self.stage / 'status.json').read_text()}"
            time.sleep(0.05)

    def made(self, version):
        return lambda: any(r["step"] >= version for r in self.rows("metrics"))

    def rows(self, what):
        return list(record.read(self.stage / f"{what}.jsonl"))

    def pid(self, name):
        """Of the named process, from the master's own notes."""
        return [r["pid"] for r in self.rows("events") if r["event"] == "joined" and r["peer"] == name][-1]

    def end(self, timeout_s=300.0) -> int:
        return self.popen.wait(timeout_s)

    def trained(self):
        """(step, ticket, answers) in the order they were trained."""
        return [(r["step"] - 1, k, n) for r in self.rows("tickets") for k, _, n, _ in r["tickets"]]


@pytest.fixture
def launched(tmp_path, request):
    made = []

    def make(*words, **kw):
        made.append(Launched(tmp_path, *words, **kw))
        return made[-1]
    yield make
    for run in made:
        if run.popen.poll() is None:
            os.killpg(run.popen.pid, signal.SIGKILL)


def family(pid):
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def journaled(run, version):
    """What the journal holds for the steps from this version on: ticket -> lengths of its answers."""
    stage, held = read_stage(run.stage), {}
    for t in Journal(run.stage / "journal", of_answers(stage), P, 1 << 30).read(version):
        held.setdefault(t.k, []).append(len(t.output_ids))
    return held


def assert_trained_once(run, steps, staleness):
    assert run.trained() == [(s, s * P + i, G) for s in range(steps) for i in range(P)], run.log.read_text()
    metrics = run.rows("metrics")
    assert [r["step"] for r in metrics] == list(range(1, steps + 1))
    assert max(r["staleness_max"] for r in metrics) <= staleness
    assert max(r["probe_error"] for r in metrics) <= 1e-4


def assert_only_loopback(pid):
    """Nothing of a single-node run can be reached from another machine: not the hub, nor vLLM's or gloo's own sockets."""
    listening = [(p.name(), c.laddr) for p in family(pid) for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening and {address.ip for _, address in listening} <= {"127.0.0.1", "::1"}, listening


def test_two_servers_with_updates_in_flight_lose_one_to_kill_9_and_every_ticket_is_trained_once(launched):
    steps = 20
    run = launched(f"until.steps={steps}", "cluster.allocation=vllm.d2+d1", "algorithm.max_staleness=2",
                   "cluster.weights_transport=direct").start()           # the others publish files
    run.until(lambda: len({r["peer"] for r in run.rows("events") if r["event"] == "loaded"}) == 2)
    assert_only_loopback(run.popen.pid)
    run.until(run.made(3))
    os.kill(run.pid("generation-1"), signal.SIGKILL)
    killed = time.time()
    assert run.end() == 0, run.log.read_text()
    (lost,) = [r for r in run.rows("events") if r["event"] == "lost"]
    assert lost["why"] == "its connection broke" and lost["time"] - killed < 10          # cluster.silence_s is 20
    assert_trained_once(run, steps, 2)
    status = json.loads((run.stage / "status.json").read_text())
    ledger = status["ledger"]
    assert ledger["received"] == ledger["trained"] + ledger["refused"] and ledger["dropped"] == 0
    loads = [r for r in run.rows("events") if r["event"] == "loaded"]
    assert len({r["peer"] for r in loads}) == 2
    on_policy = [r["gap_staleness_0"] for r in run.rows("metrics") if "gap_staleness_0" in r]
    assert on_policy[0] <= 1e-4                       # mean |trainer - vLLM| of version 0, before any answer saw two versions
    assert "killed by SIGKILL" in run.log.read_text() and (run.stage / "export" / "model.safetensors").exists()
    assert read_stage(run.stage).cluster.weights_dir == ""


def test_kill_9_of_a_trainer_rank_continues_from_the_checkpoint_and_of_the_launcher_leaves_no_orphan_and_resumes(launched):
    steps = 9
    run = launched(f"until.steps={steps}", "cluster.allocation=vllm.d1+d2", "algorithm.max_staleness=1").start()
    run.until(run.made(3))
    assert_only_loopback(run.popen.pid)
    server = run.pid("generation-0")
    os.kill(run.pid("trainer-1"), signal.SIGKILL)                     # the group starts again from version 2
    run.until(lambda: len([r for r in run.rows("events") if r["event"] == "began"]) == 2)
    assert [r for r in run.rows("events") if r["event"] == "began"][-1]["version"] == 2
    run.until(run.made(5))
    assert run.pid("generation-0") == server                          # it lived on and joined the new master
    everyone = family(run.popen.pid)
    assert len(everyone) >= 5                                         # launcher, master, server, EngineCore, ranks, verifier
    os.kill(run.popen.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(everyone, timeout=60)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE], alive
    held = journaled(run, record.checkpoints(run.stage)[-1])
    assert any(len(answers) == G for answers in held.values())
    again = run.start("--resume")
    assert again.end() == 0, run.log.read_text()
    assert_trained_once(run, steps, 1)
    assert not Path(read_stage(run.stage).cluster.weights_dir).exists()
    began = [r for r in run.rows("events") if r["event"] == "began"][-1]
    assert began["version"] in (4, 5, 6) and began["taken_back"] == sum(map(len, held.values()))
    trained = {k: tokens for r in run.rows("tickets") for k, _, _, tokens in r["tickets"]}
    assert {k: trained[k] for k, answers in held.items() if len(answers) == G} == \
        {k: sum(answers) for k, answers in held.items() if len(answers) == G}            # the very answers, not new ones


def test_kill_9_of_the_master_starts_the_group_again_and_ctrl_c_stops_cleanly(launched):
    run = launched("until.steps=400", "cluster.allocation=vllm.d1+d1").start()
    run.until(run.made(5))                                            # so that the checkpoint of version 2 is whole
    os.kill(run.pid("master"), signal.SIGKILL)
    run.until(lambda: len([r for r in run.rows("events") if r["event"] == "began"]) == 2)
    again = [r for r in run.rows("events") if r["event"] == "began"][-1]["version"]
    assert again >= 2 and again % 2 == 0                              # a checkpoint, which is made every second step
    run.until(run.made(again + 2))
    trained = run.trained()
    assert len(set(trained)) == len(trained) and [k for _, k, _ in trained] == list(range(len(trained)))
    everyone = family(run.popen.pid)
    os.killpg(run.popen.pid, signal.SIGINT)
    assert run.end(120) == 130
    _, alive = psutil.wait_procs(everyone, timeout=60)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    again = run.start()
    assert again.end() == 2 and "--resume (recover=auto) continues from version" in run.log.read_text()
