"""Attention kernels: each is told the same boundaries, window and heads in its own words, and gives the same numbers."""

import itertools
import sys

import pytest
import torch

from realhf import attention

OFFSETS = (0, 5, 6, 40, 64)
"""Four sequences, one of a single token."""


def _inputs(device="cpu", dtype=torch.float32, heads=4, shared=2, size=16):
    draw = torch.Generator().manual_seed(0)
    shapes = [(OFFSETS[-1], n, size) for n in (heads, heads // shared, heads // shared)]
    q, k, v = (torch.randn(shape, generator=draw).to(device, dtype).requires_grad_() for shape in shapes)
    weight = torch.randn(shapes[0], generator=draw).to(device, dtype)
    cumulative = torch.tensor(OFFSETS, dtype=torch.int32, device=device)
    return q, k, v, weight, attention.Boundaries(OFFSETS, cumulative, longest=34)


def _allowed(length: int, left: int, right: int) -> torch.Tensor:
    """[length, length]: which keys a query sees; -1 is no bound."""
    distance = torch.arange(length)[:, None] - torch.arange(length)
    return (distance <= (left if left >= 0 else length)) & (-distance <= (right if right >= 0 else length))


def _probabilities(q, k, scale, left, right):
    """[heads, length, length] of one sequence, in fp32; heads of k repeated."""
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    scores = torch.einsum("qhd,khd->hqk", q.float(), k.float()) * scale
    return scores.masked_fill(~_allowed(len(q), left, right), -torch.inf).softmax(-1)


def _plain(q, k, v, ends, scale, left, right):
    """The definition, sequence by sequence."""
    pieces = []
    for start, end in itertools.pairwise(ends.tolist()):
        p = _probabilities(q[start:end], k[start:end], scale, left, right)
        values = v[start:end].repeat_interleave(q.shape[1] // v.shape[1], dim=1).float()
        pieces.append(torch.einsum("hqk,khd->qhd", p, values))
    return torch.cat(pieces).to(q.dtype)


def varlen_forward_on_cpu(q, k, v, ends, ends_k, longest, longest_k, causal, scale, window, *_):
    """torch's private operator as its public function calls it, for a machine without CUDA."""
    assert ends.dtype == ends_k.dtype == torch.int32 and causal == (list(window) == [-1, 0])
    assert longest == longest_k == int(ends.diff().max())
    out = _plain(q, k, v, ends, scale, *window)
    return out, q.new_zeros(q.shape[1], q.shape[0], dtype=torch.float32), torch.zeros(2, dtype=torch.uint64)


def varlen_backward_on_cpu(grad, q, k, v, out, _lse, ends, _ends_k, _longest, _longest_k, _causal, _rng, scale, window):
    """By hand: inside an operator nothing is recorded."""
    grads, shared = [torch.zeros_like(x) for x in (q, k, v)], q.shape[1] // k.shape[1]
    for start, end in itertools.pairwise(ends.tolist()):
        rows = slice(start, end)
        keys, values = (x[rows].repeat_interleave(shared, dim=1).float() for x in (k, v))
        p = _probabilities(q[rows], k[rows], scale, *window)
        dp = torch.einsum("qhd,khd->hqk", grad[rows].float(), values)
        ds = p * (dp - (dp * p).sum(-1, keepdim=True)) * scale
        found = (torch.einsum("hqk,khd->qhd", ds, keys), torch.einsum("hqk,qhd->khd", ds, q[rows].float()),
                 torch.einsum("hqk,qhd->khd", p, grad[rows].float()))  # fmt: skip
        for total, part in zip(grads, found, strict=True):
            total[rows] = part.unflatten(1, (total.shape[1], -1)).sum(2).to(total.dtype)
    return tuple(grads)


@pytest.fixture
def varlen_on_cpu():
    with torch.library._scoped_library("torch_attn", "IMPL") as library:
        library.impl("_varlen_attn", varlen_forward_on_cpu, "CPU")
        library.impl("_varlen_attn_backward", varlen_backward_on_cpu, "CPU")
        yield


def flash_attn_varlen_func(q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, dropout_p=0.0, softmax_scale=None,
                           causal=False, window_size=(-1, -1), softcap=0.0, alibi_slopes=None, deterministic=False,
                           return_attn_probs=False, block_table=None):  # fmt: skip
    """flash-attn 2's face and what its documentation says of it; dropout and the rest are not used here."""
    assert cu_seqlens_q.dtype == cu_seqlens_k.dtype == torch.int32 and max_seqlen_q == max_seqlen_k
    left, right = window_size
    return _plain(q, k, v, cu_seqlens_q, softmax_scale, left, 0 if causal else right)


@pytest.fixture
def site_packages(tmp_path, monkeypatch):
    """A directory to install another flash_attn in than this machine may have."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "flash_attn"}
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("flash_attn", None)
    sys.modules.update(kept)


def _compare(kernel, window):
    q, k, v, weight, packed = _inputs()
    expected = _plain(q, k, v, packed.cumulative, 0.3, -1 if window is None else window - 1, 0)
    found = kernel(q, k, v, packed, 0.3, window)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    grads = (torch.autograd.grad((out * weight).sum(), (q, k, v)) for out in (found, expected))
    for ours, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("window", [None, 3, 34, 1000])
def test_one_sdpa_call_per_sequence_is_causal_attention_within_the_window(window):
    _compare(attention._sdpa, window)


@pytest.mark.parametrize("window", [None, 3])
def test_torchs_varlen_kernel_is_told_the_same(varlen_on_cpu, window):
    _compare(attention._torch_varlen, window)


@pytest.mark.parametrize("window", [None, 3])
def test_flash_attn_is_told_the_same(site_packages, window):
    (site_packages / "flash_attn.py").write_text("from tests.test_attention import flash_attn_varlen_func\n")
    assert attention.half_precision_kernel() is attention._flash_attn
    _compare(attention._flash_attn, window)


def test_a_flash_attn_package_without_the_function_leaves_torchs_kernel(site_packages):
    (site_packages / "flash_attn" / "cute").mkdir(parents=True)  # as flash-attn-4 installs it
    (site_packages / "flash_attn" / "cute" / "__init__.py").write_text("def flash_attn_varlen_func(): ...\n")
    assert attention.half_precision_kernel() is attention._torch_varlen


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("kernel", {attention._torch_varlen, attention.half_precision_kernel()}, ids=lambda k: k.__name__)
def test_the_gpu_kernel_agrees_with_fp32_within_bf16(kernel, window):
    q, k, v, weight, packed = _inputs("cuda", torch.bfloat16, heads=8, shared=4, size=64)
    found = kernel(q, k, v, packed, 0.3, window)
    grads = torch.autograd.grad((found * weight).sum(), (q, k, v))
    exact = [x.detach().float().requires_grad_() for x in (q, k, v)]
    expected = attention._sdpa(*exact, packed, 0.3, window)
    theirs = torch.autograd.grad((expected * weight.float()).sum(), exact)
    for x, y in zip((found, *grads), (expected, *theirs), strict=True):
        assert (x.float() - y).abs().max() <= 2e-2 * y.abs().max()
