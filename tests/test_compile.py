"""Compiled layers: the same numbers from few graphs, however the sequences are packed."""

import functools

import numpy as np
import pytest
import torch

from realhf import attention, model
from tests.groups import run_ranks
from tests.parity import loss_tokens, make_model, make_sequences, weighted_loss
from tests.test_attention import varlen_backward_on_cpu, varlen_forward_on_cpu
from tests.test_engine import make_engine

MIXES = ((50, 3, 37, 60), (90, 11, 33), (96,), (7, 8, 9, 10, 11, 12), (64, 20))
"""Lengths of five steps: one to six sequences and 57 to 96 tokens in a microbatch."""


def _steps(engine):
    """Losses and gradient norms of the steps, every parameter's first moment after them, and the graphs compiled by the end of
    the second step and of all."""
    from torch._dynamo.utils import counters

    counters.clear()
    found, graphs = [], []
    for seed, lengths in enumerate(MIXES):
        sequences = make_sequences(seed, lengths)
        metrics = engine.train_step(sequences, weighted_loss, 1.0, loss_tokens(sequences))
        found += [metrics["loss"], metrics["grad_norm"]]
        graphs.append(counters["stats"]["unique_graphs"])
    moments = [engine.optimizer.state[p]["exp_avg"].full_tensor().numpy() for p in engine.parameters.values()]
    return np.array(found), moments, graphs[1], graphs[-1]


def _compiled(device, path):
    """The same steps with plain layers and with compiled ones, around the CPU's kernel and around one for GPUs."""
    model.compile_layers = functools.partial(model.compile_layers, backend="aot_eager")
    library = torch.library.Library("torch_attn", "IMPL")
    library.impl("_varlen_attn", varlen_forward_on_cpu, "CPU")
    library.impl("_varlen_attn_backward", varlen_backward_on_cpu, "CPU")
    plain = _steps(make_engine(device, path))
    on_cpu = _steps(make_engine(device, path, compile_layers=True))
    torch._dynamo.reset()
    attention._sdpa = attention._torch_varlen
    return plain, on_cpu, _steps(make_engine(device, path, compile_layers=True))


def test_compiled_layers_give_the_same_losses_and_gradients_and_are_not_compiled_anew_for_every_packing(tmp_path):
    path = make_model(tmp_path / "model", "qwen2", tied=True, num_hidden_layers=2)
    plain, on_cpu, on_gpu = run_ranks(_compiled, 1, path)[0]
    for found in (on_cpu, on_gpu):
        np.testing.assert_allclose(found[0], plain[0], rtol=1e-5)
        for ours, theirs in zip(found[1], plain[1], strict=True):
            assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()
    assert plain[2:] == (0, 0)
    assert on_cpu[2] == on_cpu[3] <= 12, "six pieces around a kernel that is not compiled, at most twice each"
    assert on_gpu[2] == on_gpu[3] <= 2, "one graph for all layers; the second is for any longest sequence"
    assert on_cpu[3] and on_gpu[3]


def _refused(device, path):
    with pytest.raises(ValueError, match=r"compile_layers with t \(m\) 2: .* set compile_layers=false, or t1 with more d or c"):
        make_engine(device, path, "t2", compile_layers=True)


def test_tensor_parallel_layers_are_not_compiled_and_say_so(tmp_path):
    run_ranks(_refused, 2, make_model(tmp_path / "model", "qwen2", tied=True))
