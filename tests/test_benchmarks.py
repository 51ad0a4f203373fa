"""What the benchmarks say of their measurements; the measuring itself is run by hand."""
import dataclasses
import math

import pytest
import torch

from areal_lite import dataset, record
from areal_lite.config import load
from areal_lite.config.schema import Reward
from areal_lite.rewards import rules
from areal_lite.rewards.math import grade
from areal_lite.toy import make
from benchmarks import hub, overlap, runs, staleness, trl, trl_run, trl_table
from realhf.config import Optimizer
from realhf.optimizer import learning_rate


def row(step_s, generation, train, tokens=100.0):
    return {"step_s": step_s, "time_generation_s": generation, "time_train_s": train, "time_publish_s": 0.0, "stall_s": 0.1,
            "tokens": tokens, "staleness_mean": 0.0}


def test_phases_leave_out_the_first_rows():
    assert overlap.phases([row(99.0, 99.0, 99.0)] * overlap.WARM + [row(3.0, 2.0, 1.0), row(5.0, 3.0, 2.0)]) == {
        "step": 4.0, "generation": 2.5, "training": 1.5, "stall": 0.1, "tokens": 100.0, "staleness": 0.0}


def test_cpu_seconds_a_step_are_differences_between_the_steps_that_were_seen():
    samples = [{"steps": n, "generation": 10.0 + 2 * n, "trainer": 5.0 + n} for n in (1, 2, 4, 7, 8)]
    assert overlap.computed(samples) == {"generation": 2.0, "trainer": 1.0}
    assert math.isnan(overlap.computed(samples[:2])["trainer"])


def test_the_verdict_compares_with_the_longer_phase_of_the_synchronous_run():
    sync = {"step": 4.1, "generation": 2.0, "training": 2.0}
    good = overlap.verdict(sync, {"step": 2.2})
    assert "speed-up 1.86 (perfect overlap of these phases: 2.00)" in good and good.count(": met") == 3 and "MISSED" not in good
    assert overlap.verdict(sync, {"step": 2.6}).count("MISSED") == 3
    assert "not balanced" in overlap.verdict({"step": 4.1, "generation": 3.0, "training": 1.0}, {"step": 3.1})


def test_the_stages_of_a_benchmark_all_start_from_the_cold_start(tmp_path):
    experiment = runs.experiment_in(tmp_path, ["exp=quickstart"])
    stages = runs.rl_stages(experiment)
    assert len(stages) == 3 and {s.model.path for s in stages} == {f"{tmp_path}/cold/sft/export"}
    assert stages[0].data.path == f"{tmp_path}/cold/toy/train.jsonl"


def test_a_stage_is_chosen_by_its_name_or_its_place_and_a_wrong_word_ends_with_what_to_change(tmp_path):
    assert [runs.chosen(tmp_path, [], name, place)[1].name for name, place in (("context-56", 1), ("", 1), ("", -1), ("", 7))] == [
        "context-56", "context-68", "context-80", "context-80"]
    with pytest.raises(SystemExit, match="no stage 'sft' of reinforcement learning; there are context-56, context-68, context-80"):
        runs.chosen(tmp_path, [], "sft", 0)
    with pytest.raises(SystemExit, match=r"did you mean trainer\.optimizer\.lr"):
        runs.chosen(tmp_path, ["lr=1"], "", 0)


def test_a_launcher_that_fails_is_an_error_with_its_last_words(tmp_path):
    stage = load(["exp=quickstart", f"run_dir={tmp_path}/nowhere"]).stages[-1]
    with pytest.raises(RuntimeError, match="this cannot run"):
        runs.run(stage, tmp_path / "run")


def test_the_grid_runs_whole_seeds_first_and_its_table_is_a_mean_over_them():
    assert staleness.grid([0, 2], ["decoupled", "naive"], 2)[:5] == [
        (1, 0, "decoupled"), (1, 0, "naive"), (1, 2, "decoupled"), (1, 2, "naive"), (2, 0, "decoupled")]
    rows = [{"tokens": 10.0, "reward": 1.0, "step_s": 2.0, "staleness_mean": 1.5, "staleness_max": 2.0, "clip_fraction": 0.01,
             "kl_behaviour": 0.0}] * 4
    held = [{"accuracy": a, "accuracy_se": 0.01} for a in (0.5, 0.8)]
    found = [staleness.result(rows, [held[0], {**held[1], "accuracy": a}], seed, 2, "naive") for seed, a in ((1, 0.8), (2, 0.6))]
    line = staleness.table(found).splitlines()[-1]
    assert line == "| 2 | naive | 2 | 0.700 ± 1.271 | 0.500 | 2.00 | 1.50 / 2 | 0k | 1.00% |"
    assert math.isnan(staleness.interval([0.7])) and staleness.interval([0.6, 0.7, 0.8]) == pytest.approx(4.30 * 0.1 / math.sqrt(3))


def test_the_hub_benchmark_plays_whole_steps():
    seconds = hub.step(tokens=16, servers=8, prompts=16, steps=2, staleness=1)
    assert seconds["messages"] >= 16 * hub.GROUP + 1 and seconds["trajectories"] > 0


def test_trl_gets_the_stage_as_it_is_and_refuses_what_it_would_do_otherwise(tmp_path):
    stage = runs.rl_stages(runs.experiment_in(tmp_path, ["exp=quickstart"]))[-1]
    trl.check(stage)
    words = trl.job(stage, trl.WAYS["half microbatches"], tmp_path, tmp_path / "prompts.jsonl", 40, 4)
    told = trl_run.settings(words, tmp_path)
    assert told["per_device_train_batch_size"] * told["gradient_accumulation_steps"] == 24 * 8 and told["per_device_train_batch_size"] == 96
    assert (told["num_generations"], told["max_completion_length"], told["learning_rate"], told["scale_rewards"]) == (8, 80, 4e-4, "none")
    other = dataclasses.replace(stage, algorithm=dataclasses.replace(stage.algorithm, advantage="global"))
    with pytest.raises(ValueError, match="needs algorithm.advantage=group_mean"):
        trl.check(other)


def test_the_schedule_given_to_trl_is_ours():
    model, lr = torch.nn.Linear(2, 2), 4e-4
    words = {"lr": lr, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.0, "warmup_fraction": 0.1, "steps": 35}
    adam, schedule = trl_run.optimizer(model, words)
    seen = []
    for _ in range(35):
        seen.append(schedule.get_last_lr()[0])
        adam.step()
        schedule.step()
    assert seen == pytest.approx([learning_rate(Optimizer(lr=lr, warmup_fraction=0.1), step, 35) for step in range(35)])


def test_the_reward_given_to_trl_is_that_of_our_verifier():
    texts = [r"Clearly \boxed{7}", r"Clearly \boxed{17}", r" b+1:6+1=7 \boxed{6} wait, \boxed{7}", "Clearly", r"Clearly \boxed{7}"]
    ids, end, words = [[3, 1], [3, 1], [3, 1], [3, 1], [3, 3]], 1, {"correct": 5.0, "wrong": -5.0}
    ours = [rules.reward(Reward(), grade(text, ["7"]), "stop" if made[-1] == end else "length", 2, 80)
            for text, made in zip(texts, ids, strict=True)]
    assert trl_run.rewards(texts, ids, [["7"]] * 5, end, words) == ours == [5.0, -5.0, 5.0, -5.0, -5.0]


def test_sides_are_compared_at_an_accuracy_that_all_of_them_reached():
    def run(side, seed, speed, last):
        steps = [{"step": n, "seconds": n * speed + 1.0, "samples": 192.0, "tokens": 1920.0} for n in range(1, 9)]
        return trl_table.result(side, seed, steps, 1.0, 20.0, {0: 0.5, 4: 0.7, 8: last})
    found = [run("ours", 1, 1.0, 0.87), run("ours", 2, 1.0, 0.89), run("TRL", 1, 3.0, 0.9), run("TRL", 2, 3.0, 0.9)]
    assert found[0]["curve"] == [[0, 0.0, 0.5], [4, 5.0, 0.7], [8, 9.0, 0.87]] and found[0]["samples_per_s"] == pytest.approx(192)
    curve = trl_table.mean_curve(found[:2])
    assert trl_table.common_accuracy([curve, [(0.0, 0.5), (1.0, 0.9)]]) == 0.85
    assert trl_table.seconds_to(curve, 0.85) == pytest.approx(5 + 4 * 0.15 / 0.18) and math.isnan(trl_table.seconds_to(curve, 0.9))
    lines = trl_table.table(found, "2 threads").splitlines()
    assert lines[2] == "| ours | 2 | 192 | 1920 | 1.00 | 1.00 | 20 | 0.500 → 0.880 | 8.3 | 2.64 |"
    assert lines[3] == "| TRL (2 threads) | 2 | 64 | 640 | 3.00 | 1.00 | 20 | 0.500 → 0.900 | 22.0 | 1.00 |"


def test_the_prompts_given_to_trl_are_those_of_our_tickets(tmp_path):
    make(tmp_path / "cold" / "toy")
    stage = runs.rl_stages(runs.experiment_in(tmp_path, ["exp=quickstart"]))[-1]
    stage = dataclasses.replace(stage, model=dataclasses.replace(stage.model, path=f"{tmp_path}/cold/toy/model"))
    trl.write_prompts(stage, tmp_path / "prompts.jsonl", 30)
    given = list(record.read(tmp_path / "prompts.jsonl"))
    data = dataset.load(stage.data.path, stage.model.path, format="plain", seed=stage.seed)
    assert [g["prompt_ids"] for g in given] == [data.prompt(k).token_ids.tolist() for k in range(30)]
    tokenizer, _ = dataset.load_tokenizer(stage.model.path)
    assert [tokenizer.decode(g["prompt_ids"]) for g in given] == [g["prompt"] for g in given]
