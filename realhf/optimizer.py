"""AdamW on sharded fp32 masters: the schedule, the clip that is right under every layout, and the step itself."""

import math
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch.distributed.tensor import DTensor

from realhf.config import Optimizer


def learning_rate(settings: Optimizer, step: int, total: int) -> float:
    """Of optimizer step `step` (from 0) of `total`: a linear rise from 0 that ends at the peak, then the schedule."""
    warmup = math.ceil(settings.warmup_fraction * total)
    if step < warmup:
        return settings.lr * (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    left = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}[settings.schedule]
    return settings.lr * (settings.min_lr_ratio + (1.0 - settings.min_lr_ratio) * left)


def build(parameters: Iterable[torch.nn.Parameter], settings: Optimizer) -> torch.optim.AdamW:
    """Biases and norm weights (one dimension) are not decayed, as in Megatron-LM."""
    parameters = list(parameters)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [g for g in groups if g["params"]], lr=settings.lr, betas=settings.betas, eps=settings.eps, fused=True
    )


def _local(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _copies(tensor: torch.Tensor) -> int:
    """How many ranks of the tensor's mesh hold each of its elements."""
    if not isinstance(tensor, DTensor):
        return 1
    sizes = zip(tensor.device_mesh.shape, tensor.placements, strict=True)
    return math.prod(size for size, placement in sizes if placement.is_replicate())


def global_norm(gradients: list[torch.Tensor]) -> float:
    """L2 norm of all elements of all ranks' gradients, each element once. Collective over the world.

    Every rank's own elements are summed, weighted by one over the number of ranks that also hold them.
    """
    norms = torch._foreach_norm([_local(g) for g in gradients])
    copies = torch.tensor([_copies(g) for g in gradients], dtype=torch.float64, device=norms[0].device)
    total = (torch.stack(norms).double().square() / copies).sum()
    dist.all_reduce(total)
    return math.sqrt(total.item()) if torch.isfinite(total) else math.nan


def scale(gradients: list[torch.Tensor], factor: float) -> None:
    """Multiply all gradients in place."""
    torch._foreach_mul_([_local(g) for g in gradients], factor)


def state_tensors(optimizer: torch.optim.AdamW, names: dict[torch.Tensor, str]) -> dict[str, torch.Tensor]:
    """First and second moments under names like "<parameter>.exp_avg"; zeros where no step was made yet."""
    tensors = {}
    for parameter, name in names.items():
        state = optimizer.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=_local(parameter).device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        tensors |= {f"{name}.{key}": state[key] for key in ("exp_avg", "exp_avg_sq")}
    return tensors


def updates_made(optimizer: torch.optim.AdamW) -> int:
    """Steps that AdamW has taken (left-out ones do not count)."""
    return max((int(state["step"].item()) for state in optimizer.state.values() if state), default=0)


def set_updates_made(optimizer: torch.optim.AdamW, count: int) -> None:
    """After loading the moments: the number that corrects their bias."""
    for state in optimizer.state.values():
        state["step"].fill_(float(count))
