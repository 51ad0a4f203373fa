"""Status: exact words from exact numbers, and a real master that is stopped or hangs."""
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from areal_lite import record, status
from areal_lite.config import read_stage, to_yaml
from areal_lite.config.schema import Algorithm, Cluster, Data, Generation, Model, Stage, Until
from areal_lite.master.clocks import Clocks
from areal_lite.master.evaluation import EvaluationRounds
from areal_lite.master.rules import Rules
from areal_lite.master.scheduler import Scheduler
from areal_lite.master.status import status as scheduler_status
from areal_lite.streams import Spoke, find, make_keys
from areal_lite.types import Heartbeat, Hello, Loaded, Prompt, Ticket, Update
from tests.made_runs import make_run
from tests.tiny import write_tokenizer

P, G, S = 2, 3, 1


# -- the master's clocks -------------------------------------------------------------------------------------------------


def running(servers=2, capacity=9):
    """A scheduler with a trainer and ready servers, the clocks, and the tickets that went out at second 100."""
    s = Scheduler(lambda k: Prompt(f"p{k}", np.zeros(4, np.int32), ("1",)),
                  Rules(P, G, S, 1, 9, 1, lambda rank: rank, 1), EvaluationRounds(None, 0, 1, 0))
    clocks, out = Clocks(100.0), s.on("trainer-0", Hello("trainer", 0, 1)) + s.on("trainer-0", Update(0, "v0", "c"))
    for i in range(servers):
        out += s.on(f"generation-{i}", Hello("generation", i, 1, capacity)) + s.on(f"generation-{i}", Loaded(0, "c", 0.0, 0.0))
    for _, m in out:
        if isinstance(m, Ticket):
            clocks.sent(m, 100.0)
    return s, clocks


def test_the_oldest_tickets_are_named_with_their_age_and_their_debtor_and_keep_it_when_a_server_is_lost():
    s, clocks = running()
    owner = next(p for p, v in s.servers.items() if ("train", 0) in v.tickets)
    first = clocks.oldest(s, 107.0)[0]
    assert first == {"purpose": "train", "k": 0, "attempt": 0, "peer": owner, "owes": [0, 1, 2], "age_s": 7.0}
    for _, m in s.lost(owner):
        clocks.sent(m, 110.0)
    moved = clocks.oldest(s, 112.0)[0]
    assert (moved["k"], moved["age_s"]) == (0, 12.0) and moved["peer"] not in ("", owner)


def test_a_ticket_that_waits_to_be_issued_again_has_no_debtor():
    s, clocks = running(servers=1)
    s.lost("generation-0")
    assert [(t["k"], t["peer"]) for t in clocks.oldest(s, 101.0)] == [(0, ""), (1, ""), (2, "")]


def test_a_server_is_quiet_since_its_count_of_tokens_last_rose():
    s, clocks = running(servers=1)
    for now, tokens in ((101.0, 10), (102.0, 20), (103.0, 20), (109.0, 20)):
        s.on("generation-0", Heartbeat("generating", 0.0, {"generated_tokens": tokens}))
        clocks.sample(s, now)
    assert clocks.quiet_s("generation-0", 109.0) == 7.0


def test_generation_time_is_the_servers_mean_time_with_work():
    s, clocks = running(servers=2, capacity=3 * P * (S + 1))         # one of them could take all tickets
    busy = sum(bool(v.tickets) for v in s.servers.values()) / 2
    clocks.sample(s, 104.0)
    assert clocks.take_busy() == 4.0 * busy > 0 and clocks.take_busy() == 0.0


# -- in words ------------------------------------------------------------------------------------------------------------


def written(tmp_path, age_s=0.5, **changes):
    """A stage directory of a running scheduler's status; the directory and its stage."""
    s, clocks = running()
    s.on("generation-0", Heartbeat("generating", 0.0, {"generated_tokens": 40}))
    s.on("generation-1", Heartbeat("generating", 0.0, {"generated_tokens": 700}))
    stage = Stage(model=Model("m"), data=Data("d"), until=Until(steps=9),
                  algorithm=Algorithm(prompts_per_step=P, group_size=G, max_staleness=S))
    directory = tmp_path / "main"
    directory.mkdir()
    (directory / "config.yaml").write_text(to_yaml(stage))
    now = time.time()
    row = {"time": now - age_s, "stage": "main", **scheduler_status(s), "oldest": clocks.oldest(s, 131.0), "still_s": 0.1,
           "quiet_s": {"generation-0": 0.2, "generation-1": 0.3}, "processes": {"generation-0": {"doing": "generating", "since_s": 31.0,
                                                                                                  "silent_s": 1.0}}, **changes}
    (directory / "status.json").write_text(json.dumps(row))
    for peer in s.servers:
        record.append(directory / "events.jsonl", {"time": now - age_s - 10.0, "event": "joined", "peer": peer, "pid": 1})
    return directory, stage


def test_the_words_say_who_is_waited_for_and_the_arithmetic_behind_it(tmp_path):
    directory, stage = written(tmp_path)
    lines = status.render(status.facts(directory), stage).splitlines()
    assert lines[2].startswith("waiting for: the trainer waits: step 0 lacks 2 of 2 groups (tickets 0, 1;")
    assert lines[3] == ("gate:    tickets below (live 0 + max_staleness 1 + 1) x 2 = 4 may be out (never more than 9 x 2); the next is 4, "
                        "so 0 may go")
    assert lines[4] == "places:  12 of 18 taken on 2 servers; a group needs 3 on one, the emptiest has 6"
    assert lines[5].startswith("oldest:  train ticket 0, out for 31.0 s, generation-") and lines[5].endswith("owes samples 0, 1, 2")
    assert lines[6] == "slowest: generation-0 with 4 tokens/s since it joined, owes 9 answers"


def test_a_server_that_stands_still_is_the_slowest_whatever_its_average(tmp_path):
    directory, _ = written(tmp_path, quiet_s={"generation-0": 0.2, "generation-1": 42.0})
    assert status.slowest(status.facts(directory)) == "generation-1 owes 3 answers and has made no token for 42 s"


def test_the_ledger_accounts_for_everything_that_arrived():
    book = {"received": 200, "trained": 100, "evaluated": 20, "filtered": 30, "dropped": 0, "refused": 10, "lost": 7}
    said = status.ledger({"ledger": book, "servers": {"g": {"generated": 230, "delivered": 190}}})
    assert [line.split() for line in said[1:]] == [
        ["trained", "100", "50.0%"], ["evaluated", "20", "10.0%"], ["filtered", "30", "15.0%"], ["dropped", "0", "0.0%"],
        ["refused", "10", "5.0%"], ["waiting", "40", "20.0%"], ["=", "received", "200"], ["in", "flight", "40"],
        ["lost,", "generated", "again", "7"]]


def test_a_stage_without_processes_is_said_to_be_dead_or_finished(tmp_path):
    directory, stage = written(tmp_path, age_s=60.0)
    assert "NOT RUNNING on this machine" in status.headline(status.facts(directory), stage)
    (directory / "finished.json").write_text("{}")
    assert status.headline(status.facts(directory), stage).endswith("Finished")


def test_of_a_run_the_newest_stage_is_shown_and_anything_else_is_an_error(tmp_path, capsys):
    run = make_run(tmp_path, plan=(("8k", 8192, 3), ("16k", 16384, 3)), done=0.4)
    assert status.stage_of(run) == run / "8k" and status.stage_of(run / "8k") == run / "8k"
    assert status.main([str(tmp_path)]) == 2
    assert "is not a run directory" in capsys.readouterr().err
    file = run / "config.yaml"
    file.write_text(file.read_text() + "gone: 1\n")
    assert status.main([str(run)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {file}: no key gone; ")
    stage = run / "8k" / "config.yaml"
    stage.write_text(stage.read_text() + "run_dir: x\n")
    assert status.main([str(run / "8k")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {stage}: no key run_dir; ") and "did you mean run_dir" not in said


def test_a_supervised_stage_has_a_status_too(tmp_path, capsys):
    run = make_run(tmp_path, plan=(("8k", 8192, 3),), sft=True, done=0.0)
    (run / "cold" / "finished.json").unlink()
    assert status.main([str(run)]) == 0
    assert "version 40 of 40" in (said := capsys.readouterr().out) and "NOT RUNNING" in said


# -- a real master -------------------------------------------------------------------------------------------------------


class RealMaster:
    """A master process of a stage, started and logged as the launcher does it, and spokes that the test plays."""

    def __init__(self, tmp_path, hang_s):
        write_tokenizer(tmp_path / "model")
        (tmp_path / "model" / "tokenizer_config.json").write_text('{"eos_token": "<eos>"}')
        rows = [{"id": str(i), "prompt": str(i), "answers": ["1"]} for i in range(8)]
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.stage = Stage(model=Model(str(tmp_path / "model")), data=Data(str(tmp_path / "rows.jsonl")), until=Until(steps=9),
                           generation=Generation(max_concurrency=12),
                           algorithm=Algorithm(prompts_per_step=P, group_size=G, minibatches=1, max_staleness=S),
                           cluster=Cluster(device="cpu", hang_s=hang_s, weights_dir=str(tmp_path / "weights")))
        self.directory = tmp_path / "main"
        (self.directory / "logs").mkdir(parents=True)
        (self.directory / "config.yaml").write_text(to_yaml(self.stage))
        make_keys(self.directory / "keys")
        self.log, self.spokes = self.directory / "logs" / "master.log", []
        with open(self.log, "w") as out:
            self.popen = subprocess.Popen([sys.executable, "-m", "areal_lite.master", str(self.directory)], stdout=out, stderr=out)

    def join(self, name, *messages):
        """A spoke that says these things and then only beats."""
        address, keys = find(self.directory)
        spoke = Spoke(address, name, keys)
        for message in messages:
            spoke.send(message)
        self.spokes.append(spoke)

    def until(self, condition, timeout_s=60.0):
        end = time.monotonic() + timeout_s
        while not condition():
            assert self.popen.poll() is None and time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def status(self):
        file = self.directory / "status.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def end(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
        self.popen.wait(10)
        for spoke in self.spokes:
            spoke.close(0.1)


@pytest.fixture
def master(tmp_path):
    made = []

    def make(hang_s):
        made.append(RealMaster(tmp_path, hang_s))
        made[-1].join("trainer-0", Hello("trainer", 0, os.getpid()), Update(0, "nowhere", "c"))
        made[-1].join("generation-0", Hello("generation", 0, os.getpid(), 12), Loaded(0, "c", 0.0, 0.01))
        return made[-1]
    yield make
    for one in made:
        one.end()


def test_a_run_in_which_nothing_moves_ends_with_its_whole_status_and_the_stacks_in_the_log(master):
    m = master(hang_s=3.0)
    assert m.popen.wait(60) == 1
    said = m.log.read_text()
    assert "oldest:  train ticket 0, out for" in said and "generation-0 owes samples 0, 1, 2" in said
    assert "slowest: generation-0 with 0 tokens/s since it joined, owes 12 answers" in said and "= received" in said
    assert f"--- stacks of master (pids {m.popen.pid}" in said and "_last_words" in said          # where the master itself was
    assert said.splitlines()[-1].startswith("nothing has moved for 3 s (cluster.hang_s=3): the trainer waits: step 0 lacks 2 of 2 groups")
    (hang,) = [e for e in record.read(m.directory / "events.jsonl") if e["event"] == "hang"]
    assert hang["still_s"] > 3.0 and "step 0 lacks 2 of 2 groups" in hang["waiting_for"]


def test_a_living_master_is_found_asked_for_its_stack_and_missed_when_it_is_stopped(master, capsys):
    m = master(hang_s=600.0)
    m.until(lambda: m.status().get("oldest"))
    assert status.main([str(m.directory), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    here = {p["name"]: p for p in facts["processes"]}
    assert (here["master"]["pid"], here["generation-0"]["state"]) == (m.popen.pid, "gone")         # this test is no such process
    assert facts["age_s"] < status.STALE_S and facts["status"]["waiting_for"].startswith("the trainer waits")
    text = status.stacks(m.directory)
    assert "Thread" in text and "master/main.py" in text and m.popen.poll() is None
    m.popen.send_signal(signal.SIGSTOP)
    m.until(lambda: psutil.Process(m.popen.pid).status() == psutil.STATUS_STOPPED)
    record.write(m.directory / "status.json", json.dumps({**m.status(), "time": time.time() - 99.0}))
    said = status.headline(status.facts(m.directory), read_stage(m.directory))
    assert "THE MASTER HAS NOT WRITTEN FOR 99 s, its process is stopped" in said
    assert f"nothing within {status.DUMP_S:g} s; it is stopped" in status.stacks(m.directory)


def test_a_process_without_a_handler_is_never_signalled():
    with subprocess.Popen([sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as bare:
        bare.stdout.readline()
        assert not status._listens(bare.pid)
        bare.stdin.close()
    code = "import faulthandler, signal, sys; faulthandler.register(signal.SIGUSR1); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ready:
        ready.stdout.readline()
        assert status._listens(ready.pid)
        ready.stdin.close()
