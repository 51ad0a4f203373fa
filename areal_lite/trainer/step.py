"""One step of critic-free PPO: a Batch and a policy in, a better policy and its numbers out. Reads like the paper.

Collective over the trainer ranks; every rank passes its own share and gets the same numbers back.
"""
import functools

import numpy as np

from areal_lite.algorithms import advantages as adv
from areal_lite.algorithms.gap import PARTS, summary
from areal_lite.algorithms.losses import mean_ratio_veto, policy_loss
from areal_lite.config.schema import Algorithm
from areal_lite.trainer import pack
from areal_lite.trainer.bundle import Trace
from areal_lite.types import Batch, Minibatch, Trajectory
from realhf.engine import Engine

Arrays = dict[int, np.ndarray]
"""id(trajectory) -> [T] numbers of its answer."""


def ppo_step(a: Algorithm, temperature: float, batch: Batch, policy: Engine, reference: Engine | None,
             trace: Trace | None = None) -> dict[str, float]:
    """Train on a Batch: KL reward, reward-to-go, normalise, decoupled clipped loss. Returns the step's metrics.

    trace: takes what happened in between, for a replay bundle; costs one more forward pass.
    """
    trajectories = [t for mb in batch.minibatches for t in mb.trajectories]
    recompute = a.objective == "decoupled" and (a.minibatches > 1 or a.behaviour_weight.startswith("sequence"))
    proximal = _logprobs(policy, trajectories, temperature) if recompute else {}
    referred = _logprobs(reference, trajectories, temperature) if reference else {}

    plain = {id(t): pack.unnormalised(a, t, mb.group_rewards[i], referred.get(id(t)))
             for mb in batch.minibatches for i, t in enumerate(mb.trajectories)}
    advantages = plain
    if a.advantage == "global":
        total = policy.all_reduce_sum(adv.moments(list(plain.values())))
        advantages = dict(zip(plain, adv.normalise(list(plain.values()), total), strict=True))

    settings, made = pack.loss_settings(a), []
    for mb in batch.minibatches:
        if trace:
            trace.current |= _logprobs(policy, mb.trajectories, temperature)
        sequences = [pack.with_fields(t, **pack.loss_fields(settings, batch.step, t, advantages[id(t)], proximal.get(id(t)),
                                                            referred.get(id(t)))) for t in mb.trajectories]
        metrics = policy.train_step(sequences, functools.partial(policy_loss, settings), temperature,
                                    max(mb.loss_tokens, 1), veto=mean_ratio_veto(a.max_mean_ratio, mb.loss_tokens))
        made.append(_per_token(metrics, mb))
        if mb is batch.minibatches[0]:                     # before the first update: the gap to this step's own policy
            gap = summary(metrics)
    if trace:
        trace.proximal, trace.reference, trace.advantages, trace.metrics = proximal, referred, advantages, made
    return {**_mean(made), **gap, **_kl_to_reference(policy, trajectories, referred)}


def _logprobs(engine: Engine, trajectories: list[Trajectory], temperature: float) -> Arrays:
    whole = engine.logprobs([pack.bare(t) for t in trajectories], temperature)
    return {id(t): pack.answer_part(t, x) for t, x in zip(trajectories, whole, strict=True)}


SUMS = {"clip_fraction", "mean_ratio", "behaviour_weight", "behaviour_masked", "entropy", "kl_behaviour", "logprob_gap",
        "kl_reference"}
"""Metrics of the loss that are sums over loss tokens."""


def _per_token(metrics: dict[str, float], mb: Minibatch) -> dict[str, float]:
    return {k: v / max(mb.loss_tokens, 1) if k in SUMS else v for k, v in metrics.items() if not k.startswith(PARTS)}


def _mean(made: list[dict[str, float]]) -> dict[str, float]:
    return {k: float(np.mean([m[k] for m in made])) for k in made[0]}


def _kl_to_reference(policy: Engine, trajectories: list[Trajectory], referred: Arrays) -> dict[str, float]:
    """Mean of log behaviour - log reference per token: how far training has moved from the stage's start."""
    if not referred:
        return {}
    kl = sum(float((t.logprobs - referred[id(t)]).sum(dtype=np.float64)) for t in trajectories)
    total, count = policy.all_reduce_sum(np.array([kl, sum(len(t.output_ids) for t in trajectories)]))
    return {"kl_start": total / max(count, 1.0)}
