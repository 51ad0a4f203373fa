"""The launcher's pure parts and its edge: placement, preflight, and messages that say what to change."""
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from areal_lite import record
from areal_lite.config import ConfigError, load, to_yaml
from areal_lite.config.identity import identity
from areal_lite.launch import placement
from areal_lite.launch.__main__ import main
from areal_lite.launch.preflight import check, parameters
from areal_lite.launch.recover import onward, prepare, refuse, set_aside
from areal_lite.launch.stages import resolve
from areal_lite.launch.supervise import how_it_ended, last_words, visible
from areal_lite.toy.tiny import make_tiny

ROOT = Path(__file__).parents[1]


def stage(allocation, nodes=1, gpus=8, device="cuda", **kw):
    s = load(["exp=distill-1.5b-stage1"]).stages[0]
    return dataclasses.replace(s, cluster=dataclasses.replace(s.cluster, allocation=allocation, nodes=nodes, gpus_per_node=gpus,
                                                              device=device, **kw))


def test_every_process_has_its_own_gpus_and_a_server_stays_on_one_node():
    plan = placement.place(stage("vllm.d16p1m4+d32p2m1", nodes=16), cores=64)
    used = [(p.node, g) for p in plan for g in p.gpus]
    assert len(used) == len(set(used)) == 128
    servers = [p for p in plan if p.name.startswith("generation")]
    assert len(servers) == 16 and all(len(p.gpus) == 4 and p.gpus[-1] - p.gpus[0] == 3 for p in servers)
    assert [p.node for p in plan if p.name == "trainer-0"] == [0] and plan[0].name == "master"


def test_no_server_crosses_a_node_and_an_allocation_that_does_not_fill_the_cluster_names_the_nearest():
    plan = placement.place(stage("vllm.d3m4+d4", nodes=2), cores=64)
    assert [(p.node, p.gpus) for p in plan if p.name.startswith("generation")] == [(0, (4, 5, 6, 7)), (1, (0, 1, 2, 3)), (1, (4, 5, 6, 7))]
    with pytest.raises(ValueError, match="nearest"):
        placement.place(stage("vllm.d2m4+d2", nodes=2), cores=64)


@pytest.mark.parametrize(("gpus", "outer", "seen"), [
    ((0, 1), "", "0,1"), ((2, 3), "4,5,6,7", "6,7"), ((1,), "GPU-8f3a, GPU-91c2", "GPU-91c2")])
def test_a_process_gets_its_gpus_among_those_that_the_node_may_use(gpus, outer, seen):
    assert visible(gpus, outer) == seen


def test_too_few_visible_gpus_are_said_before_a_process_starts():
    with pytest.raises(ValueError, match=r"CUDA_VISIBLE_DEVICES=1,2 names 2 GPUs, and this needs GPU number 2"):
        visible((2,), "1,2")


@pytest.mark.slow
def test_a_trainer_for_gpus_does_not_train_on_the_cpu_instead(tmp_path):
    (tmp_path / "config.yaml").write_text(to_yaml(stage("vllm.d1+d1")))
    done = subprocess.run([sys.executable, "-m", "areal_lite.trainer", str(tmp_path), "--rank", "0", "--store", "127.0.0.1:0"],
                          env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, capture_output=True, text=True, timeout=120)
    assert done.returncode == record.FATAL, done.stderr
    assert "cluster.device is cuda, but torch finds no GPU here" in done.stderr


def test_on_several_cpu_nodes_the_processes_are_spread_in_order():
    plan = placement.place(stage("vllm.d3+d1", nodes=2, gpus=2, device="cpu"), cores=2)
    assert {p.name: p.node for p in plan} == {"master": 0, "trainer-0": 0, "generation-0": 0, "generation-1": 1, "generation-2": 1}


def test_pinning_gives_generation_and_training_different_cores():
    plan = placement.place(stage("vllm.d2+d1", device="cpu", pin_cpus=True), cores=2)
    assert {p.name: p.cpus for p in plan} == {"master": (), "trainer-0": (1,), "generation-0": (0,), "generation-1": (0,)}


def test_the_plan_of_a_large_cluster_is_a_short_table():
    text = placement.table(placement.place(stage("vllm.d64p1m1+d32p2m1", nodes=16), cores=64))
    # a header, the master, 64 training ranks on 8 nodes (d32 x p2), 64 servers on the other 8
    assert len(text.splitlines()) == 1 + 1 + 8 + 8
    assert "trainer-0 .. 7       0     0-7" in text


def test_parameters_are_counted_from_the_config(tmp_path):
    import safetensors.numpy
    make_tiny(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    held = sum(v.size for v in safetensors.numpy.load_file(tmp_path / "model.safetensors").values())
    assert abs(parameters(config) - held) / held < 0.01                       # attention biases are left out


@pytest.fixture
def words(tmp_path):
    make_tiny(tmp_path / "model")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"id": str(i), "prompt": f"{i}?", "answers": ["1"]}) + "\n" for i in range(8)))
    return ["exp=distill-1.5b-stage1", "tiny=true", "make=", f"model.path={tmp_path / 'model'}", f"data.path={tmp_path / 'rows.jsonl'}",
            "data.template=none", f"run_dir={tmp_path / 'run'}"]


def wrong(words, *more):
    return "\n".join(check(load([*words, *more]), 2, starting=True).wrong)


def test_a_run_that_can_start_passes(words):
    assert wrong(words) == ""


def test_what_holds_for_several_stages_is_said_once():
    facts = check(load(["exp=distill-1.5b"]), 2, starting=False).facts
    assert facts[-1].startswith("stages 8k, 16k, 24k: to start it, give an address and port of node 0")
    assert sum("generation-56 .. 63" in fact for fact in facts) == 1
    assert [f for f in facts if f.endswith("the same processes")] == ["stage 16k: the same processes", "stage 24k: the same processes"]


@pytest.mark.parametrize(("more", "message"), [
    ("model.path=nowhere/at/all", "is not a directory"),
    ("data.max_prompt_tokens=9000", "max_position_embeddings) is 8192"),
    ("cluster.allocation=vllm.d1+d1t3", "t"),
    ("cluster.master=nonsense", "HOST:PORT"),
    ("cluster.nodes=2 cluster.gpus_per_node=1", "all 2 nodes reach"),
    ("data.path=gone.jsonl", "no such file or directory, and not a hub data set"),
    ("evaluation.path=gone.jsonl", "evaluation.path: data 'gone.jsonl': no such file or directory, and not a hub data set"),
])
def test_what_cannot_work_is_said_before_anything_starts(words, more, message):
    assert message in wrong(words, *more.split())


def test_a_taken_port_is_named(words):
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        assert f"cluster.master=127.0.0.1:{port} cannot be bound" in wrong(words, f"cluster.master=127.0.0.1:{port}")


def test_weights_that_are_sent_directly_need_neither_a_directory_nor_room_for_files(words, monkeypatch):
    experiment = load([*words, "cluster.weights_transport=direct"])
    assert resolve(experiment, experiment.stages[0]).cluster.weights_dir == ""
    with pytest.raises(ConfigError, match=r"cluster\.weights_dir has no effect with weights_transport=direct"):
        load([*words, "cluster.weights_transport=direct", "cluster.weights_dir=anywhere"])
    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(**{"free": 0} if str(path) == "/dev/shm" else {}))
    if Path("/dev/shm").is_dir():
        assert "/dev/shm has 0.0 GiB free, published weights need" in wrong(words)
    assert wrong(words, "cluster.weights_transport=direct") == ""


def test_bad_rows_are_named_by_file_and_row(words, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"id": "1", "prompt": "x", "answers": ["1"]}\n{"id": "2", "prompt": "y"}\n')
    assert "rows.jsonl" in wrong(words)
    (tmp_path / "rows.jsonl").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
    assert "LFS" in wrong(words)


def test_held_out_rows_are_read_before_anything_starts(words, tmp_path):
    held, more = tmp_path / "held.jsonl", [*words, f"evaluation.path={tmp_path / 'held.jsonl'}"]
    held.write_text("".join(f'{{"prompt": "{n}?", "answer": {n}}}\n' for n in range(20)))
    report = check(load(more), 2, starting=True)
    assert report.wrong == [] and f"stage main: 20 held-out rows of {held}" in report.facts
    held.write_text('{"prompt": "x"}\n')
    assert wrong(more) == f"""stage main: evaluation.path: {held}, row 0 has no "answer" (or "answers"); it has ['prompt']"""


def test_rows_without_answers_pass_with_a_reward_function_only(words, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"prompt": "x"}\n{"prompt": "y"}\n')
    assert wrong(words) == f"""stage main: {tmp_path}/rows.jsonl, row 0 has no "answer" (or "answers"); it has ['prompt']"""
    (tmp_path / "reward.py").write_text("def score(response, answers, finish):\n    return 1.0\n")
    own = [*words, "reward.rule=function", f"reward.function={tmp_path / 'reward.py'}:score"]
    report = check(load(own), 2, starting=True)
    assert report.wrong == [] and f"stage main: 2 rows of {tmp_path}/rows.jsonl" in report.facts


def test_a_chat_template_that_is_left_unused_is_mentioned(words, tmp_path):
    fact = "stage main: the model has a chat template; data.template=chat would use it"
    assert fact not in check(load(words), 2, starting=True).facts
    (tmp_path / "model" / "chat_template.jinja").write_text("{{ messages[0].content }}")
    assert fact in check(load(words), 2, starting=True).facts
    assert fact not in check(load([*words, "data.template=chat"]), 2, starting=True).facts


def test_the_command_prints_the_config_and_checks_without_starting(words, capsys, tmp_path):
    assert main([*words, "--print-config"]) == 0 and "max_staleness: 2" in capsys.readouterr().out
    assert main([words[0], "--check", *words[1:]]) == 0 and "can run here" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
    assert main(["exp=distil-1.5b"]) == 2 and "did you mean distill-1.5b" in capsys.readouterr().err
    assert main([*words, "trainer.optimizer.lr=fast"]) == 2 and "must be a number" in capsys.readouterr().err


def test_the_launcher_imports_in_under_a_second():
    code = "import time; t = time.process_time(); import areal_lite.launch.__main__; print(time.process_time() - t)"
    best = min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout)
               for _ in range(3))
    assert best <= 1.0


def test_an_earlier_run_is_moved_aside_not_overwritten(tmp_path):
    for _ in range(2):
        (tmp_path / "run").mkdir()
        set_aside(tmp_path / "run")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.1", "run.2"] and set_aside(tmp_path / "run") is None


def saved(words, directory, version, **of):
    """An experiment and what a checkpoint of its stage looks like from outside."""
    experiment = load(words)
    path = directory / f"step-{version:08d}"
    path.mkdir(parents=True)
    facts = {**identity(experiment.stages[0]), **of}
    (path / "extra.json").write_text(json.dumps({"engine": {}, "caller": {"version": version, "of": facts}}))
    return path


def test_a_run_goes_back_to_one_of_its_checkpoints_and_keeps_what_came_after_beside_it(words, tmp_path):
    own = tmp_path / "run" / "main" / "checkpoints"
    paths = [saved(words, own, v) for v in (10, 20, 30)]
    (tmp_path / "run" / "main" / "finished.json").write_text("{}")
    assert "version 20 of stage main" in prepare(load([*words, f"recover={paths[1]}"]))
    assert sorted(p.name for p in own.iterdir()) == ["step-00000010", "step-00000020", "step-00000030.1"]
    assert record.checkpoints(own.parent) == [10, 20] and not (own.parent / "finished.json").exists()


def test_a_run_starts_from_another_runs_checkpoint_unless_it_is_of_something_else(words, tmp_path):
    path = saved(words, tmp_path / "elsewhere", 40)
    prepare(load([*words, f"recover={path}"]))
    assert record.checkpoints(tmp_path / "run" / "main") == [40] and path.exists()
    other = saved(words, tmp_path / "another", 40)                          # the same version, of another run: that one is meant
    (other / "mark").touch()
    prepare(load([*words, f"recover={other}"]))
    own = tmp_path / "run" / "main" / "checkpoints"
    assert (own / "step-00000040" / "mark").exists() and not (own / "step-00000040.1" / "mark").exists()
    for what, message in ((saved(words, tmp_path / "b", 1, seed=7), "seed was 7 and is 1 now"),
                          (saved(words, tmp_path / "c", 1, stage="24k"), "is of stage '24k'; this experiment has main"),
                          (tmp_path / "nothing", "is no complete checkpoint")):
        with pytest.raises(ValueError, match=message):
            refuse(load([*words, f"recover={what}"]))


def test_a_run_that_is_there_is_neither_overwritten_nor_continued_unasked(words, tmp_path):
    stage_dir = tmp_path / "run" / "main"
    stage_dir.mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").write_text("")
    record.append(stage_dir / "metrics.jsonl", {"step": 1})
    rest = (", --fresh (recover=fresh) moves it aside, recover=RUN/STAGE/checkpoints/step-N goes back to a checkpoint, "
            "run_dir=DIR starts elsewhere")
    for make, how in ((lambda: None, "--resume (recover=auto) starts stage main again, which has no checkpoint"),
                      (lambda: saved(words, stage_dir / "checkpoints", 20),
                       "--resume (recover=auto) continues from version 20 of stage main"),
                      (lambda: (stage_dir / "finished.json").write_text("{}"),
                       "all of it is finished, --resume (recover=auto) only reports on it again")):
        make()
        with pytest.raises(ConfigError) as refusal:
            refuse(load(words))
        assert str(refusal.value) == f"{tmp_path / 'run'} holds a run already: {how}{rest}" == refuse(load(words), starting=False)
    for word in ("recover=auto", "recover=fresh"):
        refuse(load([*words, word]))
    assert "going on" in prepare(load([*words, "recover=auto"])) and "run.1" in prepare(load([*words, "recover=fresh"]))
    refuse(load(words))


def test_a_start_that_failed_before_its_first_step_is_out_of_the_way_of_the_next(words, tmp_path):
    (tmp_path / "run" / "main").mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").write_text("")
    (tmp_path / "run" / "main" / "metrics.jsonl").touch()
    experiment = load(words)
    assert refuse(experiment) == "" and onward(experiment) == "the same command starts anew"
    code = "import time; print(flush=True); time.sleep(600)"               # what a trainer of this run looks like from outside
    (tmp_path / "areal_lite" / "trainer").mkdir(parents=True)
    (tmp_path / "areal_lite" / "trainer" / "__main__.py").write_text(code)
    with subprocess.Popen([sys.executable, "-m", "areal_lite.trainer", "run/main"], cwd=tmp_path, stdout=subprocess.PIPE) as trainer:
        trainer.stdout.readline()
        with pytest.raises(ConfigError, match="holds a run already"):
            refuse(experiment)
        trainer.kill()
    assert prepare(experiment) == f"an earlier start, which made no step, is now in {tmp_path / 'run.1'}"


def test_a_check_of_a_run_that_is_there_says_so_and_goes_on(words, tmp_path, capsys):
    (tmp_path / "run" / "main").mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").write_text("")
    record.append(tmp_path / "run" / "main" / "metrics.jsonl", {"step": 1})
    assert main([*words, "--check"]) == 0
    *_, held, ok = capsys.readouterr().out.splitlines()
    assert held.startswith(f"{tmp_path / 'run'} holds a run already: --resume (recover=auto) starts") and ok.endswith("can run here")


def test_gpus_that_are_not_there_are_said_before_anything_is_written(words, tmp_path, capsys, monkeypatch):
    words = [*words, "cluster.device=cuda", "cluster.allocation=vllm.d2+d1", "cluster.gpus_per_node=3"]
    few = ("this node has 2 GPUs, and 3 are needed here: lower cluster.gpus_per_node and the allocation, "
           "name what is not seen in CUDA_VISIBLE_DEVICES, or say cluster.device=cpu without any")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-91c2")
    assert main(words) == 2 and capsys.readouterr().err == f"error: {few}\n"
    assert not (tmp_path / "run").exists()
    assert main([*words, "--check"]) == 0
    *_, fact, ok = capsys.readouterr().out.splitlines()
    assert fact == few and ok == f"ok: {load(words).name} fits together; start it on nodes with 3 GPUs each"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    assert main([*words, "--check"]) == 0 and "can run here" in capsys.readouterr().out


@pytest.mark.parametrize(("body", "name", "message"), [
    ("def score(a, b): return 1", "score",
     "fails on the first row: TypeError: score() takes 2 positional arguments but 3 were given; "
     "it is called as score(response, answers, finish) and returns a number"),
    ("def score(*_): pass", "score", "fails on the first row: TypeError: it returned None; it is called as"),
    ("def score(*_): return '1'", "score", "fails on the first row: TypeError: it returned '1'; it is called as"),
    ("def score(*_): return float('nan')", "score", "fails on the first row: ValueError: it returned nan; it is called as"),
    ("def score(*_):\n    while True: pass", "score", "fails on the first row: no score within 0.5 s (reward.timeout_s); it is called"),
    ("def score(*_): return 1", "scor", "has no function 'scor'"),
    ("def score(*_) return 1", "score", "SyntaxError: expected ':' (r.py, line 1)"),
    ("import nowhere_at_all", "score", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
    ("def score(r, a, f): return (r, a, f) == ('', ['1'], 'stop') or None", "score", ""),
])
def test_a_reward_function_that_gives_no_number_is_refused_with_the_reason(words, tmp_path, body, name, message):
    (tmp_path / "r.py").write_text(body)
    spec = f"reward.function={tmp_path / 'r.py'}:{name}"
    said = wrong(words, "reward.rule=function", spec, "reward.timeout_s=0.5")
    assert (f"stage main: {spec}" in said and message in said) if message else said == ""


def test_two_words_of_the_same_key_are_not_chosen_between(words, capsys):
    assert main([*words, "--resume", "recover=elsewhere"]) == 2 and "contradict each other" in capsys.readouterr().err
    assert main([*words, "--fresh", "--resume"]) == 2 and "recover=fresh and recover=auto" in capsys.readouterr().err


def test_the_other_nodes_hear_that_node_0_cannot_run(words, tmp_path, capsys):
    place = ["nodes=2", "cluster.gpus_per_node=1", "node_rank=0", "master=127.0.0.1:29600"]
    assert main([*words, *place]) == 2 and "all 2 nodes reach" in capsys.readouterr().err
    head = json.loads((tmp_path / "run" / "head.json").read_text())
    assert head["state"] == "stopped" and "all 2 nodes reach" in head["why"]


def test_a_launcher_named_in_a_file_does_not_submit_itself_again(words, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("base: distill-1.5b-stage1\nlauncher: slurm\n")
    given = [f"exp={file}", *words[1:], "cluster.nodes=2"]
    assert load(given).launcher == "slurm" and load([*given, "launcher="]).launcher == ""


def test_how_a_child_ended_in_words(tmp_path):
    assert how_it_ended(-9) == "was killed by SIGKILL" and how_it_ended(3) == "exited with status 3"
    (tmp_path / "log").write_text("\n".join(f"line {i}" for i in range(50)))
    assert last_words(tmp_path / "log", 2) == "    line 48\n    line 49" and "cannot be read" in last_words(tmp_path / "none")
