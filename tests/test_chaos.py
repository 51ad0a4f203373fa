"""Seeded runs under faults, the checks that judge them, and what the master does about a damaged weight file."""
import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from areal_lite import record
from areal_lite.config import to_yaml
from areal_lite.master.main import Master
from areal_lite.types import Batch, Damaged, Hello, Loaded, Stop, Ticket, Trajectory, Update
from benchmarks import chaos_checks as checks
from benchmarks import chaos_faults as faults
from benchmarks import chaos_real as real
from benchmarks import chaos_simulated as simulated
from benchmarks.chaos_link import free_port
from tests.serving import STAGE
from tests.tiny import make_model

ROOT = Path(__file__).parents[1]
STEPS, P, G = 3, 2, 2


def answers(step):
    """What a faultless trainer writes of a step, every token of the version of that step."""
    return [[k, sample, step, step, 0, 0] for k in range(step * P, (step + 1) * P) for sample in range(G)]


def steps(*numbers):
    return [{"step": n, "version": n, "answers": answers(n)} for n in numbers]


def judged(rows, staleness=1, journal=False):
    return checks.trained(rows, STEPS, P, G, staleness, journal)


def test_a_run_without_faults_and_one_that_went_back_are_whole():
    assert judged([{"from": 0}, *steps(0, 1, 2)]) == []
    assert judged([{"from": 0}, *steps(0, 1), {"from": 1}, *steps(1, 2)]) == []


@pytest.mark.parametrize(("change", "said"), [
    (lambda row: row["answers"].append([2, 0, 1, 1, 0, 0]), "step 1: (2, 0) was trained 2 times"),
    (lambda row: row["answers"].append([5, 0, 1, 1, 0, 0]), "step 1: (5, 0) was trained 1 times"),
    (lambda row: row["answers"].pop(), "step 1: (3, 1) was trained 0 times"),
    (lambda row: row["answers"].__setitem__(0, [2, 0, -1, 1, 0, 0]), "step 1: versions -1 to 1 in ticket 2, sample 0; max_staleness 1"),
    (lambda row: row["answers"].__setitem__(0, [2, 0, 1, 2, 0, 0]), "step 1: versions 1 to 2 in ticket 2, sample 0; max_staleness 1"),
    (lambda row: row["answers"].__setitem__(0, [2, 0, 1, 1, 3, 0]), "of ticket 2, sample 0 3 tokens are of no weights"),
    (lambda row: row["answers"].__setitem__(0, [2, 0, 1, 1, 0, 4]), "4 of weights that did not last"),
    (lambda row: row.update(version=0), "step 1 was sent to version 0 where 1 was next"),
])
def test_the_check_notices_what_is_trained_twice_or_not_at_all_or_on_what(change, said):
    rows = [{"from": 0}, *steps(0, 1, 2)]
    change(rows[2])
    (broken,) = judged(rows)
    assert said in broken


def test_the_check_notices_steps_that_are_missing_or_a_recovery_that_jumps_ahead():
    assert judged([{"from": 0}, *steps(0, 1)]) == ["2 of 3 steps were made"]
    assert "resumed from version 2, 1 were made" in judged([{"from": 0}, *steps(0), {"from": 2}, *steps(2)])


def test_answers_of_a_past_that_did_not_last_are_the_journals_alone():
    rows = [{"from": 0}, *steps(0, 1, 2)]
    rows[3]["answers"][0][5] = 4
    assert judged(rows, journal=True) == [] and len(judged(rows)) == 1


def test_the_check_notices_a_ticket_that_a_real_run_trained_twice_and_a_ledger_that_does_not_add_up():
    rows = [{"step": n + 1, "tickets": [[k, 0, G, 9] for k in range(n * P, (n + 1) * P)]} for n in range(STEPS)]
    assert checks.tickets(rows, STEPS, P, G) == []
    assert "1 to 3" in checks.tickets([*rows, rows[1]], STEPS, P, G)[0]
    rows[1]["tickets"][0] = [3, 0, 1, 9]
    assert checks.tickets(rows, STEPS, P, G) == ["step 1: 2 was trained 0 times", "step 1: 3 was trained 2 times",
                                                 "step 1: 1 of 2 answers of ticket 3"]
    totals = {"received": 90, "taken_back": 10, "trained": 95, "evaluated": 0, "filtered": 0, "dropped": 0, "refused": 5, "lost": 7}
    assert checks.ledger(totals) == [] and "101 tokens came in, 100" in checks.ledger({**totals, "received": 91})[0]
    held = [{"step": n, "staleness_max": 1.0} for n in (1, 3)]
    assert checks.metrics(held, STEPS, 1, restarts=1) == [] and checks.metrics(held, STEPS, 1, restarts=0)
    assert "staleness 1, bound 0" in checks.metrics(held, STEPS, 0, restarts=1)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "kinds"), [
    (13, "stop server,stop server long"), (13, "slow server,corrupt weights"), (18, "kill master,kill trainer,kill server"),
    (18, "partition long,cut link,partition"), (18, "stop master")])            # seeds that draw each of them, and noise on the wire
def test_a_run_under_faults_with_messages_twice_and_late_trains_every_ticket_once(tmp_path, seed, kinds):
    words = ["-m", "benchmarks.chaos", "--simulated", "1", "--seed", str(seed), "--only", kinds, "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(f"| {kind} |" in done.stdout for kind in kinds.split(",")) and "0 runs broken" in done.stdout
    assert not list(tmp_path.iterdir())                    # what is not broken is not kept


class DyingHub:
    """The master's hub, answered by one server and one trainer; everything ends in the moment in which a batch is sent."""
    refused = malformed = 0

    def __init__(self):
        self.inbox = [("trainer-0", Hello("trainer", 0, 1)), ("trainer-0", Update(0, "", "c")),
                      ("generation-0", Hello("generation", 0, 2, 100))]

    def receive(self, timeout_s):
        return self.inbox.pop(0)

    def gone(self, peers):
        return []

    def send(self, peer, message):
        if isinstance(message, Update):
            self.inbox.append((peer, Loaded(message.version, message.checksum, 0.0, 0.0)))
        elif isinstance(message, Ticket):
            one = np.zeros(1, np.int32)
            self.inbox += [(peer, Trajectory(message.k, message.attempt, n, message.purpose, message.prompt.token_ids, one,
                                             one.astype(np.float32), one, "stop", float(n), "correct", "1", 0.1)) for n in message.samples]
        elif isinstance(message, Batch):
            raise InterruptedError


def test_a_master_that_dies_as_it_sends_a_batch_has_written_down_its_tickets(tmp_path):
    run = simulated.Run(tmp_path, 1)
    with pytest.raises(InterruptedError):
        Master(run.stage, run.directory, DyingHub()).run()
    a = run.stage.algorithm
    assert checks.tickets(list(record.read(run.directory / "tickets.jsonl")), 1, a.prompts_per_step, a.group_size) == []


def test_a_damaged_version_ends_the_master_only_when_a_server_that_started_again_finds_it_damaged_too(tmp_path):
    class Hub(DyingHub):
        def send(self, peer, message):
            assert not isinstance(message, Stop)

    run, hub = simulated.Run(tmp_path, 1), Hub()
    hello, damaged = ("generation-0", Hello("generation", 0, 2, 100)), ("generation-0", Damaged(0, "a bit is wrong"))
    hub.inbox += [damaged, hello, damaged]
    with pytest.raises(SystemExit, match="version 0 has to be published again: a bit is wrong"):
        Master(run.stage, run.directory, hub).run()
    assert not hub.inbox


def test_the_faults_of_a_seed_are_always_the_same_and_seven_seeds_have_every_kind():
    drawn = [faults.draw(seed, real.SERVERS, real.SILENCE_S) for seed in range(7)]
    assert drawn == [faults.draw(seed, real.SERVERS, real.SILENCE_S) for seed in range(7)]
    assert {f.kind for d in drawn for f in d} == set(faults.KINDS)
    longer = [f.seconds for d in drawn for f in d if f.kind in ("stop server long", "partition long")]
    assert min(longer) > real.SILENCE_S > max(f.seconds for d in drawn for f in d if f.kind in ("stop server", "partition", "cut link"))


def test_a_real_runs_table_has_a_line_per_run_and_what_each_kind_cost():
    row = {"run": "run-1", "steps": 12, "staleness": 2.0, "restarts": 1, "starts": 1, "seconds": 90.4, "exit": 0, "broken": [],
           "faults": [{"kind": "kill master", "lost_s": 17.0, "versions": 4},
                      {"kind": "full disk", "lost_s": 0.0, "skipped": "not permitted"}]}
    text = real.table({"seconds": 50.0, "step_s": 1.5}, [row, {**row, "run": "run-2", "broken": ["step 1: 3 was trained 2 times"]}])
    assert "| run-1 | kill master, full disk (skipped) | 12 | 2 | 1 / 1 | 90 | 0 | held |" in text
    assert "BROKEN: step 1: 3 was trained 2 times" in text and "| kill master | 2 | 11 11 |" in text and "| full disk |" not in text


def test_what_a_chaos_run_does_to_a_process_from_inside(tmp_path):
    code = "import os, time; print(os.environ.get('AREAL_LITE_MASTER'), time.time())"
    (tmp_path / "clock").write_text("-7200")
    environment = {**os.environ, "PYTHONPATH": str(real.SITE), "CHAOS_DIR": str(tmp_path), "CHAOS_LINKS": "127.0.0.1:1,127.0.0.1:2"}
    said = subprocess.run([sys.executable, "-c", code, "areal_lite.generation", "--index", "1"], env=environment, capture_output=True,
                          text=True, check=True).stdout.split()
    assert said[0] == "127.0.0.1:2" and 7100 < time.time() - float(said[1]) < 7300


@pytest.mark.slow
def test_a_trainer_without_a_checkpoint_that_can_be_read_says_so_once_and_asks_for_no_restart(tmp_path):
    make_model(tmp_path / "model")
    stage = dataclasses.replace(STAGE, model=dataclasses.replace(STAGE.model, path=str(tmp_path / "model")))
    (tmp_path / "config.yaml").write_text(to_yaml(stage))
    saved = tmp_path / "checkpoints" / "step-00000002"
    saved.mkdir(parents=True)
    (saved / "extra.json").write_text("{}")
    words = [sys.executable, "-m", "areal_lite.trainer", str(tmp_path), "--rank", "0", "--store", f"127.0.0.1:{free_port()}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == record.FATAL, done.stderr
    assert "step-00000002 cannot be read" in done.stderr and "sums.json" in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("trainer rank 0 cannot start: none of the checkpoints in")
