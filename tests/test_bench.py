"""The benchmark command, and what packing is for: tokens per second on a long-tailed mix."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from transformers import AutoConfig

from realhf.bench import long_tailed, random_sequence, training_flops, write_shape
from tests.groups import run_ranks
from tests.parity import make_model
from tests.test_engine import make_engine


def _masked(logprobs, entropy, fields):
    return -(logprobs * fields["mask"]).sum(), {}


def _cpu_seconds(device, path, lengths):
    """Processor time (so that a busy machine does not count) of one training step, packed and padded."""
    engine = make_engine(device, path, max_tokens_per_microbatch=int(lengths.max()))
    draw, seconds = np.random.default_rng(0), []
    for padded_to in (lengths, np.full_like(lengths, lengths.max())):
        sequences = [random_sequence(draw, n, 512, size) for n, size in zip(lengths, padded_to, strict=True)]
        for _ in range(2):
            start = time.process_time()
            engine.train_step(sequences, _masked, 1.0, 1.0)
            taken = time.process_time() - start
        seconds.append(taken)
    return seconds


def test_packed_training_is_at_least_three_times_as_fast_as_padded_batches_on_a_long_tailed_mix(tmp_path):
    path = make_model(tmp_path, "qwen2", True, hidden_size=128, intermediate_size=352, vocab_size=512)
    lengths = long_tailed(4096, 1024)
    packed, padded = run_ranks(_cpu_seconds, 1, path, lengths)[0]
    print(f"{lengths.sum() / packed:.0f} tokens/s packed, {lengths.sum() / padded:.0f} padded")
    assert packed * 3 <= padded


def _bench(*words: str) -> dict[str, list[str]]:
    """The printed table: phase -> its columns."""
    command = [sys.executable, "-m", "realhf.bench", "--steps", "1", *words]
    on_cpu = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240, env=on_cpu).stdout
    return {line[:20].strip(): line[20:].split() for line in out.splitlines()}


def test_the_bench_runs_a_layout_of_its_own_ranks_and_prints_every_phase():
    table = _bench("--model", "tiny", "--context", "128", "--tokens", "256", "--layout", "d2", "--full")
    for phase in ("logprobs", "forward + backward", "training step"):
        seconds, tokens_per_second, share = table[phase]
        assert float(tokens_per_second) == pytest.approx(256 / float(seconds), rel=0.1)
        assert 0 < float(share.removesuffix("%")) < 200
    assert len(table["optimizer"]) == 2


def test_the_work_of_a_known_model_is_counted_by_hand(tmp_path):
    config = AutoConfig.from_pretrained(write_shape("qwen2.5-7b", str(tmp_path)))
    layer = 3584 * (28 + 2 * 4) * 128 + 36 * 128 + 28 * 128 * 3584 + 3 * 3584 * 18944 + 2 * 3584
    weights = 28 * layer + 3584 + 152064 * 3584
    assert training_flops(config, np.array([100, 300])) == 6 * weights * 400 + 6 * 28 * 3584 * (100**2 + 300**2)


def test_long_tailed_lengths_have_one_longest_and_reach_the_total():
    lengths = long_tailed(100_000, 8192)
    assert lengths.max() == lengths[0] == 8192 and lengths.min() >= 16
    assert 100_000 <= lengths.sum() < 100_000 + 8192 and np.median(lengths) < 2048
