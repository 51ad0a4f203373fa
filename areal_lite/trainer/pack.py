"""Trajectories -> the engine's sequences with their per-token fields. Pure: the same on every rank and in a replay."""
import numpy as np
import torch

from areal_lite.algorithms import advantages as adv
from areal_lite.algorithms.losses import PolicyLoss, behaviour_weights
from areal_lite.config.schema import Algorithm
from areal_lite.types import Trajectory
from realhf.packing import Sequence


def bare(t: Trajectory) -> Sequence:
    """Prompt and answer, for logprobs only."""
    return Sequence(np.concatenate([t.prompt_ids, t.output_ids]))


def answer_part(t: Trajectory, aligned: np.ndarray) -> np.ndarray:
    """[P + T] of the whole sequence -> [T] of the answer."""
    return aligned[len(t.prompt_ids):]


def unnormalised(a: Algorithm, t: Trajectory, group: np.ndarray, reference: np.ndarray | None) -> np.ndarray:
    """[T] advantages before global normalisation. group: [G] rewards of the answers to the same prompt.

    reference: [T] logprobs of the KL reference, needed when the KL is in the reward.
    """
    reward = t.reward
    if a.advantage != "global":
        reward = adv.centre_in_group(t.reward, group, scale=a.advantage == "group")
    penalties = np.zeros(len(t.output_ids))
    if a.kl_reward:
        penalties = adv.kl_penalties(t.logprobs, reference, a.kl_reward)
    return adv.reward_to_go(reward, penalties)


def loss_settings(a: Algorithm) -> PolicyLoss:
    """The loss's part of the algorithm's configuration."""
    return PolicyLoss(a.objective, a.clip_low, a.clip_high, a.behaviour_weight, a.behaviour_weight_cap, a.kl_loss,
                      a.entropy_bonus)


def loss_fields(settings: PolicyLoss, step: int, t: Trajectory, advantages: np.ndarray, proximal: np.ndarray | None,
                reference: np.ndarray | None) -> dict[str, np.ndarray]:
    """What policy_loss reads of one answer besides mask and behaviour, [T] each; None: this step does without it."""
    fields = {"advantages": advantages, "staleness": step - t.versions}
    if proximal is not None:
        fields["proximal"] = proximal
        if settings.behaviour_weight.startswith("sequence"):
            p, b = torch.from_numpy(proximal.copy()), torch.from_numpy(t.logprobs.copy())
            fields["weight"] = behaviour_weights(settings, p, b, torch.ones_like(b)).numpy()
    if settings.kl_loss:
        fields["reference"] = reference
    return fields


def with_fields(t: Trajectory, **fields: np.ndarray) -> Sequence:
    """The sequence with its loss mask and [T] fields, zero on the prompt."""
    prompt, answer = len(t.prompt_ids), len(t.output_ids)

    def aligned(values: np.ndarray) -> np.ndarray:
        out = np.zeros(prompt + answer, np.float32)
        out[prompt:] = values
        return out

    return Sequence(bare(t).token_ids, {"mask": aligned(np.ones(answer)), "behaviour": aligned(t.logprobs),
                                        **{name: aligned(values) for name, values in fields.items()}})
