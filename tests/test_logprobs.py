"""The fused head against torch's own: values, gradients and memory."""

import subprocess
import sys

import pytest
import torch

from realhf.logprobs import fused_logprobs
from tests.groups import run_ranks


def _case(tokens=300, hidden=32, vocab=512):
    draw = torch.Generator().manual_seed(0)
    h = torch.randn(tokens, hidden, generator=draw, requires_grad=True)
    w = torch.randn(vocab, hidden, generator=draw, requires_grad=True)
    labels = torch.randint(0, vocab, (tokens,), generator=draw)
    return h, w, labels, torch.randn(tokens, generator=draw), torch.randn(tokens, generator=draw)


def _plain(h, w, labels, temperature):
    log_p = torch.log_softmax(h @ w.t() / temperature, -1)
    return log_p.gather(1, labels[:, None])[:, 0], -(log_p.exp() * log_p).sum(-1)


def test_logprobs_and_their_gradients_equal_torchs_linear_cross_entropy():
    h, w, labels, weight, _ = _case()
    found, _ = fused_logprobs(h, w, labels, chunk=64)
    expected = -torch.nn.functional.linear_cross_entropy(h, w, labels, reduction="none")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    ours = torch.autograd.grad((found * weight).sum(), (h, w))
    theirs = torch.autograd.grad((expected * weight).sum(), (h, w))
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() / b.abs().max() < 1e-5


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("chunk", [7, 300, 1024])
def test_temperature_entropy_and_both_gradients_equal_the_plain_formula(temperature, chunk):
    h, w, labels, a, b = _case()
    found = fused_logprobs(h, w, labels, temperature, chunk)
    expected = _plain(h, w, labels, temperature)
    for x, y in zip(found, expected, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-5, atol=2e-5)
    for coefficients in ((a, b), (a, None), (None, b)):
        ours, theirs = (
            torch.autograd.grad(
                sum((x * c).sum() for x, c in zip(pair, coefficients, strict=True) if c is not None),
                (h, w),
                retain_graph=True,
            )
            for pair in (found, expected)
        )
        for x, y in zip(ours, theirs, strict=True):
            assert (x - y).abs().max() / y.abs().max() < 1e-5


def test_a_certain_distribution_has_logprob_and_entropy_zero():
    h = torch.tensor([[200.0]])
    w = torch.tensor([[1.0], [0.0], [-1.0]])
    logprob, entropy = fused_logprobs(h, w, torch.tensor([0]))
    assert logprob.tolist() == [0.0] and entropy.tolist() == [0.0]
    logprob, _ = fused_logprobs(h, w, torch.tensor([2]))
    assert logprob.tolist() == [-400.0]


def _over_two_ranks(device):
    import torch.distributed as dist

    h, w, labels, a, b = _case()
    mine = w.detach().chunk(2)[dist.get_rank()].clone().requires_grad_()
    logprobs, entropy = fused_logprobs(h, mine, labels, 0.7, 64, dist.group.WORLD)
    grad_h, grad_w = torch.autograd.grad((logprobs * a + entropy * b).sum(), (h, mine))
    dist.all_reduce(grad_h)
    return [x.detach().numpy() for x in (logprobs, entropy, grad_h, grad_w)]


def test_a_vocabulary_cut_over_two_ranks_gives_the_same_values_and_gradients():
    h, w, labels, a, b = _case()
    logprobs, entropy = _plain(h, w, labels, 0.7)
    grad_h, grad_w = torch.autograd.grad((logprobs * a + entropy * b).sum(), (h, w))
    for rank, found in enumerate(run_ranks(_over_two_ranks, 2)):
        expected = (logprobs, entropy, grad_h, grad_w.chunk(2)[rank])
        for x, y in zip(found, expected, strict=True):
            assert (torch.from_numpy(x) - y).abs().max() / y.abs().max() < 1e-5


PEAK = """
import resource, sys, torch
from realhf.logprobs import fused_logprobs
torch.set_num_threads(1)
h = torch.randn(4096, 64, requires_grad=True); w = torch.randn(32000, 64, requires_grad=True)
labels = torch.randint(0, 32000, (4096,))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if sys.argv[1] == "fused":
    logprobs, entropy = fused_logprobs(h, w, labels, chunk=256)
else:
    log_p = torch.log_softmax(h @ w.t(), -1)
    logprobs, entropy = log_p.gather(1, labels[:, None])[:, 0], -(log_p.exp() * log_p).sum(-1)
(logprobs.sum() + entropy.sum()).backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_the_peak_memory_of_4096_tokens_by_32000_words_is_at_most_a_quarter_of_the_plain_formula():
    peak = {}
    for kind in ("fused", "plain"):
        command = [sys.executable, "-c", PEAK, kind]
        out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        peak[kind] = int(out.stdout)
    assert peak["plain"] > 500_000, "the plain formula should hold at least one full matrix of logits (KiB)"
    assert peak["fused"] <= peak["plain"] / 4
