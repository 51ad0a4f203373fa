"""Replay: bundles of a real two-rank step, against naive loops; and whatever is changed in one is found out."""
import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
from tokenizers import Tokenizer

from areal_lite import record, replay
from areal_lite.config import Stage, to_yaml
from areal_lite.config.schema import Algorithm, Data, Generation, Model, Record, Reward, Until
from areal_lite.master.answers import write_answers
from areal_lite.master.batch import make_batches
from areal_lite.trainer import bundle
from areal_lite.types import Prompt, Trajectory
from realhf.allocation import parse_layout
from realhf.config import Engine as EngineConfig
from realhf.config import Optimizer
from tests.groups import CLOCK_S, run_ranks
from tests.tiny import BOX, CLOSE, EOS, SPACE, ZERO, A, make_model, write_tokenizer

P, G, LIMIT = 4, 3, 24
PLAIN = Algorithm(prompts_per_step=P, group_size=G, minibatches=2, kl_reward=0.02)
GROUPED = Algorithm(prompts_per_step=P, group_size=G, minibatches=2, advantage="group", behaviour_weight="sequence_truncate", kl_loss=0.05,
                    entropy_bonus=0.01)
SINGLE = Algorithm(prompts_per_step=P, group_size=G, minibatches=1, advantage="group_mean", objective="naive", behaviour_weight="none")


def stage(algorithm, path):
    return Stage(model=Model(str(path), "float32"), data=Data("unused"), algorithm=algorithm, until=Until(steps=9), reward=Reward(),
                 generation=Generation(max_new_tokens=LIMIT), record=Record(bundle_every_steps=1),
                 trainer=EngineConfig(compute_dtype="float32", max_tokens_per_microbatch=64, step_timeout_s=CLOCK_S,
                                      optimizer=Optimizer(lr=2e-2, warmup_fraction=0.0)))


def prompt(k, attempt=0):
    return Prompt(f"p{k}", np.array([A + k, ZERO + k], np.int32), (str(k),))


def groups():
    """Ticket k answers k (right) in sample 0, k + 1 in sample 1, and is cut off in sample 2."""
    random, made = np.random.default_rng(0), []
    for k in range(P):
        group = []
        for sample in range(G):
            words = random.integers(A, A + 20, 3 + 2 * k + sample).tolist()
            ids = words + ([BOX, ZERO + k + sample, CLOSE, EOS] if sample < 2 else [SPACE] * (LIMIT - len(words)))
            n, right = len(ids), sample == 0
            group.append(Trajectory(
                k, 0, sample, "train", prompt(k).token_ids, np.array(ids, np.int32), random.normal(-4, 0.3, n).astype(np.float32),
                np.zeros(n, np.int32), "stop" if sample < 2 else "length", 5.0 if right else -5.0,
                "correct" if right else "wrong", str(k + sample) if sample < 2 else "", 0.1))
        made.append(group)
    return made


def _step(device, directory, stages, layout):
    """Every rank: a real engine, a real step, its bundle."""
    import torch.distributed as dist

    from areal_lite.trainer.step import ppo_step
    from realhf.engine import Engine

    parsed, out = parse_layout(layout), []
    for name, s in stages.items():
        policy, frozen = (Engine(s.trainer, parsed, s.model.path, total_optimizer_steps=9, device=device, train=train)
                          for train in (True, False))
        reference = frozen if s.algorithm.kl_reward or s.algorithm.kl_loss else None
        batch = make_batches(groups(), 0, parsed.data_parallel, s.algorithm.minibatches)[dist.get_rank()]
        trace = bundle.Trace()
        out.append(ppo_step(s.algorithm, 1.0, batch, policy, reference, trace))
        bundle.write(directory / name, dist.get_rank(), parsed.data_parallel, batch, trace)
    return out


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Directory with the bundles "plain", "grouped" and "single", each of two shares; and the steps' metrics."""
    directory = tmp_path_factory.mktemp("bundles")
    make_model(directory / "model")
    stages = {"plain": stage(PLAIN, directory / "model"), "grouped": stage(GROUPED, directory / "model"),
              "single": stage(SINGLE, directory / "model")}
    metrics = run_ranks(_step, 2, directory, stages, "d2")[0]
    write_tokenizer(directory / "model")
    for name, s in stages.items():
        write_answers(directory / name, groups(), prompt, Tokenizer.from_file(str(directory / "model" / "tokenizer.json")))
        (directory / name / "config.yaml").write_text(to_yaml(s))
    return directory, dict(zip(stages, metrics, strict=True))


@pytest.fixture
def copied(recorded, tmp_path):
    return lambda name: shutil.copytree(recorded[0] / name, tmp_path / name)


@pytest.mark.parametrize("name", ["plain", "grouped", "single"])
def test_a_recorded_step_of_two_ranks_replays_to_the_runs_numbers(recorded, name):
    findings = replay.replay(recorded[0] / name)
    assert [f.what for f in findings] == ["rewards", "advantages", "minibatch 1", "minibatch 2"][: 3 if name == "single" else 4]
    assert all(f.equal for f in findings), findings
    assert findings[0].words == "12 of 12 answers graded to the run's reward"
    assert "bit for bit" in findings[1].words


def naive_advantages(step):
    """Token by token, of plain (KL in the reward, normalised over the batch)."""
    out = {}
    for share in step.shares:
        for t, reference in zip(bundle.trajectories(share.batch), share.tables["reference"], strict=True):
            rest, values = t.reward, []
            for token in reversed(range(len(t.output_ids))):
                rest -= PLAIN.kl_reward * (float(t.logprobs[token]) - float(reference[token]))
                values.append(rest)
            out[t.k, t.sample] = values[::-1]
    flat = [x for values in out.values() for x in values]
    mean = math.fsum(flat) / len(flat)
    std = math.sqrt(math.fsum((x - mean) ** 2 for x in flat) / len(flat))
    return {key: [(x - mean) / (std + 1e-5) for x in values] for key, values in out.items()}


def test_the_bundle_holds_what_naive_loops_make_of_it(recorded):
    step = replay.load(recorded[0] / "plain")
    expected, total = naive_advantages(step), [0.0, 0.0]
    for share in step.shares:
        tables = [dict(zip(share.tables, values, strict=True)) for values in zip(*share.tables.values(), strict=True)]
        for t, table in zip(bundle.trajectories(share.batch), tables, strict=True):
            np.testing.assert_allclose(table["advantages"], expected[t.k, t.sample], rtol=0, atol=1e-10)
            m = t.k % 2                                           # groups are dealt to minibatches in turn
            for a, now, proximal, behaviour in zip(expected[t.k, t.sample], table["current"], table["proximal"], t.logprobs, strict=True):
                ratio, weight = math.exp(now - proximal), min(math.exp(proximal - behaviour), 5.0)
                total[m] -= weight * min(ratio * a, min(max(ratio, 0.8), 1.2) * a)
    for m, mb in enumerate(step.shares[0].batch.minibatches):
        assert mb.loss_tokens == sum(len(t.output_ids) for g in groups()[m::2] for t in g)
        assert total[m] / mb.loss_tokens == pytest.approx(step.shares[0].metrics[m]["loss"], abs=1e-5)
    currents = np.concatenate(step.shares[0].tables["current"]) - np.concatenate(step.shares[0].tables["proximal"])
    assert np.abs(currents).max() > 1e-2                          # the second minibatch met another policy


def rewritten(directory, change):
    """Write share 0 again with changed things; change(batch, trace) -> (batch, trace)."""
    old = bundle.read(directory / "share-0.bundle")
    ts = bundle.trajectories(old.batch)
    trace = bundle.Trace(**{n: {id(t): x.copy() for t, x in zip(ts, v, strict=True)} for n, v in old.tables.items()}, metrics=old.metrics)
    batch, trace = change(old.batch, trace)
    back = bundle.trajectories(batch)
    moved = {n: {id(b): getattr(trace, n)[id(t)] for t, b in zip(ts, back, strict=True)} for n in old.tables}
    bundle.write(directory, 0, old.ranks, batch, bundle.Trace(**moved, metrics=trace.metrics))


def with_first(batch, **changes):
    first, *rest = batch.minibatches
    ts = (dataclasses.replace(first.trajectories[0], **changes), *first.trajectories[1:])
    return dataclasses.replace(batch, minibatches=(dataclasses.replace(first, trajectories=ts), *rest))


def equal(directory):
    return {f.what: f.equal for f in replay.replay(directory)}


def test_a_changed_reward_is_caught_by_grading_again(copied):
    directory = copied("plain")
    rewritten(directory, lambda b, t: (with_first(b, reward=-b.minibatches[0].trajectories[0].reward), t))
    assert equal(directory)["rewards"] is False


def test_a_changed_answer_or_gold_is_caught_with_its_ticket_named(copied):
    directory = copied("plain")
    rows = list(record.read(directory / "answers.jsonl"))
    assert rows[0]["answers"] == ["0"] and rows[0]["response"].endswith("\\boxed{0}")
    rows[0]["answers"] = ["7"]
    (directory / "answers.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    rewards, advantages, *_ = replay.replay(directory)
    assert not rewards.equal and "ticket 0 sample 0: +5 correct in the run, -5 wrong now" in rewards.words
    assert not advantages.equal                                   # they follow from the rewards of now


def test_a_changed_advantage_is_caught_where_it_stands(copied):
    directory = copied("plain")

    def change(batch, trace):
        trace.advantages[id(batch.minibatches[0].trajectories[0])][1] += 1e-9
        return batch, trace

    rewritten(directory, change)
    assert equal(directory) == {"rewards": True, "advantages": False, "minibatch 1": True, "minibatch 2": True}


@pytest.mark.parametrize("table", ["proximal", "current"])
def test_a_changed_logprob_is_caught_by_the_loss(copied, table):
    directory = copied("grouped")

    def change(batch, trace):
        getattr(trace, table)[id(batch.minibatches[0].trajectories[0])][0] += 0.5
        return batch, trace

    rewritten(directory, change)
    assert equal(directory) == {"rewards": True, "advantages": True, "minibatch 1": False, "minibatch 2": True}


def test_a_changed_behaviour_logprob_is_caught(copied):
    directory = copied("grouped")
    rewritten(directory, lambda b, t: (with_first(b, logprobs=b.minibatches[0].trajectories[0].logprobs + np.float32(0.5)), t))
    assert equal(directory) == {"rewards": True, "advantages": True, "minibatch 1": False, "minibatch 2": True}


def test_a_cut_or_missing_share_is_an_error_that_names_it(copied, capsys):
    directory = copied("plain")
    file = directory / "share-1.bundle"
    whole = file.read_bytes()
    for size in (10, len(bundle.MAGIC) + 4, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        assert replay.main([str(directory)]) == 2
        assert f"{file} is not a whole replay bundle" in capsys.readouterr().err
    file.unlink()
    assert replay.main([str(directory)]) == 2
    assert "holds 1 of 2 data-parallel shares" in capsys.readouterr().err


def test_the_command_finds_the_step_says_equal_or_not_and_lists_what_there_is(recorded, tmp_path, capsys):
    from tests.made_runs import make_run
    run = make_run(tmp_path, plan=(("8k", 8192, 3), ("16k", 16384, 2)))
    for name, step in (("8k", 2), ("16k", 2)):
        shutil.copytree(recorded[0] / "plain", record.bundle_dir(run / name, step, 1))
    assert replay.main([str(run), "step=2"]) == 2
    assert "recorded are: stage=16k step=2, stage=8k step=2" in capsys.readouterr().err
    assert replay.main([str(run), "step=2", "stage=8k"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "the numbers are the run's"
    rewritten(run / "8k" / "bundles" / "step-00000002", lambda b, t: (with_first(b, reward=1.0), t))
    assert replay.main([str(run), "step=2", "stage=8k"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "the numbers are NOT the run's"
    assert replay.main([str(run), "stop=2"]) == 2
    assert "only step=N and stage=NAME are known" in capsys.readouterr().err


def test_only_every_nth_version_is_recorded(tmp_path):
    assert [v for v in range(1, 10) if record.bundle_dir(tmp_path, v, 3)] == [3, 6, 9]
    assert record.bundle_dir(tmp_path, 3, 0) is None


def test_a_run_that_recorded_no_step_says_what_records_one(tmp_path, capsys):
    from tests.made_runs import make_run
    run = make_run(tmp_path, plan=(("8k", 8192, 3),))
    assert replay.main([str(run), "step=10"]) == 2
    assert capsys.readouterr().err == f"error: {run}: no step was recorded; run with record.bundle_every_steps=N\n"
