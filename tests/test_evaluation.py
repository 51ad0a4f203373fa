"""An evaluation with real processes around the fake engine: what is asked, kept, resumed, graded twice and refused."""
import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from areal_lite import record
from areal_lite.config import ConfigError, identity, read_words
from areal_lite.evaluate import comparison, report
from areal_lite.evaluation import questions, results, settings
from areal_lite.evaluation.answers import COLUMNS, measures
from areal_lite.evaluation.grading import VERIFIER, Graders
from areal_lite.evaluation.plots import draw
from areal_lite.evaluation.questions import Question
from areal_lite.evaluation.run import evaluate as real_evaluate
from areal_lite.evaluation.run import locked
from areal_lite.evaluation.scheduler import Scheduler
from areal_lite.evaluation.serve import EvaluationFailed, processes
from areal_lite.evaluation.settings import Settings
from areal_lite.types import Heartbeat, Hello, Loaded, Prompt, Stop, Ticket, Trajectory, Update
from tests.tiny import ZERO, write_tokenizer

ROOT = Path(__file__).parents[1]
evaluate = partial(real_evaluate, say=lambda text: None, server="tests.fakes")


@pytest.fixture
def world(tmp_path):
    """A model directory and two benchmarks that the fake engine can answer, and settings for them."""
    write_tokenizer(tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text('{"max_position_embeddings": 64}')
    (tmp_path / "model" / "tokenizer_config.json").write_text('{"eos_token": "<eos>"}')
    (tmp_path / "model" / "model.safetensors").write_bytes(b"weights of step 0")
    for name, digits in (("digits", range(10)), ("few", (1, 5, 7))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test.jsonl").write_text(
            "".join(json.dumps({"problem": str(d), "answer": d}) + "\n" for d in digits))
    return Settings(model=str(tmp_path / "model"), data=str(tmp_path), benchmarks=("digits", "few"), template="none",
                    out=str(tmp_path / "out"), n=4, max_tokens=24, device="cpu", dtype="float32", servers=2, concurrency=3)


def rows(entry):
    return list(record.read(entry["result"]))


def without_times(found):
    return [{**r, "samples": [{k: v for k, v in s.items() if k != "seconds"} for s in r["samples"]]} for r in found]


def test_every_question_is_answered_n_times_and_every_number_follows_from_the_rows(world):
    entries = evaluate(world)
    assert [(e["benchmark"], len(rows(e)), {len(r["samples"]) for r in rows(e)}) for e in entries] == [
        ("digits", 10, {4}), ("few", 3, {4})]
    assert {r["problem"] for r in rows(entries[0])} == set("0123456789")
    outcomes = [s["outcome"] for e in entries for r in rows(e) for s in r["samples"]]
    assert 0 < outcomes.count("correct") < len(outcomes)
    for e in entries:
        for s in (s for r in rows(e) for s in r["samples"]):
            assert s["boxed"] == ("\\boxed{" in s["text"] and "}" in s["text"]) and "<eos>" not in s["text"]
            assert s["finish"] == "length" or s["tokens"] < 24 + 1
        in_order = sorted(rows(e), key=lambda r: int(r["id"].split("-")[1]))
        with Graders(1) as graders:
            assert e["measures"] == measures(in_order, graders.same)
    table = list(csv.DictReader(open(Path(world.out) / "eval_results.csv")))
    assert [r["model"] for r in table] == [entries[0]["model"]]
    assert list(table[0])[2:] == [f"{b}_{c}" for b in ("digits", "few", "avg") for c in COLUMNS]
    assert float(table[0]["avg_acc"]) == pytest.approx(np.mean([e["measures"]["acc"] for e in entries]))
    assert report(entries).splitlines()[1].split()[1] == "digits"
    assert not list(Path(world.out).glob("servers/*/keys")), "keys do not stay behind"


def test_what_is_finished_is_not_asked_again_and_nothing_stale_is_reused(world):
    first = evaluate(world)
    stamps = {e["result"]: os.stat(e["result"]).st_mtime_ns for e in first}
    logs = list(Path(world.out).glob("servers/*/logs/*"))
    began = [os.stat(log).st_mtime_ns for log in logs]
    again = evaluate(world)
    assert [(e["result"], e["measures"]) for e in again] == [(e["result"], e["measures"]) for e in first]
    assert {f: os.stat(f).st_mtime_ns for f in stamps} == stamps and [os.stat(log).st_mtime_ns for log in logs] == began
    name = partial(settings.file_name, template="none", questions=questions.load(("few",), world.data, world.model, "none", 0))
    changed = [{"n": 5}, {"temperature": 0.7}, {"top_p": 0.9}, {"max_tokens": 25}, {"seed": 2}, {"limit": 2}, {"stop": ("x",)},
               {"protocol": "qwen"}, {"dtype": "bfloat16"}]
    assert len({name(world), *(name(replace(world, **c)) for c in changed)}) == 1 + len(changed)
    before = settings.checkpoints(world)[0].directory
    Path(world.model, "model.safetensors").write_bytes(b"weights of step 1")
    assert settings.checkpoints(world)[0].directory != before, "the same path with other weights is another model"
    Path(world.data, "few", "test.jsonl").write_text('{"problem": "1", "answer": 2}\n')
    other = questions.load(("few",), world.data, world.model, "none", 0)
    assert settings.file_name(world, "none", other) != name(world)


def test_answers_do_not_depend_on_servers_order_or_what_else_is_asked(world, tmp_path):
    both = evaluate(world)
    alone = evaluate(replace(world, benchmarks=("few",), servers=1, concurrency=7, out=str(tmp_path / "alone")))
    by_id = [sorted(without_times(rows(e)), key=lambda r: r["id"]) for e in (both[1], alone[0])]
    assert by_id[0] == by_id[1]


def test_verdicts_of_another_verifier_are_made_anew_without_asking_again(world):
    alone, said = replace(world, benchmarks=("digits",)), []
    first = evaluate(alone)[0]
    told = rows(first)
    for r in told[:4]:
        r["verifier"] = "00000000"
        for s in r["samples"]:
            s["outcome"] = "correct"
    record.write(first["result"], "".join(json.dumps(r) + "\n" for r in told))
    again = real_evaluate(alone, said.append, "tests.fakes")[0]
    assert said[1:] == ["digits: the verifier has changed; 4 questions are graded again",
                        "10 questions are finished already; 0 to answer"]
    assert again["measures"] == first["measures"] and first["measures"]["acc"] < 100
    del said[:]
    assert {r["verifier"] for r in rows(again)} == {VERIFIER}
    real_evaluate(alone, said.append, "tests.fakes")
    assert "verifier" not in " ".join(said), "graded once"


SCRIPT = """
import json, sys
from areal_lite.evaluation.run import evaluate
from areal_lite.evaluation.settings import Settings
words = json.loads(sys.argv[1])
words["benchmarks"] = tuple(words["benchmarks"])
evaluate(Settings(**words), lambda text: print(text, flush=True), "tests.fakes")
"""


def test_after_kill_9_only_unfinished_questions_are_asked_and_the_result_is_as_if_nothing_had_happened(world, tmp_path):
    words = {k: getattr(world, k) for k in ("model", "data", "benchmarks", "template", "n", "max_tokens", "device", "dtype")}
    words |= {"out": str(tmp_path / "killed"), "concurrency": 4, "benchmarks": ("digits",)}
    environment = {**os.environ, "AREAL_LITE_FAKE": '{"token_s": 0.02}'}
    started = subprocess.Popen([sys.executable, "-c", SCRIPT, json.dumps(words)], cwd=ROOT, env=environment,
                               stdout=subprocess.PIPE, text=True)
    def file():
        return next(Path(words["out"]).glob("*/digits/*.jsonl"), Path("none"))
    end = time.monotonic() + 60
    while len(list(record.read(file()))) < 3:
        assert started.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    family = psutil.Process(started.pid).children(recursive=True)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    assert family and not psutil.wait_procs(family, 10)[1], "no server outlives the evaluation"
    finished = list(record.read(file()))
    assert 3 <= len(finished) < 10
    with open(file(), "a") as out:
        out.write('{"id": "digits-9", "cut off in the mid')
    done = subprocess.run([sys.executable, "-c", SCRIPT, json.dumps(words)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=True, timeout=240)
    assert f"{len(finished)} questions are finished already; {10 - len(finished)} to answer" in done.stdout
    resumed = list(record.read(file()))
    assert resumed[:len(finished)] == finished and len({r["id"] for r in resumed}) == len(resumed) == 10
    whole = evaluate(replace(world, benchmarks=("digits",)))[0]
    assert sorted(without_times(resumed), key=lambda r: r["id"]) == sorted(without_times(rows(whole)), key=lambda r: r["id"])


def test_a_server_that_dies_is_started_again_and_its_answers_are_asked_again(world, monkeypatch):
    monkeypatch.setenv("AREAL_LITE_FAKE", '{"dies_after": 150}')
    said = []
    entry = evaluate(replace(world, benchmarks=("digits",)), say=said.append)[0]
    assert len(rows(entry)) == 10
    assert any("starting it again" in line for line in said)


def test_servers_that_never_get_ready_end_the_evaluation_with_their_last_words(world):
    Path(world.model, "generation_config.json").unlink()
    with pytest.raises(EvaluationFailed, match=r"(?s)died 3 times without an answer.*no eos_token_id"):
        evaluate(world)


@pytest.mark.parametrize("protocol", ["math-verify", "qwen"])
def test_a_second_grader_sees_finished_answers_without_asking_them_again(world, protocol):
    world = replace(world, benchmarks=("few",))
    first, = evaluate(world)
    second, = evaluate(replace(world, second=protocol))
    assert second["result"] == first["result"] and second["measures"] == first["measures"]
    assert second["second"]["protocol"] == protocol and second["second"]["answers"] == 12
    outcomes = second["second"]["outcomes"]
    assert outcomes["correct"] == first["measures"]["outcomes"]["correct"] and not {"crash", "timeout"} & set(outcomes)
    assert second["second"]["disagreements"] == 0 and Path(second["second"]["file"]).read_text() == ""
    assert f"graded by {protocol}" in report([second])


def test_the_second_grader_lists_what_it_sees_otherwise(tmp_path):
    texts = ["so \\boxed{1}", "so \\boxed{2/2}", "so \\boxed{3}", "nothing"]
    row = {"id": "q", "answers": ["1"], "samples": [{"text": t, "answer": "?", "outcome": "wrong", "finish": "stop"} for t in texts]}
    with Graders(2) as graders:
        said = graders.second([row], "qwen", "ours", tmp_path / "list.jsonl")
    assert (said["answers"], said["disagreements"], said["acc"]) == (4, 2, 50.0)
    assert list(record.read(tmp_path / "list.jsonl")) == [
        {"id": "q", "sample": 0, "answers": ["1"], "qwen": ["wrong", "?"], "ours": ["correct", "1"], "tail": texts[0]},
        {"id": "q", "sample": 1, "answers": ["1"], "qwen": ["wrong", "?"], "ours": ["correct", "2/2"], "tail": texts[1]}]


def test_equal_answers_are_equal_in_any_spelling_and_broken_ones_only_to_themselves():
    with Graders(1) as graders:
        assert graders.same("0.5", "\\frac{1}{2}") and graders.same("12", "012") and graders.same("-7", "-7")
        assert not graders.same("12", "-12") and not graders.same("}{", "\\frac{1}{2}") and not graders.same("x", " ")


def test_two_evaluations_of_one_model_do_not_write_at_once(world, tmp_path):
    with locked(tmp_path / "lock"), pytest.raises(ValueError, match="another evaluation is writing"), locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass


@pytest.mark.parametrize("words, message", [
    (["model=a", "run=b"], "say either model=DIRECTORY or run=DIRECTORY"), ([], "say either model"),
    (["model=a", "temperature=0", "n=4"], "temperature=0 is greedy"), (["model=a", "n=0"], "n is 0, but must be positive"),
    (["model=a", "top_p=0"], "top_p=0.0 must be in"), (["model=a", "second=ours"], "the first grader too"),
    (["model=a", "tempersture=1"], "no key tempersture; did you mean temperature"), (["model=a", "n=many"], "whole number")])
def test_settings_that_cannot_work_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        read_words(Settings, words)


def test_lists_on_the_command_line_are_words_with_commas_or_yaml():
    assert read_words(Settings, ["model=a", "benchmarks=aime24,amc23"]).benchmarks == ("aime24", "amc23")
    assert read_words(Settings, ["model=a", "benchmarks=gsm8k", 'stop=["a, b"]']).stop == ("a, b",)
    with pytest.raises(ConfigError):
        read_words(Settings, ["model"])


def test_benchmarks_that_cannot_be_asked_are_refused(world, tmp_path):
    with pytest.raises(ValueError, match="no benchmark 'aime'.*it has digits, few"):
        evaluate(replace(world, benchmarks=("aime",)))
    with pytest.raises(ValueError, match=r"with model= the prompt template has to be said; template= one of none, "):
        evaluate(replace(world, template=""))
    assert settings.template(replace(world, template="chat")) == "chat"
    with pytest.raises(ValueError, match=r"data\.template=chat, but .*model has no chat template"):
        evaluate(replace(world, template="chat"))
    with pytest.raises(ValueError, match="longest prompt has 1 tokens and .* reads 64: max_tokens=64 is too many, at most 63"):
        evaluate(replace(world, max_tokens=64))
    (tmp_path / "gold.jsonl").write_text('{"problem": "1", "answer": ""}\n')
    with pytest.raises(ValueError, match="1 rows of gold have no gold answer: .*row 0"):
        evaluate(replace(world, benchmarks=("gold",)))
    with pytest.raises(ValueError, match="is not a Hugging Face model directory"):
        evaluate(replace(world, model=str(tmp_path / "few")))


@pytest.mark.parametrize("device, gpus", [("cuda", [(0, 1), (2, 3)]), ("cpu", [(), ()])])
def test_servers_share_out_the_gpus(world, device, gpus, monkeypatch):
    asked = questions.load(("few",), world.data, world.model, "none", 0)
    stage = settings.stage(replace(world, tensor=2, device=device), world.model, asked)
    assert [(p.name, p.gpus) for p in processes(stage, "m")] == [("generation-0", gpus[0]), ("generation-1", gpus[1])]
    if device == "cuda":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2")
        with pytest.raises(ValueError, match="servers times tensor is 4: CUDA_VISIBLE_DEVICES=1,2 names 2 GPUs"):
            processes(stage, "m")


# -- the scheduler, message by message -------------------------------------------------------------------------------


def question(k):
    return Question("b", k, Prompt(f"q{k}", np.array([ZERO], np.int32), ("0",)), "0")


def trajectory(k, sample):
    nothing = np.zeros(0, np.int32)
    return Trajectory(k, 0, sample, "evaluate", nothing, nothing, np.zeros(0, np.float32), nothing, "stop", 0.0, "wrong", "", 0.0)


def asked(outgoing):
    return [(peer, t.k, t.samples) for peer, t in outgoing if isinstance(t, Ticket)]


def test_a_server_is_asked_only_after_it_has_loaded_and_never_more_than_it_can_hold():
    s = Scheduler(map(question, range(3)), 4, version=7)
    assert s.on("a", Hello("generation", 0, 1, 6)) == [("a", Update(7, "", ""))]
    assert asked(s.on("a", Loaded(7, "", 0.0, 0.0))) == [("a", 0, (0, 1, 2, 3)), ("a", 1, (0, 1))]
    assert asked(s.on("a", trajectory(0, 2))) == [("a", 1, (2,))]
    s.on("b", Hello("generation", 1, 2, 9))
    assert asked(s.on("b", Loaded(7, "", 0.0, 0.0))) == [("b", 1, (3,)), ("b", 2, (0, 1, 2, 3))]
    assert asked(s.on("a", trajectory(0, 0))) == []


def test_what_a_lost_server_owed_is_asked_first_and_its_late_answers_are_refused():
    s = Scheduler(map(question, range(3)), 2)
    for peer in ("a", "b"):
        s.on(peer, Hello("generation", 0, 1, 2))
    s.on("a", Loaded(0, "", 0.0, 0.0))
    s.on("b", Loaded(0, "", 0.0, 0.0))
    s.on("a", trajectory(0, 1))                            # a now owes (0, 0) and (2, 0), b owes question 1
    assert s.lost("a") == []
    assert s.on("a", trajectory(0, 0)) == [("a", Stop("declared lost: its answers were given to others"))]
    assert asked(s.on("b", trajectory(1, 0))) == [("b", 0, (0,))]
    s.on("b", trajectory(0, 0))
    assert [(q.k, sorted(t.sample for t in ts)) for q, ts in s.finished] == [(0, [0, 1])]
    s.on("a", Hello("generation", 0, 9, 2))
    assert asked(s.on("a", Loaded(0, "", 0.0, 0.0))) == [("a", 2, (1,))]
    for peer, k, sample in (("b", 1, 1), ("b", 2, 0), ("a", 2, 1)):
        assert not s.done
        s.on(peer, trajectory(k, sample))
    assert s.done and [q.k for q, _ in s.finished] == [0, 1, 2]


def test_an_answer_that_nobody_was_asked_for_is_not_counted():
    s = Scheduler([question(0)], 2)
    s.on("a", Hello("generation", 0, 1, 2))
    s.on("a", Loaded(0, "", 0.0, 0.0))
    s.on("a", trajectory(0, 1))
    s.on("a", trajectory(0, 1))
    assert not s.done and not s.finished
    with pytest.raises(ValueError, match="Heartbeat, which an evaluation does not take"):
        s.on("a", Heartbeat("", 0.0))


# -- tables and pictures from made results -----------------------------------------------------------------------------


def made(root, model, step, chance, seed=0, n=4, total=20):
    """A result file and its numbers, with verdicts drawn by `chance`."""
    random = np.random.default_rng(seed)
    found = [{"id": f"q{i}", "benchmark": "math500", "problem": "", "answers": ["7"], "prompt_tokens": 3, "samples": [
        {"text": "", "answer": "7" if ok else "8", "outcome": "correct" if ok else "wrong", "tokens": 100 + step + i,
         "finish": "length" if i % 5 == step % 3 else "stop", "seconds": 0.0, "keywords": i % 3, "boxed": True,
         "repeats": False} for ok in random.random(n) < chance]} for i in range(total)]
    file = root / model / "math500" / f"abel-n{n}-t1-p1-m64-seed1-float32-ours-all-00000000.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(r) + "\n" for r in found))
    entry = {"model": model, "path": "x", "step": step, "benchmark": "math500", "settings": {}, "measures": measures(found, str.__eq__)}
    file.with_suffix(".json").write_text(json.dumps(entry))
    return root / model


def test_two_models_are_compared_question_by_question(tmp_path):
    a, b = made(tmp_path, "a@1", 0, 0.2), made(tmp_path, "b@2", 5, 0.8, seed=1)
    lines = comparison(results.pairs(a, b)).splitlines()
    name, total, first, second, *_ = lines[1].split()
    shares = [[np.mean([s["outcome"] == "correct" for s in r["samples"]]) for f in p.glob("*/*.jsonl")
               for r in record.read(f)] for p in (a, b)]
    assert (name, total) == ("math500", "20")
    assert (first, second) == tuple(f"{100 * np.mean(s):.1f}" for s in shares)
    assert "0.0001" in lines[1] and len(lines) == 2


def test_pictures_show_the_dynamics_of_a_run_and_pass_at_k(tmp_path):
    for step in (0, 10, 20):
        made(tmp_path, f"run-step{step}@{step}", step, 0.2 + step / 40, seed=step)
    found = results.numbers(tmp_path)
    assert [r["step"] for r in found] == [0, 10, 20]
    files = draw(found, tmp_path / "plots")
    assert sorted(f.name.rpartition("ours-all-")[2] for f in files) == [
        "accuracy.png", "clipping.png", "length.png", "pass-at-k.png", "reflection.png"]
    assert all(f.read_bytes().startswith(b"\x89PNG") and f.stat().st_size > 5000 for f in files)


def test_the_models_of_a_run_are_its_start_and_every_export_with_steps_counted_through(tmp_path):
    from areal_lite.config import load, to_yaml
    write_tokenizer(tmp_path / "start")
    experiment = load(["exp=distill-1.5b", f"model.path={tmp_path / 'start'}", "data.path=x", f"run_dir={tmp_path / 'run'}"])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(to_yaml(experiment))
    for part in ("8k/exports/step-00000002", "8k/exports/step-00000004", "8k/export", "16k/exports/step-00000003"):
        (tmp_path / "run" / part).mkdir(parents=True)
    (tmp_path / "run" / "8k" / "finished.json").write_text('{"version": 4}')
    found = settings.checkpoints(Settings(run=str(tmp_path / "run")))
    assert [(c.label, c.step, str(Path(c.path).relative_to(tmp_path))) for c in found] == [
        ("run-start", 0, "start"), ("run-8k-step2", 2, "run/8k/exports/step-00000002"), ("run-8k-step4", 4, "run/8k/export"),
        ("run-16k-step3", 7, "run/16k/exports/step-00000003")]
    assert settings.template(Settings(run=str(tmp_path / "run"))) == "areal-distill"


def test_verdicts_of_another_version_of_a_library_are_those_of_another_verifier(monkeypatch):
    ours = identity.verifier()
    monkeypatch.setattr(identity, "version", lambda name: "1.0" if name == "sympy" else "0.9.0")
    assert identity.verifier() != ours
