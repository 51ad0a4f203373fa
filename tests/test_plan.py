"""The planner: exact where the answer is known in closed form; the policies by what must hold of them."""
import dataclasses
import json

import numpy as np
import pytest

from areal_lite.config import load, to_yaml
from areal_lite.config.schema import Algorithm, Cluster, Data, Generation, Model, Stage, Until
from areal_lite.master.rules import Rules
from areal_lite.plan import calibrate, policies, sweep
from areal_lite.plan.__main__ import main
from areal_lite.plan.costs import Costs, Hardware, assumed, passes
from areal_lite.plan.lengths import Lengths, with_mean, with_truncation
from areal_lite.plan.published import Row, table
from areal_lite.plan.simulate import World
from areal_lite.plan.stage import Settings, allocation_of, best_shrink, mean_length, plan_stage, splits, steps_of, with_staleness
from realhf.allocation import parse

P, G, TOKENS = 8, 4, 500
CONSTANT = with_mean(TOKENS, 0.0, 1000)


def world(costs, staleness, servers=2, capacity=10_000, ranks=1, lengths=CONSTANT, **kw):
    rules = Rules(P, G, staleness, 2, 1000, ranks, lambda rank: rank, ranks, rolling=False, **kw)
    return World(rules, costs, lengths, servers=servers, capacity=capacity, prompt_tokens=100)


@pytest.mark.parametrize("staleness", [0, 1, 2, 5])
@pytest.mark.parametrize("train", [0.5, 4.0, 20.0])
def test_with_constant_lengths_and_room_for_all_the_step_time_is_the_closed_form(staleness, train):
    """Tickets of step s go out with version s - S; so S + 1 steps take one generation and one training, or training binds."""
    seen = world(Costs(step=0.01, minibatch=train / 2), staleness).run(12, 12)
    generation = 0.01 * TOKENS
    assert seen.step_s == pytest.approx(max(train, (generation + train) / (staleness + 1)), rel=1e-9)
    assert seen.trainer / seen.seconds == pytest.approx(train / seen.step_s)
    assert seen.trained_tokens == 12 * P * G * TOKENS and seen.dropped_tokens == 0 and seen.stale_max <= staleness


def test_synchronous_training_adds_up_every_phase():
    costs = Costs(step=0.01, minibatch=1.0, token=1e-4, square=1e-7, prefill=0.002, publish=0.7, load=0.3)
    seen = world(costs, 0, servers=1).run(3, 5)
    n = TOKENS + 100
    train = 2 * 1.0 + P * G * (n * 1e-4 + n * n * 1e-7)
    assert seen.step_s == pytest.approx(P * 100 * 0.002 + 0.01 * TOKENS + train + 0.7 + 0.3)
    assert seen.stalled == pytest.approx(5 * 0.3)


def test_a_decoding_step_is_linear_in_sequences_and_their_context():
    seen = world(Costs(step=0.01, sequence=1e-3, context=1e-6), 0, servers=2).run(1, 3)
    n = P * G / 2
    assert seen.step_s == pytest.approx((0.01 + n * 1e-3 + n * 100 * 1e-6) * TOKENS + 1e-6 * n * TOKENS**2 / 2)


def test_answers_wait_for_places_in_waves():
    seen = world(Costs(step=0.01), 0, servers=2, capacity=G).run(1, 3)                # 8 groups, 2 at a time
    assert seen.step_s == pytest.approx(4 * 0.01 * TOKENS)


def test_data_parallel_ranks_share_a_step():
    one, four = (world(Costs(step=1e-6, token=1e-3), 0, ranks=n).run(1, 2).step_s for n in (1, 4))
    assert (one - four) / one == pytest.approx(0.75, abs=1e-4)


def test_tokens_that_an_update_overtakes_carry_the_new_version():
    """Generation 5 s, a version every 2.5 s: half of every answer is sampled under the version after the one it began with."""
    seen = world(Costs(step=0.01, minibatch=1.25), 2).run(12, 12)
    assert seen.step_s == pytest.approx(2.5) and seen.stale_max == 2
    assert seen.stale_mean == pytest.approx(1.5, abs=0.05)


def test_lengths_have_the_mean_and_the_share_of_cut_answers_that_they_say():
    lengths = with_mean(5000, 0.8, 8192)
    drawn = np.concatenate([lengths.group((0, k), 8) for k in range(8000)])
    assert lengths.mean == pytest.approx(5000) and drawn.mean() == pytest.approx(5000, rel=0.02)
    assert (drawn == 8192).mean() == pytest.approx(lengths.truncated, abs=0.01) and drawn.min() >= 1
    assert (lengths.group((0, 5), 8) == lengths.group((0, 5), 8)).all() and lengths.group((0, 5), 3).std() > 0


def test_a_distribution_is_found_again_by_its_mean_and_its_truncation():
    true = Lengths(8.0, 0.7, 8192)
    found = with_truncation(true.mean, true.truncated, 8192, 8192, 1000)
    assert (found.mu, found.sigma) == (pytest.approx(8.0, abs=1e-6), pytest.approx(0.7, abs=1e-6))
    assert with_truncation(50.0, 0.0, 80, 50.0, 100) == with_mean(50, 0.0, 80)


def test_a_mean_that_the_context_cannot_hold_is_an_error():
    with pytest.raises(ValueError, match="9000 does not fit under a context of 8192"):
        with_mean(9000, 0.8, 8192)


def test_the_assumed_costs_of_a_7b_model_follow_from_its_shape():
    (stage,) = load(["exp=distill-7b"]).stages
    costs = assumed(stage, parse("vllm.d4p1m4+d8p2m1"), Hardware(step_s=0.0, reduce_s=0.0))
    weights = 7.07e9                                               # without the embedding, which is a lookup
    assert passes(stage) == 6                                      # forward, backward x 2, checkpointing, proximal, reference
    assert costs.step == pytest.approx(2 * weights / (4 * 0.6 * 3.35e12), rel=0.01)
    assert costs.context == pytest.approx(2 * 2 * 28 * 4 * 128 / (4 * 0.6 * 3.35e12))
    assert costs.token == pytest.approx(6 * 2 * weights / (2 * 0.4 * 989e12), rel=0.01)
    assert costs.slower(2).token == 2 * costs.token


def test_an_unknown_model_says_what_is_known():
    stage = Stage(model=Model(path="somebody/else"))
    with pytest.raises(ValueError, match="give model.path=DIRECTORY"):
        assumed(stage, allocation_of(stage), Hardware())


def test_steps_and_lengths_of_the_published_recipes():
    (stage,) = load(["exp=distill-1.5b-stage1"]).stages
    assert steps_of(stage, 0) == 393 and steps_of(stage, 2048) == 20
    assert [mean_length(c) for c in (8192, 16384, 24000)] == [5000, 7000, 9000]
    with pytest.raises(ValueError, match="say rows=N"):
        steps_of(dataclasses.replace(stage, data=Data(path="mine.jsonl")), 0)


def test_splits_keep_server_and_trainer_groups_whole():
    found = splits(parse("vllm.d4p1m4+d8p2m1"), 32)
    assert [(s.generation.d, s.training.d) for s in found] == [(1, 14), (2, 12), (3, 10), (4, 8), (5, 6), (6, 4), (7, 2)]
    assert all(s.generation.t == 4 and s.training.p == 2 for s in found)
    assert [str(s) for s in splits(parse("vllm.d1p1m1+d1p1m1"), 2)] == ["vllm.d1p1m1+d1p1m1"]
    assert (best_shrink(1024, 64, 4), best_shrink(1024, 6, 4), best_shrink(24, 1, 1)) == (16, 2, 1)


SMALL = dataclasses.replace(load(["exp=distill-1.5b-stage2"]).stages[0], cluster=Cluster(nodes=16, allocation="vllm.d8p1m1+d8p1m1"),
                            algorithm=Algorithm(prompts_per_step=128, minibatches=1, max_staleness=2))
QUICK = Settings(simulate=8)


def test_a_smaller_copy_of_the_cluster_takes_the_time_of_the_whole():
    whole, half = (plan_stage(SMALL, allocation_of(SMALL), dataclasses.replace(QUICK, shrink=n)) for n in (1, 2))
    assert half.seen.step_s == pytest.approx(whole.seen.step_s, rel=0.05)


@pytest.mark.parametrize("bound", [1, 2])
def test_what_each_policy_costs(bound):
    bounded, count, late = (policies.cost(SMALL, QUICK, p, bound) for p in ("bounded", "count", "drop_late"))
    assert bounded.wasted == 0 and bounded.stale_max <= bound and bounded.beyond == 0
    assert count.wasted == 0 and count.stale_max > bound and count.beyond > 0
    assert late.wasted > 0.02 and late.stale_max <= bound and late.trained_length < 0.99 * late.generated_length


def test_the_policies_page_has_a_row_for_each_and_says_what_is_assumed():
    page = policies.section(SMALL, dataclasses.replace(QUICK, simulate=2), bounds=(1,))
    rows = [line.split(" | ")[:2] for line in page.splitlines() if line.startswith("| ") and "policy" not in line]
    assert rows == [["| synchronous", "0"], ["| `bounded`", "1"], ["| `count`", "1"], ["| `drop_late`", "1"]]
    assert "mean of 7000 tokens under a context of 16384" in page


def test_a_sweep_marks_the_best_split_and_draws(tmp_path):
    quick, few = dataclasses.replace(QUICK, simulate=1), dataclasses.replace(SMALL.algorithm, prompts_per_step=16)
    found = sweep.sweep(dataclasses.replace(SMALL, algorithm=few), parse("vllm.d2p1m1+d2p1m1"), 4, quick)
    assert [(str(p.plan), p.stage.algorithm.max_staleness) for p in found[:4]] == [
        ("vllm.d1p1m1+d3p1m1", 0), ("vllm.d2p1m1+d2p1m1", 0), ("vllm.d3p1m1+d1p1m1", 0), ("vllm.d1p1m1+d3p1m1", 1)]
    assert sweep.table(SMALL, found).count("*") == 1 + 5
    sweep.plot({"16k": found}, tmp_path / "plan.png")
    assert (tmp_path / "plan.png").read_bytes()[:4] == b"\x89PNG"


def run_of(directory, staleness, step_s):
    """A stage directory whose rows follow exactly from: decoding step 20 ms + 0.5 ms a sequence, 1 s + 100 us a token."""
    stage = Stage(model=Model("m"), data=Data("d"), generation=Generation(max_new_tokens=80, max_concurrency=64, rolling=False),
                  algorithm=Algorithm(8, 4, 2, staleness), until=Until(steps=12), cluster=Cluster(device="cpu"))
    rows = []
    for i in range(12):
        tokens, running = 32 * 40, 16.0 + i
        busy = tokens * (0.02 / running + 0.0005)
        rows.append({"step": i + 1, "step_s": step_s, "tokens": tokens, "answers": 32, "answer_seconds": running * busy / 32,
                     "length": 40.0, "truncated": 0.0, "length_max": 40.0, "prompt_length": 10.0, "time_generation_s": busy,
                     "time_train_s": 1.0 + 1e-4 * (tokens + 320 + i), "time_publish_s": 0.1, "stall_s": 0.05})
        rows[-1]["prompt_length"] += i / 32
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text(to_yaml(stage))
    (directory / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return directory


def test_calibration_finds_the_costs_a_run_was_made_of_and_predicts_its_step(tmp_path):
    sync = 40 * (0.02 + 32 * 0.0005) + 1.0 + 1e-4 * (32 * 50 + 6) + 0.1 + 0.05
    stage = run_of(tmp_path / "run" / "main", 0, sync)
    assert calibrate.stage_dirs(tmp_path / "run") == [stage] == calibrate.stage_dirs(stage)
    costs, lengths = calibrate.fit(calibrate.read(stage))
    assert (costs.step, costs.sequence) == (pytest.approx(0.02), pytest.approx(0.0005)) and lengths.mean == pytest.approx(40)
    assert (costs.minibatch, costs.token) == (pytest.approx(0.5), pytest.approx(1e-4))
    other = run_of(tmp_path / "other", 2, 1.0)
    first, second = calibrate.compare([stage, other]).splitlines()[-2:]
    assert " 1.00   " in first and first.split()[1] == "0"
    assert second.split()[1] == "2" and float(second.split()[4]) < sync                  # the prediction overlaps


def test_a_run_that_is_too_short_to_calibrate_says_so(tmp_path):
    stage = run_of(tmp_path / "main", 0, 1.0)
    (stage / "metrics.jsonl").write_text("".join((stage / "metrics.jsonl").read_text().splitlines(True)[:4]))
    with pytest.raises(ValueError, match="2 of 4 rows can be used"):
        calibrate.read(stage)
    with pytest.raises(ValueError, match="has no metrics"):
        calibrate.stage_dirs(tmp_path / "nowhere")


def test_the_published_table_says_which_row_is_calibrated():
    rows = [Row("a", 16, "x", 50.0, 50.0, True, 25.0, 1.0), Row("b", 1, "y", 520.0, 390.0, False, 0.0, 1.3)]
    first, second = table(2.0, rows).splitlines()[-2:]
    assert "calibrated" in first and "1.00" in first and "25 h" in first
    assert "predicted" in second and "0.75" in second and second.split()[-2] == "-"


def test_the_command_prints_hours_per_stage_and_refuses_what_it_cannot_plan(capsys):
    assert main(["exp=distill-1.5b-stage1", "nodes=4", "cluster.allocation=vllm.d16p1m1+d8p2m1", "until.steps=100", "simulate=1",
                 "mean_length=4000", "algorithm.prompts_per_step=64"]) == 0
    out = capsys.readouterr().out
    assert "100 steps of 64 x 8 answers on 32 GPUs" in out and "answers of 4000 tokens" in out
    assert "configured vllm.d16p1m1+d8p2m1" in out and "best split vllm.d" in out
    assert main(["exp=distill-1.5b", "model.path=somebody/else"]) == 2
    assert "give model.path=DIRECTORY" in capsys.readouterr().err


def test_a_stage_under_another_bound_keeps_its_update_rate_possible():
    stage = dataclasses.replace(SMALL, generation=dataclasses.replace(SMALL.generation, update_every=3))
    assert with_staleness(stage, 0).generation.update_every == 1 and with_staleness(stage, 4).generation.update_every == 3
