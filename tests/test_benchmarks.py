"""What the benchmarks say of their measurements; the measuring itself is run by hand."""
import math

import pytest

from areal_lite.config import load
from benchmarks import hub, overlap, runs, staleness


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
