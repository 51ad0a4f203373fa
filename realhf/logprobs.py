"""Log-probability and entropy of given tokens, straight from hidden states: full logits never exist.

Tokens go through the head in chunks; a chunk's logits live only while it is worked on and are computed again in the
backward. With a tensor-parallel group every rank holds a slice of the vocabulary and three numbers per token are
reduced (vocabulary-parallel cross entropy of Megatron-LM, Shoeybi et al. 2019). Statistics are fp32.
"""

import torch
import torch.distributed as dist


class _FusedLogprobs(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, labels, inverse_temperature, chunk, group):
        first = dist.get_rank(group) * weight.shape[0] if group is not None else 0
        logprobs, entropy, log_normaliser = (hidden.new_empty(hidden.shape[0], dtype=torch.float32) for _ in range(3))
        for start in range(0, hidden.shape[0], chunk):
            rows = slice(start, start + chunk)
            logits = _logits(hidden[rows], weight, inverse_temperature)
            largest = logits.amax(-1)
            if group is not None:
                dist.all_reduce(largest, dist.ReduceOp.MAX, group=group)
            logits.sub_(largest[:, None])
            own, local = _own_labels(labels[rows], first, weight.shape[0])
            chosen = torch.where(own, logits.gather(1, local[:, None])[:, 0], 0.0)
            weights = logits.exp()
            sums = torch.stack([weights.sum(-1), weights.mul_(logits).sum(-1), chosen])
            if group is not None:
                dist.all_reduce(sums, group=group)
            log_sum = sums[0].log()
            logprobs[rows] = sums[2] - log_sum
            entropy[rows] = log_sum - sums[1] / sums[0]
            log_normaliser[rows] = log_sum + largest
        ctx.save_for_backward(hidden, weight, labels, log_normaliser, entropy)
        ctx.inverse_temperature, ctx.chunk, ctx.first = inverse_temperature, chunk, first
        ctx.set_materialize_grads(False)
        return logprobs, entropy

    @staticmethod
    def backward(ctx, grad_logprobs, grad_entropy):
        hidden, weight, labels, log_normaliser, entropy = ctx.saved_tensors
        grad_hidden = torch.empty_like(hidden)
        grad_weight = torch.zeros_like(weight, dtype=torch.float32)
        for start in range(0, hidden.shape[0], ctx.chunk):
            rows = slice(start, start + ctx.chunk)
            log_p = _logits(hidden[rows], weight, ctx.inverse_temperature).sub_(log_normaliser[rows, None])
            grad = torch.zeros_like(log_p) if grad_logprobs is None else log_p.exp().mul_(-grad_logprobs[rows, None])
            if grad_logprobs is not None:
                own, local = _own_labels(labels[rows], ctx.first, weight.shape[0])
                grad.scatter_add_(1, local[:, None], (grad_logprobs[rows] * own)[:, None])
            if grad_entropy is not None:
                grad -= log_p.exp().mul_(log_p.add_(entropy[rows, None])).mul_(grad_entropy[rows, None])
            grad = grad.mul_(ctx.inverse_temperature).to(hidden.dtype)
            grad_hidden[rows] = grad @ weight
            grad_weight += grad.t() @ hidden[rows]
        return grad_hidden, grad_weight.to(weight.dtype), None, None, None, None


def _logits(hidden, weight, inverse_temperature: float):
    """[rows, V] float32. A GPU adds products of bf16 up in fp32 and need not round the sums; a CPU has no such product."""
    if hidden.device.type == "cpu" or hidden.dtype == torch.float32:
        return (hidden @ weight.t()).float().mul_(inverse_temperature)
    return torch.mm(hidden, weight.t(), out_dtype=torch.float32).mul_(inverse_temperature)


def _own_labels(labels, first: int, count: int):
    """Which labels lie in [first, first + count), and their local index (0 where they do not)."""
    own = (labels >= first) & (labels < first + count)
    return own, torch.where(own, labels - first, 0)


def fused_logprobs(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    labels: torch.Tensor,
    temperature: float = 1.0,
    chunk: int = 1024,
    group: dist.ProcessGroup | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """log softmax(hidden @ weight.T / temperature)[label] and the entropy of that distribution, both differentiable.

    hidden [N, D]; weight [V, D], or with a group this rank's [V/t, D] rows; labels [N] int64 of the whole vocabulary.
    Returns two [N] float32. With a group, every rank must call with the same hidden and labels, and the gradient of
    hidden is this rank's part of a sum over the group.
    """
    return _FusedLogprobs.apply(hidden, weight, labels, 1.0 / temperature, chunk, group)
