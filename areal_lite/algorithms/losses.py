"""The policy losses: per-token sums over a flat packed microbatch, with what they report as sums too.

Everything is [N] over the tokens of a microbatch; `mask` is 1.0 on loss tokens and 0.0 elsewhere. The engine divides
by the global count of loss tokens, so a token weighs the same wherever it was packed.
"""
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from areal_lite.algorithms.gap import by_staleness

Sums = dict[str, Tensor]
MAX_LOG_RATIO = 20.0
"""exp() of more is infinite in bf16 and useless in fp32; a ratio beyond it is far outside every clip range."""


@dataclass(frozen=True)
class PolicyLoss:
    """The numbers of the loss (config.Algorithm)."""
    objective: str = "decoupled"
    clip_low: float = 0.2
    clip_high: float = 0.2
    behaviour_weight: str = "token_truncate"
    behaviour_weight_cap: float = 5.0
    kl_loss: float = 0.0
    entropy_bonus: float = 0.0


def policy_loss(settings: PolicyLoss, logprobs: Tensor, entropy: Tensor, fields: dict[str, Tensor]) -> tuple[Tensor, Sums]:
    """Clipped policy gradient -> (sum of the loss over loss tokens, sums to report).

    fields: mask, advantages, behaviour (logprobs of the policy that sampled), staleness (in versions), and when they are
    used: proximal
    (logprobs of this step's starting policy; absent means it is the current one), weight (see behaviour_weights),
    reference. kl_behaviour estimates KL(behaviour || current); gap.py says what else is reported of the two.
    naive: ratio = current / behaviour (PPO, arXiv:1707.06347, eq. 7).
    decoupled: ratio = current / proximal, each token weighted by proximal / behaviour (Hilton et al. 2022,
    arXiv:2110.00641, section 3; AReaL, arXiv:2505.24298, eq. 5).
    """
    mask, advantages = fields["mask"], fields["advantages"]
    behaviour = fields["behaviour"]
    proximal = fields.get("proximal", logprobs.detach()) if settings.objective == "decoupled" else behaviour
    ratio = _exp(logprobs - proximal)
    clipped = ratio.clamp(1 - settings.clip_low, 1 + settings.clip_high)
    surrogate = torch.minimum(ratio * advantages, clipped * advantages)
    weight = torch.ones_like(mask)
    if settings.objective == "decoupled":
        weight = fields["weight"] if "weight" in fields else _token_weight(settings, proximal, behaviour)
    per_token = -weight * surrogate
    sums = {"clip_fraction": ((clipped * advantages < ratio * advantages) * mask).sum(),
            "mean_ratio": (ratio * mask).sum(),
            "behaviour_weight": (weight * mask).sum(),
            "behaviour_masked": ((weight == 0) * mask).sum(),
            "entropy": (entropy * mask).sum()}
    with torch.no_grad():
        apart, kl = logprobs - behaviour, k3(logprobs, behaviour)
        sums |= {"kl_behaviour": (kl * mask).sum(), "logprob_gap": (apart.abs() * mask).sum(),
                 **by_staleness(apart, kl, (weight == 0).to(mask.dtype), fields["staleness"], mask)}
    if settings.kl_loss:
        kl = k3(logprobs, fields["reference"])
        per_token = per_token + settings.kl_loss * kl
        sums["kl_reference"] = (kl * mask).sum()
    if settings.entropy_bonus:
        per_token = per_token - settings.entropy_bonus * entropy
    return (per_token * mask).sum(), {name: value.detach() for name, value in sums.items()}


def behaviour_weights(settings: PolicyLoss, proximal: Tensor, behaviour: Tensor, mask: Tensor) -> Tensor:
    """[T] proximal / behaviour weights of ONE sequence, tamed as settings.behaviour_weight says.

    token_truncate: min(w_t, cap) (truncated importance sampling, Yao et al. 2025; IMPALA's rho-bar, arXiv:1802.01561).
    token_mask: w_t, or 0 above the cap. sequence_*: the same with the sequence's product of ratios, for all its
    tokens (GSPO uses its geometric mean; this is the untempered product). none: 1.
    """
    if settings.behaviour_weight.startswith("sequence"):
        total = _exp(((proximal - behaviour) * mask).sum())
        return _tame(settings, total.expand_as(mask))
    return _token_weight(settings, proximal, behaviour)


def k3(logprobs: Tensor, other: Tensor) -> Tensor:
    """[N] exp(d) - d - 1 with d = other - logprobs, clamped to +-10 (Schulman 2020, approximating KL; GRPO eq. 4)."""
    d = (other - logprobs).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)
    return (torch.exp(d) - d - 1).clamp(-10.0, 10.0)


def mean_ratio_veto(limit: float, denominator: int) -> Callable[[dict[str, float]], bool] | None:
    """Throw a minibatch's gradient away when its mean importance ratio exceeds limit (AReaL v0.1's early stop)."""
    if limit <= 0:
        return None
    return lambda metrics: metrics["mean_ratio"] / max(denominator, 1) > limit


def sft_loss(logprobs: Tensor, entropy: Tensor, fields: dict[str, Tensor]) -> tuple[Tensor, Sums]:
    """Negative log likelihood of the loss tokens."""
    mask = fields["mask"]
    return -(logprobs * mask).sum(), {"entropy": (entropy * mask).sum().detach()}


def _token_weight(settings: PolicyLoss, proximal: Tensor, behaviour: Tensor) -> Tensor:
    return _tame(settings, _exp(proximal - behaviour))


def _tame(settings: PolicyLoss, weight: Tensor) -> Tensor:
    match settings.behaviour_weight.rpartition("_")[2]:
        case "none":
            return torch.ones_like(weight)
        case "truncate":
            return weight.clamp(max=settings.behaviour_weight_cap)
        case "mask":
            return weight * (weight <= settings.behaviour_weight_cap)
    raise ValueError(f"behaviour_weight {settings.behaviour_weight!r} is not known")


def _exp(log_ratio: Tensor) -> Tensor:
    return torch.exp(log_ratio.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO))
