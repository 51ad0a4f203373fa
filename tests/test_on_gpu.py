"""The engine off the CPU: where no tensor may stay behind, which needs no GPU to tell; and the numbers, where there is one.

The meta device stands for the GPU: its tensors have shapes and dtypes, meet none of another device, and take the kernels' way.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from areal_lite.algorithms.losses import PolicyLoss, policy_loss
from realhf import attention, model, packing
from realhf.allocation import Layout
from realhf.engine import Engine
from realhf.logprobs import fused_logprobs
from tests import parity
from tests.groups import run_ranks
from tests.parity import loss_tokens, make_model, make_sequences, weighted_loss
from tests.test_engine import make_engine

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
META = torch.device("meta")


@pytest.mark.parametrize("family", parity.FAMILIES)
def test_no_tensor_of_a_training_step_stays_on_the_cpu_or_leaves_its_dtype(tmp_path, family):
    config = model.read_config(make_model(tmp_path / family, family, tied=family == "qwen2"))
    decoder = model.build(config, Layout(), stage=0, chunk=32).to(torch.bfloat16)
    model.materialise(decoder, config, META, on_host=False)
    model.checkpoint_activations(decoder)
    packed = packing.pack(make_sequences(0), [0, 1, 2], length=96)
    engine = SimpleNamespace(layout=Layout(), device=META, mesh=SimpleNamespace(context=None, context_rank=0))
    inputs = Engine._inputs(engine, packed, 0.7)
    ends = inputs.boundaries.cumulative
    assert ends.device == META and ends.dtype == torch.int32 and ends.shape == (5,) and inputs.boundaries.longest == 50
    logprobs, entropy = decoder(inputs.token_ids[None], inputs)
    fields = {**inputs.fields, **dict.fromkeys(("advantages", "behaviour", "staleness", "reference"), inputs.fields["mask"])}
    loss, sums = policy_loss(PolicyLoss(kl_loss=0.1, entropy_bonus=0.1), logprobs, entropy, fields)
    (loss + weighted_loss(logprobs, entropy, inputs.fields)[0]).backward()
    assert {x.device for x in (logprobs, entropy, loss, *sums.values())} == {META}
    assert logprobs.dtype == entropy.dtype == loss.dtype == torch.float32
    assert {(p.grad.device, p.grad.dtype) for p in decoder.parameters()} == {(META, torch.bfloat16)}


def test_off_the_cpu_bf16_goes_to_the_kernel_that_builds_no_scores_and_fp32_does_not(monkeypatch):
    called = []
    monkeypatch.setattr(attention, "_sdpa", lambda q, *_: called.append(q.dtype) or q)
    monkeypatch.setattr(attention, "_gpu_kernel", lambda q, *_: called.append(f"kernel: {q.dtype}") or q)
    packed = attention.Boundaries((0, 8), torch.tensor([0, 8], dtype=torch.int32), 8)
    for device, dtype in (("meta", torch.bfloat16), ("meta", torch.float32), ("cpu", torch.bfloat16)):
        x = torch.empty(1, 2, 8, 16, device=device, dtype=dtype)
        attention.packed_attention(None, x, x, x, None, packed=packed, scaling=0.25)
    assert called == ["kernel: torch.bfloat16", torch.float32, torch.bfloat16]


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("family", parity.FAMILIES)
def test_three_steps_on_the_gpu_equal_plain_transformers_on_the_cpu(tmp_path, family):
    [worst] = parity.measure("d1", [make_model(tmp_path / family, family, tied=family == "qwen2")], gpu=True)
    assert max(worst.values()) <= parity.BAR, worst


@pytest.mark.gpu
@needs_gpu
def test_logprobs_of_bf16_weights_are_not_rounded_to_bf16():
    draw = torch.Generator().manual_seed(0)
    h, w = (torch.randn(n, 512, generator=draw).cuda().bfloat16() for n in (300, 4096))
    labels = torch.randint(0, 4096, (300,), generator=draw).cuda()
    expected = torch.log_softmax(h.double() @ w.double().t(), -1).gather(1, labels[:, None])[:, 0]
    assert (fused_logprobs(h, w, labels, chunk=64)[0] - expected).abs().max() < 1e-3


def _bf16(device, path, root):
    assert device.type == "cuda"
    sequences = make_sequences(0)
    whole = make_engine(device, path).logprobs(sequences)
    found = {}
    for name, changes in (("plain", {}), ("offload", {"cpu_offload": True}), ("compiled", {"compile_layers": True})):
        engine = make_engine(device, path, compute_dtype="bfloat16", **changes)
        off = max(float(np.abs(x - y).max()) for x, y in zip(engine.logprobs(sequences), whole, strict=True))
        steps = [engine.train_step(make_sequences(i), weighted_loss, 1.0, loss_tokens(make_sequences(i))) for i in range(2)]
        engine.save(f"{root}/{name}", {"n": 1})
        following = engine.train_step(sequences, weighted_loss, 1.0, loss_tokens(sequences))["loss"]
        engine.wait_saved()
        assert engine.load(f"{root}/{name}") == {"n": 1}
        again = engine.train_step(sequences, weighted_loss, 1.0, loss_tokens(sequences))["loss"]
        assert all(t.device.type == "cpu" for _, t in engine.full_tensors(torch.bfloat16))
        found[name] = (off, [m["grad_norm"] for m in steps], following, again)
    return found


@pytest.mark.gpu
@needs_gpu
def test_bf16_training_on_the_gpu_plain_offloaded_and_compiled_agree_and_continue_from_a_checkpoint(tmp_path):
    path = make_model(tmp_path / "model", "qwen2", tied=True)
    found = run_ranks(_bf16, 1, path, str(tmp_path), gpu=True)[0]
    for off, norms, following, again in found.values():
        assert off < 0.1
        np.testing.assert_allclose(norms, found["plain"][1], rtol=0.05)
        assert again == pytest.approx(following, rel=1e-3)
