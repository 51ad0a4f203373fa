"""The generation server as a process: how it starts, what its last words are, and that nothing outlives it."""
import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from areal_lite.types import Hello, Loaded, Stop, Trajectory
from tests.serving import STAGE, Process, gone, publish_fake, ticket
from tests.tiny import write_tokenizer


@pytest.fixture
def stage(tmp_path):
    write_tokenizer(tmp_path / "model")
    return replace(STAGE, model=replace(STAGE.model, path=str(tmp_path / "model")))


def test_after_stop_everything_finished_arrives_and_the_process_ends_well(stage, tmp_path):
    with Process(tmp_path, stage) as server:
        hello, = server.receive(Hello)
        assert (hello.role, hello.index, hello.pid, hello.capacity) == ("generation", 0, server.process.pid, 8)
        server.send(publish_fake(tmp_path, 2))
        assert server.receive(Loaded)[0].version == 2
        server.send(*[ticket(k) for k in range(20)])
        wanted = {(k, sample) for k in range(20) for sample in range(4)}
        assert {(t.k, t.sample) for t in server.receive(Trajectory, 80)} == wanted
        verifiers = psutil.Process(server.process.pid).children(recursive=True)
        server.send(Stop("finished"))
        assert server.left()[0] == 0
        assert verifiers and gone(verifiers)


def test_a_refused_version_ends_the_process_and_its_last_words_name_version_file_and_reason(stage, tmp_path):
    with Process(tmp_path, stage, index=3) as server:
        server.receive(Hello)
        update = publish_fake(tmp_path, 6)
        server.send(replace(update, checksum="0" * 32))
        status, (line,) = server.left()
    assert status == 1
    assert line.startswith("generation server 3 stops: version 6 is refused: ")
    assert f"{update.path}/weights.bin" in line and "is not the update's" in line


def test_sigterm_is_a_stop(stage, tmp_path):
    with Process(tmp_path, stage) as server:
        server.receive(Hello)
        server.process.terminate()
        assert server.left()[0] == 0


def test_a_missing_model_is_named(stage, tmp_path):
    with Process(tmp_path, replace(stage, model=replace(stage.model, path=str(tmp_path / "absent")))) as server:
        status, (line,) = server.left()
    assert status == 1 and line.startswith(f"generation server 0 stops: {tmp_path / 'absent'}: no eos_token_id")


def test_the_core_of_an_engine_runs_where_its_environment_says_and_the_server_wherever_there_is_room(stage, tmp_path, monkeypatch):
    core = min(os.sched_getaffinity(0))
    monkeypatch.setenv("AREAL_LITE_CPUS", str(core))
    with Process(tmp_path, stage) as server:
        server.receive(Hello)
        assert psutil.Process(server.process.pid).cpu_affinity() == sorted(os.sched_getaffinity(0))
    code = ("import os; from areal_lite.generation.worker_extension import begin_core; os.register_at_fork(after_in_child=begin_core)\n"
            "if not os.fork(): os._exit(print(os.sched_getaffinity(0), flush=True) or 0)\nos.wait()")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == str({core})


def test_a_verifier_that_cannot_start_says_why(stage, tmp_path):
    stage = replace(stage, reward=replace(stage.reward, rule="function", function="no/such.py:score"))
    with Process(tmp_path, stage) as server:
        status, (line,) = server.left()
    assert status == 1 and "reward.function=no/such.py:score: ValueError: no such file" in line
