"""How a group of ranks ends: in time when one hangs, at once when one dies, and cleanly when all are done."""

import os
import signal
import time
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

from realhf.distributed import leave
from tests.groups import run_ranks
from tests.parity import make_model, make_sequences, weighted_loss
from tests.test_engine import make_engine

CLOCK_S = 3.0


@pytest.fixture(scope="module")
def model_path(tmp_path_factory) -> str:
    return make_model(tmp_path_factory.mktemp("model"), "qwen2", tied=True)


def _absent(device, path, layout, how):
    """The last rank is stopped or killed; how long the others' next step waits for it, and what it raises."""
    engine = make_engine(device, path, layout, step_timeout_s=CLOCK_S)
    engine.train_step(make_sequences(0), weighted_loss, 1.0, 100.0)
    dist.barrier()
    if dist.get_rank() == dist.get_world_size() - 1:
        os.kill(os.getpid(), how)
    start = time.monotonic()
    with pytest.raises(RuntimeError):
        engine.train_step(make_sequences(0), weighted_loss, 1.0, 100.0)
    raise AssertionError(f"noticed after {time.monotonic() - start:.1f} s")


@pytest.mark.parametrize("layout", ["d2", "t2", "p2"])
def test_a_hung_rank_is_noticed_on_the_clock_of_the_step(model_path, layout):
    with pytest.raises(AssertionError, match=r"rank 0 failed:(.|\n)*noticed after ([2-9]|1[0-2])\."):
        run_ranks(_absent, 2, model_path, layout, signal.SIGSTOP, timeout_s=60.0)


def test_a_killed_rank_is_noticed_at_once(model_path):
    with pytest.raises(AssertionError, match=r"rank 1 died without a word|noticed after [0-1]\."):
        run_ranks(_absent, 2, model_path, "d2", signal.SIGKILL, timeout_s=60.0)


def _every_clock(device, path):
    """The timeout in seconds of each group after the engine is built."""
    make_engine(device, path, "d2t2", step_timeout_s=17.0)
    groups = list(dist.distributed_c10d._world.pg_map)
    assert len(groups) > 4
    return [group._get_backend(torch.device("cpu")).options._timeout.total_seconds() for group in groups]


def test_every_group_of_an_engine_waits_on_the_clock_of_the_step(model_path):
    assert set(run_ranks(_every_clock, 4, model_path)[0]) == {17.0}


def _leaves_without_the_other(device):
    if dist.get_rank() == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    dist.distributed_c10d._get_default_store().set_timeout(timedelta(seconds=CLOCK_S))
    leave()


def test_a_rank_does_not_wait_forever_for_the_others_to_leave():
    with pytest.raises(AssertionError, match="rank 0 failed:(.|\n)*timeout"):
        run_ranks(_leaves_without_the_other, 2, timeout_s=60.0)
