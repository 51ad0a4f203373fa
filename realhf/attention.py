"""Causal attention over packed sequences, and the one place where its kernel is chosen.

CUDA: flash-attn when it is installed, else torch's own varlen kernel (neither was run yet: no GPU was at hand).
CPU, and fp32 anywhere: one SDPA call per sequence. All three see [T, heads, head_dim] and the sequence boundaries; no
T x T mask is ever built. Registered with transformers under NAME, so that its decoder layers call `packed_attention`
with the `packed` keyword they were given.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as F
from transformers import AttentionInterface, AttentionMaskInterface

from realhf.parallel.context import gather_heads, gather_sequence

NAME = "realhf_packed"


@dataclass(frozen=True)
class Boundaries:
    """Where the sequences of a packed microbatch of T tokens begin and end."""

    offsets: tuple[int, ...]
    """0 = first start, ..., T."""
    cumulative: torch.Tensor
    """The same as [sequences + 1] int32 on the device."""
    longest: int
    context: dist.ProcessGroup | None = None
    """Ranks that hold T / c tokens each, in order."""


@torch.compiler.disable  # the loop would be unrolled, and compiled anew for every number of sequences
def _sdpa(q, k, v, packed: Boundaries, scale: float, window: int | None) -> torch.Tensor:
    pieces = []
    shared = q.shape[1] // k.shape[1]  # heads repeated here: with enable_gqa, fp32 on CUDA would build all scores
    q, k, v = (x.transpose(0, 1)[None] for x in (q, *(x.repeat_interleave(shared, dim=1) for x in (k, v))))
    for start, end in itertools.pairwise(packed.offsets):
        mask = None
        if window is not None and end - start > window:
            place = torch.arange(end - start, device=q.device)
            distance = place[:, None] - place
            mask = (distance >= 0) & (distance < window)
        one = [x[:, :, start:end] for x in (q, k, v)]
        pieces.append(
            F.scaled_dot_product_attention(*one, attn_mask=mask, is_causal=mask is None, scale=scale)
        )
    return torch.cat(pieces, dim=2)[0].transpose(0, 1)


def _torch_varlen(q, k, v, packed: Boundaries, scale: float, window: int | None) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    reach = (-1, 0) if window is None else (window - 1, 0)
    ends, longest = packed.cumulative, packed.longest
    return varlen_attn(q, k, v, ends, ends, longest, longest, scale=scale, window_size=reach, enable_gqa=True)


def _flash_attn(q, k, v, packed: Boundaries, scale: float, window: int | None) -> torch.Tensor:
    from flash_attn import flash_attn_varlen_func

    reach = (-1, 0) if window is None else (window - 1, 0)
    ends, longest = packed.cumulative, packed.longest
    return flash_attn_varlen_func(
        q, k, v, ends, ends, longest, longest, softmax_scale=scale, causal=True, window_size=reach
    )


def half_precision_kernel() -> Callable:
    """What bf16 on CUDA uses. Found by importing the function: flash-attn-4 installs a package of the same name without it."""
    try:
        from flash_attn import flash_attn_varlen_func  # noqa: F401
    except ImportError:
        return _torch_varlen
    return _flash_attn


_gpu_kernel = half_precision_kernel()


def packed_attention(module, query, key, value, mask, *, packed: Boundaries, scaling, sliding_window=None, **_):
    """query [1, heads, T/c, head_dim], key and value with fewer heads -> ([1, T/c, heads, head_dim], None)."""
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
    if packed.context is not None:
        q, k, v = gather_sequence(q, k, v, packed.context)
    half_on_gpu = q.device.type != "cpu" and q.dtype in (torch.bfloat16, torch.float16)
    out = (_gpu_kernel if half_on_gpu else _sdpa)(q, k, v, packed, scaling, sliding_window)
    if packed.context is not None:
        out = gather_heads(out, packed.context)
    return out[None], None


AttentionInterface.register(NAME, packed_attention)
AttentionMaskInterface.register(NAME, lambda *_, **__: None)
