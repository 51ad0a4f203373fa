"""The engine's face: right under every layout, packed as unpacked, and honest about steps it did not take."""

import numpy as np
import pytest
import torch
import torch.distributed as dist
from transformers import AutoModelForCausalLM

from realhf.allocation import parse_layout
from realhf.config import Engine as EngineConfig
from realhf.config import Optimizer
from realhf.engine import Engine
from realhf.packing import Sequence
from tests.groups import CLOCK_S, run_ranks
from tests.parity import BAR, loss_tokens, make_model, make_sequences, measure, weighted_loss


def settings(**changes) -> EngineConfig:
    optimizer = Optimizer(**({"lr": 1e-3, "warmup_fraction": 0.0} | changes.pop("optimizer", {})))
    fixed = {"compute_dtype": "float32", "max_tokens_per_microbatch": 96, "step_timeout_s": CLOCK_S}
    return EngineConfig(**(fixed | changes), optimizer=optimizer)


def make_engine(device, path, layout="d1", train=True, **changes) -> Engine:
    parsed = parse_layout(layout)
    return Engine(settings(**changes), parsed, path, total_optimizer_steps=10, device=device, train=train)


def share(engine: Engine, sequences: list[Sequence]) -> list[Sequence]:
    return sequences[engine.layout.data_parallel_rank(dist.get_rank()) :: engine.layout.data_parallel]


@pytest.fixture(scope="module")
def model_path(tmp_path_factory) -> str:
    return make_model(tmp_path_factory.mktemp("model") / "qwen2", "qwen2", tied=True)


@pytest.mark.parametrize(
    ("layout", "family", "tied"),
    [
        ("d1", "mistral", True),
        ("d2", "qwen2", True),
        ("t2", "llama", False),
        ("d2t2", "qwen2", True),
        ("c2", "mistral", False),
        ("c2t2", "qwen2", False),
        ("r2d2", "llama", True),
        ("p2", "qwen2", True),
        ("p2d2", "mistral", False),
        ("p2t2", "llama", True),
    ],
)
def test_three_steps_under_a_layout_equal_plain_transformers_and_torch(tmp_path, layout, family, tied):
    path = make_model(tmp_path / family, family, tied)
    [worst] = measure(layout, [path])
    assert max(worst.values()) <= BAR, worst


def _logprobs(device, path, layout, temperature):
    engine = make_engine(device, path, layout, train=False)
    return engine.logprobs(share(engine, make_sequences(7)), temperature)


def _plain_logprobs(path, temperature) -> list[np.ndarray]:
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager")
    results = []
    for sequence in make_sequences(7):
        ids = torch.from_numpy(sequence.token_ids).long()
        with torch.no_grad():
            log_p = torch.log_softmax(model(ids[None]).logits[0] / temperature, -1)
        results.append(np.concatenate([[0.0], log_p[:-1].gather(1, ids[1:, None])[:, 0].numpy()]))
    return results


@pytest.mark.parametrize("layout", ["d2", "c2t2", "p2t2"])
def test_logprobs_belong_to_their_own_token_and_equal_plain_transformers_on_every_rank(model_path, layout):
    expected = _plain_logprobs(model_path, 0.6)
    parsed = parse_layout(layout)
    answers = run_ranks(_logprobs, parsed.world_size, model_path, layout, 0.6)
    for rank, found in enumerate(answers):
        for x, y in zip(found, expected[parsed.data_parallel_rank(rank) :: parsed.data_parallel], strict=True):
            assert x.dtype == np.float32 and x[0] == 0.0
            np.testing.assert_allclose(x, y, rtol=0, atol=1e-5)


def _with_budget(device, path, budgets):
    results = []
    for budget in budgets:
        engine = make_engine(device, path, max_tokens_per_microbatch=budget)
        sequences = make_sequences(0)
        metrics = engine.train_step(sequences, weighted_loss, 1.0, loss_tokens(sequences))
        moments = {n: engine.optimizer.state[p]["exp_avg"].full_tensor().numpy() for n, p in engine.parameters.items()}
        results.append((metrics, moments, np.concatenate(engine.logprobs(sequences))))
    return results


def test_packed_sequences_give_the_same_loss_gradient_and_logprobs_as_one_by_one(model_path):
    one_by_one, packed, all_in_one = run_ranks(_with_budget, 1, model_path, [1, 96, 10000])[0]
    for metrics, moments, logprobs in (packed, all_in_one):
        assert metrics["loss"] == pytest.approx(one_by_one[0]["loss"], rel=1e-6)
        assert metrics["grad_norm"] == pytest.approx(one_by_one[0]["grad_norm"], rel=1e-6)
        for name, moment in moments.items():
            expected = one_by_one[1][name]
            assert np.abs(moment - expected).max() <= 2e-6 * np.abs(expected).max(), name
        np.testing.assert_allclose(logprobs, one_by_one[2], rtol=1e-6, atol=2e-6)


def _unequal(device, path):
    """Rank 0 has four microbatches, rank 1 one."""
    engine = make_engine(device, path, "d2", max_tokens_per_microbatch=64)
    sequences = make_sequences(0, lengths=(60, 61, 62, 63, 5))
    mine = sequences[:4] if dist.get_rank() == 0 else sequences[4:]
    metrics = engine.train_step(mine, weighted_loss, 1.0, loss_tokens(sequences))
    return metrics, engine.logprobs(mine)[0].shape, engine.all_reduce_sum(np.array([1.0, dist.get_rank()])).tolist()


def test_ranks_with_unequal_work_stay_in_step_and_report_the_same_sums(model_path):
    (first, shape, sums), (second, _, _) = run_ranks(_unequal, 2, model_path)
    assert first == second
    assert first["tokens"] == loss_tokens(make_sequences(0, lengths=(60, 61, 62, 63, 5)))
    assert shape == (60,) and sums == [2.0, 1.0]


def _one_sequence(device, path, layout):
    engine = make_engine(device, path, layout)
    metrics = engine.train_step(make_sequences(3, lengths=(21,)), weighted_loss, 1.0, 10.0)
    return metrics["loss"], metrics["grad_norm"], metrics["tokens"]


def test_a_pipeline_with_fewer_microbatches_than_stages_fills_up_with_dummies(model_path):
    alone = run_ranks(_one_sequence, 1, model_path, "d1")[0]
    for found in run_ranks(_one_sequence, 2, model_path, "p2"):
        np.testing.assert_allclose(found, alone, rtol=1e-6)


def _empty_rank(device, path):
    engine = make_engine(device, path, "d2")
    mine = make_sequences(0)[:2] if dist.get_rank() == 0 else []
    assert len(engine.logprobs(mine)) == len(mine)
    with pytest.raises(ValueError, match="use more prompts per minibatch or fewer data-parallel ranks"):
        engine.train_step(mine, weighted_loss, 1.0, 1.0)


def test_a_rank_without_sequences_is_refused_on_every_rank_and_still_takes_part_in_logprobs(model_path):
    run_ranks(_empty_rank, 2, model_path)


def _weights(engine) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in engine.full_tensors(torch.float32)}


def _same(a, b) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


def _steps_not_taken(device, path):
    engine = make_engine(device, path, optimizer={"nonfinite": "skip"})
    sequences = make_sequences(0)
    before, seen = _weights(engine), []

    def veto(metrics):
        seen.append(metrics["tokens"])
        return True

    vetoed = engine.train_step(sequences, weighted_loss, 1.0, loss_tokens(sequences), veto)
    assert vetoed["vetoed"] == 1.0 and vetoed["nonfinite_skipped"] == 0.0 and vetoed["grad_norm"] > 0
    assert seen == [loss_tokens(sequences)] and _same(_weights(engine), before)

    def broken(logprobs, entropy, fields):
        return logprobs.sum() * float("nan"), {}

    skipped = engine.train_step(sequences, broken, 1.0, 1.0)
    assert skipped["nonfinite_skipped"] == 1.0 and _same(_weights(engine), before)
    taken = engine.train_step(sequences, weighted_loss, 1.0, loss_tokens(sequences))
    assert taken["vetoed"] == taken["nonfinite_skipped"] == 0.0 and not _same(_weights(engine), before)

    stopping = make_engine(device, path)
    with pytest.raises(FloatingPointError, match=r"optimizer step 0: .* optimizer\.nonfinite=skip"):
        stopping.train_step(sequences, broken, 1.0, 1.0)


def test_a_vetoed_or_nonfinite_step_leaves_the_weights_alone_and_is_counted(model_path):
    run_ranks(_steps_not_taken, 1, model_path)


def _frozen(device, path):
    engine = make_engine(device, path, train=False, compute_dtype="bfloat16")
    assert {p.dtype for p in engine.parameters.values()} == {torch.bfloat16}
    assert len(engine.logprobs(make_sequences(0))) == 8
    with pytest.raises(ValueError, match="train=False"):
        engine.train_step(make_sequences(0), weighted_loss, 1.0, 1.0)


def test_a_frozen_engine_holds_the_compute_dtype_and_refuses_to_train(model_path):
    run_ranks(_frozen, 1, model_path)


def _small_rate(device, path):
    """bf16 compute at a learning rate far below bf16's resolution of the weights."""
    engine = make_engine(device, path, compute_dtype="bfloat16", cpu_offload=True, optimizer={"lr": 1e-6})
    before = _weights(engine)
    for _ in range(3):
        engine.train_step(make_sequences(0), weighted_loss, 1.0, 100.0)
    assert {p.dtype for p in engine.parameters.values()} == {torch.float32}
    after = _weights(engine)
    return float(np.mean([(before[n] != after[n]).mean() for n in before if "layers" in n]))


def test_bf16_compute_keeps_fp32_masters_that_even_a_tiny_learning_rate_moves(model_path):
    assert run_ranks(_small_rate, 1, model_path)[0] > 0.95


def _same_results(device, path, **changes):
    engine = make_engine(device, path, **changes)
    metrics = [engine.train_step(make_sequences(i), weighted_loss, 1.0, 300.0) for i in range(2)]
    return [m["grad_norm"] for m in metrics]


def _recomputed(device, path):
    return [_same_results(device, path, activation_checkpointing=on) for on in (True, False)]


def test_activation_checkpointing_changes_no_number(model_path):
    with_it, without = run_ranks(_recomputed, 1, model_path)[0]
    assert with_it == without


def _refusals(device, path, other):
    with pytest.raises(ValueError, match="layout d2p1m1 needs 2 ranks, but 1 were started"):
        make_engine(device, path, "d2")
    with pytest.raises(ValueError, match=r"has no config\.json; give a local Hugging Face directory"):
        make_engine(device, str(other))
    (other / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match='model_type "gpt2" .* is not supported'):
        make_engine(device, str(other))


def test_a_wrong_world_or_model_directory_is_refused_with_what_to_do(model_path, tmp_path):
    run_ranks(_refusals, 1, model_path, tmp_path)
